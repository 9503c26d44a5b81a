//! Secrets that the person keeps here for other systems. Their names come out; a value only where the
//! person asks to see it.

use std::sync::Arc;

use tieline_store::secrets;
use tieline_vault::{Secret, Vault, VaultError};
use tieline_wire::problem::{Code, Problem};
use zeroize::Zeroizing;

use crate::clock::wall_now;
use crate::model::{EventKind, SecretView};
use crate::node::Node;

/// Longest name and value.
const MAX_NAME: usize = 128;
const MAX_VALUE: usize = 64 * 1024;

/// The vault's item for a secret of the person: apart from the node's own.
#[must_use]
pub(crate) fn item(name: &str) -> String {
    format!("secret.{name}")
}

impl Node {
    /// Names and ages.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn secrets(&self) -> Result<Vec<SecretView>, Problem> {
        let rows = self.store.read(secrets::list).await?;
        Ok(rows
            .into_iter()
            .map(|row| SecretView {
                name: row.name,
                backend: row.backend,
                created_at: row.created_at.to_string(),
                rotated_at: row.rotated_at.map(|at| at.to_string()),
            })
            .collect())
    }

    /// Keeps a secret in the vault, in the place of one with the same name.
    ///
    /// # Errors
    /// `INVALID_REQUEST` for a name or value that cannot be kept, and those of vault and store.
    pub async fn set_secret(&self, name: &str, value: &str) -> Result<(), Problem> {
        check(name, value)?;
        let secret = Secret::new(value.as_bytes().to_vec());
        let key = item(name);
        self.with_vault(move |vault| vault.set(&key, &secret))
            .await?;
        self.lan_secret.changed(name);
        let backend = self.vault.kind().as_str().to_owned();
        let row = name.to_owned();
        let now = wall_now();
        self.store
            .write(move |tx| secrets::record(tx, &row, &backend, now))
            .await?;
        self.events.changed(EventKind::Secrets, name);
        Ok(())
    }

    /// The value of a secret: for the eyes of the person who asks, and for nothing else.
    ///
    /// # Errors
    /// `SECRET_NOT_FOUND` where there is none, or one that is no text; those of the vault.
    pub async fn reveal_secret(&self, name: &str) -> Result<Zeroizing<String>, Problem> {
        let key = item(name);
        let kept = self.with_vault(move |vault| vault.get(&key)).await?;
        let secret = kept.ok_or_else(|| Problem::new(Code::SecretNotFound).with("name", name))?;
        let text = std::str::from_utf8(secret.expose()).map_err(|_| {
            Problem::new(Code::SecretNotFound)
                .summary("This secret is no text, so it cannot be shown.")
                .because("Another program stored it.")
                .with("name", name)
        })?;
        Ok(Zeroizing::new(text.to_owned()))
    }

    /// Deletes a secret.
    ///
    /// # Errors
    /// `SECRET_NOT_FOUND`, and those of vault and store.
    pub async fn delete_secret(&self, name: &str) -> Result<(), Problem> {
        let key = item(name);
        let was_kept = self.with_vault(move |vault| vault.delete(&key)).await?;
        self.lan_secret.changed(name);
        let row = name.to_owned();
        let was_known = self
            .store
            .write(move |tx| secrets::forget(tx, &row))
            .await?;
        if !was_kept && !was_known {
            return Err(Problem::new(Code::SecretNotFound).with("name", name));
        }
        self.events.changed(EventKind::Secrets, name);
        Ok(())
    }

    /// Runs vault work where it may block: a keychain can ask the person.
    pub(crate) async fn with_vault<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Vault) -> Result<T, VaultError> + Send + 'static,
    ) -> Result<T, Problem> {
        let vault = Arc::clone(&self.vault);
        let done = tokio::task::spawn_blocking(move || work(&vault)).await;
        let done = done.map_err(|error| Problem::new(Code::Internal).because(error.to_string()))?;
        done.map_err(Problem::from)
    }
}

fn check(name: &str, value: &str) -> Result<(), Problem> {
    let wrong = |text: &str| Problem::new(Code::InvalidRequest).because(text.to_owned());
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(plain) {
        return Err(wrong(
            "A secret's name has 1 to 128 letters, digits, dots, hyphens and underscores.",
        ));
    }
    if value.is_empty() || value.len() > MAX_VALUE {
        return Err(wrong("A secret's value has 1 to 65,536 bytes."));
    }
    Ok(())
}
