//! Reading one peer's entry.

use serde_json::{Map, Value};

use super::super::{SharedToken, names};
use super::field::{Field, FieldUse, Live, Remark};
use super::{PeersFile, PeersFileError, parse_value};
use crate::certificate::{Certificate, CertificateError};
use crate::fingerprint::Fingerprint;
use crate::key::VerifyKey;

/// The field in which Tieline names itself. abTARS keeps it and does not look at it.
pub(super) const PROGRAM: &str = "program";
pub(super) const TIELINE: &str = "Tieline";

/// What a file says about one peer, each part as far as it can be used.
#[derive(Debug, Clone, PartialEq)]
pub struct PeerEntry {
    /// The key of the entry: the peer's own `self.name`, capitals included.
    pub name: String,
    /// Host name or address; white space around it dropped.
    pub host: Option<String>,
    /// Port; there is no default.
    pub port: Option<u16>,
    /// The secret for legacy bearers.
    pub token: Option<SharedToken>,
    /// The peer's identity in the current generation.
    pub verify_key: Option<VerifyKey>,
    /// The certificate, if its key is Ed25519.
    pub certificate: Option<Certificate>,
    /// What to pin for a legacy peer: of `certPem`, whatever its key, else `certFingerprint`.
    /// Nothing if the two contradict each other.
    pub fingerprint: Option<Fingerprint>,
    /// 0 quarantine (the default), 1 enrolled, 2 trusted, 3 and above owner.
    pub trust: i64,
    /// `mode` is `signed`: messages without a valid tag are refused.
    pub signed_only: bool,
    /// `transport` is `ws-outbound`: the peer dials in and holds the connection.
    pub holds_connection: bool,
    /// It says that Tieline wrote it of itself: such a machine is better paired with as one.
    pub runs_tieline: bool,
    /// Every field that is in the entry, in its order.
    pub fields: Vec<FieldUse>,
    /// What a person should know about the entry.
    pub remarks: Vec<Remark>,
}

impl PeerEntry {
    /// For which generations the entry has all that is needed to ask the peer.
    ///
    /// For a legacy peer that includes something to pin: without, abTARS itself would talk over
    /// plain HTTP.
    #[must_use]
    pub fn usable(&self) -> Live {
        let reachable = self.host.is_some() && self.port.is_some();
        Live::of(
            reachable && self.verify_key.is_some(),
            reachable && self.token.is_some() && self.fingerprint.is_some(),
        )
    }

    pub(super) fn read(name: &str, value: &Value) -> Self {
        let mut entry = Self {
            name: name.to_owned(),
            host: None,
            port: None,
            token: None,
            verify_key: None,
            certificate: None,
            fingerprint: None,
            trust: 0,
            signed_only: false,
            holds_connection: false,
            runs_tieline: false,
            fields: Vec::new(),
            remarks: Vec::new(),
        };
        if names::is_refused(name) {
            entry.remarks.push(Remark::NameRefused);
        }
        let Some(fields) = value.as_object() else {
            entry.remarks.push(Remark::NotAnObject);
            return entry;
        };
        entry.read_address(fields);
        entry.read_proofs(fields);
        entry.read_certificate(fields);
        entry.trust = fields.get("trust").and_then(Value::as_i64).unwrap_or(0);
        entry.signed_only = text(fields, Field::Mode) == Some("signed");
        entry.holds_connection = text(fields, Field::Transport) == Some("ws-outbound");
        entry.runs_tieline = fields.get(PROGRAM).and_then(Value::as_str) == Some(TIELINE);
        entry.fields = fields.keys().map(|key| entry.field_use(key)).collect();
        entry
    }

    fn read_address(&mut self, fields: &Map<String, Value>) {
        self.host = text(fields, Field::Host).map(str::to_owned);
        if self.host.is_none() {
            self.remarks.push(Remark::HostMissing);
        }
        let port = match fields.get(Field::Port.key()) {
            Some(Value::String(digits)) => {
                self.remarks.push(Remark::PortIsText);
                digits.trim().parse().ok()
            }
            Some(Value::Number(number)) => number
                .as_f64()
                .filter(|port| port.fract() == 0.0 && (0.0..=65535.0).contains(port))
                .map(|port| port as u16),
            _ => None,
        };
        match port {
            None => self.remarks.push(Remark::PortMissing),
            Some(0) => self.remarks.push(Remark::PortZero),
            Some(port) => self.port = Some(port),
        }
    }

    fn read_proofs(&mut self, fields: &Map<String, Value>) {
        // Not trimmed: every byte of it is the key of a legacy bearer.
        self.token = fields
            .get(Field::Token.key())
            .and_then(Value::as_str)
            .and_then(|token| SharedToken::new(token).ok());
        if self.token.is_none() {
            self.remarks.push(Remark::TokenMissing);
        }
        match text(fields, Field::VerifyKey).map(VerifyKey::parse) {
            None => self.remarks.push(Remark::KeyMissing),
            Some(Ok(key)) => self.verify_key = Some(key),
            Some(Err(error)) => self.remarks.push(Remark::Key(error)),
        }
    }

    fn read_certificate(&mut self, fields: &Map<String, Value>) {
        let pem = text(fields, Field::CertPem);
        let of_pem = pem.and_then(fingerprint_of);
        match pem.map(Certificate::from_pem) {
            None => {}
            Some(Ok(certificate)) => {
                let key = certificate.verify_key();
                if self.verify_key.is_some_and(|own| own != key) {
                    self.remarks.push(Remark::KeyNotOfCertificate);
                }
                self.certificate = Some(certificate);
            }
            Some(Err(error)) => self.remarks.push(Remark::Certificate(error)),
        }

        let Some(written) = text(fields, Field::CertFingerprint) else {
            self.fingerprint = of_pem;
            return;
        };
        match Fingerprint::parse(written) {
            Err(error) => {
                self.remarks.push(Remark::Fingerprint(error));
                self.fingerprint = of_pem;
            }
            Ok(fingerprint) => {
                if fingerprint.bare() != written {
                    self.remarks.push(Remark::FingerprintSpelling);
                }
                match of_pem {
                    None => {
                        self.remarks.push(Remark::FingerprintAlone);
                        self.fingerprint = Some(fingerprint);
                    }
                    Some(of_pem) if of_pem == fingerprint => self.fingerprint = Some(of_pem),
                    Some(_) => self.remarks.push(Remark::FingerprintMismatch),
                }
            }
        }
    }

    /// What one field is worth here.
    fn field_use(&self, key: &str) -> FieldUse {
        let field = Field::ALL.iter().copied().find(|field| field.key() == key);
        let has = |remark: &dyn Fn(&Remark) -> bool| self.remarks.iter().any(remark);
        let live = match field {
            None => Live::Neither,
            Some(Field::Host) if self.host.is_none() => Live::Neither,
            Some(Field::Port) if self.port.is_none() || has(&|r| *r == Remark::PortIsText) => {
                Live::Neither
            }
            Some(Field::Token) if self.token.is_none() => Live::Neither,
            Some(Field::VerifyKey) if self.verify_key.is_none() => Live::Neither,
            Some(Field::CertPem) if self.fingerprint.is_none() => Live::Neither,
            Some(Field::CertFingerprint)
                if self.fingerprint.is_none()
                    || has(&|r| {
                        matches!(
                            r,
                            Remark::FingerprintSpelling
                                | Remark::FingerprintAlone
                                | Remark::Fingerprint(_)
                        )
                    }) =>
            {
                Live::Neither
            }
            Some(field) => field.live(),
        };
        FieldUse {
            key: key.to_owned(),
            field,
            live,
        }
    }
}

/// Reads what a person pasted: a whole file, its part `"peers"`, one `"name": {…}`, or an entry
/// without its name (which is then empty).
///
/// # Errors
/// [`PeersFileError`].
pub fn parse_pasted(text: &str) -> Result<Vec<PeerEntry>, PeersFileError> {
    Ok(PeersFile::pasted(text, "")?.peers())
}

impl PeersFile {
    /// What a person pasted, as a file: a whole one, its part `"peers"`, one `"name": {…}`, or an
    /// entry without its name, which gets the one given.
    ///
    /// # Errors
    /// [`PeersFileError`].
    pub fn pasted(text: &str, name: &str) -> Result<Self, PeersFileError> {
        let text = text.trim().trim_end_matches(',').trim_end();
        let member = text.starts_with('"').then(|| format!("{{{text}}}"));
        let value = parse_value(member.as_deref().unwrap_or(text))?;
        let Value::Object(fields) = value else {
            return Err(PeersFileError::Shape("the text"));
        };
        if fields.contains_key("peers") || fields.contains_key("self") {
            return Self::from_root(fields);
        }
        let is_entry = fields.iter().any(|(key, value)| {
            Field::ALL.iter().any(|field| field.key() == key) && !value.is_object()
        });
        let peers = if is_entry {
            Map::from_iter([(name.to_owned(), fields.into())])
        } else {
            fields
        };
        Self::from_root(Map::from_iter([("peers".to_owned(), peers.into())]))
    }
}

/// A text that is not blank, without the white space around it.
fn text(fields: &Map<String, Value>, field: Field) -> Option<&str> {
    let text = fields.get(field.key())?.as_str()?.trim();
    (!text.is_empty()).then_some(text)
}

/// The fingerprint of the certificate in a PEM text, whatever its key: a legacy connection is
/// pinned to the whole of it.
fn fingerprint_of(pem: &str) -> Option<Fingerprint> {
    let blocks = pem::parse_many(pem).ok()?;
    let block = blocks.iter().find(|block| block.tag() == "CERTIFICATE")?;
    match Certificate::from_der(block.contents()) {
        Err(CertificateError::NotPem | CertificateError::Malformed) => None,
        _ => Some(Fingerprint::of(block.contents())),
    }
}
