//! A node's identity: two keys, the certificate, and the key that seals pair tokens at rest.
//!
//! All of it is one item of the vault, read once at start, so that a keychain asks at most once.
//! The certificate is kept with its bytes: peers may pin it whole.

use serde::{Deserialize, Serialize};
use tieline_vault::{Secret, Vault, VaultError};
use tieline_wire::certificate::{Certificate, self_signed};
use tieline_wire::key::SigningKey;
use tieline_wire::problem::{Code, Problem};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::seal::SealKey;

/// Name of the vault's item.
pub(crate) const ITEM: &str = "identity";

/// The keys of this node.
#[derive(Debug)]
pub(crate) struct Identity {
    /// Signs the TLS handshake; its public half is what peers pin.
    pub tls: SigningKey,
    /// Signs request tokens, pairing proofs and receipts.
    pub signing: SigningKey,
    /// What abTARS machines know this node by: the TLS key, unless keys made for abTARS were
    /// imported that keep the two apart.
    pub agent: SigningKey,
    /// Self-signed with the TLS key.
    pub certificate: Certificate,
    /// Seals what the database holds of secrets.
    pub seal: SealKey,
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(rename_all = "camelCase")]
struct Stored {
    version: u8,
    tls_key: String,
    signing_key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agent_key: Option<String>,
    #[zeroize(skip)]
    certificate: String,
    seal_key: String,
}

impl Identity {
    /// New keys, kept in the vault before they are returned.
    ///
    /// # Errors
    /// Those of the vault.
    pub(crate) fn create(vault: &Vault, name: &str) -> Result<Self, Problem> {
        let tls = SigningKey::generate();
        let signing = SigningKey::generate();
        let certificate = self_signed(&tls, name)
            .map_err(|error| Problem::new(Code::Internal).because(error.to_string()))?;
        let seal = SealKey::generate()?;
        let identity = Self {
            agent: tls.clone(),
            tls,
            signing,
            certificate,
            seal,
        };
        identity.keep(vault)?;
        Ok(identity)
    }

    /// Puts another TLS key, its certificate, and the key that abTARS machines know into the vault.
    /// What runs goes on with the present ones.
    ///
    /// # Errors
    /// Those of the vault, and `IDENTITY_MISSING` where there is no identity to change.
    pub(crate) fn replace_tls(
        vault: &Vault,
        tls: SigningKey,
        agent: SigningKey,
        certificate: Certificate,
    ) -> Result<(), Problem> {
        let present = Self::load(vault)?.ok_or_else(unreadable)?;
        let changed = Self {
            tls,
            agent,
            certificate,
            ..present
        };
        changed.keep(vault)
    }

    fn keep(&self, vault: &Vault) -> Result<(), Problem> {
        let apart = self.agent.verify_key() != self.tls.verify_key();
        let stored = Stored {
            version: 1,
            tls_key: self.tls.to_base64().to_string(),
            signing_key: self.signing.to_base64().to_string(),
            agent_key: apart.then(|| self.agent.to_base64().to_string()),
            certificate: self.certificate.to_pem(),
            seal_key: self.seal.to_base64().to_string(),
        };
        let json = Zeroizing::new(serde_json::to_vec(&stored).unwrap_or_default());
        vault
            .set(ITEM, &Secret::from(json.as_slice()))
            .map_err(Problem::from)
    }

    /// The keys in the vault, or `None` where there are none yet.
    ///
    /// # Errors
    /// Those of the vault, and `IDENTITY_MISSING` where the item cannot be read as an identity.
    pub(crate) fn load(vault: &Vault) -> Result<Option<Self>, Problem> {
        let Some(secret) = vault
            .get(ITEM)
            .map_err(|error: VaultError| Problem::from(error))?
        else {
            return Ok(None);
        };
        let stored: Stored = serde_json::from_slice(secret.expose()).map_err(|_| unreadable())?;
        let tls = SigningKey::parse(&stored.tls_key).map_err(|_| unreadable())?;
        let signing = SigningKey::parse(&stored.signing_key).map_err(|_| unreadable())?;
        let agent = match &stored.agent_key {
            Some(text) => SigningKey::parse(text).map_err(|_| unreadable())?,
            None => tls.clone(),
        };
        let certificate = Certificate::from_pem(&stored.certificate).map_err(|_| unreadable())?;
        let seal = SealKey::from_base64(&stored.seal_key).ok_or_else(unreadable)?;
        if certificate.verify_key() != tls.verify_key() {
            return Err(unreadable());
        }
        Ok(Some(Self {
            tls,
            signing,
            agent,
            certificate,
            seal,
        }))
    }
}

fn unreadable() -> Problem {
    Problem::new(Code::IdentityMissing)
        .because("The vault's item `identity` is there, but it is not a Tieline identity.")
}
