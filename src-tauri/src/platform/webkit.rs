//! What WebKit must be told before it starts, on machines where it would show an empty window.
//!
//! With NVIDIA's own driver WebKitGTK's DMA-BUF renderer draws nothing, and under Wayland the
//! driver's explicit sync ends the connection to the display. Both have a variable that turns them
//! off. A process cannot change its variables safely, so it starts itself again with them.

#[cfg(target_os = "linux")]
pub(crate) use linux::{TURNED_OFF, start_again_where_needed};

/// Nothing is needed here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn start_again_where_needed() {}

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::OsString;
    use std::os::unix::process::CommandExt;
    use std::path::Path;
    use std::process::Command;

    /// Draws without DMA-BUF.
    pub(crate) const TURNED_OFF: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";
    /// NVIDIA's driver without explicit sync.
    const NO_EXPLICIT_SYNC: &str = "__NV_DISABLE_EXPLICIT_SYNC";

    /// Starts this program again with what WebKit needs here. Returns where nothing is needed.
    pub(crate) fn start_again_where_needed() {
        let has_driver = Path::new("/proc/driver/nvidia/version").exists();
        let missing = missing(has_driver, |name| std::env::var_os(name));
        if missing.is_empty() {
            return;
        }
        let Ok(program) = std::env::current_exe() else {
            return;
        };
        let names: Vec<&str> = missing.iter().map(|(name, _)| *name).collect();
        tracing::info!(?names, "starting again with what WebKit needs here");
        let error = Command::new(program)
            .args(std::env::args_os().skip(1))
            .envs(missing)
            .exec();
        tracing::warn!(%error, "starting again failed; the window may stay empty");
    }

    /// The variables that are needed and that nobody has decided about.
    fn missing(
        has_nvidia_driver: bool,
        set: impl Fn(&str) -> Option<OsString>,
    ) -> Vec<(&'static str, &'static str)> {
        if !has_nvidia_driver {
            return Vec::new();
        }
        let wayland = set("WAYLAND_DISPLAY").is_some_and(|name| !name.is_empty());
        let mut needed = vec![(TURNED_OFF, "1")];
        if wayland {
            needed.push((NO_EXPLICIT_SYNC, "1"));
        }
        needed.retain(|(name, _)| set(name).is_none());
        needed
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn only_nvidias_driver_needs_help_and_the_persons_word_counts() {
            let unset = |_: &str| None;
            assert_eq!(missing(false, unset), []);
            assert_eq!(missing(true, unset), [(TURNED_OFF, "1")]);
            let wayland =
                |name: &str| (name == "WAYLAND_DISPLAY").then(|| OsString::from("wayland-0"));
            assert_eq!(
                missing(true, wayland),
                [(TURNED_OFF, "1"), (NO_EXPLICIT_SYNC, "1")]
            );
            let decided = |name: &str| (name == TURNED_OFF).then(|| OsString::from("0"));
            assert_eq!(missing(true, decided), []);
        }
    }
}
