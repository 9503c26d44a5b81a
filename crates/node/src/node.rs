//! The engine: one identity, one store, its listener and its peers.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use tieline_store::Store;
use tieline_store::peers::{PeerId, PeerRow};
use tieline_vault::{Vault, VaultChoice};
use tieline_wire::address::Address;
use tieline_wire::card::{Card, Dialect};
use tieline_wire::key::KeyId;
use tieline_wire::message::MessageId;
use tieline_wire::problem::{Code, Problem};
use tieline_wire::receipt::StoreId;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api_token;
use crate::ask::{Brakes, Desk, Waiting};
use crate::clock::{ElapsedClock, Instant, wall_now};
use crate::dialect::LanSecret;
use crate::dialect::abtars;
use crate::dialect::kithkit_lan::LanListener;
use crate::events::EventBus;
use crate::gate::Gate;
use crate::home::Home;
use crate::identity::Identity;
use crate::line::HeldConnection;
use crate::line::Serve;
use crate::model::{Direction, DirectionState, EventKind, Hook, HostKind};
use crate::pairing::Book;
use crate::peers::{Peer, Peers};
use crate::preferences;
use crate::protocol::{Reply, Request, dispatch};
use crate::trial::Trial;

/// How to start a node.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// Holds everything of this node.
    pub home: PathBuf,
    /// What the node calls itself; remembered. The host name at first.
    pub name: Option<String>,
    /// Where the peer listener binds.
    pub peer_addr: SocketAddr,
    /// Where secrets are kept, at first start.
    pub vault: VaultChoice,
    /// App or `tieline serve`.
    pub host: HostKind,
    /// Version of the program, for the status.
    pub version: &'static str,
}

/// A running engine. Clones are the same engine.
#[derive(Clone)]
pub struct Node(Arc<Engine>);

/// What a [`Node`] is made of.
pub struct Engine {
    pub(crate) home: Home,
    pub(crate) host: HostKind,
    pub(crate) version: &'static str,
    pub(crate) name: Mutex<String>,
    pub(crate) identity: Identity,
    pub(crate) vault: Arc<Vault>,
    pub(crate) store: Store,
    pub(crate) peers: Peers,
    pub(crate) preferences: preferences::Kept,
    /// Held from a change of a peer's row until it is in memory, so that what is there is never
    /// older than what is stored.
    pub(crate) changing: tokio::sync::Mutex<()>,
    /// Which token the local API takes.
    pub(crate) token_turn: api_token::Turn,
    pub(crate) invites: Book,
    pub(crate) events: EventBus,
    pub(crate) gate: Gate,
    pub(crate) clock: ElapsedClock,
    pub(crate) peer_addr: SocketAddr,
    pub(crate) api_addr: Mutex<Option<SocketAddr>>,
    /// Where else something of this node listens, for diagnostics.
    pub(crate) listening: Mutex<HashMap<&'static str, String>>,
    /// Names that were in use since the start and no longer are; the log may hold them.
    pub(crate) former_names: Mutex<Vec<String>>,
    pub(crate) problems: Mutex<Vec<Problem>>,
    pub(crate) started: Instant,
    pub(crate) started_at: tieline_wire::time::UnixMillis,
    /// Ends every task of the node.
    pub(crate) stop: CancellationToken,
    /// Tasks whose end a graceful shutdown waits for.
    pub(crate) tasks: TaskTracker,
    /// Callers that wait for answers of peers.
    pub(crate) waiting_asks: Waiting,
    /// Peers' questions that wait for the person.
    pub(crate) desk: Desk,
    /// How much goes back and forth.
    pub(crate) brakes: Brakes,
    /// Peers' questions that are being answered; cancelled when the asker hangs up.
    pub(crate) serving: Mutex<HashMap<(PeerId, MessageId), CancellationToken>>,
    /// What takes the messages of peers that have no hook of their own.
    pub(crate) default_hook: Mutex<Hook>,
    /// KithKit's secret, as the vault said last.
    pub(crate) lan_secret: LanSecret,
    /// The listener for KithKit machines.
    pub(crate) kithkit_lan: LanListener,
    /// The throw-away second node, while there is one.
    pub(crate) trial: tokio::sync::Mutex<Option<Trial>>,
    /// What abTARS peers need.
    pub(crate) abtars: abtars::State,
    /// Told when a message arrives.
    pub(crate) arrived: Notify,
    /// Told when an outgoing message ends or changes.
    pub(crate) settled: Notify,
}

impl Deref for Node {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        &self.0
    }
}

impl Node {
    pub(crate) fn from_engine(engine: Engine) -> Self {
        Self(Arc::new(engine))
    }

    /// What changed, as it changes.
    #[must_use]
    pub fn events(&self) -> &EventBus {
        &self.events
    }

    /// What this node calls itself.
    #[must_use]
    pub fn own_name(&self) -> String {
        self.name.lock().clone()
    }

    /// Notes where the local API listens, for the status.
    pub fn set_api_addr(&self, address: SocketAddr) {
        *self.api_addr.lock() = Some(address);
        self.events.changed(EventKind::Status, "apiAddr");
    }

    /// This node's public data.
    ///
    /// # Errors
    /// `CARD_INVALID` where the node's name or addresses do not fit into a card.
    pub fn card(&self) -> Result<Card, Problem> {
        let card = Card::new(
            &self.own_name(),
            self.own_addresses(),
            self.identity.signing.verify_key(),
            self.identity.certificate.clone(),
            vec![Dialect::Tieline],
        );
        Ok(card?)
    }

    /// Where peers may dial this node: the bound address, or every address of this machine.
    #[must_use]
    pub fn own_addresses(&self) -> Vec<Address> {
        crate::network::candidate_addresses(self.peer_addr)
    }

    /// Id of the signing key.
    pub(crate) fn key_id(&self) -> KeyId {
        self.identity.signing.key_id()
    }

    pub(crate) fn store_id(&self) -> StoreId {
        self.store.store_id()
    }

    /// The peer with this name.
    ///
    /// # Errors
    /// `PEER_NOT_FOUND`.
    pub(crate) fn peer_named(&self, name: &str) -> Result<Arc<Peer>, Problem> {
        self.peers.by_name(name).ok_or_else(|| {
            Problem::new(Code::PeerNotFound).summary(format!("There is no peer named {name}."))
        })
    }

    /// Puts a changed row into memory and tells who watches. Starts the tasks of a new peer.
    pub(crate) fn put_peer(&self, row: PeerRow) -> Option<Arc<Peer>> {
        let known = self.peers.by_id(row.id).is_some();
        let alias = row.alias.clone();
        let peer = self.peers.put(row, &self.identity, &self.stop);
        if let (false, Some(peer)) = (known, &peer) {
            self.start_peer(peer);
        }
        self.events.changed(EventKind::Peers, alias);
        peer
    }

    /// Starts the tasks that keep a peer's line and deliver to it.
    pub(crate) fn start_peer(&self, peer: &Arc<Peer>) {
        self.tasks
            .spawn(crate::outbox::lane(self.clone(), Arc::clone(peer)));
        self.tasks
            .spawn(crate::handover::lane(self.clone(), Arc::clone(peer)));
        if peer.record().keys.is_some() {
            self.tasks
                .spawn(crate::reach::keep(self.clone(), Arc::clone(peer)));
        }
    }

    /// Changes a peer's row and puts the result into memory.
    pub(crate) async fn change_peer(
        &self,
        id: PeerId,
        change: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<(), tieline_store::StoreError>
        + Send
        + 'static,
    ) -> Result<Option<Arc<Peer>>, Problem> {
        let _turn = self.changing.lock().await;
        let row = self
            .store
            .write(move |tx| {
                change(tx)?;
                tieline_store::peers::get(tx, id)
            })
            .await?;
        Ok(row.and_then(|row| self.put_peer(row)))
    }

    /// A request of this peer was believed: it is there.
    pub(crate) fn heard_from(&self, peer: &Arc<Peer>) {
        let mut live = peer.live.lock();
        let was_online = live.online;
        live.seen = Some(Instant::now());
        live.online = true;
        live.asleep = None;
        if !was_online {
            live.problem = None;
        }
        drop(live);
        if !was_online {
            peer.lane.notify_one();
            self.events.changed(EventKind::Peers, peer.alias());
        }
    }

    /// The peer holds a connection to this node.
    pub(crate) fn held_by(&self, peer: &Arc<Peer>, held: Arc<HeldConnection>) {
        if self.peers.by_id(peer.id).is_none() {
            held.close();
            return;
        }
        peer.line.set_held(Arc::clone(&held));
        // It may have been unpaired since the look above; what was held then is cut already.
        if peer.cut.is_cancelled() {
            held.close();
        }
        // Whoever holds a connection to this node has dialled it.
        peer.live.lock().dial_in = Direction {
            state: DirectionState::Ok,
            checked_at: Some(wall_now().to_string()),
            ..Direction::default()
        };
        peer.lane.notify_one();
        self.events.changed(EventKind::Peers, peer.alias());
        let node = self.clone();
        let peer = Arc::clone(peer);
        self.tasks.spawn(async move {
            held.closed().await;
            if peer.line.open().is_none() {
                peer.live.lock().online = false;
            }
            node.events.changed(EventKind::Peers, peer.alias());
        });
    }

    /// Shows the person a problem until the node stops, once per kind and peer.
    pub fn alert(&self, problem: Problem) {
        let mut problems = self.problems.lock();
        let peer = |problem: &Problem| problem.detail.as_ref()?.get("peer").cloned();
        let same = |known: &Problem| known.code == problem.code && peer(known) == peer(&problem);
        if problems.len() < 50 && !problems.iter().any(same) {
            problems.push(problem);
        }
        drop(problems);
        self.events.changed(EventKind::Status, "problems");
    }
}

impl Node {
    /// Takes away a problem that [`Node::alert`] showed about a peer: it is over.
    pub(crate) fn calm(&self, code: Code, peer: &str) {
        let about = |problem: &Problem| {
            let detail = problem.detail.as_ref();
            problem.code == code
                && detail.and_then(|detail| detail.get("peer")?.as_str()) == Some(peer)
        };
        let mut problems = self.problems.lock();
        let before = problems.len();
        problems.retain(|problem| !about(problem));
        let is_calmer = problems.len() < before;
        drop(problems);
        if is_calmer {
            self.events.changed(EventKind::Status, "problems");
        }
    }
}

impl Serve for Node {
    async fn serve(&self, request: Request) -> Reply {
        dispatch(self, request).await
    }
}
