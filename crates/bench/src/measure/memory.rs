//! How much memory a process has.

use anyhow::Result;

/// Memory of a process, in megabytes (a million bytes).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// Resident set: everything of it that is in memory, also what it shares with others.
    pub(crate) resident: f64,
    /// Proportional set: shared pages counted by the share of each process.
    pub(crate) proportional: f64,
}

impl Memory {
    /// Reads `/proc`; `None` where there is none.
    pub(crate) fn of(process_id: u32) -> Result<Option<Self>> {
        if !cfg!(target_os = "linux") {
            return Ok(None);
        }
        let rollup = std::fs::read_to_string(format!("/proc/{process_id}/smaps_rollup"))?;
        Ok(field(&rollup, "Rss:")
            .zip(field(&rollup, "Pss:"))
            .map(|(resident, proportional)| Self {
                resident,
                proportional,
            }))
    }
}

/// A line such as `Rss:   1234 kB`, in megabytes.
fn field(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024.0 / 1e6)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn fields_are_read_as_megabytes() {
        let text = "7f00-7fff ---p\nRss:               10000 kB\nPss:                 500 kB\n";
        assert_eq!(field(text, "Rss:"), Some(10.24));
        assert_eq!(field(text, "Pss:"), Some(0.512));
        assert_eq!(field(text, "Swap:"), None);
    }

    #[test]
    fn this_process_has_memory() {
        if cfg!(target_os = "linux") {
            assert!(Memory::of(std::process::id()).unwrap().unwrap().resident > 0.5);
        }
    }
}
