//! Messages, receipts and cards: what is covered, and what is refused.

#![allow(clippy::unwrap_used)]

mod card;
mod message;
mod receipt;

use tieline_wire::key::SigningKey;
use tieline_wire::message::{Envelope, MessageId};
use tieline_wire::time::UnixMillis;

fn keys() -> (SigningKey, SigningKey) {
    (
        SigningKey::from_seed(&[1; 32]),
        SigningKey::from_seed(&[2; 32]),
    )
}

fn envelope(payload: &str) -> Envelope {
    let (from, to) = keys();
    let id = MessageId::new("m-1").unwrap();
    Envelope::new(
        id,
        from.key_id(),
        to.key_id(),
        UnixMillis(1_767_225_600_123),
        payload,
    )
    .unwrap()
}
