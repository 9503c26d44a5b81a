//! `cargo xtask check`: what to run after every change. It needs no GUI library.

use std::process::ExitCode;

use crate::report::Report;
use crate::repository::Repository;
use crate::suite;

/// Format, lints and tests of every crate except the tray app.
pub(crate) fn run(repository: &Repository) -> ExitCode {
    let mut report = Report::begin();
    let without_shell = ["--workspace", "--exclude", "tieline-desktop"];
    report.check("format", || suite::format(repository));
    report.check("lints", || suite::lints(repository, &without_shell));
    report.tests("tests", || suite::tests(repository, &without_shell));
    report.finish()
}
