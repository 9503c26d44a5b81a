//! Tests of the whole app: a real display, a session bus of its own, the real web view, and a
//! second real node to talk to. Nothing is faked but what a desktop brings: the panel that shows
//! the tray, and the service that shows notifications.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails"
)]
#![allow(clippy::print_stderr, reason = "what a failing test shows")]

#[allow(unused_imports, reason = "each test binary uses its part")]
#[path = "../harness/mod.rs"]
mod harness;

#[allow(dead_code, reason = "each program uses its part")]
mod desk;
mod links;
mod messages;
mod pairing;
mod starting;
mod story;
mod tray;
mod trouble;
mod window;
