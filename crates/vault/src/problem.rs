//! How a vault's errors are told to people.

use std::io::ErrorKind;

use tieline_wire::problem::{Code, Problem};

use crate::error::VaultError;

impl From<&VaultError> for Problem {
    fn from(error: &VaultError) -> Self {
        let problem = Self::new(code(error)).because(sentence(error));
        match error {
            VaultError::Absent {
                first_start: true, ..
            } => problem.remedy(
                "Start in a session that has a keychain, or choose the file vault: set \
                 TIELINE_VAULT=file, and TIELINE_VAULT_PASSPHRASE_FILE to a file that holds a \
                 passphrase.",
            ),
            VaultError::Choice(_) => problem
                .summary("No vault can be chosen from these settings.")
                .remedy("Set TIELINE_VAULT to file or keychain."),
            VaultError::Name(_) => problem
                .summary("No secret can have this name.")
                .remedy("Choose a name of 1 to 128 letters, digits and . _ : - without spaces."),
            VaultError::TooLarge { length, limit, .. } => problem
                .summary("The secret is too large.")
                .remedy("Keep it in a file, and its path here.")
                .with("length", *length)
                .with("limit", *limit),
            VaultError::Ambiguous { .. } => problem
                .summary("More than one item of the keychain has this name.")
                .remedy("Say which account it is, or delete the items that are not used."),
            VaultError::File { source, .. } if source.kind() == ErrorKind::StorageFull => problem
                .summary("There is no room left to store secrets.")
                .remedy("Free some space, then try again. The former secrets are intact."),
            VaultError::Damaged { path, .. } => problem.with("file", path.display().to_string()),
            _ => problem,
        }
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        Self::from(&error)
    }
}

fn code(error: &VaultError) -> Code {
    match error {
        VaultError::Choice(_) | VaultError::Ambiguous { .. } => Code::ConfigInvalid,
        VaultError::Absent { .. } => Code::VaultAbsent,
        VaultError::Locked { .. } => Code::VaultLocked,
        VaultError::Denied { .. } => Code::VaultDenied,
        VaultError::Changed { .. } => Code::VaultChanged,
        VaultError::Passphrase(_) => Code::VaultPassphrase,
        VaultError::Damaged { .. } => Code::VaultDamaged,
        VaultError::Name(_) => Code::InvalidRequest,
        VaultError::TooLarge { .. } => Code::PayloadTooLarge,
        VaultError::File { source, .. } if source.kind() == ErrorKind::StorageFull => {
            Code::StoreFull
        }
        VaultError::File { .. } => Code::HomeUnwritable,
        VaultError::Failed { .. } => Code::VaultFailed,
    }
}

/// The error and what lies behind it, as a sentence.
fn sentence(error: &VaultError) -> String {
    let mut text = error.to_string();
    if let VaultError::File { source, .. } = error {
        text = format!("{text}: {source}");
    }
    let mut characters = text.chars();
    let first: String = characters
        .next()
        .map(|c| c.to_uppercase().collect())
        .unwrap_or_default();
    format!("{first}{}.", characters.as_str().trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::Path;

    use super::*;

    fn full() -> VaultError {
        let source = io::Error::from(ErrorKind::StorageFull);
        VaultError::file("write", Path::new("/home/x/vault.sealed"), source)
    }

    #[test]
    fn a_full_disk_is_told_apart_from_a_home_of_somebody_else() {
        assert_eq!(Problem::from(full()).code, Code::StoreFull);
        let denied = io::Error::from(ErrorKind::PermissionDenied);
        let denied = VaultError::file("read", Path::new("/home/x/vault.sealed"), denied);
        assert_eq!(Problem::from(denied).code, Code::VaultDenied);
    }

    #[test]
    fn only_at_the_first_start_another_vault_is_offered() {
        let absent = |first_start| {
            let reason = "no bus".to_owned();
            let error = VaultError::Absent {
                keychain: "keyring",
                reason,
                first_start,
            };
            (error.to_string(), Problem::from(error))
        };
        let (text, problem) = absent(true);
        assert!(
            text.contains("TIELINE_VAULT=file") && problem.remedy.contains("TIELINE_VAULT=file")
        );
        let (text, problem) = absent(false);
        assert!(!text.contains("TIELINE_VAULT") && !problem.remedy.contains("TIELINE_VAULT"));
    }

    #[test]
    fn the_cause_is_a_sentence_that_names_the_file() {
        let problem = Problem::from(full());
        assert!(
            problem
                .cause
                .starts_with("Cannot write /home/x/vault.sealed: "),
            "{}",
            problem.cause
        );
        assert!(problem.cause.ends_with('.') && !problem.cause.ends_with(".."));
    }
}
