//! `cargo xtask test`: the whole suite, which is also what CI runs.
//!
//! Every cargo command selects the whole workspace with its default features, so that no
//! dependency is compiled twice.

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::deny;
use crate::report::Report;
use crate::repository::Repository;
use crate::setup::{self, Purpose};
use crate::tally::Tally;
use crate::ui;

const EVERYTHING: [&str; 1] = ["--workspace"];

/// Runs every step and prints the summary. Steps go on after a failure, to show all there is to
/// mend, except where the rest cannot work.
pub(crate) fn run(repository: &Repository) -> ExitCode {
    let mut report = Report::begin();
    if !report.check("set-up", || setup::run(&Purpose::ALL)) {
        report.note("nothing else was run: install what is missing first".to_owned());
        return report.finish();
    }
    if report.check("user interface: build", || ui::build(repository)) {
        report.check("user interface: types", || ui::check_types(repository));
        report.tests("user interface: tests", || ui::test(repository));
    }
    report.check("format", || format(repository));
    report.check("lints", || lints(repository, &EVERYTHING));
    report.check("licences, bans and sources", || deny::policy(repository));
    deny::advisories(repository, &mut report);
    report.check("documentation", || documentation(repository));
    report.tests("tests", || tests(repository, &EVERYTHING));
    report.finish()
}

/// Fails when rustfmt would change something.
pub(crate) fn format(repository: &Repository) -> Result<()> {
    repository.cargo(["fmt", "--all", "--check"]).run()
}

/// Clippy over all targets, warnings being errors.
pub(crate) fn lints(repository: &Repository, selection: &[&str]) -> Result<()> {
    repository
        .cargo(["clippy"])
        .arguments(selection)
        .arguments(["--all-targets", "--", "-D", "warnings"])
        .run()
}

/// Every unit, integration and documentation test of the selection.
///
/// A test that cannot run on this machine appends `name: reason` to the file named by
/// `TIELINE_SKIP_LOG`, since the harness knows no skipping at run time.
pub(crate) fn tests(repository: &Repository, selection: &[&str]) -> Result<Tally> {
    let notes = repository.target().join("skipped-tests.log");
    fs::write(&notes, "").with_context(|| format!("cannot write {}", notes.display()))?;
    let mut tally = Tally::default();
    let succeeded = repository
        .cargo(["test"])
        .arguments(selection)
        .arguments(["--no-fail-fast"])
        .variable("TIELINE_SKIP_LOG", &notes)
        .run_watching(|line| tally.read_libtest(line))?;
    if tally.is_empty() && succeeded {
        bail!("`cargo test` printed no result of a test");
    }
    if !succeeded {
        println!("to repeat one test: cargo test --workspace NAME");
    }
    let noted = fs::read_to_string(&notes).context("the list of skipped tests is gone")?;
    tally.read_notes(&noted);
    Ok(tally.ended(succeeded, "cargo test"))
}

fn documentation(repository: &Repository) -> Result<()> {
    repository
        .cargo(["doc", "--workspace", "--no-deps"])
        .variable("RUSTDOCFLAGS", "-D warnings")
        .run()
}
