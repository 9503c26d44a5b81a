//! Runs the steps of a suite under headings and ends with one line that counts everything.

use std::env;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::tally::Tally;

/// What the steps so far came to.
pub(crate) struct Report {
    /// In CI a test that was skipped proves nothing, so it counts as failed.
    strict: bool,
    steps: Vec<Step>,
    notes: Vec<String>,
    started: Instant,
}

struct Step {
    title: String,
    tally: Tally,
    elapsed: Duration,
}

impl Report {
    /// Strict when the environment says `CI=true`.
    pub(crate) fn begin() -> Self {
        Self::new(env::var("CI").is_ok_and(|value| value == "true" || value == "1"))
    }

    fn new(strict: bool) -> Self {
        Self {
            strict,
            steps: Vec::new(),
            notes: Vec::new(),
            started: Instant::now(),
        }
    }

    /// Runs one check that passes or fails as a whole. Returns whether it passed.
    pub(crate) fn check(&mut self, title: &str, check: impl FnOnce() -> Result<()>) -> bool {
        self.tests(title, || check().map(|()| Tally::one_passed()))
    }

    /// Runs a step that counts tests of its own. Returns whether all of them passed.
    pub(crate) fn tests(&mut self, title: &str, tests: impl FnOnce() -> Result<Tally>) -> bool {
        println!("\n==== {title}");
        let started = Instant::now();
        let mut tally = tests().unwrap_or_else(|error| {
            eprintln!("\nerror: {error:#}");
            Tally {
                failed: 1,
                ..Tally::default()
            }
        });
        if self.strict {
            tally.failed += tally.skipped.len();
            let skipped = tally.skipped.drain(..);
            tally
                .failures
                .extend(skipped.map(|test| format!("{test} (skipped, and this is CI)")));
        }
        let passed = tally.failed == 0;
        let elapsed = started.elapsed();
        let word = if passed { "ok" } else { "FAILED" };
        println!("---- {title}: {word} after {:.1} s", elapsed.as_secs_f64());
        self.steps.push(Step {
            title: title.to_owned(),
            tally,
            elapsed,
        });
        passed
    }

    /// A remark for the end, about something that could not be checked.
    pub(crate) fn note(&mut self, note: String) {
        println!("note: {note}");
        self.notes.push(note);
    }

    /// Prints what every step came to, and `N passed, N failed` as the last line.
    pub(crate) fn finish(self) -> ExitCode {
        let (mut passed, mut failed, mut skipped) = (0, 0, 0);
        println!(
            "\n==== Result after {:.0} s",
            self.started.elapsed().as_secs_f64()
        );
        for Step {
            title,
            tally,
            elapsed,
        } in &self.steps
        {
            passed += tally.passed;
            failed += tally.failed;
            skipped += tally.skipped.len();
            println!(
                "{} {title:<34} {:>5} passed {:>4} failed {:>4} skipped {:>8.1} s",
                if tally.failed == 0 {
                    "ok    "
                } else {
                    "FAILED"
                },
                tally.passed,
                tally.failed,
                tally.skipped.len(),
                elapsed.as_secs_f64(),
            );
            tally
                .failures
                .iter()
                .for_each(|name| println!("         failed: {name}"));
            tally
                .skipped
                .iter()
                .for_each(|name| println!("         skipped: {name}"));
        }
        self.notes.iter().for_each(|note| println!("note: {note}"));
        if skipped > 0 {
            println!("note: {skipped} skipped; with CI=true these count as failed");
        }
        println!("{passed} passed, {failed} failed");
        if failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skipping() -> Result<Tally> {
        Ok(Tally {
            passed: 2,
            skipped: vec!["network: needs root".to_owned()],
            ..Tally::default()
        })
    }

    #[test]
    fn a_skipped_test_fails_only_in_ci() {
        assert!(Report::new(false).tests("tests", skipping));
        assert!(!Report::new(true).tests("tests", skipping));
    }

    #[test]
    fn an_error_of_a_step_is_one_failure() {
        let mut report = Report::new(false);
        assert!(!report.check("format", || anyhow::bail!("not formatted")));
        assert!(report.check("lints", || Ok(())));
        assert_eq!(
            report
                .steps
                .iter()
                .map(|step| step.tally.failed)
                .sum::<usize>(),
            1
        );
        assert_eq!(report.finish(), ExitCode::FAILURE);
    }
}
