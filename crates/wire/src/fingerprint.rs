//! Certificate fingerprints: the form in which people compare two machines' identities.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::encoding;

/// SHA-256 of a certificate's DER.
///
/// Shown as `SHA256:AA:BB:…`, as a grid of 16 groups of four hex digits, or as 24 words. JSON
/// uses the first form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; 32]);

/// A text that is not a SHA-256 certificate fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FingerprintError {
    /// 40 or 32 hex digits: SHA-1 or MD5. Likely cause: a tool's default; ask it for SHA-256.
    #[error("this is a SHA-1 or MD5 fingerprint, and SHA-256 is needed")]
    OtherHash,
    /// `sha256//…`: the hash of a public key, as curl and HPKP print it, not of the certificate.
    #[error("this is the hash of a public key, not of a certificate")]
    KeyHash,
    /// The number of hex digits (given) is not 64. Likely cause: it was cut short.
    #[error("the fingerprint has {0} hex digits instead of 64")]
    Length(usize),
    /// 24 words whose last does not check. Likely cause: a mistyped or swapped word.
    #[error("the words do not belong together: one is mistyped or in the wrong place")]
    Words,
    /// Nothing of the above.
    #[error("not a certificate fingerprint")]
    Unreadable,
}

impl Fingerprint {
    /// The fingerprint of a certificate in DER.
    #[must_use]
    pub fn of(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }

    /// Reads a fingerprint in any usual spelling.
    ///
    /// Hex in either case, in one run or separated by colons, blanks, dashes or line breaks, with
    /// or without `SHA256:` or OpenSSL's `sha256 Fingerprint=` before it; base64 of 32 bytes after
    /// `SHA256:`; or the 24 words.
    ///
    /// # Errors
    /// [`FingerprintError`].
    pub fn parse(text: &str) -> Result<Self, FingerprintError> {
        let text = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`'));
        let (labelled, body) = strip_label(text);
        if labelled && body.starts_with("//") {
            return Err(FingerprintError::KeyHash);
        }
        if let Some(digits) = hex_digits(body) {
            return from_hex(&digits);
        }
        if body.split_whitespace().count() == 24 {
            return from_words(body);
        }
        if labelled
            && let Some(bytes) = encoding::decode_lenient(body)
            && let Ok(bytes) = bytes.try_into()
        {
            return Ok(Self(bytes));
        }
        Err(FingerprintError::Unreadable)
    }

    /// 32 upper-case hex pairs joined by colons, without a prefix (what Node calls `fingerprint256`).
    #[must_use]
    pub fn bare(&self) -> String {
        let pairs: Vec<String> = self.0.iter().map(|byte| format!("{byte:02X}")).collect();
        pairs.join(":")
    }

    /// The 16 groups of four upper-case hex digits, row by row of the 4 x 4 grid.
    #[must_use]
    pub fn groups(&self) -> [String; 16] {
        std::array::from_fn(|i| format!("{:02X}{:02X}", self.0[2 * i], self.0[2 * i + 1]))
    }

    /// The 24 English BIP-39 words for these 256 bits; the last holds an 8-bit checksum.
    #[must_use]
    pub fn words(&self) -> [&'static str; 24] {
        let list = bip39::Language::English.word_list();
        let mut bits = [0; 33];
        bits[..32].copy_from_slice(&self.0);
        bits[32] = Sha256::digest(self.0)[0];
        std::array::from_fn(|word| {
            let index = (word * 11..word * 11 + 11).fold(0, |index, bit| {
                index << 1 | usize::from(bits[bit / 8] >> (7 - bit % 8) & 1)
            });
            list[index]
        })
    }

    /// The first group (0 to 15, see [`groups`](Self::groups)) in which the two differ.
    #[must_use]
    pub fn first_difference(&self, other: &Self) -> Option<usize> {
        self.0
            .chunks(2)
            .zip(other.0.chunks(2))
            .position(|(ours, theirs)| ours != theirs)
    }
}

/// Removes what tools print before the digits; says whether it named SHA-256.
fn strip_label(text: &str) -> (bool, &str) {
    let lower = text.to_ascii_lowercase();
    for label in [
        "sha256 fingerprint=",
        "sha-256 fingerprint=",
        "sha256 fingerprint:",
        "sha256:",
        "sha-256:",
        "sha256=",
        "sha256",
    ] {
        if lower.starts_with(label) {
            return (true, text[label.len()..].trim_start());
        }
    }
    (false, text)
}

/// The hex digits of `text`, or nothing if it holds anything but digits and separators.
fn hex_digits(text: &str) -> Option<String> {
    let mut digits = String::with_capacity(64);
    for c in text.chars() {
        match c {
            _ if c.is_ascii_hexdigit() => digits.push(c),
            ':' | '-' | '.' | '|' => {}
            _ if c.is_whitespace() => {}
            _ => return None,
        }
    }
    (!digits.is_empty()).then_some(digits)
}

fn from_hex(digits: &str) -> Result<Fingerprint, FingerprintError> {
    match digits.len() {
        64 => {}
        32 | 40 => return Err(FingerprintError::OtherHash),
        other => return Err(FingerprintError::Length(other)),
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
        let value = |digit: u8| {
            char::from(digit)
                .to_digit(16)
                .and_then(|value| u8::try_from(value).ok())
        };
        let [high, low] = [pair.first(), pair.get(1)].map(|digit| digit.copied().and_then(value));
        *byte = high
            .zip(low)
            .map(|(high, low)| high << 4 | low)
            .ok_or(FingerprintError::Unreadable)?;
    }
    Ok(Fingerprint(bytes))
}

fn from_words(text: &str) -> Result<Fingerprint, FingerprintError> {
    let phrase = text
        .split_whitespace()
        .map(str::to_ascii_lowercase)
        .collect::<Vec<_>>()
        .join(" ");
    let mnemonic = bip39::Mnemonic::parse_in_normalized(bip39::Language::English, &phrase)
        .map_err(|error| match error {
            bip39::Error::InvalidChecksum => FingerprintError::Words,
            _ => FingerprintError::Unreadable,
        })?;
    let bytes = mnemonic
        .to_entropy()
        .try_into()
        .map_err(|_| FingerprintError::Unreadable)?;
    Ok(Fingerprint(bytes))
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SHA256:{}", self.bare())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        Self::parse(text)
    }
}

impl serde::Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Fingerprint {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        encoding::deserialize_str(deserializer)
    }
}
