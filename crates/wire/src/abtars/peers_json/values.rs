//! Writing one peer's entry, so that every release can use it.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::super::SharedToken;
use super::entry::{PROGRAM, TIELINE};
use super::field::Field;
use crate::address::Address;
use crate::certificate::Certificate;
use crate::key::VerifyKey;

/// What an entry needs to say about a machine: a peer, for our own file, or this machine, for the
/// other side's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryValues {
    /// Where the machine is.
    pub address: Address,
    /// The secret that both sides hold, if legacy bearers are to work.
    pub token: Option<SharedToken>,
    /// The machine's key; current releases need its certificate to hold the same.
    pub verify_key: VerifyKey,
    /// Its certificate, which legacy releases pin.
    pub certificate: Option<Certificate>,
}

impl EntryValues {
    /// The entry for the other side's file, under the name that this machine calls itself: one
    /// `"name": {…}` to be pasted among its peers. Holds the token, if there is one. It says which
    /// program it is of, so that another Tieline does not take this machine for an abTARS one.
    #[must_use]
    pub fn to_paste(&self, own_name: &str) -> Zeroizing<String> {
        let mut fields = Map::new();
        self.write(&mut fields);
        fields.insert(PROGRAM.to_owned(), TIELINE.into());
        let entry = Zeroizing::new(format!("{:#}", Value::Object(fields)));
        Zeroizing::new(format!("{}: {}", Value::from(own_name), *entry))
    }

    /// Writes the documented fields into an entry, in their documented order where they are new.
    ///
    /// The fingerprint is written as legacy releases compare it, and always with the certificate,
    /// without which they refuse it. What is not known here stays as it was.
    pub(super) fn write(&self, fields: &mut Map<String, Value>) {
        let mut set = |field: Field, value: Value| {
            fields.insert(field.key().to_owned(), value);
        };
        set(Field::Host, self.address.host().into());
        set(Field::Port, self.address.port().into());
        if let Some(token) = &self.token {
            set(Field::Token, token.expose().into());
        }
        set(Field::VerifyKey, self.verify_key.to_base64().into());
        if let Some(certificate) = &self.certificate {
            set(
                Field::CertFingerprint,
                certificate.fingerprint().bare().into(),
            );
            set(Field::CertPem, certificate.to_pem().into());
        }
    }
}
