//! The self-signed TLS certificate of a node, and the reading of other nodes' certificates.
//!
//! Only the key in it means anything: peers pin that key, and ignore names, dates and chains.

use std::fmt;

use base64::Engine;
use rcgen::{CertificateParams, DistinguishedName, DnType, IsCa, KeyUsagePurpose, SerialNumber};
use sha2::{Digest, Sha256};
use x509_parser::oid_registry::OID_SIG_ED25519;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::encoding::STANDARD;
use crate::fingerprint::Fingerprint;
use crate::key::{KeyError, KeyId, SigningKey, VerifyKey};

/// The largest certificate read, in bytes of DER; a self-signed Ed25519 one is about 400.
const MAX_DER: usize = 16 * 1024;

/// An X.509 certificate that parses and holds an acceptable Ed25519 key. JSON form: PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    verify_key: VerifyKey,
}

/// Bytes or text that are not a certificate this project can pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not PEM with a `CERTIFICATE` block. Likely cause: the `BEGIN` or `END` line was not copied,
    /// or a key was pasted.
    #[error("no PEM block CERTIFICATE was found")]
    NotPem,
    /// Not one X.509 certificate in DER. Likely cause: a damaged copy.
    #[error("the certificate cannot be read")]
    Malformed,
    /// Its key is RSA or ECDSA. Likely cause: made by a tool's default settings.
    #[error("the certificate's key is not Ed25519")]
    NotEd25519,
    /// Its key is Ed25519 but unusable.
    #[error("the certificate's key is unusable: {0}")]
    Key(#[from] KeyError),
    /// It could not be made from the given key and name.
    #[error("the certificate could not be made")]
    NotMade,
}

impl Certificate {
    /// Reads exactly one certificate in DER.
    ///
    /// Neither its signature nor its dates are checked: with a pinned key they add nothing.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        if der.len() > MAX_DER {
            return Err(CertificateError::Malformed);
        }
        let (rest, parsed) =
            X509Certificate::from_der(der).map_err(|_| CertificateError::Malformed)?;
        if !rest.is_empty() {
            return Err(CertificateError::Malformed);
        }
        let spki = parsed.public_key();
        if spki.algorithm.algorithm != OID_SIG_ED25519 {
            return Err(CertificateError::NotEd25519);
        }
        // Through the full structure, so that the pin is the hash of what the certificate holds.
        let verify_key = VerifyKey::from_spki_der(spki.raw)?;
        Ok(Self {
            der: der.to_vec(),
            verify_key,
        })
    }

    /// Reads the first PEM block `CERTIFICATE` in `text`; anything around it is ignored.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn from_pem(text: &str) -> Result<Self, CertificateError> {
        let blocks = pem::parse_many(text).map_err(|_| CertificateError::NotPem)?;
        let block = blocks.iter().find(|block| block.tag() == "CERTIFICATE");
        Self::from_der(block.ok_or(CertificateError::NotPem)?.contents())
    }

    /// The DER bytes.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The key in it: the node's TLS key.
    #[must_use]
    pub fn verify_key(&self) -> VerifyKey {
        self.verify_key
    }

    /// The id of that key, which is what peers pin.
    #[must_use]
    pub fn pin(&self) -> KeyId {
        self.verify_key.key_id()
    }

    /// SHA-256 of the whole certificate, which is what people compare.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.der)
    }

    /// A PEM block `CERTIFICATE` with 64-character lines, ending in a newline.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
        for (i, c) in STANDARD.encode(&self.der).chars().enumerate() {
            if i > 0 && i % 64 == 0 {
                pem.push('\n');
            }
            pem.push(c);
        }
        pem.push_str("\n-----END CERTIFICATE-----\n");
        pem
    }
}

/// Makes the certificate of a TLS key: self-signed, and the same bytes whenever key and name are
/// the same, so that a fingerprint once compared stays true.
///
/// Valid from 1975 to 4096, serial number derived from the key, not an authority. Characters of
/// `name` outside `[A-Za-z0-9_.-]` become `_`, and it is cut after 64; an empty one becomes `tieline`.
///
/// # Errors
/// [`CertificateError::NotMade`] if the encoder refuses, which no key or name is known to cause.
pub fn self_signed(key: &SigningKey, name: &str) -> Result<Certificate, CertificateError> {
    let name = certificate_name(name);
    let mut params =
        CertificateParams::new(vec![name.clone()]).map_err(|_| CertificateError::NotMade)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(serial_number(key));
    params.not_before = rcgen::date_time_ymd(1975, 1, 1);
    params.not_after = rcgen::date_time_ymd(4096, 1, 1);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];

    let public = *key.verify_key().as_bytes();
    let made = params
        .self_signed(&TlsKey { key, public })
        .map_err(|_| CertificateError::NotMade)?;
    Certificate::from_der(made.der())
}

fn certificate_name(name: &str) -> String {
    let kept = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-') {
            c
        } else {
            '_'
        }
    };
    let name: String = name.trim().chars().map(kept).take(64).collect();
    if name.is_empty() {
        "tieline".to_owned()
    } else {
        name
    }
}

/// 16 bytes, positive and without a leading zero, so that it needs no padding in DER.
fn serial_number(key: &SigningKey) -> SerialNumber {
    let hash = Sha256::new()
        .chain_update(b"tieline certificate serial")
        .chain_update(key.verify_key().as_bytes())
        .finalize();
    let mut serial = hash[..16].to_vec();
    serial[0] = serial[0] & 0x3f | 0x40;
    SerialNumber::from(serial)
}

/// Lets the encoder sign with our key, without handing it a copy of the secret.
struct TlsKey<'a> {
    key: &'a SigningKey,
    public: [u8; 32],
}

impl rcgen::PublicKeyData for TlsKey<'_> {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ED25519
    }
}

impl rcgen::SigningKey for TlsKey<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(self.key.sign(message).0.to_vec())
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({})", self.fingerprint())
    }
}

impl std::str::FromStr for Certificate {
    type Err = CertificateError;

    fn from_str(text: &str) -> Result<Self, CertificateError> {
        Self::from_pem(text)
    }
}

impl serde::Serialize for Certificate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_pem())
    }
}

impl<'de> serde::Deserialize<'de> for Certificate {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::encoding::deserialize_str(deserializer)
    }
}
