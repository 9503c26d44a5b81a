//! The engine's life in this process: started, restarted after a failure, and stopped with a word
//! on what still waits.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use tieline_api::{ControlServer, LocalServer};
use tieline_node::model::{HostKind, ShutdownReport};
use tieline_node::{Node, NodeConfig};
use tieline_wire::problem::{Code, Problem};
use tokio::sync::{Mutex, watch};

use crate::options::Options;

/// Hosts the engine of one home. Clones are the same engine.
#[derive(Clone)]
pub(crate) struct Engine {
    shared: Arc<Shared>,
}

struct Shared {
    options: Options,
    home: PathBuf,
    is_default_home: bool,
    state: watch::Sender<State>,
    /// Held while the engine starts or stops, so that the two never overlap.
    listeners: Mutex<Listeners>,
}

/// Where the engine is.
#[derive(Clone)]
pub(crate) enum State {
    /// Not there yet; a keychain may be asking its user.
    Starting,
    /// It runs.
    Running(Running),
    /// It could not start. Nothing was replaced or lost; it can be tried again.
    Failed(Problem),
    /// It has been stopped for good.
    Stopped,
}

/// A running engine.
#[derive(Clone)]
pub(crate) struct Running {
    pub(crate) node: Node,
    /// The control API, for calls in this process.
    pub(crate) router: Router,
}

/// What else listens while the engine runs.
#[derive(Default)]
struct Listeners {
    local: Option<LocalServer>,
    control: Option<ControlServer>,
}

impl Engine {
    /// An engine that has not been started.
    pub(crate) fn new(options: Options, home: PathBuf, is_default_home: bool) -> Self {
        let shared = Shared {
            options,
            home,
            is_default_home,
            state: watch::Sender::new(State::Starting),
            listeners: Mutex::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// The directory that holds everything of this node.
    pub(crate) fn home(&self) -> &Path {
        &self.shared.home
    }

    /// Whether that is where this user's node is unless somebody says otherwise.
    pub(crate) fn is_default_home(&self) -> bool {
        self.shared.is_default_home
    }

    /// Its state, and every change of it.
    pub(crate) fn states(&self) -> watch::Receiver<State> {
        self.shared.state.subscribe()
    }

    /// Starts the engine, unless it runs.
    ///
    /// # Errors
    /// Why it could not start; the state says the same.
    pub(crate) async fn start(&self) -> Result<(), Problem> {
        let mut listeners = self.shared.listeners.lock().await;
        if matches!(
            *self.shared.state.borrow(),
            State::Running(_) | State::Stopped
        ) {
            return Ok(());
        }
        self.shared.state.send_replace(State::Starting);
        match self.bring_up(&mut listeners).await {
            Ok(running) => {
                self.shared.state.send_replace(State::Running(running));
                Ok(())
            }
            Err(problem) => {
                tracing::error!(code = problem.code.as_str(), summary = %problem.summary, "the engine could not start");
                self.shared
                    .state
                    .send_replace(State::Failed(problem.clone()));
                Err(problem)
            }
        }
    }

    async fn bring_up(&self, listeners: &mut Listeners) -> Result<Running, Problem> {
        let options = &self.shared.options;
        let node = Node::start(NodeConfig {
            home: self.shared.home.clone(),
            name: options.name.clone(),
            peer_addr: options.peer_addr,
            vault: tieline_api::host::vault_choice()?,
            host: HostKind::App,
            version: env!("CARGO_PKG_VERSION"),
        })
        .await?;
        // Without these the window still works, so a port in use is shown in it and not fatal.
        listeners.local = match self.serve_local(&node, options.api_addr).await {
            Ok(server) => Some(server),
            Err(problem) => {
                node.alert(problem);
                None
            }
        };
        listeners.control = match tieline_api::serve_control_socket(
            node.clone(),
            &self.shared.home,
            tieline_api::HostOrders::default(),
        ) {
            Ok(server) => Some(server),
            Err(problem) => {
                node.alert(problem);
                None
            }
        };
        Ok(Running {
            router: tieline_api::control_router(node.clone()),
            node,
        })
    }

    async fn serve_local(&self, node: &Node, addr: SocketAddr) -> Result<LocalServer, Problem> {
        tieline_api::serve_local(node.clone(), addr).await
    }

    /// The running engine, once it runs.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) async fn running(&self) -> Result<Running, Problem> {
        let mut states = self.states();
        let settled = states
            .wait_for(|state| !matches!(state, State::Starting))
            .await;
        match settled.as_deref() {
            Ok(State::Running(running)) => Ok(running.clone()),
            Ok(State::Failed(problem)) => Err(problem.clone()),
            Ok(State::Starting | State::Stopped) | Err(_) => Err(Problem::new(Code::NotRunning)),
        }
    }

    /// The running engine, if it runs at this moment.
    pub(crate) fn running_now(&self) -> Option<Running> {
        match &*self.shared.state.borrow() {
            State::Running(running) => Some(running.clone()),
            _ => None,
        }
    }

    /// Stops everything in order: no new requests, those in flight finished, then the engine.
    /// `None` if it did not run.
    pub(crate) async fn stop(&self) -> Option<ShutdownReport> {
        let mut listeners = self.shared.listeners.lock().await;
        let running = match self.shared.state.send_replace(State::Stopped) {
            State::Running(running) => running,
            _ => return None,
        };
        if let Some(local) = listeners.local.take() {
            local.shutdown().await;
        }
        if let Some(control) = listeners.control.take() {
            control.shutdown().await;
        }
        Some(running.node.shutdown().await)
    }
}
