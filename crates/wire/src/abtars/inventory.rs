//! The inventory push: what a peer says it can do. A hint, and nothing more.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::frame;
use super::request::{self, Covered, Fresh, Nonce, ProofError, Received};
use crate::key::{SigningKey, VerifyKey};
use crate::time::UnixMillis;

/// The push's method.
pub const METHOD: &str = "peer.inventory.v1";
/// What is signed as the target of a `POST`.
const TARGET: &str = "/abtars-peer-inventory-v1";
/// The most entries of a list, and the longest, in characters.
const MAX_ENTRIES: usize = 100;
const MAX_ENTRY: usize = 128;

/// What a machine can do, in its own words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    version: u64,
    /// Its `self.name`.
    pub peer: String,
    /// When it was written, as the machine writes times.
    pub generated_at: String,
    /// Its version.
    pub abtars_version: String,
    /// `https` and `wss`.
    pub protocols: Vec<String>,
    /// Words for what it can do.
    pub capabilities: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Envelope {
    payload: String,
    signature: String,
    peer_id: String,
    peer_ts: String,
    peer_nonce: String,
}

/// Why an inventory is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InventoryError {
    /// Not of the expected shape.
    #[error("not an inventory")]
    Malformed,
    /// In the name of another than the peer of this connection.
    #[error("the inventory is another peer's")]
    OtherPeer,
    /// Its signature does not hold.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl Inventory {
    /// An inventory of this machine. Entries are trimmed, in lower case, sorted, and each once.
    #[must_use]
    pub fn new(
        own_name: &str,
        version: &str,
        protocols: &[&str],
        capabilities: &[&str],
        now: UnixMillis,
    ) -> Self {
        Self {
            version: 1,
            peer: own_name.to_owned(),
            generated_at: now.to_string(),
            abtars_version: version.to_owned(),
            protocols: tidy(protocols.iter().copied()),
            capabilities: tidy(capabilities.iter().copied()),
        }
    }

    /// The frame of the push.
    #[must_use]
    pub fn to_push(&self, key: &SigningKey, now: UnixMillis, nonce: Nonce) -> String {
        let payload = json!(self).to_string();
        let proof = request::sign(key, &covered(&payload), now, nonce);
        let envelope = Envelope {
            signature: proof.sig,
            peer_id: self.peer.clone(),
            peer_ts: proof.ts,
            peer_nonce: proof.nonce,
            payload,
        };
        frame::push(METHOD, &json!(envelope))
    }

    /// Reads the payload of a push of the peer with this key and name. The nonce is to be
    /// recorded as one of a request.
    ///
    /// # Errors
    /// [`InventoryError`].
    pub fn read(
        payload: Value,
        key: &VerifyKey,
        peer_name: &str,
        now: UnixMillis,
    ) -> Result<(Self, Fresh<String>), InventoryError> {
        let envelope: Envelope =
            serde_json::from_value(payload).map_err(|_| InventoryError::Malformed)?;
        if envelope.peer_id != peer_name {
            return Err(InventoryError::OtherPeer);
        }
        let received = Received {
            ts: Some(&envelope.peer_ts),
            nonce: Some(&envelope.peer_nonce),
            sig: Some(&envelope.signature),
        };
        let fresh = request::verify(key, &covered(&envelope.payload), received, now)?;
        let fresh = Fresh {
            nonce: fresh.nonce.to_owned(),
            stale_from: fresh.stale_from,
        };
        let mut inventory: Self =
            serde_json::from_str(&envelope.payload).map_err(|_| InventoryError::Malformed)?;
        if inventory.version != 1 {
            return Err(InventoryError::Malformed);
        }
        if inventory.peer != peer_name {
            return Err(InventoryError::OtherPeer);
        }
        for list in [&mut inventory.protocols, &mut inventory.capabilities] {
            *list = tidy(list.iter().map(String::as_str));
        }
        Ok((inventory, fresh))
    }
}

fn covered(payload: &str) -> Covered<'_> {
    Covered {
        method: "POST",
        target: TARGET,
        body: payload.as_bytes(),
    }
}

fn tidy<'a>(entries: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut tidy: Vec<String> = entries
        .map(|entry| entry.trim().to_lowercase())
        .filter(|entry| !entry.is_empty() && entry.chars().count() <= MAX_ENTRY)
        .collect();
    // As JavaScript sorts.
    tidy.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
    tidy.dedup();
    tidy.truncate(MAX_ENTRIES);
    tidy
}
