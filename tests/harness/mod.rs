//! The shared test harness: real `tieline serve` processes on temporary homes and free ports.
//!
//! ```no_run
//! let mac = Machine::start("mac");
//! let wsl = Machine::start("wsl");
//! let link = mac.tieline(["invite"]).success().line();
//! wsl.tieline_with_stdin(["join"], &link).success();
//! ```
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails"
)]
#![allow(clippy::print_stderr, reason = "what a failing test shows")]
#![allow(unreachable_pub, missing_docs, reason = "a module of test binaries")]

pub mod http;
mod machine;
mod run;
mod skip;
pub mod wait;
pub mod webdriver;

pub use machine::{Launch, Machine};
pub use run::Run;
pub use skip::skip;

use std::env::consts::EXE_SUFFIX;
use std::path::PathBuf;

/// The `tieline` under test.
pub fn tieline_program() -> PathBuf {
    match (
        option_env!("CARGO_BIN_EXE_tieline"),
        std::env::var_os("TIELINE_BIN"),
    ) {
        (_, Some(given)) => PathBuf::from(given),
        (Some(built), None) => PathBuf::from(built),
        // The app's tests: both programs are built into one directory.
        (None, None) => match option_env!("CARGO_BIN_EXE_tieline-desktop") {
            Some(app) => PathBuf::from(app).with_file_name(format!("tieline{EXE_SUFFIX}")),
            None => panic!("set TIELINE_BIN to the tieline program under test"),
        },
    }
}

/// Pairs `joiner` with `inviter` by link, and keeps the joiner at the inviter.
pub fn pair(inviter: &Machine, joiner: &Machine) {
    let link = inviter.tieline(["invite"]).success().line();
    joiner.tieline_with_stdin(["join"], &link).success();
    inviter.tieline(["peers", "keep", joiner.name()]).success();
}
