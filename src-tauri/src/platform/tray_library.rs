//! Whether a tray can be shown. On Linux it needs a library that is loaded when the tray is made,
//! and its absence would be a panic there, so it is looked for first, as files.

/// Whether making a tray is safe here.
#[cfg(target_os = "linux")]
pub(crate) fn tray_available() -> bool {
    linux::library_found()
}

/// The tray is part of the system.
#[cfg(not(target_os = "linux"))]
pub(crate) fn tray_available() -> bool {
    true
}

#[cfg(target_os = "linux")]
mod linux {
    use std::path::{Path, PathBuf};
    use std::process::Command;

    /// The names that are tried when the tray is made, in that order.
    const NAMES: [&str; 2] = ["libayatana-appindicator3.so.1", "libappindicator3.so.1"];

    pub(super) fn library_found() -> bool {
        in_directories(&directories()) || loader_cache().is_some_and(|listing| is_listed(&listing))
    }

    /// Where the loader looks: what the user set, then the usual places.
    fn directories() -> Vec<PathBuf> {
        let set = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
        let usual = ["/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib"];
        let triplet = format!("{}-linux-gnu", std::env::consts::ARCH);
        std::env::split_paths(&set)
            .filter(|path| path.is_absolute())
            .chain(usual.iter().map(PathBuf::from))
            .chain(
                ["/lib", "/usr/lib"]
                    .iter()
                    .map(|base| Path::new(base).join(&triplet)),
            )
            .collect()
    }

    pub(super) fn in_directories(directories: &[PathBuf]) -> bool {
        directories
            .iter()
            .any(|directory| NAMES.iter().any(|name| directory.join(name).exists()))
    }

    /// What the loader's cache lists, for libraries in unusual places.
    fn loader_cache() -> Option<String> {
        let found = ["/sbin/ldconfig", "/usr/sbin/ldconfig"]
            .into_iter()
            .find(|path| Path::new(path).exists())?;
        let output = Command::new(found).arg("-p").output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    pub(super) fn is_listed(listing: &str) -> bool {
        listing
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .any(|name| NAMES.contains(&name))
    }

    #[cfg(test)]
    mod tests {
        #![allow(clippy::unwrap_used)]
        use super::*;

        #[test]
        fn the_library_is_found_by_its_exact_name_only() {
            let directory = tempfile::tempdir().unwrap();
            let paths = [directory.path().to_owned()];
            std::fs::write(directory.path().join("libayatana-appindicator3.so"), "").unwrap();
            assert!(!in_directories(&paths), "the loader asks for .so.1");
            std::fs::write(directory.path().join("libappindicator3.so.1"), "").unwrap();
            assert!(in_directories(&paths));
        }

        #[test]
        fn the_loader_cache_is_read() {
            let listing = "1 libs found in cache\n\tlibayatana-appindicator3.so.1 (libc6,x86-64) => /opt/x.so.1\n";
            assert!(is_listed(listing));
            assert!(!is_listed(
                "\tlibayatana-ido3-0.4.so.0 (libc6,x86-64) => /lib/y.so.0\n"
            ));
        }
    }
}
