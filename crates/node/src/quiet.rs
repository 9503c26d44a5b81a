//! Log lines that outsiders can cause: one of a kind in a while, with the number of those left out.

use std::time::Duration;

use parking_lot::Mutex;

use crate::clock::Instant;

/// Time between two lines of a kind.
const WHILE: Duration = Duration::from_secs(10);

/// Lines of one kind.
#[derive(Debug, Default)]
pub struct Quiet {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    last: Option<Instant>,
    left_out: u64,
}

impl Quiet {
    /// How many lines were left out since the last one; `None` where this one is left out, too.
    #[must_use]
    pub fn turn(&self) -> Option<u64> {
        let mut state = self.state.lock();
        if state.last.is_some_and(|last| last.elapsed() < WHILE) {
            state.left_out += 1;
            return None;
        }
        state.last = Some(Instant::now());
        Some(std::mem::take(&mut state.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_lines_the_first_is_written_and_the_next_tells_of_the_others() {
        let quiet = Quiet::default();
        let written: Vec<_> = (0..100).filter_map(|_| quiet.turn()).collect();
        assert_eq!(written, [0]);
        quiet.state.lock().last = None;
        assert_eq!((quiet.turn(), quiet.turn()), (Some(99), None));
    }
}
