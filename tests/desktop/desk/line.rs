//! A line between the app and another machine.

use super::Desk;
use crate::harness::{Machine, tieline_program};

/// Pairs the app of this desktop with `machine` by the command line, beside the running app.
pub(crate) async fn pair(desk: &Desk, machine: &Machine) {
    let link = machine.tieline(["invite"]).success().line();
    let mut join = desk.command(&tieline_program());
    join.arg("--home").arg(desk.home()).args(["join", &link]);
    let joined = join.output().expect("tieline runs");
    assert!(
        joined.status.success(),
        "{}",
        String::from_utf8_lossy(&joined.stderr)
    );
    machine.tieline(["peers", "keep", "mac"]).success();
}
