//! *Try it here*: a throw-away second node in this process, so that a person can see a message
//! travel, a line break and a queue empty before there is another machine.
//!
//! It is a whole node with its own home, keys and listener on loopback; nothing of it is simulated.
//! Its home lies inside this node's, and its peer carries a mark, so that all of it goes at the end
//! of the trial, when this node stops, and, after a crash, at the next start.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tieline_store::peers::{self, PeerId, PeerRow};
use tieline_vault::VaultChoice;
use tieline_wire::address::Address;
use tieline_wire::problem::{Code, Problem};

use crate::clock::wall_now;
use crate::model::{AddPeer, EventKind, TrialState, TrialView};
use crate::node::{Node, NodeConfig};
use crate::pairing;

/// What the second node calls itself.
const NAME: &str = "visitor";
/// Directory in this node's home that holds the second one's.
const DIRECTORY: &str = "trial";
/// Mark among the options of its peer.
const MARK: &str = "trial";
/// How often a plug-in is tried while the stopped node lets go of its home and port, and the time
/// between.
const PLUG_TRIES: u32 = 50;
const PLUG_PAUSE: Duration = Duration::from_millis(100);

/// The second node of a running trial.
pub(crate) struct Trial {
    /// Its peer here.
    peer: PeerId,
    /// Its listener, the same again after it was unplugged.
    address: SocketAddr,
    /// Runs unless it is unplugged.
    node: Option<Node>,
}

impl Node {
    /// How the trial stands.
    pub async fn trial(&self) -> TrialView {
        let trial = self.trial.lock().await;
        self.trial_view(trial.as_ref())
    }

    /// Starts the second node and pairs the two. One that is there already stays.
    ///
    /// # Errors
    /// Those of starting a node and of adding a peer; nothing is left behind then.
    pub async fn start_trial(&self) -> Result<TrialView, Problem> {
        let mut trial = self.trial.lock().await;
        if trial.is_none() {
            clear_home(self).await;
            let node = self.second_node(any_port()).await?;
            match self.pair_with(&node).await {
                Ok(peer) => {
                    *trial = Some(Trial {
                        peer,
                        address: node.peer_addr,
                        node: Some(node),
                    });
                }
                Err(problem) => {
                    stop(node).await;
                    clear_home(self).await;
                    return Err(problem);
                }
            }
        }
        self.events.changed(EventKind::Status, "trial");
        Ok(self.trial_view(trial.as_ref()))
    }

    /// Stops the second node, listener and all, as if its cable had been pulled.
    ///
    /// # Errors
    /// `INVALID_REQUEST` where there is none.
    pub async fn unplug_trial(&self) -> Result<TrialView, Problem> {
        let mut trial = self.trial.lock().await;
        let running = trial.as_mut().ok_or_else(none)?;
        if let Some(node) = running.node.take() {
            stop(node).await;
        }
        let peer = running.peer;
        let view = self.trial_view(trial.as_ref());
        drop(trial);
        self.look_at(peer).await;
        Ok(view)
    }

    /// Starts the second node again where it was.
    ///
    /// # Errors
    /// `INVALID_REQUEST` where there is none; those of starting a node.
    pub async fn plug_trial(&self) -> Result<TrialView, Problem> {
        let mut trial = self.trial.lock().await;
        let stopped = trial.as_mut().ok_or_else(none)?;
        if stopped.node.is_none() {
            stopped.node = Some(self.second_node(stopped.address).await?);
        }
        let peer = stopped.peer;
        let view = self.trial_view(trial.as_ref());
        drop(trial);
        self.look_at(peer).await;
        Ok(view)
    }

    /// Ends the trial: the peer goes with all its messages, then the second node with its home.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn end_trial(&self) -> Result<(), Problem> {
        let Some(trial) = self.trial.lock().await.take() else {
            return Ok(());
        };
        let forgotten = match self.peers.by_id(trial.peer) {
            Some(peer) => pairing::forget(self, &peer).await,
            None => Ok(()),
        };
        if let Some(node) = trial.node {
            stop(node).await;
        }
        clear_home(self).await;
        self.events.changed(EventKind::Status, "trial");
        forgotten
    }

    /// Starts the node in the trial's home. One that was just stopped may hold home and port for a
    /// moment longer.
    async fn second_node(&self, peer_addr: SocketAddr) -> Result<Self, Problem> {
        let config = NodeConfig {
            home: home_of(self),
            name: Some(NAME.to_owned()),
            peer_addr,
            vault: VaultChoice::File {
                passphrase_file: None,
            },
            host: self.host,
            version: self.version,
        };
        let mut tries = 0;
        loop {
            match Self::start(config.clone()).await {
                Err(problem)
                    if tries < PLUG_TRIES
                        && matches!(problem.code, Code::HomeLocked | Code::PortInUse) =>
                {
                    tries += 1;
                    tokio::time::sleep(PLUG_PAUSE).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// Each adds the other's card: what *Swap* does by hand.
    async fn pair_with(&self, second: &Self) -> Result<PeerId, Problem> {
        let there = second.add_peer(card(self)?).await?;
        second
            .set_addresses(&there.name, self.addresses_on_loopback())
            .await?;
        let here = self.add_peer(card(second)?).await?;
        let peer = self.peer_named(&here.name)?.id;
        self.change_peer(peer, move |tx| {
            pairing::set_option(tx, peer, MARK, serde_json::json!(true))
        })
        .await?;
        // Both ways are tried at once, so that the line is drawn with what is so.
        let (out, back) = tokio::join!(self.ping(&here.name), second.ping(&there.name));
        for failure in [out.err(), back.err()].into_iter().flatten() {
            tracing::info!(problem = %failure.problem.code, "the first ping of the trial failed");
        }
        Ok(peer)
    }

    /// Where a node on this machine reaches this one.
    fn addresses_on_loopback(&self) -> Vec<Address> {
        let port = self.peer_addr.port();
        let hosts: &[IpAddr] = match self.peer_addr.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => &[IpAddr::V4(Ipv4Addr::LOCALHOST)],
            IpAddr::V6(ip) if ip.is_unspecified() => &[
                IpAddr::V4(Ipv4Addr::LOCALHOST),
                IpAddr::V6(Ipv6Addr::LOCALHOST),
            ],
            _ => return self.own_addresses(),
        };
        hosts
            .iter()
            .filter_map(|ip| Address::new(&ip.to_string(), port).ok())
            .collect()
    }

    /// Pings the trial's peer, so that its line shows the change at once and what waits goes out.
    async fn look_at(&self, peer: PeerId) {
        self.events.changed(EventKind::Status, "trial");
        if let Some(peer) = self.peers.by_id(peer) {
            // A failure is what an unplugged line is to show; it is in the peer's own view.
            let _ = self.ping_peer(&peer).await;
            peer.lane.notify_one();
        }
    }

    fn trial_view(&self, trial: Option<&Trial>) -> TrialView {
        let peer = trial.and_then(|trial| self.peers.by_id(trial.peer));
        let alias = peer.map(|peer| peer.alias());
        TrialView {
            state: match trial {
                None => TrialState::Off,
                Some(Trial { node: None, .. }) => TrialState::Unplugged,
                Some(_) => TrialState::Running,
            },
            address: trial.map(|trial| trial.address.to_string()),
            command: alias.as_deref().and_then(|alias| self.send_command(alias)),
            peer: alias,
        }
    }

    /// Sends a message as an agent does, by the local API.
    fn send_command(&self, to: &str) -> Option<String> {
        let address = (*self.api_addr.lock())?;
        let body = serde_json::json!({
            "to": to,
            "payload": {"type": "text", "text": format!("Hello, {to}!")},
            "onFailure": "queue",
        });
        let token = if self.requires_token() {
            " -H \"Authorization: Bearer $(tieline token)\""
        } else {
            ""
        };
        Some(if cfg!(windows) {
            let body = body.to_string().replace('"', "\\\"");
            format!(
                "curl.exe -s http://{address}/api/a2a/send -H \"Content-Type: application/json\" -d \"{body}\""
            )
        } else {
            // A peer's name has no quote in it.
            format!(
                "curl -s http://{address}/api/a2a/send{token} -H 'Content-Type: application/json' -d '{body}'"
            )
        })
    }
}

/// Whether a peer is a trial's.
pub(crate) fn is_trial(row: &PeerRow) -> bool {
    row.options.get(MARK) == Some(&serde_json::Value::Bool(true))
}

/// Removes what a trial left that was not ended: this node was killed meanwhile.
pub(crate) async fn clear(node: &Node, rows: &[PeerRow]) -> Result<(), Problem> {
    clear_home(node).await;
    for id in rows.iter().filter(|row| is_trial(row)).map(|row| row.id) {
        let now = wall_now();
        node.store
            .write(move |tx| peers::revoke(tx, id, now))
            .await?;
        pairing::delete_with_history(node, id).await?;
    }
    Ok(())
}

async fn clear_home(node: &Node) {
    let home = home_of(node);
    let removed = tokio::task::spawn_blocking(move || std::fs::remove_dir_all(home)).await;
    match removed {
        Ok(Err(error)) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(%error, "the home of the trial could not be removed");
        }
        _ => {}
    }
}

fn home_of(node: &Node) -> PathBuf {
    node.home.path().join(DIRECTORY)
}

fn any_port() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

fn card(node: &Node) -> Result<AddPeer, Problem> {
    Ok(AddPeer {
        card: Some(node.swap_offer()?.card),
        ..AddPeer::default()
    })
}

/// Boxed, because stopping a node ends its trial, which stops a node.
fn stop(node: Node) -> BoxFuture<'static, ()> {
    Box::pin(async move {
        node.shutdown().await;
    })
}

fn none() -> Problem {
    Problem::new(Code::InvalidRequest)
        .summary("There is no trial.")
        .because("It was ended, or Tieline was started again since.")
        .remedy("Choose Try it here first.")
}
