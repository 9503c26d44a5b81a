//! What every host of an engine (the app, `tieline serve`) decides the same way: where the home
//! is, which vault, which addresses.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use tieline_vault::VaultChoice;
use tieline_wire::problem::{Code, Problem};

/// Environment variable that names the home directory.
pub const HOME_VARIABLE: &str = "TIELINE_HOME";

/// Environment variable that chooses the vault: `keychain` (the default) or `file`.
pub const VAULT_VARIABLE: &str = "TIELINE_VAULT";

/// Environment variable that names the file with the file vault's passphrase.
pub const PASSPHRASE_FILE_VARIABLE: &str = "TIELINE_VAULT_PASSPHRASE_FILE";

/// Where peers connect unless told otherwise: every interface, port 3100.
pub const DEFAULT_PEER_ADDR: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 3100);

/// Where local agents connect unless told otherwise.
pub const DEFAULT_API_ADDR: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3847);

/// The home directory: `TIELINE_HOME`, or the platform's directory for a user's data.
///
/// # Errors
/// `CONFIG_INVALID` when the platform knows no home directory for this user.
pub fn home() -> Result<PathBuf, Problem> {
    if let Some(given) = std::env::var_os(HOME_VARIABLE).filter(|given| !given.is_empty()) {
        return Ok(PathBuf::from(given));
    }
    platform_home()
}

/// The platform's directory for a user's data: the home where nobody says otherwise.
///
/// # Errors
/// As [`home`].
pub fn platform_home() -> Result<PathBuf, Problem> {
    match directories::ProjectDirs::from("dev", "Tieline", "Tieline") {
        Some(dirs) => Ok(dirs.data_local_dir().to_owned()),
        None => Err(Problem::new(Code::ConfigInvalid)
            .summary("This user has no home directory.")
            .because("The platform names no directory for this user's data.")
            .remedy(format!("Set {HOME_VARIABLE}, or give --home."))),
    }
}

/// The vault that the environment asks for.
///
/// # Errors
/// `CONFIG_INVALID` for a value other than `keychain` and `file`.
pub fn vault_choice() -> Result<VaultChoice, Problem> {
    let passphrase_file = std::env::var_os(PASSPHRASE_FILE_VARIABLE)
        .filter(|given| !given.is_empty())
        .map(PathBuf::from);
    match std::env::var(VAULT_VARIABLE).as_deref() {
        Err(_) | Ok("" | "keychain") => Ok(VaultChoice::Keychain),
        Ok("file") => Ok(VaultChoice::File { passphrase_file }),
        Ok(other) => Err(Problem::new(Code::ConfigInvalid)
            .summary(format!("{VAULT_VARIABLE} is {other:?}, which is no vault."))
            .because("It is neither `keychain` nor `file`.")
            .remedy(format!(
                "Set {VAULT_VARIABLE} to one of the two, or unset it for the keychain."
            ))),
    }
}
