//! Waiting for what happens by itself.

use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

/// Asks `probe` until it answers, for at most `limit`.
#[track_caller]
pub fn until<T>(what: &str, limit: Duration, mut probe: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(begun.elapsed() < limit, "{what}: not within {limit:?}");
        #[allow(
            clippy::disallowed_methods,
            reason = "tests that watch processes have no runtime"
        )]
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Says when to stop, and lets threads wait for less than that.
#[derive(Debug, Default)]
pub struct Stop {
    told: Mutex<bool>,
    tell: Condvar,
}

impl Stop {
    pub fn now(&self) {
        *self.told.lock().unwrap() = true;
        self.tell.notify_all();
    }

    /// Waits; true as soon as it is time to stop.
    pub fn wait(&self, span: Duration) -> bool {
        let told = self.told.lock().unwrap();
        let (told, _) = self
            .tell
            .wait_timeout_while(told, span, |told| !*told)
            .unwrap();
        *told
    }
}

/// Stops the others when it is dropped, also by a panic.
#[derive(Debug)]
pub struct StopAtTheEnd<'a>(pub &'a Stop);

impl Drop for StopAtTheEnd<'_> {
    fn drop(&mut self) {
        self.0.now();
    }
}
