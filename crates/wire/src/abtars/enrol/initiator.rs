use serde::{Deserialize, Serialize};

use super::super::names;
use super::super::request::Nonce;
use super::{EnrolError, TribeToken, ack_text, check_time, read, self_text};
use crate::key::{Signature, SigningKey, VerifyKey};
use crate::time::UnixMillis;

/// The side that dials, before it heard anything.
#[derive(Debug)]
pub struct Initiator {
    tribe: TribeToken,
    key: SigningKey,
    name: String,
    nonce: String,
}

/// The side that dials, having shown itself.
#[derive(Debug)]
pub struct AwaitingAck {
    their_key: VerifyKey,
    /// As they wrote it, because that text is what they sign.
    their_key_text: String,
    nonce_r: String,
}

#[derive(Serialize)]
#[allow(non_snake_case, reason = "the names on the wire")]
struct Knock<'a> {
    pubKey_i: &'a str,
    nonce_i: &'a str,
    ts: i64,
}

#[derive(Deserialize)]
#[allow(non_snake_case, reason = "the names on the wire")]
struct Challenge {
    pubKey_r: String,
    nonce_r: String,
    ts: i64,
    mac_r: String,
}

#[derive(Serialize)]
#[allow(non_snake_case, reason = "the names on the wire")]
struct Proof<'a> {
    mac_i: String,
    name: &'a str,
    nonce_r: &'a str,
    ts: i64,
    selfSig: Signature,
}

#[derive(Deserialize)]
#[allow(non_snake_case, reason = "the names on the wire")]
struct Ack {
    name_r: String,
    pubKey_r: String,
    ackSig: String,
}

impl Initiator {
    /// Begins, with the key of this machine's certificate; gives the first frame.
    #[must_use]
    pub fn begin(
        tribe: TribeToken,
        key: SigningKey,
        own_name: &str,
        nonce: Nonce,
        now: UnixMillis,
    ) -> (Self, String) {
        let nonce = nonce.to_string();
        let knock = serde_json::json!(Knock {
            pubKey_i: &key.verify_key().to_base64(),
            nonce_i: &nonce,
            ts: now.as_seconds(),
        });
        let initiator = Self {
            tribe,
            key,
            name: own_name.to_owned(),
            nonce,
        };
        (initiator, knock.to_string())
    }

    /// Checks the second frame against the key of the TLS certificate; gives the third.
    ///
    /// # Errors
    /// [`EnrolError`]; [`EnrolError::MacMismatch`] is told to people as different tribe tokens.
    pub fn answer(
        self,
        frame: &str,
        certificate_key: &VerifyKey,
        now: UnixMillis,
    ) -> Result<(AwaitingAck, String), EnrolError> {
        let challenge: Challenge = read(frame, EnrolError::InvalidMessage)?;
        check_time(challenge.ts, now)?;
        let their_key =
            VerifyKey::parse(&challenge.pubKey_r).map_err(|_| EnrolError::InvalidMessage)?;
        if Nonce::parse(&challenge.nonce_r).is_none() || their_key == self.key.verify_key() {
            return Err(EnrolError::InvalidMessage);
        }
        if !self
            .tribe
            .check(&challenge.pubKey_r, &self.nonce, &challenge.mac_r)
        {
            return Err(EnrolError::MacMismatch);
        }
        if their_key != *certificate_key {
            return Err(EnrolError::KeyMismatch);
        }

        let own_key = self.key.verify_key().to_base64();
        let signed = self_text(&own_key, &challenge.nonce_r, &self.name);
        let proof = serde_json::json!(Proof {
            mac_i: self.tribe.mac(&own_key, &challenge.nonce_r),
            name: &self.name,
            nonce_r: &challenge.nonce_r,
            ts: now.as_seconds(),
            selfSig: self.key.sign(signed.as_bytes()),
        });
        let next = AwaitingAck {
            their_key,
            their_key_text: challenge.pubKey_r,
            nonce_r: challenge.nonce_r,
        };
        Ok((next, proof.to_string()))
    }
}

impl AwaitingAck {
    /// Checks the last frame; gives the peer's name and key, to be shown to a person and stored.
    ///
    /// # Errors
    /// [`EnrolError`].
    pub fn finish(self, frame: &str) -> Result<(String, VerifyKey), EnrolError> {
        let ack: Ack = read(frame, EnrolError::InvalidMessage)?;
        // The same text, so that what was authenticated by the tribe token is what is kept.
        if ack.pubKey_r != self.their_key_text {
            return Err(EnrolError::KeyMismatch);
        }
        let signature: Signature = ack.ackSig.parse().map_err(|_| EnrolError::BadAckSig)?;
        let signed = ack_text(&ack.name_r, &ack.pubKey_r, &self.nonce_r);
        self.their_key
            .verify(signed.as_bytes(), &signature)
            .map_err(|_| EnrolError::BadAckSig)?;
        names::check(&ack.name_r).map_err(EnrolError::Name)?;
        Ok((ack.name_r, self.their_key))
    }
}
