//! The engine of Tieline: one node with its identity, its peers and its messages.
//!
//! A [`Node`] is started with a [`NodeConfig`] and hosted by the tray app or by `tieline serve`.
//! It listens for peers (`listener`), speaks to them over a line (`line`), and believes nobody
//! without a key and a proof (`protocol`). What it sends is in the `outbox` before the first
//! byte leaves; what it receives is in the `inbox` before the answer does.
//!
//! Front ends see [`model`] and nothing else.

mod api_token;
mod ask;
mod asleep;
mod clock;
mod conversations;
mod deliveries;
mod diagnostics;
mod dialect;
mod events;
mod exchange;
mod gate;
mod handover;
mod home;
mod identity;
mod inbox;
mod limits;
mod line;
mod listener;
mod local;
pub mod log;
pub mod model;
mod naming;
mod network;
mod node;
mod outbox;
mod pairing;
mod peers;
mod platform;
mod preferences;
mod protocol;
mod queries;
mod quiet;
mod reach;
mod retention;
mod seal;
mod secrets;
mod start;
mod tls;
mod trial;
mod views;

pub use ask::{AskNews, Asking};
pub use events::EventBus;
pub use limits::MAX_PAYLOAD;
pub use node::{Node, NodeConfig};
pub use platform::Platform;
pub use quiet::Quiet;
pub use tieline_vault::VaultChoice;
