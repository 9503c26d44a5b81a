//! How long a process was on a processor.

use std::fs;

use anyhow::{Context, Result};

/// Seconds that the threads of a process have run so far; zero where there is no `/proc`.
pub(crate) fn seconds_of(process_id: u32) -> Result<f64> {
    if !cfg!(target_os = "linux") {
        return Ok(0.0);
    }
    let mut nanoseconds = 0_u64;
    for thread in fs::read_dir(format!("/proc/{process_id}/task"))? {
        // A thread may end between the two reads.
        if let Ok(line) = fs::read_to_string(thread?.path().join("schedstat")) {
            let first = line.split_whitespace().next();
            nanoseconds += first
                .context("an empty schedstat")?
                .parse::<u64>()
                .context("a schedstat of another shape")?;
        }
    }
    Ok(nanoseconds as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn this_process_has_run() {
        if cfg!(target_os = "linux") {
            assert!(seconds_of(std::process::id()).unwrap() > 0.0);
        }
    }
}
