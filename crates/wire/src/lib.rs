//! Formats and cryptography of every Tieline dialect; no I/O, no async.
//!
//! Everything here is a pure function of its arguments: the clock, the TLS exporter and the
//! store id are handed in by the caller. Only keys, invite secrets and message ids draw on the
//! operating system's random source. Nothing that arrives from outside can panic in here, and
//! every parser of outside bytes is fuzzed.
//!
//! Reading order: [`key`] and [`certificate`] say who somebody is, [`card`] and [`invite`] carry
//! that to another machine, [`pairing`] proves it, [`token`] speaks for one request, [`message`]
//! is what is said, and [`receipt`] is the recipient's signed word that it arrived. [`abtars`] and
//! [`kithkit`] are the languages of other systems, with their configuration files.
//!
//! ```
//! use tieline_wire::{key::SigningKey, message::{Envelope, MessageId}, receipt::{Receipt, Stage, StoreId}};
//! use tieline_wire::time::UnixMillis;
//!
//! let (mac, wsl) = (SigningKey::generate(), SigningKey::generate());
//! let envelope = Envelope::new(
//!     MessageId::new_v4(),
//!     mac.key_id(),
//!     wsl.key_id(),
//!     UnixMillis(1_700_000_000_000),
//!     r#"{"type":"text","text":"are you there?"}"#,
//! )?;
//!
//! let received = Envelope::parse(&envelope.to_json())?;
//! let receipt = Receipt::sign(
//!     &wsl, Stage::Stored, &received.id, received.from, received.content_hash(), StoreId::generate(),
//! );
//! receipt.verify(&wsl.verify_key())?;
//! assert_eq!(receipt.content_hash, envelope.content_hash());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod abtars;
pub mod address;
pub mod ask;
pub mod bytes;
pub mod card;
pub mod certificate;
mod encoding;
pub mod fingerprint;
pub mod invite;
pub mod key;
pub mod kithkit;
mod mac;
pub mod message;
pub mod name;
pub mod pairing;
pub mod presented;
pub mod problem;
mod random;
pub mod receipt;
pub mod time;
pub mod token;
