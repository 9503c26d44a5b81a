use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::request::{Fresh, Nonce};
use super::super::{clock, hex, names};
use super::{FrameError, MAX_BODY, MAX_METHOD, is_word};
use crate::key::{Signature, SigningKey, VerifyKey};
use crate::time::UnixMillis;

const VERSION: u64 = 1;
const MAX_TS: usize = 16;

/// A request, well formed; whose it is, is not known before [`Request::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Names it on this connection, and over retries.
    pub id: String,
    /// What is asked, for example `help.request.v1`.
    pub method: String,
    /// JSON text; not parsed, because its bytes are signed.
    pub body: String,
    /// Who says to have sent it.
    pub peer_id: String,
    /// Decimal Unix seconds.
    pub ts: String,
    /// 32 lower-case hex digits.
    pub nonce: String,
    /// The signature.
    pub sig: Signature,
}

impl Request {
    /// Makes a request. A retry has the same id and a new nonce.
    #[must_use]
    pub fn sign(
        key: &SigningKey,
        own_name: &str,
        (id, method): (&str, &str),
        body: &str,
        now: UnixMillis,
        nonce: Nonce,
    ) -> Self {
        let mut request = Self {
            id: id.to_owned(),
            method: method.to_owned(),
            body: body.to_owned(),
            peer_id: own_name.to_owned(),
            ts: now.as_seconds().to_string(),
            nonce: nonce.to_string(),
            sig: Signature([0; 64]),
        };
        request.sig = key.sign(request.canonical().as_bytes());
        request
    }

    /// The text that is signed.
    #[must_use]
    pub fn canonical(&self) -> String {
        let Self {
            id,
            method,
            peer_id,
            ts,
            nonce,
            ..
        } = self;
        let body = hex::encode(&Sha256::digest(&self.body));
        format!("abtars-ws-req-v1\n{peer_id}\n{id}\n{method}\n/{method}\n{ts}\n{nonce}\n{body}")
    }

    /// Checks time and signature against the key of the peer that [`peer_id`](Self::peer_id)
    /// names. The nonce is to be recorded, per peer, before anything else happens.
    ///
    /// # Errors
    /// [`FrameError::StaleTs`] and [`FrameError::BadSig`].
    pub fn verify(&self, key: &VerifyKey, now: UnixMillis) -> Result<Fresh<&str>, FrameError> {
        let seconds = clock::lenient_integer(&self.ts).ok_or(FrameError::Timestamp)?;
        if !clock::is_fresh(seconds, now) {
            return Err(FrameError::StaleTs);
        }
        key.verify(self.canonical().as_bytes(), &self.sig)
            .map_err(|_| FrameError::BadSig)?;
        Ok(Fresh {
            nonce: &self.nonce,
            stale_from: clock::stale_from(seconds),
        })
    }

    /// The frame.
    #[must_use]
    pub fn to_json(&self) -> String {
        json!({
            "type": "request",
            "version": VERSION,
            "id": self.id,
            "method": self.method,
            "body": self.body,
            "auth": {"peerId": self.peer_id, "ts": self.ts, "nonce": self.nonce, "sig": self.sig},
        })
        .to_string()
    }

    pub(super) fn read(id: String, frame: &Value) -> Result<Self, FrameError> {
        if frame.get("version").and_then(Value::as_u64) != Some(VERSION) {
            return Err(FrameError::Version);
        }
        let text = |value: &Value, key| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let method = text(frame, "method")
            .filter(|method| is_word(method, MAX_METHOD))
            .ok_or(FrameError::Method)?;
        let body = text(frame, "body")
            .filter(|body| body.len() <= MAX_BODY)
            .ok_or(FrameError::Body)?;
        let auth = frame
            .get("auth")
            .filter(|auth| auth.is_object())
            .ok_or(FrameError::Authentication)?;
        Ok(Self {
            id,
            method,
            body,
            peer_id: text(auth, "peerId")
                .filter(|name| is_word(name, names::MAX_NAME))
                .ok_or(FrameError::Peer)?,
            ts: text(auth, "ts")
                .filter(|ts| (1..=MAX_TS).contains(&ts.len()))
                .filter(|ts| ts.bytes().all(|b| b.is_ascii_digit()))
                .ok_or(FrameError::Timestamp)?,
            nonce: text(auth, "nonce")
                .filter(|nonce| Nonce::parse(nonce).is_some())
                .ok_or(FrameError::Nonce)?,
            sig: text(auth, "sig")
                .filter(|sig| sig.len() == 88)
                .and_then(|sig| sig.parse().ok())
                .ok_or(FrameError::Signature)?,
        })
    }
}
