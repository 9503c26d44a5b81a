//! The peers of this node in memory: who they are by key and by name, and how their line runs.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Mutex, RwLock};
use tieline_store::peers::{Dialect, PeerId, PeerRow, PeerState};
use tieline_wire::key::{KeyId, VerifyKey};
use tieline_wire::problem::Problem;
use tieline_wire::time::UnixMillis;
use tieline_wire::token::{PairToken, TokenSigner, TokenVerifier};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::clock::Instant;
use crate::dialect::abtars::Contact;
use crate::handover::Handing;
use crate::identity::Identity;
use crate::inbox::Intake;
use crate::limits::{BODY_UNIT, MAX_PEER_BODIES};
use crate::line::{Line, Speaker};
use crate::model::{Direction, Target};
use crate::quiet::Quiet;
use crate::reach::DialBacks;

/// One peer.
pub(crate) struct Peer {
    /// Its row in the store.
    pub id: PeerId,
    record: RwLock<Arc<Record>>,
    /// Its connections.
    pub line: Line,
    /// Wakes its delivery lane.
    pub lane: Notify,
    /// How the handing over of its messages goes.
    pub handing: Handing,
    /// Wakes the task that keeps its line.
    pub keeper: Notify,
    /// What the last exchanges showed.
    pub live: Mutex<Live>,
    /// One question at a time whether it can dial this node.
    pub asking: tokio::sync::Mutex<()>,
    /// How often it had itself dialled; held while it is.
    pub dial_backs: tokio::sync::Mutex<DialBacks>,
    /// Held while it is decided whose token counts.
    pub token_turn: tokio::sync::Mutex<()>,
    /// Whether this node is asking it to bind a token just now.
    pub binding: AtomicBool,
    /// Whether this node asked for the token that is not confirmed yet.
    pub bound_here: AtomicBool,
    /// Whether it is being unpaired: it is told, and not listened to any more.
    leaving: AtomicBool,
    /// Room for the bodies of its requests, in units of [`BODY_UNIT`].
    pub bodies: Arc<Semaphore>,
    /// Refusals of its requests, in the log.
    pub refusals: Quiet,
    /// What it may still leave here within the hour.
    pub intake: Mutex<Intake>,
    /// Ends everything that belongs to it.
    pub cut: CancellationToken,
}

/// What is stored of a peer, with its keys ready for use.
pub(crate) struct Record {
    /// The stored row.
    pub row: PeerRow,
    /// Keys of a Tieline peer.
    pub keys: Option<Keys>,
    /// What is known of an abTARS peer.
    pub contact: Option<Contact>,
}

/// The keys of a Tieline peer.
pub(crate) struct Keys {
    /// Its TLS pin.
    pub pin: KeyId,
    /// Its signing key.
    pub verify_key: VerifyKey,
    /// Id of its signing key.
    pub key_id: KeyId,
    /// Checks its request tokens.
    pub verifier: TokenVerifier,
    /// Speaks to it.
    pub speaker: Speaker,
}

/// What the last exchanges with a peer showed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Live {
    /// Whether this node could dial it.
    pub dial_out: Direction,
    /// Whether it could dial this node, in its words.
    pub dial_in: Direction,
    /// Round trip of the last exchange.
    pub latency_ms: Option<f64>,
    /// Whether the last exchange worked.
    pub online: bool,
    /// Why it did not.
    pub problem: Option<Problem>,
    /// When it last said anything.
    pub seen: Option<Instant>,
    /// When it said that it stops, if it has not been heard from since.
    pub asleep: Option<UnixMillis>,
    /// When it last said whether it can dial this node, and what.
    pub asked: Option<(Instant, bool)>,
}

impl Peer {
    /// What is stored of it now.
    #[must_use]
    pub(crate) fn record(&self) -> Arc<Record> {
        Arc::clone(&self.record.read())
    }

    /// Whether this is its name, given in lower case.
    fn is_named(&self, wanted: &str) -> bool {
        self.record.read().row.alias.to_lowercase() == wanted
    }

    /// Whether the person kept it.
    #[must_use]
    pub(crate) fn is_kept(&self) -> bool {
        self.record.read().row.state == PeerState::Kept
    }

    /// Its name here.
    #[must_use]
    pub(crate) fn alias(&self) -> String {
        self.record.read().row.alias.clone()
    }

    /// Whether it is being unpaired, and not listened to any more.
    #[must_use]
    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::SeqCst)
    }

    /// Listens to it no more from here on, or again where unpairing it failed.
    pub(crate) fn set_leaving(&self, leaving: bool) {
        self.leaving.store(leaving, Ordering::SeqCst);
    }
}

/// All peers that are not revoked.
#[derive(Default)]
pub(crate) struct Peers {
    maps: RwLock<Maps>,
}

#[derive(Default)]
struct Maps {
    by_id: HashMap<PeerId, Arc<Peer>>,
    by_pin: HashMap<KeyId, PeerId>,
}

impl Peers {
    /// Puts a row in: a new peer, or the new state of a known one. A revoked one is taken out.
    pub(crate) fn put(
        &self,
        row: PeerRow,
        identity: &Identity,
        parent: &CancellationToken,
    ) -> Option<Arc<Peer>> {
        if row.state == PeerState::Revoked {
            self.take_out(row.id);
            return None;
        }
        let id = row.id;
        let record = Arc::new(Record::new(row, identity));
        let pin = record.keys.as_ref().map(|keys| keys.pin);
        let mut maps = self.maps.write();
        maps.by_pin.retain(|_, known| *known != id);
        if let Some(pin) = pin {
            maps.by_pin.insert(pin, id);
        }
        if let Some(known) = maps.by_id.get(&id) {
            *known.record.write() = record;
            return Some(Arc::clone(known));
        }
        let peer = Arc::new(Peer {
            id,
            record: RwLock::new(record),
            line: Line::default(),
            lane: Notify::new(),
            handing: Handing::default(),
            keeper: Notify::new(),
            live: Mutex::default(),
            asking: tokio::sync::Mutex::new(()),
            dial_backs: tokio::sync::Mutex::default(),
            token_turn: tokio::sync::Mutex::new(()),
            binding: AtomicBool::new(false),
            bound_here: AtomicBool::new(false),
            leaving: AtomicBool::new(false),
            bodies: Arc::new(Semaphore::new(MAX_PEER_BODIES / BODY_UNIT)),
            refusals: Quiet::default(),
            intake: Mutex::default(),
            cut: parent.child_token(),
        });
        maps.by_id.insert(id, Arc::clone(&peer));
        Some(peer)
    }

    /// Takes a peer out and cuts its connections: from here on it is a stranger.
    pub(crate) fn take_out(&self, id: PeerId) {
        let mut maps = self.maps.write();
        maps.by_pin.retain(|_, known| *known != id);
        let gone = maps.by_id.remove(&id);
        drop(maps);
        if let Some(peer) = gone {
            peer.cut.cancel();
            peer.line.cut();
        }
    }

    /// The peer with this TLS pin, if it is listened to.
    #[must_use]
    pub(crate) fn by_pin(&self, pin: &KeyId) -> Option<Arc<Peer>> {
        let maps = self.maps.read();
        maps.by_pin
            .get(pin)
            .and_then(|id| maps.by_id.get(id))
            .filter(|peer| !peer.is_leaving())
            .cloned()
    }

    /// The peer with this row.
    #[must_use]
    pub(crate) fn by_id(&self, id: PeerId) -> Option<Arc<Peer>> {
        self.maps.read().by_id.get(&id).cloned()
    }

    /// All peers, by name.
    #[must_use]
    pub(crate) fn all(&self) -> Vec<Arc<Peer>> {
        let mut all: Vec<_> = self.maps.read().by_id.values().cloned().collect();
        all.sort_by_key(|peer| peer.alias());
        all
    }

    /// The peer with exactly this name, without case.
    #[must_use]
    pub(crate) fn by_name(&self, name: &str) -> Option<Arc<Peer>> {
        let wanted = name.to_lowercase();
        let maps = self.maps.read();
        let mut peers = maps.by_id.values();
        peers.find(|peer| peer.is_named(&wanted)).cloned()
    }

    /// The peer that a name in a request means: exactly it without case, else the only one that
    /// begins with it; ambiguous is none, never a guess (KithKit's rule).
    #[must_use]
    pub(crate) fn resolve(&self, name: &str) -> (Target, Option<Arc<Peer>>) {
        if name.is_empty() {
            return (Target::Unknown, None);
        }
        let wanted = name.to_lowercase();
        let mut beginning = Vec::new();
        for peer in self.maps.read().by_id.values() {
            let record = peer.record();
            let alias = record.row.alias.to_lowercase();
            if alias == wanted {
                return (target(peer), Some(Arc::clone(peer)));
            }
            if alias.starts_with(&wanted) {
                beginning.push(Arc::clone(peer));
            }
        }
        match beginning.len() {
            0 => (Target::Unknown, None),
            1 => beginning
                .pop()
                .map_or((Target::Unknown, None), |peer| (target(&peer), Some(peer))),
            _ => (Target::Ambiguous, None),
        }
    }
}

fn target(peer: &Peer) -> Target {
    let record = peer.record();
    Target::Peer {
        alias: record.row.alias.clone(),
        dialect: record.row.dialect.to_string(),
    }
}

/// What a sealed pair token is sealed for.
#[must_use]
pub(crate) fn token_purpose(verify_key: &VerifyKey) -> String {
    format!("pair-token:{}", verify_key.key_id())
}

impl Record {
    /// Whether questions go back and forth with it: not with KithKit machines.
    #[must_use]
    pub(crate) fn is_asked(&self) -> bool {
        self.keys.is_some() || self.contact.is_some()
    }

    fn new(row: PeerRow, identity: &Identity) -> Self {
        let keys = match (row.tls_key, row.verify_key) {
            (Some(tls_key), Some(verify_key)) if row.dialect == Dialect::Tieline => {
                let pair_token = row
                    .sealed_token
                    .as_deref()
                    .and_then(|sealed| identity.seal.open(&token_purpose(&verify_key), sealed))
                    .and_then(|plain| <[u8; 32]>::try_from(plain.as_slice()).ok())
                    .map(|token| Arc::new(PairToken::from_bytes(token)));
                let signer = Arc::new(TokenSigner::new(&identity.signing, verify_key.key_id()));
                Some(Keys {
                    pin: tls_key.key_id(),
                    verify_key,
                    key_id: verify_key.key_id(),
                    verifier: TokenVerifier::new(&verify_key, identity.signing.key_id()),
                    speaker: Speaker { signer, pair_token },
                })
            }
            _ => None,
        };
        let contact = Contact::of(&row, identity);
        Self { row, keys, contact }
    }
}
