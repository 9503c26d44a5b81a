//! A node's public data, as exchanged while pairing and as copied by hand.

use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::certificate::{Certificate, CertificateError};
use crate::fingerprint::Fingerprint;
use crate::key::{KeyError, KeyId, VerifyKey};
use crate::name;

/// The largest card read, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;
/// The most addresses a card may carry.
pub const MAX_ADDRESSES: usize = 16;

const VERSION: u64 = 1;

/// The wire language spoken with a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// Between two Tieline nodes.
    Tieline,
    /// An abTARS agent API.
    Abtars,
    /// A KithKit daemon.
    Kithkit,
}

impl Dialect {
    /// The name as written in cards.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tieline => "tieline",
            Self::Abtars => "abtars",
            Self::Kithkit => "kithkit",
        }
    }
}

/// Who a node is and where it can be reached. Holds no secret.
///
/// A value of this type is consistent: its fingerprint is its certificate's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "Wire")]
pub struct Card {
    /// Version of the format: 1.
    pub version: u64,
    /// The name the node suggests for itself; other people's text, made fit to show.
    pub name: String,
    /// Where it may be reached, the best first; at most 16.
    pub addresses: Vec<Address>,
    /// Its signing key.
    pub verify_key: VerifyKey,
    /// Its TLS certificate.
    pub certificate: Certificate,
    /// The certificate's fingerprint.
    pub fingerprint: Fingerprint,
    /// The languages it speaks, as far as this version knows them.
    pub dialects: Vec<Dialect>,
}

/// A text that is not an acceptable card.
#[derive(Debug, thiserror::Error)]
pub enum CardError {
    /// Longer than 64 KiB.
    #[error("the card is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// Not JSON of the card's shape; the text says where. Likely cause: only a part was copied.
    #[error("the card cannot be read: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Made by a newer version of this program.
    #[error("the card has version {0}, and only version 1 is understood")]
    Version(u64),
    /// More than 16 addresses.
    #[error("the card has more than {MAX_ADDRESSES} addresses")]
    TooManyAddresses,
    /// The fingerprint it states is not that of its certificate. Likely cause: two machines' data
    /// were mixed, or the card was tampered with.
    #[error("the card's fingerprint is not that of its certificate")]
    FingerprintMismatch,
    /// A PEM card without a usable certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// A PEM card without a usable `PUBLIC KEY` block.
    #[error("the signing key: {0}")]
    Key(#[from] KeyError),
    /// A PEM card whose address line cannot be read.
    #[error("the address {0:?} cannot be read")]
    Address(String),
    /// It contains a private key, which should be considered exposed.
    #[error("this text contains a private key; a card holds only public data")]
    Private,
}

impl Card {
    /// A card of this version from its parts.
    ///
    /// # Errors
    /// [`CardError::TooManyAddresses`].
    pub fn new(
        name: &str,
        addresses: Vec<Address>,
        verify_key: VerifyKey,
        certificate: Certificate,
        dialects: Vec<Dialect>,
    ) -> Result<Self, CardError> {
        if addresses.len() > MAX_ADDRESSES {
            return Err(CardError::TooManyAddresses);
        }
        let fingerprint = certificate.fingerprint();
        Ok(Self {
            version: VERSION,
            name: name::tidy(name),
            addresses,
            verify_key,
            certificate,
            fingerprint,
            dialects,
        })
    }

    /// Reads a card from JSON. Unknown fields and dialects are ignored, repeated fields refused.
    ///
    /// # Errors
    /// [`CardError`].
    pub fn parse(json: &[u8]) -> Result<Self, CardError> {
        if json.len() > MAX_BYTES {
            return Err(CardError::TooLarge);
        }
        let Version { version } = serde_json::from_slice(json)?;
        if version != VERSION {
            return Err(CardError::Version(version));
        }
        serde_json::from_slice::<Wire>(json)?.try_into()
    }

    /// The pin: the id of the TLS key.
    #[must_use]
    pub fn pin(&self) -> KeyId {
        self.certificate.pin()
    }

    /// The id of the signing key.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.verify_key.key_id()
    }

    /// The card as JSON, the bytes that a pairing transcript covers.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        // Through a value, because strings and numbers in one always serialise.
        serde_json::json!(self).to_string().into_bytes()
    }

    /// The card as text that other tools understand: lines `Name:`, `Address:` and
    /// `Fingerprint:`, then the certificate and the signing key as PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let mut text = format!("Name: {}\n", self.name);
        for address in &self.addresses {
            text.push_str(&format!("Address: {address}\n"));
        }
        text.push_str(&format!("Fingerprint: {}\n", self.fingerprint));
        text.push_str(&self.certificate.to_pem());
        text.push_str(&self.verify_key.to_pem());
        text
    }

    /// Reads what [`to_json`](Self::to_json) or [`to_pem`](Self::to_pem) wrote.
    ///
    /// # Errors
    /// [`CardError`].
    pub fn parse_any(text: &str) -> Result<Self, CardError> {
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.starts_with('{') {
            Self::parse(text.as_bytes())
        } else {
            parse_pem(text)
        }
    }
}

#[derive(Deserialize)]
struct Version {
    version: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    version: u64,
    name: String,
    addresses: Vec<Address>,
    verify_key: VerifyKey,
    certificate: Certificate,
    fingerprint: Fingerprint,
    dialects: Vec<String>,
}

impl TryFrom<Wire> for Card {
    type Error = CardError;

    fn try_from(wire: Wire) -> Result<Self, CardError> {
        if wire.version != VERSION {
            return Err(CardError::Version(wire.version));
        }
        let dialects = wire
            .dialects
            .iter()
            .filter_map(|name| known_dialect(name))
            .collect();
        let card = Self::new(
            &wire.name,
            wire.addresses,
            wire.verify_key,
            wire.certificate,
            dialects,
        )?;
        if card.fingerprint != wire.fingerprint {
            return Err(CardError::FingerprintMismatch);
        }
        Ok(card)
    }
}

fn known_dialect(name: &str) -> Option<Dialect> {
    [Dialect::Tieline, Dialect::Abtars, Dialect::Kithkit]
        .into_iter()
        .find(|dialect| dialect.as_str() == name)
}

fn parse_pem(text: &str) -> Result<Card, CardError> {
    if text.len() > MAX_BYTES {
        return Err(CardError::TooLarge);
    }
    if text.contains("PRIVATE KEY-----") {
        return Err(CardError::Private);
    }
    let certificate = Certificate::from_pem(text)?;
    let blocks = pem::parse_many(text).map_err(|_| CertificateError::NotPem)?;
    let key = blocks
        .iter()
        .find(|block| block.tag() == "PUBLIC KEY")
        .ok_or(KeyError::NotText)?;
    let verify_key = VerifyKey::from_spki_der(key.contents())?;

    let mut name = String::new();
    let mut addresses = Vec::new();
    let mut fingerprint = None;
    for line in text
        .lines()
        .take_while(|line| !line.starts_with("-----BEGIN"))
    {
        match line
            .split_once(':')
            .map(|(label, value)| (label.trim(), value.trim()))
        {
            Some(("Name", value)) => value.clone_into(&mut name),
            Some(("Address", value)) => {
                addresses.push(
                    value
                        .parse()
                        .map_err(|_| CardError::Address(value.to_owned()))?,
                );
            }
            Some(("Fingerprint", value)) => fingerprint = Some(value),
            _ => {}
        }
    }
    let card = Card::new(
        &name,
        addresses,
        verify_key,
        certificate,
        vec![Dialect::Tieline],
    )?;
    if fingerprint.is_some_and(|stated| Fingerprint::parse(stated) != Ok(card.fingerprint)) {
        return Err(CardError::FingerprintMismatch);
    }
    Ok(card)
}
