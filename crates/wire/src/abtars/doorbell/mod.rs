//! The doorbell: one UDP packet to port 5353 that says "please dial me", dressed as a DNS query.
//!
//! It carries nothing but who rings whom, when, and a signature. The answer is a DNS response to
//! that very query. Both sides are named by the beginning of the hash of their key.

mod packet;

use sha2::{Digest, Sha256};

use crate::key::{Signature, SigningKey, VerifyKey};
use crate::time::UnixMillis;

/// The port, of the sender of an answer as well.
pub const PORT: u16 = 5353;
/// Seconds by which a packet's time may differ from this machine's clock, either way.
pub const WINDOW: u64 = 60;
/// How long to wait for an answer, in milliseconds.
pub const WAIT_MILLIS: u64 = 1500;

const QUERY_PREFIX: &[u8] = b"abtars-peer-doorbell-query-v1\0";
const ACK_PREFIX: &[u8] = b"abtars-peer-doorbell-ack-v1\0";
/// What is signed of a payload, and all of it.
const SIGNED: usize = 58;
const PAYLOAD: usize = SIGNED + 64;

/// Names a key: the first 16 bytes of SHA-256 over its SubjectPublicKeyInfo.
pub type Selector = [u8; 16];

/// A ring, as sent or received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query {
    /// Number of the DNS message, which the answer repeats.
    pub id: u16,
    /// Who rings.
    pub sender: Selector,
    /// Who is to dial.
    pub target: Selector,
    /// Unix seconds.
    pub ts: u64,
    /// To be recorded, so that a ring counts once.
    pub nonce: [u8; 16],
    signature: Signature,
}

/// An answer to a ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    /// Who answers.
    pub responder: Selector,
    nonce: [u8; 16],
    query_hash: [u8; 16],
    ts: u64,
    signature: Signature,
}

/// The selector of a key.
#[must_use]
pub fn selector(key: &VerifyKey) -> Selector {
    first_half(&key.key_id().0)
}

impl Query {
    /// Makes a ring.
    #[must_use]
    pub fn sign(
        key: &SigningKey,
        target: &VerifyKey,
        id: u16,
        nonce: [u8; 16],
        now: UnixMillis,
    ) -> Self {
        let mut query = Self {
            id,
            sender: selector(&key.verify_key()),
            target: selector(target),
            ts: seconds(now),
            nonce,
            signature: Signature([0; 64]),
        };
        query.signature = key.sign(&query.signed());
        query
    }

    /// Reads a packet; `None` for anything that is not exactly a ring.
    #[must_use]
    pub fn parse(packet: &[u8]) -> Option<Self> {
        let (id, payload) = packet::read_query(packet)?;
        let mut fields = Fields(&payload);
        fields.is([1, 1])?;
        Some(Self {
            id,
            sender: fields.take()?,
            target: fields.take()?,
            ts: u64::from_be_bytes(fields.take()?),
            nonce: fields.take()?,
            signature: Signature(fields.take()?),
        })
    }

    /// The packet.
    #[must_use]
    pub fn to_packet(&self) -> Vec<u8> {
        packet::query(self.id, &self.payload())
    }

    /// Whether this is a ring of the peer with this key, for the machine with that one, just now.
    /// The nonce is for the caller.
    #[must_use]
    pub fn verify(&self, peer: &VerifyKey, own: &VerifyKey, now: UnixMillis) -> bool {
        self.sender == selector(peer)
            && self.target == selector(own)
            && is_fresh(self.ts, now)
            && peer.verify(&self.signed(), &self.signature).is_ok()
    }

    fn signed(&self) -> Vec<u8> {
        let ts = self.ts.to_be_bytes();
        [
            QUERY_PREFIX,
            &[1, 1],
            &self.sender,
            &self.target,
            &ts,
            &self.nonce,
        ]
        .concat()
    }

    fn payload(&self) -> Vec<u8> {
        [&self.signed()[QUERY_PREFIX.len()..], &self.signature.0].concat()
    }
}

impl Ack {
    /// Answers a ring.
    #[must_use]
    pub fn sign(key: &SigningKey, query: &Query, now: UnixMillis) -> Self {
        let mut ack = Self {
            responder: selector(&key.verify_key()),
            nonce: query.nonce,
            query_hash: first_half(&Sha256::digest(query.signed()).into()),
            ts: seconds(now),
            signature: Signature([0; 64]),
        };
        ack.signature = key.sign(&ack.signed());
        ack
    }

    /// Reads the answer to this very ring; `None` for anything else.
    #[must_use]
    pub fn parse(packet: &[u8], query: &Query) -> Option<Self> {
        let payload = packet::read_ack(packet, &query.to_packet())?;
        let mut fields = Fields(&payload);
        fields.is([1, 2])?;
        Some(Self {
            responder: fields.take()?,
            nonce: fields.take()?,
            query_hash: fields.take()?,
            ts: u64::from_be_bytes(fields.take()?),
            signature: Signature(fields.take()?),
        })
    }

    /// The packet.
    #[must_use]
    pub fn to_packet(&self, query: &Query) -> Vec<u8> {
        let payload = [&self.signed()[ACK_PREFIX.len()..], &self.signature.0].concat();
        packet::ack(&query.to_packet(), &payload)
    }

    /// Whether the peer with this key answered this ring, just now.
    #[must_use]
    pub fn verify(&self, query: &Query, peer: &VerifyKey, now: UnixMillis) -> bool {
        let hash: [u8; 32] = Sha256::digest(query.signed()).into();
        self.responder == selector(peer)
            && self.responder == query.target
            && self.nonce == query.nonce
            && self.query_hash == first_half(&hash)
            && is_fresh(self.ts, now)
            && peer.verify(&self.signed(), &self.signature).is_ok()
    }

    fn signed(&self) -> Vec<u8> {
        let ts = self.ts.to_be_bytes();
        [
            ACK_PREFIX,
            &[1, 2],
            &self.responder,
            &self.nonce,
            &self.query_hash,
            &ts,
        ]
        .concat()
    }
}

/// Fields of fixed length, one behind the other.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*field)
    }

    fn is<const N: usize>(&mut self, expected: [u8; N]) -> Option<()> {
        (self.take::<N>()? == expected).then_some(())
    }
}

fn first_half(hash: &[u8; 32]) -> [u8; 16] {
    std::array::from_fn(|i| hash[i])
}

fn seconds(now: UnixMillis) -> u64 {
    u64::try_from(now.as_seconds()).unwrap_or(0)
}

fn is_fresh(ts: u64, now: UnixMillis) -> bool {
    seconds(now).abs_diff(ts) <= WINDOW
}
