//! What this machine is, as far as front ends and addresses depend on it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The kind of machine that the node runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// Linux on a machine of its own.
    Linux,
    /// Linux inside Windows (WSL): other machines cannot dial it unless Windows passes them on, and
    /// Windows reaches its loopback.
    Wsl,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
    /// Anything else.
    Other,
}

impl Platform {
    /// The platform of this process.
    #[must_use]
    pub fn here() -> Self {
        match std::env::consts::OS {
            "macos" => Self::MacOs,
            "windows" => Self::Windows,
            "linux" => {
                let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease");
                let distribution = std::env::var_os("WSL_DISTRO_NAME");
                linux(&kernel.unwrap_or_default(), distribution.is_some())
            }
            _ => Self::Other,
        }
    }
}

/// Tells WSL from other Linux: its kernels carry Microsoft's name, and a kernel that somebody built
/// for it still gets the distribution's name in the environment.
fn linux(kernel_release: &str, names_distribution: bool) -> Platform {
    if names_distribution || kernel_release.to_ascii_lowercase().contains("microsoft") {
        Platform::Wsl
    } else {
        Platform::Linux
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_generations_of_wsl_are_recognised() {
        for kernel in [
            "4.4.0-19041-Microsoft",
            "5.15.153.1-microsoft-standard-WSL2",
            "6.6.87.2-microsoft-standard-WSL2+\n",
        ] {
            assert_eq!(linux(kernel, false), Platform::Wsl, "{kernel}");
        }
        assert_eq!(linux("6.1.0-own-kernel", true), Platform::Wsl);
        assert_eq!(linux("6.1.0-28-amd64", false), Platform::Linux);
        assert_eq!(linux("", false), Platform::Linux);
    }

    #[test]
    fn front_ends_read_one_word() {
        assert_eq!(serde_json::to_value(Platform::Wsl).unwrap(), "wsl");
        assert_eq!(serde_json::to_value(Platform::MacOs).unwrap(), "macos");
    }
}
