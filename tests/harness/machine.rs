//! A node in a process of its own.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::http::Request;
use super::run::Run;
use super::{tieline_program, wait};

/// Longest start on a busy machine.
const START: Duration = Duration::from_secs(60);
/// Longest orderly stop.
const STOP: Duration = Duration::from_secs(40);

/// How to start a node. Everything has a default that suits most tests.
#[derive(Debug, Clone)]
pub struct Launch {
    /// What it calls itself.
    pub name: String,
    pub peer_addr: String,
    pub api_addr: String,
    /// Set for `serve` and for every command.
    pub env: Vec<(String, String)>,
    /// Serves the page too; what else `serve` is told about it.
    pub page: Option<Vec<String>>,
    pub page_addr: String,
    /// Put before every command, such as `ip netns exec NAME`.
    pub prefix: Vec<String>,
}

impl Launch {
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            peer_addr: "127.0.0.1:0".to_owned(),
            api_addr: "127.0.0.1:0".to_owned(),
            env: vec![("TIELINE_VAULT".to_owned(), "file".to_owned())],
            page: None,
            page_addr: "127.0.0.1:0".to_owned(),
            prefix: Vec::new(),
        }
    }

    pub fn peer_addr(mut self, addr: impl ToString) -> Self {
        self.peer_addr = addr.to_string();
        self
    }

    pub fn api_addr(mut self, addr: impl ToString) -> Self {
        self.api_addr = addr.to_string();
        self
    }

    pub fn env(mut self, name: &str, value: impl ToString) -> Self {
        self.env.push((name.to_owned(), value.to_string()));
        self
    }

    /// Serves the page for browsers, and opens none.
    pub fn page(self) -> Self {
        self.page_with(["--no-open"])
    }

    pub fn page_with<const N: usize>(mut self, arguments: [&str; N]) -> Self {
        self.page = Some(arguments.map(str::to_owned).to_vec());
        self
    }

    pub fn prefix<const N: usize>(mut self, words: [&str; N]) -> Self {
        self.prefix = words.map(str::to_owned).to_vec();
        self
    }

    /// A command of the program under test, with nothing of the caller's own set-up.
    pub fn command(&self, home: &Path) -> Command {
        let program = tieline_program();
        let mut command = match self.prefix.split_first() {
            None => Command::new(program),
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
        };
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("TIELINE_") {
                command.env_remove(name);
            }
        }
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command.arg("--home").arg(home);
        command
    }

    /// Starts it on a new home.
    #[track_caller]
    pub fn start(self) -> Machine {
        let directory = TempDir::new().expect("a temporary directory");
        let home = directory.path().join("home");
        self.start_in(directory, home)
    }

    /// Starts it on a home that is somewhere else, and stays.
    #[track_caller]
    pub fn start_at(self, home: PathBuf) -> Machine {
        self.start_in(TempDir::new().expect("a temporary directory"), home)
    }

    #[track_caller]
    fn start_in(self, directory: TempDir, home: PathBuf) -> Machine {
        let mut machine = Machine {
            launch: self,
            directory,
            home,
            host: None,
        };
        machine.restart();
        machine
    }
}

/// A running (or stopped) node, on a home that disappears with it.
#[derive(Debug)]
pub struct Machine {
    launch: Launch,
    directory: TempDir,
    home: PathBuf,
    host: Option<Host>,
}

#[derive(Debug)]
struct Host {
    child: Child,
    peer_addr: SocketAddr,
    api_addr: SocketAddr,
    page_addr: Option<SocketAddr>,
}

impl Machine {
    /// Starts a node of this name with the defaults.
    #[track_caller]
    pub fn start(name: &str) -> Self {
        Launch::new(name).start()
    }

    pub fn name(&self) -> &str {
        &self.launch.name
    }

    pub fn home(&self) -> &Path {
        &self.home
    }

    /// A directory of its own beside the home, for files of the test.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    #[track_caller]
    pub fn peer_addr(&self) -> SocketAddr {
        self.running().peer_addr
    }

    #[track_caller]
    pub fn api_addr(&self) -> SocketAddr {
        self.running().api_addr
    }

    /// Where the page is served.
    #[track_caller]
    pub fn page_addr(&self) -> SocketAddr {
        self.running().page_addr.expect("it serves the page")
    }

    /// A fresh link to its page.
    #[track_caller]
    pub fn page_link(&self) -> String {
        self.tieline(["ui", "--no-open"]).success().line()
    }

    #[track_caller]
    pub fn pid(&self) -> u32 {
        self.running().child.id()
    }

    /// What it has written to standard error since it was made.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// Runs a command on this home.
    #[track_caller]
    pub fn tieline<const N: usize>(&self, arguments: [&str; N]) -> Run {
        self.tieline_with_stdin(arguments, "")
    }

    /// Runs a command on this home and gives it something to read.
    #[track_caller]
    pub fn tieline_with_stdin<const N: usize>(&self, arguments: [&str; N], stdin: &str) -> Run {
        let mut command = self.launch.command(&self.home);
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command starts");
        if let Some(mut pipe) = child.stdin.take() {
            // A command that does not read may be gone already.
            let _ = pipe.write_all(stdin.as_bytes());
        }
        let output = child.wait_with_output().expect("the command ends");
        Run::new(format!("tieline {}", arguments.join(" ")), output)
    }

    /// A command on this home that the test starts itself.
    pub fn command(&self) -> Command {
        self.launch.command(&self.home)
    }

    /// A request to its local API.
    #[track_caller]
    pub fn request(&self, method: &str, path: &str) -> Request {
        Request::new(self.api_addr(), method, path)
    }

    /// The same with its token.
    #[track_caller]
    pub fn authorized(&self, method: &str, path: &str) -> Request {
        let token = self.tieline(["token"]).success().line();
        self.request(method, path)
            .header("Authorization", &format!("Bearer {token}"))
    }

    /// A request to its control API, as the window or the command line would make it.
    #[cfg(unix)]
    pub fn control(&self, method: &str, path: &str) -> Request {
        Request::over_socket(self.home.join("control.sock"), method, path)
    }

    /// Ends it with SIGKILL, as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut host) = self.host.take() {
            host.child.kill().expect("SIGKILL");
            host.child.wait().expect("it ends");
        }
    }

    /// Ends it with SIGTERM, and waits.
    #[track_caller]
    pub fn stop(&mut self) -> ExitStatus {
        let mut host = self.host.take().expect("it runs");
        let pid = host.child.id().to_string();
        let sent = Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .expect("kill");
        assert!(sent.success(), "SIGTERM to {pid}");
        wait::until("an orderly stop", STOP, || {
            host.child.try_wait().expect("its status")
        })
    }

    /// Starts it again on its home, with the ports it had if `same_ports` was called.
    #[track_caller]
    pub fn restart(&mut self) {
        self.kill();
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_path())
            .expect("a log file");
        let mut command = self.launch.command(&self.home);
        command
            .args(["serve", "--json", "--name", &self.launch.name])
            .args([
                "--peer-addr",
                &self.launch.peer_addr,
                "--api-addr",
                &self.launch.api_addr,
            ])
            .args(self.page_arguments())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log);
        let mut child = command.spawn().expect("tieline starts");
        let stdout = child.stdout.take().expect("a pipe");
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = BufReader::new(stdout).read_line(&mut line);
            let _ = tell.send(read.map(|_| line));
        });
        let line = match told.recv_timeout(START) {
            Ok(Ok(line)) => line,
            other => panic!(
                "{} did not say ready: {other:?}\n{}",
                self.name(),
                self.log()
            ),
        };
        let ready: Value = match serde_json::from_str(&line) {
            Ok(ready) => ready,
            Err(error) => panic!(
                "{} ended early ({error}): {line:?}\n{}",
                self.name(),
                self.log()
            ),
        };
        assert_eq!(ready["ready"], true, "{line}");
        let addr = |field: &str| -> SocketAddr {
            ready[field]
                .as_str()
                .and_then(|addr| addr.parse().ok())
                .unwrap_or_else(|| panic!("{field} in {line}"))
        };
        self.host = Some(Host {
            child,
            peer_addr: addr("peerAddr"),
            api_addr: addr("apiAddr"),
            page_addr: self.launch.page.is_some().then(|| addr("uiAddr")),
        });
    }

    fn page_arguments(&self) -> Vec<String> {
        let Some(more) = &self.launch.page else {
            return Vec::new();
        };
        let mut arguments = ["--ui", "--ui-addr", &self.launch.page_addr]
            .map(str::to_owned)
            .to_vec();
        arguments.extend_from_slice(more);
        arguments
    }

    /// From now on it starts on the ports that it has.
    #[track_caller]
    pub fn same_ports(&mut self) {
        self.launch.peer_addr = self.peer_addr().to_string();
        self.launch.api_addr = self.api_addr().to_string();
        if let Some(addr) = self.running().page_addr {
            self.launch.page_addr = addr.to_string();
        }
    }

    #[track_caller]
    fn running(&self) -> &Host {
        self.host.as_ref().expect("the node runs")
    }

    fn log_path(&self) -> PathBuf {
        self.directory.path().join("serve.log")
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let log = self.log();
            let from = log.char_indices().rev().nth(6_000).map_or(0, |(at, _)| at);
            eprintln!("--- log of {}\n{}", self.name(), &log[from..]);
        }
    }
}
