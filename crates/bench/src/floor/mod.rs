//! The floors: the same work without Tieline.

mod client;
mod commits;
mod identity;
mod server;

pub(crate) use commits::{grouped, rate, single};
pub(crate) use server::{FloorServer, serve};
