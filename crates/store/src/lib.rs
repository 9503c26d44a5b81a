//! Tieline's durable memory: peers, messages both ways, attempts, receipts and settings in one SQLite database.
//!
//! [`Store::write`] runs a job on the single writer thread, which commits waiting jobs together; [`Store::read`] runs
//! a query on one of a few read connections. The query modules take the connection, so that a caller can combine
//! several in one transaction.

pub mod attempts;
mod connection;
mod convert;
mod error;
mod files;
pub mod handovers;
pub mod invites;
pub mod messages;
mod migrate;
pub mod nonces;
mod open;
pub mod peers;
mod problem;
pub mod receipts;
mod restore;
pub mod secrets;
pub mod settings;
mod store;
mod writer;

pub use error::StoreError;
pub use open::{OpenOptions, OpenReport};
pub use rusqlite::{Connection, Transaction};
pub use store::Store;
