//! What a person pastes of another machine: a card, PEM blocks, an entry of a `peers.json`, or its
//! address, fingerprint and key one after the other.
//!
//! Nothing is guessed: two parts that contradict each other refuse the whole text, and what is
//! missing stays missing.

use crate::abtars::peers_json::{self, PeersFileError};
use crate::address::{Address, AddressError};
use crate::card::{Card, CardError, MAX_ADDRESSES, MAX_BYTES};
use crate::certificate::{Certificate, CertificateError};
use crate::fingerprint::{Fingerprint, FingerprintError};
use crate::key::{KeyError, VerifyKey};
use crate::name;

/// Port of an address that is pasted without one.
pub const DEFAULT_PORT: u16 = 3100;

/// In which form it was pasted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A card as JSON.
    Card,
    /// PEM blocks, with or without lines before them.
    Pem,
    /// An entry of a `peers.json`.
    PeersJson,
    /// Parts in plain text.
    Parts,
}

impl Form {
    /// The name as front ends see it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Pem => "pem",
            Self::PeersJson => "peersJson",
            Self::Parts => "parts",
        }
    }
}

/// What a pasted text says of a machine. Where there is a certificate, the fingerprint is its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// The form it had.
    pub form: Form,
    /// Whether it is an abTARS machine's: an entry of a `peers.json` that is not Tieline's own.
    pub is_abtars: bool,
    /// What the machine calls itself.
    pub name: Option<String>,
    /// Where it may be reached; at most 16.
    pub addresses: Vec<Address>,
    /// Its certificate's fingerprint.
    pub fingerprint: Fingerprint,
    /// Its certificate.
    pub certificate: Option<Certificate>,
    /// The key it is known by: for a Tieline machine the signing key, which is not the
    /// certificate's; for a machine with a single key the certificate's own.
    pub verify_key: Option<VerifyKey>,
}

/// A text that says nothing usable of a machine, or contradicts itself.
#[derive(Debug, thiserror::Error)]
pub enum PresentedError {
    /// JSON or PEM of a card that is refused.
    #[error(transparent)]
    Card(#[from] CardError),
    /// JSON that is neither a card nor an entry.
    #[error("this is neither a card nor an entry of a peers.json: {0}")]
    Entry(#[from] PeersFileError),
    /// A `peers.json` with this many machines in it. One is to be picked.
    #[error("this holds {0} machines, and one is needed")]
    Several(usize),
    /// A PEM block that cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// A fingerprint that cannot be read, where there was one to be read.
    #[error(transparent)]
    Fingerprint(#[from] FingerprintError),
    /// A key that cannot be read, where there was one to be read.
    #[error("the key: {0}")]
    Key(#[from] KeyError),
    /// An address that cannot be read, where there was one to be read.
    #[error("the address: {0}")]
    Address(#[from] AddressError),
    /// Two fingerprints, certificates or keys that are not the same. Likely cause: two machines'
    /// data were mixed.
    #[error("it holds two different {0}")]
    Contradiction(&'static str),
    /// Neither a certificate nor a fingerprint.
    #[error("no fingerprint and no certificate is in it")]
    Nothing,
}

impl Presented {
    /// Reads what was pasted.
    ///
    /// # Errors
    /// [`PresentedError`].
    pub fn read(text: &str) -> Result<Self, PresentedError> {
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.len() > MAX_BYTES {
            return Err(CardError::TooLarge.into());
        }
        if text.contains("PRIVATE KEY-----") || text.contains("\"signingKey\"") {
            return Err(CardError::Private.into());
        }
        if text.starts_with(['{', '"']) {
            read_json(text)
        } else {
            Parts::read(text)?.finish()
        }
    }

    /// The card, where the text has all that one needs.
    #[must_use]
    pub fn card(&self) -> Option<Card> {
        let certificate = self.certificate.clone()?;
        let dialects = vec![crate::card::Dialect::Tieline];
        let name = self.name.as_deref().unwrap_or_default();
        Card::new(
            name,
            self.addresses.clone(),
            self.verify_key?,
            certificate,
            dialects,
        )
        .ok()
    }

    /// Whether one key is both the certificate's and the one it is known by: such a machine does
    /// not run Tieline.
    #[must_use]
    pub fn has_single_key(&self) -> bool {
        match (&self.certificate, &self.verify_key) {
            (Some(certificate), Some(key)) => certificate.verify_key() == *key,
            _ => false,
        }
    }
}

impl From<Card> for Presented {
    fn from(card: Card) -> Self {
        Self {
            form: Form::Card,
            is_abtars: false,
            name: (!card.name.is_empty()).then_some(card.name),
            addresses: card.addresses,
            fingerprint: card.fingerprint,
            certificate: Some(card.certificate),
            verify_key: Some(card.verify_key),
        }
    }
}

fn read_json(text: &str) -> Result<Presented, PresentedError> {
    if text.starts_with('{') && text.contains("\"certificate\"") {
        return Ok(Card::parse(text.as_bytes())?.into());
    }
    let mut entries = peers_json::parse_pasted(text)?;
    let entry = match (entries.pop(), entries.len()) {
        (Some(entry), 0) => entry,
        (None, _) => return Err(PresentedError::Nothing),
        (Some(_), others) => return Err(PresentedError::Several(others + 1)),
    };
    let mut parts = Parts::default();
    if !entry.name.is_empty() {
        parts.name = Some(name::tidy(&entry.name));
    }
    if let (Some(host), Some(port)) = (&entry.host, entry.port) {
        parts.addresses.push(Address::new(host, port)?);
    }
    parts.certificate = entry.certificate;
    parts.verify_key = entry.verify_key;
    let contradicts = entry
        .remarks
        .contains(&peers_json::Remark::FingerprintMismatch);
    if contradicts {
        return Err(CardError::FingerprintMismatch.into());
    }
    parts.fingerprint = entry.fingerprint;
    let mut presented = parts.finish()?;
    presented.form = Form::PeersJson;
    presented.is_abtars = !entry.runs_tieline;
    Ok(presented)
}

/// What was found so far in a plain text.
#[derive(Default)]
struct Parts {
    name: Option<String>,
    addresses: Vec<Address>,
    fingerprint: Option<Fingerprint>,
    certificate: Option<Certificate>,
    verify_key: Option<VerifyKey>,
    has_blocks: bool,
}

impl Parts {
    fn read(text: &str) -> Result<Self, PresentedError> {
        let mut parts = Self::default();
        // Words and digits may be spread over lines.
        if let Ok(fingerprint) = Fingerprint::parse(text) {
            parts.fingerprint = Some(fingerprint);
            return Ok(parts);
        }
        parts.read_blocks(text)?;
        let mut in_block = false;
        for line in text.lines().map(str::trim) {
            match line {
                _ if line.starts_with("-----BEGIN") => in_block = true,
                _ if line.starts_with("-----END") => in_block = false,
                _ if in_block || line.is_empty() => {}
                _ => parts.read_line(line)?,
            }
        }
        Ok(parts)
    }

    fn read_blocks(&mut self, text: &str) -> Result<(), PresentedError> {
        if !text.contains("-----BEGIN") {
            return Ok(());
        }
        let blocks = pem::parse_many(text).map_err(|_| CertificateError::NotPem)?;
        for block in blocks {
            match block.tag() {
                "CERTIFICATE" => {
                    let certificate = Certificate::from_der(block.contents())?;
                    set(&mut self.certificate, certificate, "certificates")?;
                }
                "PUBLIC KEY" => {
                    let key = VerifyKey::from_spki_der(block.contents())?;
                    set(&mut self.verify_key, key, "keys")?;
                }
                _ => {}
            }
            self.has_blocks = true;
        }
        Ok(())
    }

    fn read_line(&mut self, line: &str) -> Result<(), PresentedError> {
        match labelled(line) {
            Some((Label::Name, value)) => {
                set(&mut self.name, name::tidy(value), "names")?;
            }
            Some((Label::Address, value)) => self.push(Address::parse_or(value, DEFAULT_PORT)?),
            Some((Label::Key, value)) => {
                set(&mut self.verify_key, VerifyKey::parse(value)?, "keys")?;
            }
            Some((Label::Fingerprint, value)) => self.take(Fingerprint::parse(value)?)?,
            None => self.read_words(line)?,
        }
        Ok(())
    }

    /// A line without a label: a fingerprint, or several parts side by side. What is none of them
    /// is passed over.
    fn read_words(&mut self, line: &str) -> Result<(), PresentedError> {
        match Fingerprint::parse(line) {
            Ok(fingerprint) => return self.take(fingerprint),
            Err(error @ (FingerprintError::KeyHash | FingerprintError::Words)) => {
                return Err(error.into());
            }
            Err(_) => {}
        }
        for word in line.split([' ', '\t', ',', ';']).filter(|w| !w.is_empty()) {
            if let Ok(fingerprint) = Fingerprint::parse(word) {
                self.take(fingerprint)?;
            } else if let Ok(key) = VerifyKey::parse(word) {
                set(&mut self.verify_key, key, "keys")?;
            } else if word.contains([':', '.'])
                && let Ok(address) = Address::parse_or(word, DEFAULT_PORT)
            {
                self.push(address);
            }
        }
        Ok(())
    }

    fn push(&mut self, address: Address) {
        if self.addresses.len() < MAX_ADDRESSES && !self.addresses.contains(&address) {
            self.addresses.push(address);
        }
    }

    fn take(&mut self, fingerprint: Fingerprint) -> Result<(), PresentedError> {
        set(&mut self.fingerprint, fingerprint, "fingerprints")
    }

    fn finish(self) -> Result<Presented, PresentedError> {
        let of_certificate = self.certificate.as_ref().map(Certificate::fingerprint);
        let fingerprint = match (of_certificate, self.fingerprint) {
            (Some(own), Some(stated)) if own != stated => {
                return Err(CardError::FingerprintMismatch.into());
            }
            (Some(found), _) | (None, Some(found)) => found,
            (None, None) => return Err(PresentedError::Nothing),
        };
        Ok(Presented {
            form: if self.has_blocks {
                Form::Pem
            } else {
                Form::Parts
            },
            is_abtars: false,
            name: self.name.filter(|name| !name.is_empty()),
            addresses: self.addresses,
            fingerprint,
            certificate: self.certificate,
            verify_key: self.verify_key,
        })
    }
}

fn set<T: PartialEq>(
    place: &mut Option<T>,
    value: T,
    what: &'static str,
) -> Result<(), PresentedError> {
    match place {
        Some(known) if *known != value => Err(PresentedError::Contradiction(what)),
        _ => {
            *place = Some(value);
            Ok(())
        }
    }
}

/// What a line says that it is.
#[derive(Clone, Copy)]
enum Label {
    Name,
    Address,
    Key,
    Fingerprint,
}

/// A line that begins with the name of a part and a colon or equals sign. `SHA256:` is no label:
/// it belongs to the fingerprint.
fn labelled(line: &str) -> Option<(Label, &str)> {
    let (label, value) = line.split_once([':', '='])?;
    let label: String = label
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let label = match label.as_str() {
        "name" => Label::Name,
        "host" | "address" | "addresses" | "at" | "reachableat" => Label::Address,
        "key" | "verifykey" | "signingkey" | "publickey" => Label::Key,
        "fingerprint" | "certfingerprint" | "sha256fingerprint" => Label::Fingerprint,
        _ => return None,
    };
    let quotes = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',');
    Some((label, value.trim_matches(quotes)))
}
