//! The floors: the same work without Tieline.

mod client;
mod commits;
mod identity;
mod server;

pub(crate) use commits::{Row, grouped, rate, single};
pub(crate) use identity::pinned_client;
pub(crate) use server::{FloorServer, serve};
