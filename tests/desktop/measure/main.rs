//! What the app costs: `cargo xtask bench app`. It measures a release build from outside and prints
//! figures beside their targets; whether they hold is for whoever reads them, since they depend on
//! the machine and on what else runs on it. A benchmark of its own, with the desk of the tests.
#![cfg_attr(
    not(target_os = "linux"),
    allow(unused, reason = "the desk is one of Linux")
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a measurement that cannot go on ends"
)]
#![allow(clippy::print_stdout, reason = "printing is what this is for")]
#![allow(clippy::print_stderr, reason = "what a failing machine shows")]

#[allow(unused, reason = "each program uses its part")]
#[path = "../../harness/mod.rs"]
mod harness;

#[cfg(target_os = "linux")]
#[allow(dead_code, reason = "each program uses its part")]
#[path = "../desk/mod.rs"]
mod desk;

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
#[tokio::main]
async fn main() {
    app::at_rest_and_at_work().await;
}

#[cfg(target_os = "linux")]
mod app;
