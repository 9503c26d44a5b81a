//! `tieline serve`: hosts an engine without a window.

use std::io::{IsTerminal, stderr};
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

use serde_json::json;
use tieline_api::page::{DEFAULT_PAGE_ADDR, PageListener, PageServer};
use tieline_api::{
    ControlServer, HostOrders, LocalServer, host, ports, serve_control_socket, serve_local,
};
use tieline_node::model::{HostKind, ShutdownReport};
use tieline_node::{Node, NodeConfig, Platform};
use tieline_wire::problem::{Code, Problem};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::{DONE, Outcome};
use crate::output::Output;
use crate::{page, progress};

/// Run a node without a window, until Ctrl-C or SIGTERM
///
/// Prints `ready` and the addresses once it serves. With --json the first line of standard output
/// is {"ready":true,"name":…,"peerAddr":"IP:PORT","apiAddr":"IP:PORT"}. The log goes to standard
/// error; TIELINE_LOG sets how much (error, warn, info, debug, or tracing's filter syntax).
///
/// With --ui it also serves the app's page to a browser on this machine, and opens it. The link
/// opens the page once, within 60 seconds; `tieline ui` makes another.
///
/// Secrets live in the system's keychain. For unattended use set TIELINE_VAULT=file, and
/// TIELINE_VAULT_PASSPHRASE_FILE to the file with its passphrase.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tieline serve
  tieline serve --ui
  tieline --home /srv/agent serve --name builder --peer-addr 0.0.0.0:3101 --api-addr 127.0.0.1:3857
  tieline --home \"$(mktemp -d)\" serve --peer-addr 127.0.0.1:0 --api-addr 127.0.0.1:0 --json")]
pub(crate) struct Args {
    /// What this node calls itself; the machine's name otherwise
    #[arg(long)]
    name: Option<String>,

    /// Where peers connect (HTTPS)
    #[arg(long, value_name = "IP:PORT", default_value_t = host::DEFAULT_PEER_ADDR)]
    peer_addr: SocketAddr,

    /// Where local agents connect (HTTP, loopback only)
    #[arg(long, value_name = "IP:PORT", default_value_t = host::DEFAULT_API_ADDR)]
    api_addr: SocketAddr,

    /// Serve the page for a browser on this machine, and open it
    #[arg(long)]
    ui: bool,

    /// Where the page is served (HTTP, loopback only)
    #[arg(long, value_name = "IP:PORT", default_value_t = DEFAULT_PAGE_ADDR, requires = "ui")]
    ui_addr: SocketAddr,

    /// Only print the page's link, open no browser
    #[arg(long, requires = "ui")]
    no_open: bool,
}

/// More threads than this only cost memory: the store has its own, and the rest waits for peers.
const MOST_THREADS: usize = 4;

pub(crate) fn run(args: Args, home: &Path, output: &Output) -> Outcome {
    start_log(output);
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(MOST_THREADS);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .map_err(|error| {
            Problem::new(Code::Internal).because(format!("The runtime could not start: {error}."))
        })?;
    runtime.block_on(serve(args, home, output))
}

async fn serve(args: Args, home: &Path, output: &Output) -> Outcome {
    if args.ui {
        page::must_be_there()?;
    }
    let signals = Signals::listen()?;
    let quit = CancellationToken::new();
    let starting = start_node(&args, home);
    let node = progress::noting(output, "Starting…", starting).await?;
    let servers = match start_servers(&node, &args, home, quit.clone()).await {
        Ok(servers) => servers,
        Err(problem) => {
            node.shutdown().await;
            return Err(problem);
        }
    };
    say_ready(&node, &servers, output).await?;
    offer(&node, output);
    if let Some((_, page)) = &servers.page {
        page.show(!args.no_open, home, output)?;
    }

    tokio::select! {
        () = signals.stop() => {}
        () = quit.cancelled() => {}
    }
    output.note("Stopping…");
    let stopping = async {
        servers.shutdown().await;
        node.shutdown().await
    };
    tokio::select! {
        report = stopping => {
            output.note(farewell(&report));
            DONE
        }
        () = signals.stop() => {
            output.note("Stopped at once; what is queued is kept.");
            Ok(ExitCode::from(130))
        }
    }
}

async fn start_node(args: &Args, home: &Path) -> Result<Node, Problem> {
    let config = NodeConfig {
        home: home.to_owned(),
        name: args.name.clone(),
        peer_addr: args.peer_addr,
        vault: host::vault_choice()?,
        host: HostKind::Serve,
        version: env!("CARGO_PKG_VERSION"),
    };
    Node::start(config)
        .await
        .map_err(|problem| match problem.code {
            Code::PortInUse => ports::in_use(args.peer_addr, "--peer-addr"),
            _ => problem,
        })
}

/// Everything that is served on this machine.
struct Servers {
    local: LocalServer,
    control: ControlServer,
    page: Option<(PageServer, page::Entrance)>,
}

impl Servers {
    async fn shutdown(self) {
        let page = async {
            if let Some((server, _)) = self.page {
                server.shutdown().await;
            }
        };
        tokio::join!(self.local.shutdown(), self.control.shutdown(), page);
    }
}

async fn start_servers(
    node: &Node,
    args: &Args,
    home: &Path,
    quit: CancellationToken,
) -> Result<Servers, Problem> {
    let listener = if args.ui {
        Some(PageListener::bind(args.ui_addr, page::as_localhost(Platform::here())).await?)
    } else {
        None
    };
    let orders = HostOrders {
        quit: Some(quit),
        door: listener.as_ref().map(PageListener::door),
    };
    let control = serve_control_socket(node.clone(), home, orders)?;
    let local = serve_local(node.clone(), args.api_addr).await?;
    let page = listener.map(|listener| {
        let entrance = page::Entrance {
            addr: listener.addr(),
            door: listener.door(),
        };
        (listener.serve(node.clone(), page::file), entrance)
    });
    Ok(Servers {
        local,
        control,
        page,
    })
}

async fn say_ready(node: &Node, servers: &Servers, output: &Output) -> Result<(), Problem> {
    let status = node.status().await?;
    let (peer_addr, api_addr) = (status.peer_addr, servers.local.addr().to_string());
    let ui_addr = servers.page.as_ref().map(|(_, page)| page.addr.to_string());
    if output.is_json() {
        let mut ready = json!({ "ready": true, "name": status.name, "peerAddr": peer_addr, "apiAddr": api_addr });
        if let Some(ui_addr) = ui_addr {
            ready["uiAddr"] = json!(ui_addr);
        }
        output.object(&ready);
    } else {
        output.line("ready");
        output.line(format!("  name    {}", status.name));
        output.line(format!("  peers   https://{peer_addr}"));
        output.line(format!("  agents  http://{api_addr}"));
        if let Some(ui_addr) = ui_addr {
            output.line(format!("  page    http://{ui_addr}"));
        }
    }
    Ok(())
}

/// Names the configurations of other systems whose machines are not here yet.
fn offer(node: &Node, output: &Output) {
    for config in node.found_configs() {
        if config.new_peers > 0 && !output.is_json() {
            output.note(super::import::describe(&config));
        }
    }
}

fn farewell(report: &ShutdownReport) -> String {
    match (report.queued, report.unconfirmed) {
        (0, 0) => "Stopped. Nothing is queued.".to_owned(),
        (queued, unconfirmed) => format!(
            "Stopped. Still queued: {queued}, unconfirmed: {unconfirmed}. They are kept, and go on when this node runs again."
        ),
    }
}

fn start_log(output: &Output) {
    let wanted = std::env::var("TIELINE_LOG").unwrap_or_else(|_| "info".to_owned());
    let filter = EnvFilter::try_new(&wanted).unwrap_or_else(|error| {
        output.note(format!(
            "TIELINE_LOG={wanted:?} is not a filter ({error}); logging at info."
        ));
        EnvFilter::new("info")
    });
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .finish()
        .with(tieline_node::log::layer())
        .init();
}

/// The signals that ask a host to stop, listened for from the beginning.
#[cfg(unix)]
struct Signals {
    streams: tokio::sync::Mutex<[tokio::signal::unix::Signal; 2]>,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> Result<Self, Problem> {
        use tokio::signal::unix::{SignalKind, signal};
        let failed = |error| {
            Problem::new(Code::Internal)
                .because(format!("Signals cannot be listened for: {error}."))
        };
        let interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let terminate = signal(SignalKind::terminate()).map_err(failed)?;
        Ok(Self {
            streams: tokio::sync::Mutex::new([interrupt, terminate]),
        })
    }

    /// Returns at the next signal.
    async fn stop(&self) {
        let mut streams = self.streams.lock().await;
        let [interrupt, terminate] = &mut *streams;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Result<Self, Problem> {
        Ok(Self)
    }

    /// Returns at the next Ctrl-C.
    async fn stop(&self) {
        // Without a handler there is nothing to stop for; the process is then ended from outside.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
