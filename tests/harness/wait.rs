//! Waiting for what happens by itself.

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
