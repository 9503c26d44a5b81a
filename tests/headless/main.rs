//! Tests of the whole, in real processes, without a window.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails"
)]

#[path = "../harness/mod.rs"]
mod harness;

mod agents;
mod ask;
mod asleep;
#[cfg(unix)]
mod browser;
mod commands;
mod conformance;
mod counterpart;
#[cfg(unix)]
mod crash;
mod guard;
#[cfg(unix)]
mod hooks;
mod kithkit;
mod line;
#[cfg(target_os = "linux")]
mod network;
mod page;
mod serving;
mod terminal;
mod tour;
