//! The KithKit dialect: the documented send request, the LAN message, and its signature.
//!
//! Pure functions over what KithKit daemons exchange today; what they do with it is the engine's
//! part. Lengths and number formats follow JavaScript, because the other side is written in it.

pub mod config;
mod javascript;
mod lan;
mod names;
mod payload;
mod send;
mod signature;

pub use lan::{LanMessage, LanRefusal, lan_body};
pub use names::{find_peer, is_uuid_shaped, split_qualified};
pub use payload::{MAX_LENGTH, measured_length, normalise};
pub use send::{Route, SendRefusal, SendRequest, Target};
pub use signature::{Posture, Provenance, SignatureRefusal, check, judge, sign};
