//! The abTARS dialect: how its agents prove who asks, what they ask, and how they answer.
//!
//! There are two generations on the wire. The [current](Generation::Current) one (v0.3.5 and
//! later) signs every request with the key that its certificate also holds; the
//! [legacy](Generation::Legacy) one (v0.2.1 to v0.3.3) sends an HS256 token made with a secret
//! that both sides have in their `peers.json`. A request may carry both proofs at once, because
//! each generation ignores the other's.
//!
//! Reading order: [`request`] and [`bearer`] prove who asks, [`tag`] whom a text is meant for,
//! [`chat`] is the question and its answer, [`refusal`] what a server says instead, [`ask`] what
//! a client makes of that, and [`peers_json`] where all of it is configured. What is optional
//! follows: [`frame`] and [`inventory`] on a held connection, [`enrol`] and [`doorbell`].
//!
//! Neither generation names the recipient of a request in what it signs; only the tag does.

pub mod ask;
pub mod bearer;
pub mod chat;
mod clock;
pub mod doorbell;
pub mod enrol;
pub mod frame;
pub mod help;
mod hex;
pub mod inventory;
pub mod names;
pub mod peers_json;
pub mod probe;
pub mod refusal;
pub mod request;
pub mod route;
mod secret;
pub mod tag;
pub mod token;

pub use secret::{EmptyToken, SharedToken};

use serde::{Deserialize, Serialize};

/// Seconds by which a signature's time may differ from this machine's clock, either way.
pub const WINDOW: i64 = clock::WINDOW;
/// The largest request body, in bytes.
pub const MAX_BODY: usize = 6 * 1024 * 1024;
/// The port of abTARS since 2026-06-25; before it was 3100.
pub const DEFAULT_PORT: u16 = 7100;

/// Which of the two wire languages an abTARS machine speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Generation {
    /// v0.3.5 and later: signed requests; the certificate's key is the identity.
    Current,
    /// v0.2.1 to v0.3.3: bearer tokens; the whole certificate is pinned.
    Legacy,
}
