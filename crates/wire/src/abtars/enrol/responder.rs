use serde::{Deserialize, Serialize};

use super::super::names;
use super::super::request::Nonce;
use super::{EnrolError, TribeToken, ack_text, check_time, read, self_text};
use crate::key::{Signature, SigningKey, VerifyKey};
use crate::time::UnixMillis;

/// The side that was dialled, having asked for proof.
#[derive(Debug)]
pub struct Responder {
    tribe: TribeToken,
    their_key: VerifyKey,
    /// As they wrote it, because that text is what they sign.
    their_key_text: String,
    nonce: String,
}

/// A machine that holds the tribe token and its own key. Whether it becomes a peer is for a
/// person to say.
#[derive(Debug)]
pub struct Candidate {
    /// What it calls itself.
    pub name: String,
    /// Its key.
    pub key: VerifyKey,
    nonce: String,
}

#[derive(Deserialize)]
#[allow(non_snake_case, reason = "the names on the wire")]
struct Knock {
    pubKey_i: String,
    nonce_i: String,
    ts: i64,
}

#[derive(Serialize)]
#[allow(non_snake_case, reason = "the names on the wire")]
struct Challenge<'a> {
    pubKey_r: &'a str,
    nonce_r: &'a str,
    ts: i64,
    mac_r: String,
}

#[derive(Deserialize)]
#[allow(non_snake_case, reason = "the names on the wire")]
struct Proof {
    mac_i: String,
    name: String,
    nonce_r: String,
    ts: i64,
    selfSig: String,
}

#[derive(Serialize)]
#[allow(non_snake_case, reason = "the names on the wire")]
struct Ack<'a> {
    name_r: &'a str,
    pubKey_r: &'a str,
    ackSig: Signature,
}

impl Responder {
    /// Checks the first frame; gives the second. `own_key` is the key of this machine's
    /// certificate.
    ///
    /// # Errors
    /// [`EnrolError`].
    pub fn challenge(
        tribe: TribeToken,
        own_key: &VerifyKey,
        frame: &str,
        nonce: Nonce,
        now: UnixMillis,
    ) -> Result<(Self, String), EnrolError> {
        let knock: Knock = read(frame, EnrolError::InvalidKnock)?;
        let their_key = VerifyKey::parse(&knock.pubKey_i).map_err(|_| EnrolError::InvalidKnock)?;
        // The form of the nonce keeps the border to the key, which stands before it, where it is.
        if Nonce::parse(&knock.nonce_i).is_none() || their_key == *own_key {
            return Err(EnrolError::InvalidKnock);
        }
        check_time(knock.ts, now)?;
        let (own_key, nonce) = (own_key.to_base64(), nonce.to_string());
        let challenge = serde_json::json!(Challenge {
            pubKey_r: &own_key,
            nonce_r: &nonce,
            ts: now.as_seconds(),
            mac_r: tribe.mac(&own_key, &knock.nonce_i),
        });
        let responder = Self {
            tribe,
            their_key,
            their_key_text: knock.pubKey_i,
            nonce,
        };
        Ok((responder, challenge.to_string()))
    }

    /// Checks the third frame. Only an attempt that comes this far should count against the
    /// address that it comes from.
    ///
    /// # Errors
    /// [`EnrolError`].
    pub fn check(self, frame: &str, now: UnixMillis) -> Result<Candidate, EnrolError> {
        let proof: Proof = read(frame, EnrolError::InvalidMessage)?;
        check_time(proof.ts, now)?;
        if proof.nonce_r != self.nonce {
            return Err(EnrolError::NonceMismatch);
        }
        if !self
            .tribe
            .check(&self.their_key_text, &self.nonce, &proof.mac_i)
        {
            return Err(EnrolError::MacMismatch);
        }
        let signature: Signature = proof.selfSig.parse().map_err(|_| EnrolError::BadSelfSig)?;
        let signed = self_text(&self.their_key_text, &self.nonce, &proof.name);
        self.their_key
            .verify(signed.as_bytes(), &signature)
            .map_err(|_| EnrolError::BadSelfSig)?;
        names::check(&proof.name).map_err(EnrolError::Name)?;
        Ok(Candidate {
            name: proof.name,
            key: self.their_key,
            nonce: self.nonce,
        })
    }
}

impl Candidate {
    /// Compares with the key under which the name is known here, if it is. Where it is the same,
    /// the entry stays as it is: enrolling again lowers no trust and moves no address.
    ///
    /// # Errors
    /// [`EnrolError::KeyChanged`].
    pub fn check_known(&self, known: Option<&VerifyKey>) -> Result<(), EnrolError> {
        if known.is_some_and(|known| *known != self.key) {
            return Err(EnrolError::KeyChanged);
        }
        Ok(())
    }

    /// The last frame, once a person agreed and the peer is stored. `key` is the key of this
    /// machine's certificate.
    #[must_use]
    pub fn accept(&self, key: &SigningKey, own_name: &str) -> String {
        let own_key = key.verify_key().to_base64();
        let signed = ack_text(own_name, &own_key, &self.nonce);
        serde_json::json!(Ack {
            name_r: own_name,
            pubKey_r: &own_key,
            ackSig: key.sign(signed.as_bytes()),
        })
        .to_string()
    }
}
