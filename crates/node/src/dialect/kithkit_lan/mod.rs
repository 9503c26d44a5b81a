//! The listener for KithKit machines: plain HTTP, off until a person switches it on.

mod http;
mod message;

use std::net::SocketAddr;

use parking_lot::Mutex;
use tieline_store::settings;
use tieline_wire::problem::{Code, Problem};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::listener;
use crate::model::{EventKind, KithkitLan, KithkitLanView};
use crate::node::Node;

/// The setting; absent while the listener is off.
const SETTING: &str = "kithkitLan";

/// The listener that runs, if one does.
#[derive(Default)]
pub(crate) struct LanListener {
    /// One change at a time.
    turn: tokio::sync::Mutex<()>,
    running: Mutex<Option<Running>>,
}

struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Node {
    /// The listener for KithKit machines.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn kithkit_lan(&self) -> Result<KithkitLanView, Problem> {
        let settings = self.store.read(|conn| settings::get(conn, SETTING)).await?;
        let running = self.kithkit_lan.running.lock();
        Ok(KithkitLanView {
            settings,
            address: running.as_ref().map(|it| it.address.to_string()),
        })
    }

    /// Switches the listener for KithKit machines on, or changes it; `None` switches it off.
    /// Remembered. Where it cannot listen, it stays as it was.
    ///
    /// # Errors
    /// `PORT_IN_USE`, `PORT_DENIED`, `CONFIG_INVALID`, and those of the store.
    pub async fn set_kithkit_lan(&self, wanted: Option<KithkitLan>) -> Result<(), Problem> {
        let _turn = self.kithkit_lan.turn.lock().await;
        let before = self.kithkit_lan().await?;
        // The old one first: the new one may want its port.
        halt(self).await;
        let changed = async {
            if let Some(wanted) = &wanted {
                start(self, wanted).await?;
            }
            let saved = self.store.write(move |tx| match wanted {
                Some(wanted) => settings::set(tx, SETTING, &wanted),
                None => settings::remove(tx, SETTING).map(drop),
            });
            saved.await.map_err(Problem::from)
        }
        .await;
        if changed.is_err() {
            halt(self).await;
            if let (Some(old), Some(_)) = (&before.settings, &before.address)
                && let Err(problem) = start(self, old).await
            {
                self.alert(problem);
            }
        }
        self.events.changed(EventKind::Settings, SETTING);
        changed
    }
}

/// Starts the listener if it is switched on. A port that is taken is shown, and stops nothing else.
///
/// # Errors
/// Those of the store.
pub(crate) async fn restore(node: &Node) -> Result<(), Problem> {
    let _turn = node.kithkit_lan.turn.lock().await;
    let Some(wanted) = node.kithkit_lan().await?.settings else {
        return Ok(());
    };
    if let Err(problem) = start(node, &wanted).await {
        node.alert(problem.with("listener", "KithKit"));
    }
    Ok(())
}

async fn start(node: &Node, wanted: &KithkitLan) -> Result<(), Problem> {
    let socket = listener::bind(SocketAddr::new(wanted.bind, wanted.port)).await?;
    let address = socket
        .local_addr()
        .map_err(|error| Problem::new(Code::Internal).because(error.to_string()))?;
    let stop = node.stop.child_token();
    let serving = http::run(node.clone(), socket, wanted.posture.into(), stop.clone());
    let task = node.tasks.spawn(serving);
    *node.kithkit_lan.running.lock() = Some(Running {
        address,
        stop,
        task,
    });
    tracing::info!(%address, "listening for KithKit machines, over plain HTTP");
    Ok(())
}

async fn halt(node: &Node) {
    let running = node.kithkit_lan.running.lock().take();
    if let Some(running) = running {
        running.stop.cancel();
        // An error means that the task panicked: it has ended either way.
        let _ = running.task.await;
    }
}
