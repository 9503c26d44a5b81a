//! The app as a process.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::harness::wait;

/// Longest orderly stop.
const STOP: Duration = Duration::from_secs(40);

/// A started app; killed with it if it still runs.
pub(crate) struct App {
    child: Child,
    log: PathBuf,
}

/// How it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    /// What it wrote to standard error.
    pub(crate) log: String,
}

impl App {
    pub(crate) fn start(mut command: Command, log: &Path) -> Self {
        let file = File::options()
            .create(true)
            .append(true)
            .open(log)
            .expect("a log file");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file);
        Self {
            child: command.spawn().expect("the app starts"),
            log: log.to_owned(),
        }
    }

    /// Waits for its end.
    pub(crate) fn ended(mut self) -> Ended {
        let status = wait::until("the app's end", STOP, || {
            self.child.try_wait().expect("its status")
        });
        Ended {
            code: status.code(),
            log: self.log(),
        }
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().expect("its status").is_none()
    }

    /// Asks it to stop, as logging out does.
    pub(crate) fn terminate(&self) {
        assert!(signal("-TERM", self.child.id()), "the app is there");
    }

    /// Whether a web view runs for it.
    pub(crate) fn has_web_view(&self) -> bool {
        descendants(self.child.id())
            .iter()
            .any(|(_, name)| is_web_view(name))
    }

    /// Stops the web view's process (SIGSTOP) as soon as there is one, until what this gives ends.
    pub(crate) fn stop_web_view(&self) -> Stopped {
        wait::until("a web view", STOP, || {
            let below = descendants(self.child.id());
            let (pid, _) = below.iter().find(|(_, name)| is_web_view(name))?;
            assert!(signal("-STOP", *pid), "the web view is stopped");
            Some(Stopped(*pid))
        })
    }

    /// Memory of the app and everything it started, what is shared counted in parts (PSS).
    pub(crate) fn proportional_kilobytes(&self) -> u64 {
        let of = |pid: u32| {
            let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
            let line = rollup.lines().find(|line| line.starts_with("Pss:"))?;
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        };
        self.tree().into_iter().filter_map(of).sum()
    }

    /// Time on a processor of the app and everything it started and that runs.
    pub(crate) fn processor_time(&self) -> Duration {
        let of_thread = |path: std::path::PathBuf| {
            let text = std::fs::read_to_string(path.join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse::<u64>().ok()
        };
        let threads = self.tree().into_iter().flat_map(|pid| {
            let tasks = std::fs::read_dir(format!("/proc/{pid}/task"));
            tasks.into_iter().flatten().flatten()
        });
        Duration::from_nanos(threads.filter_map(|task| of_thread(task.path())).sum())
    }

    fn tree(&self) -> Vec<u32> {
        let below = descendants(self.child.id()).into_iter();
        below.map(|(pid, _)| pid).chain([self.child.id()]).collect()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let running = self.child.try_wait().is_ok_and(|status| status.is_none());
        let _ = self.child.kill();
        let _ = self.child.wait();
        if running && std::thread::panicking() {
            eprintln!("--- log of the app\n{}", self.log());
        }
    }
}

/// A process that was stopped. It goes on when this ends.
pub(crate) struct Stopped(u32);

impl Drop for Stopped {
    fn drop(&mut self) {
        // It may have been ended with the app.
        signal("-CONT", self.0);
    }
}

/// Whether it could be sent.
fn signal(name: &str, pid: u32) -> bool {
    let sent = Command::new("kill")
        .args([name, &pid.to_string()])
        .stderr(Stdio::null())
        .status();
    sent.expect("kill").success()
}

/// The kernel keeps the beginning of the name.
fn is_web_view(name: &str) -> bool {
    name.starts_with("WebKitWebProces")
}

/// Every process below `root`, with its name as the kernel keeps it (15 bytes).
fn descendants(root: u32) -> Vec<(u32, String)> {
    let processes: Vec<(u32, u32, String)> = std::fs::read_dir("/proc")
        .expect("/proc")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter_map(parent_and_name)
        .collect();
    let mut found = vec![root];
    let mut result = Vec::new();
    while let Some(parent) = found.pop() {
        for (pid, _, name) in processes.iter().filter(|(_, of, _)| *of == parent) {
            found.push(*pid);
            result.push((*pid, name.clone()));
        }
    }
    result
}

/// `/proc/PID/stat`: `pid (name) state ppid …`; the name may hold spaces and parentheses.
fn parent_and_name(pid: u32) -> Option<(u32, u32, String)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (start, rest) = stat.rsplit_once(')')?;
    let name = start.split_once('(')?.1.to_owned();
    let parent = rest.split_whitespace().nth(1)?.parse().ok()?;
    Some((pid, parent, name))
}
