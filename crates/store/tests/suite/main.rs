//! The store on real files.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[cfg(unix)]
mod crash;
mod files;
mod groups;
mod handovers;
mod inbox;
mod lists;
mod outbox;
mod restore;
mod retention;
mod rows;
mod support;
