//! Counts tests from what the test programs print.

/// How many tests of a step passed, failed or were skipped, and which ones need a look.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    /// Skipped tests, each with the reason if one was given.
    pub(crate) skipped: Vec<String>,
    /// Names of the tests that failed, as far as they were printed.
    pub(crate) failures: Vec<String>,
}

impl Tally {
    /// A step that is one check by itself and went well.
    pub(crate) fn one_passed() -> Self {
        Self {
            passed: 1,
            ..Self::default()
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.passed + self.failed + self.skipped.len() == 0
    }

    /// Reads one line of `cargo test`.
    pub(crate) fn read_libtest(&mut self, line: &str) {
        if let Some(result) = line.strip_prefix("test result: ") {
            // "ok. 3 passed; 0 failed; 1 ignored; 0 measured; ..."
            let counts = result.split_once(". ").map_or("", |(_, counts)| counts);
            for count in counts.split("; ") {
                match count.trim().split_once(' ') {
                    Some((number, "passed")) => self.passed += number.parse().unwrap_or(0),
                    Some((number, "failed")) => self.failed += number.parse().unwrap_or(0),
                    _ => {}
                }
            }
        } else if let Some(test) = line.strip_prefix("test ") {
            if let Some((name, reason)) = test.split_once(" ... ignored") {
                self.skipped
                    .push(format!("{name}{}", reason.replacen(", ", ": ", 1)));
            } else if let Some(name) = test.strip_suffix(" ... FAILED") {
                self.failures.push(name.to_owned());
            }
        }
    }

    /// Reads one line of `vitest run`.
    pub(crate) fn read_vitest(&mut self, line: &str) {
        let line = without_colours(line);
        let line = line.trim();
        if let Some(counts) = line.strip_prefix("Tests ") {
            // "1 failed | 11 passed | 2 skipped (14)"
            let counts = counts.split('(').next().unwrap_or_default();
            for count in counts.split('|') {
                match count.trim().split_once(' ') {
                    Some((number, "passed")) => self.passed += number.parse().unwrap_or(0),
                    Some((number, "failed")) => self.failed += number.parse().unwrap_or(0),
                    Some((number, kind @ ("skipped" | "todo"))) => {
                        let number = number.parse().unwrap_or(0);
                        let entry = format!("a test of ui/ ({kind})");
                        self.skipped.extend(std::iter::repeat_n(entry, number));
                    }
                    _ => {}
                }
            }
        } else if let Some(name) = line.strip_prefix("FAIL ") {
            self.failures.push(name.trim().to_owned());
        }
    }

    /// Takes up tests that counted as passed but noted that they could not run.
    pub(crate) fn read_notes(&mut self, notes: &str) {
        for note in notes.lines().filter(|note| !note.trim().is_empty()) {
            self.passed = self.passed.saturating_sub(1);
            self.skipped.push(note.to_owned());
        }
    }

    /// A program that failed without a failing test (it did not compile, it crashed) is a failure.
    pub(crate) fn ended(mut self, succeeded: bool, what: &str) -> Self {
        if !succeeded && self.failed == 0 {
            self.failed = 1;
            self.failures.push(format!("{what} did not run to its end"));
        }
        self
    }
}

fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            // CSI sequences end with a letter.
            characters.by_ref().find(char::is_ascii_alphabetic);
        } else {
            plain.push(character);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str], read: fn(&mut Tally, &str)) -> Tally {
        let mut tally = Tally::default();
        lines.iter().for_each(|line| read(&mut tally, line));
        tally
    }

    #[test]
    fn libtest_results_of_several_programs_add_up() {
        let tally = read(
            &[
                "running 3 tests",
                "test a::b ... ok",
                "test c ... FAILED",
                "test d ... ignored, needs a moon",
                "test e ... ignored",
                "test result: FAILED. 1 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out",
                "test result: ok. 40 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out",
            ],
            Tally::read_libtest,
        );
        assert_eq!((tally.passed, tally.failed), (41, 1));
        assert_eq!(tally.skipped, ["d: needs a moon", "e"]);
        assert_eq!(tally.failures, ["c"]);
    }

    #[test]
    fn vitest_results_are_read_with_and_without_colours() {
        let plain = read(
            &["      Tests  1 failed | 11 passed | 2 skipped (14)"],
            Tally::read_vitest,
        );
        assert_eq!(
            (plain.passed, plain.failed, plain.skipped.len()),
            (11, 1, 2)
        );
        let colour = "\u{1b}[2m      Tests \u{1b}[22m \u{1b}[1m\u{1b}[32m7 passed\u{1b}[39m\u{1b}[22m\u{1b}[90m (7)\u{1b}[39m";
        let colour = read(&[colour, " Test Files  2 passed (2)"], Tally::read_vitest);
        assert_eq!((colour.passed, colour.failed), (7, 0));
    }

    #[test]
    fn a_noted_skip_is_not_a_pass() {
        let mut tally = Tally {
            passed: 5,
            ..Tally::default()
        };
        tally.read_notes("network: needs root\n\n");
        assert_eq!((tally.passed, tally.skipped.len()), (4, 1));
    }

    #[test]
    fn a_crash_without_a_failing_test_is_a_failure() {
        assert_eq!(
            Tally {
                passed: 9,
                ..Tally::default()
            }
            .ended(false, "cargo test")
            .failed,
            1
        );
        assert_eq!(Tally::one_passed().ended(true, "cargo test").failed, 0);
    }
}
