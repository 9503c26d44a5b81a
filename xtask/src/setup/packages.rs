//! The Debian and Ubuntu packages, each with the reason it is needed.

use std::env;
use std::path::{Path, PathBuf};

use super::Purpose;

/// A package, why it is needed, and how to tell that it is not.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: &'static str,
    pub(crate) reason: &'static str,
    pub(crate) purpose: Purpose,
    /// Any one of these programs will do; without programs the package itself must be installed.
    pub(crate) programs: &'static [&'static str],
}

const fn package(
    purpose: Purpose,
    name: &'static str,
    programs: &'static [&'static str],
    reason: &'static str,
) -> Package {
    Package {
        name,
        reason,
        purpose,
        programs,
    }
}

pub(crate) const PACKAGES: &[Package] = &[
    package(
        Purpose::Build,
        "libwebkit2gtk-4.1-dev",
        &[],
        "the window is a WebKitGTK view",
    ),
    package(
        Purpose::Build,
        "pkg-config",
        &["pkg-config"],
        "finds the GTK libraries",
    ),
    package(
        Purpose::Run,
        "libayatana-appindicator3-1",
        &[],
        "puts the icon into the tray",
    ),
    package(
        Purpose::Test,
        "xvfb",
        &["Xvfb"],
        "a display without a screen",
    ),
    package(Purpose::Test, "xauth", &["xauth"], "access to that display"),
    package(
        Purpose::Test,
        "x11-utils",
        &["xwininfo"],
        "asks for the windows on it",
    ),
    package(
        Purpose::Test,
        "xdotool",
        &["xdotool"],
        "finds and drives windows",
    ),
    package(
        Purpose::Test,
        "imagemagick",
        &["import"],
        "takes pictures of windows",
    ),
    package(
        Purpose::Test,
        "fonts-dejavu-core",
        &[],
        "letters in those pictures",
    ),
    package(
        Purpose::Test,
        "dbus",
        &["dbus-run-session"],
        "a private session bus",
    ),
    package(
        Purpose::Test,
        "libglib2.0-bin",
        &["gdbus"],
        "waits for services on that bus",
    ),
    package(
        Purpose::Test,
        "python3-dbus",
        &[],
        "stands in for the tray and notification services",
    ),
    package(
        Purpose::Test,
        "python3-gi",
        &[],
        "the main loop of those stand-ins",
    ),
    package(
        Purpose::Test,
        "libnotify-bin",
        &["notify-send"],
        "checks the notification stand-in",
    ),
    package(
        Purpose::Test,
        "gnome-keyring",
        &["gnome-keyring-daemon"],
        "a real keychain",
    ),
    package(
        Purpose::Test,
        "libsecret-tools",
        &["secret-tool"],
        "looks into that keychain",
    ),
    package(
        Purpose::Test,
        "webkit2gtk-driver",
        &["WebKitWebDriver"],
        "drives the real window",
    ),
    package(
        Purpose::Test,
        "chromium",
        &["chromium", "chromium-browser", "google-chrome"],
        "the page as a browser shows it",
    ),
    package(
        Purpose::Test,
        "chromium-driver",
        &["chromedriver"],
        "drives that browser",
    ),
    package(Purpose::Test, "iproute2", &["ip"], "network namespaces"),
    package(
        Purpose::Test,
        "nftables",
        &["nft"],
        "address translation between them",
    ),
    package(
        Purpose::Test,
        "iputils-ping",
        &["ping"],
        "checks that a network is up",
    ),
    package(
        Purpose::Test,
        "libfaketime",
        &[],
        "machines whose clock is hours off",
    ),
    package(
        Purpose::Test,
        "openssl",
        &["openssl"],
        "compares fingerprints and TLS versions",
    ),
    package(
        Purpose::Test,
        "curl",
        &["curl"],
        "calls the listeners as users would",
    ),
];

/// The packages for some purposes.
pub(crate) fn wanted(purposes: &[Purpose]) -> impl Iterator<Item = &'static Package> {
    PACKAGES
        .iter()
        .filter(move |package| purposes.contains(&package.purpose))
}

/// The packages whose programs are not there. Says nothing about libraries.
pub(crate) fn missing_programs(purposes: &[Purpose]) -> Vec<&'static Package> {
    wanted(purposes)
        .filter(|package| !package.programs.is_empty() && !has_program(package))
        .collect()
}

/// Whether one of the package's programs is there. Programs for administrators count too, since
/// they are often not on the PATH of other users.
pub(crate) fn has_program(package: &Package) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let extra = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    let directories: Vec<PathBuf> = env::split_paths(&path).chain(extra).collect();
    let exists = |program: &&str| directories.iter().any(|path| is_file(&path.join(program)));
    package.programs.iter().any(exists)
}

fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_package_is_listed_once_with_a_reason() {
        let names: HashSet<_> = PACKAGES.iter().map(|package| package.name).collect();
        assert_eq!(names.len(), PACKAGES.len());
        assert!(PACKAGES.iter().all(|package| !package.reason.is_empty()));
    }

    #[test]
    fn running_the_app_needs_no_test_package() {
        let names: Vec<_> = wanted(&[Purpose::Build, Purpose::Run])
            .map(|p| p.name)
            .collect();
        assert!(names.contains(&"libwebkit2gtk-4.1-dev"));
        assert!(!names.contains(&"xvfb"));
    }
}
