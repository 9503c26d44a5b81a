//! Tests that cannot run on this machine.

use std::io::Write;

/// Notes that the running test could not run, and why. The caller then returns. Where the suite is
/// judged, a skipped test is no passed one: see `tests` in `xtask/src/suite.rs`.
pub fn skip(reason: &str) {
    let thread = std::thread::current();
    let note = format!("{}: {reason}", thread.name().unwrap_or("a test"));
    eprintln!("skipped: {note}");
    if let Some(log) = std::env::var_os("TIELINE_SKIP_LOG") {
        let mut log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(log)
            .expect("the list of skipped tests");
        writeln!(log, "{note}").expect("the list of skipped tests");
    }
}
