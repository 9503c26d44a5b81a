//! What the person decides about peers: keep, undo, rename, addresses, unpair.

use std::sync::Arc;

use rusqlite::Connection as Sql;
use tieline_store::peers::{self, PeerState};
use tieline_store::{StoreError, messages};
use tieline_wire::address::Address;
use tieline_wire::key::VerifyKey;
use tieline_wire::name::Alias;
use tieline_wire::problem::{Code, Problem};
use tieline_wire::time::UnixMillis;

use super::inviter::setting;
use crate::clock::wall_now;
use crate::model::{EventKind, PeerView};
use crate::node::Node;
use crate::peers::Peer;
use crate::protocol::path;

/// How long unpairing waits for the other side to hear of it.
const FAREWELL: std::time::Duration = std::time::Duration::from_secs(2);

/// The end of a muting that the person did not limit: the last moment of the year 9999.
const FOR_GOOD: UnixMillis = UnixMillis(253_402_300_799_999);

impl Node {
    /// Keeps a machine that joined by link: from now on it has all rights of a peer.
    ///
    /// # Errors
    /// `PEER_NOT_FOUND` and those of the store.
    pub async fn keep(&self, name: &str) -> Result<PeerView, Problem> {
        let peer = self.peer_named(name)?;
        let id = peer.id;
        self.change_peer(id, move |tx| peers::set_state(tx, id, PeerState::Kept))
            .await?;
        self.peer(name).await
    }

    /// Takes a join back: revokes, cuts, and discards what came from it.
    ///
    /// # Errors
    /// `PEER_NOT_FOUND`; `INVALID_REQUEST` for a peer that is kept already.
    pub async fn undo(&self, name: &str) -> Result<(), Problem> {
        let peer = self.peer_named(name)?;
        if peer.record().row.state != PeerState::Joined {
            return Err(Problem::new(Code::InvalidRequest)
                .summary(format!("{name} is kept already; unpair it instead."))
                .remedy(format!(
                    "Run `tieline peers remove {name}`, or choose Unpair on its page."
                )));
        }
        forget(self, &peer).await
    }

    /// Unpairs: the other side is told if it can be, and is a stranger from this moment on.
    ///
    /// # Errors
    /// `PEER_NOT_FOUND` and those of the store.
    pub async fn remove(&self, name: &str) -> Result<(), Problem> {
        let peer = self.peer_named(name)?;
        self.part(&peer).await
    }

    /// Gives a peer another name here.
    ///
    /// # Errors
    /// `PEER_NOT_FOUND`, `ALIAS_INVALID`, `ALIAS_TAKEN`.
    pub async fn rename(&self, name: &str, new: &str) -> Result<PeerView, Problem> {
        let peer = self.peer_named(name)?;
        let alias = Alias::new(new)?;
        let id = peer.id;
        let old = peer.alias();
        let wanted = alias.clone();
        let turn = self.changing.lock().await;
        let renamed = self
            .store
            .write(move |tx| {
                if let Some(other) = mistaken_for(tx, &wanted, Some(id))? {
                    return Ok(Err(other));
                }
                peers::rename(tx, id, wanted.as_str())?;
                peers::get(tx, id).map(Ok)
            })
            .await?;
        let row = renamed.map_err(|other| taken(&alias, &other))?;
        row.and_then(|row| self.put_peer(row));
        drop(turn);
        self.note_former_name(old.clone());
        self.events.changed(EventKind::Peers, old);
        self.peer(alias.as_str()).await
    }

    /// Says where a peer can be dialled.
    ///
    /// # Errors
    /// `PEER_NOT_FOUND`; `INVALID_REQUEST` for more than 16 addresses.
    pub async fn set_addresses(
        &self,
        name: &str,
        addresses: Vec<Address>,
    ) -> Result<PeerView, Problem> {
        let peer = self.peer_named(name)?;
        if addresses.len() > tieline_wire::card::MAX_ADDRESSES {
            return Err(
                Problem::new(Code::InvalidRequest).summary("A peer has at most 16 addresses.")
            );
        }
        let id = peer.id;
        self.change_peer(id, move |tx| {
            peers::set_addresses(tx, id, &addresses)?;
            // From now on the person's word counts, not what the peer says of itself.
            set_option(tx, id, "addressesBy", serde_json::json!("person"))
        })
        .await?;
        peer.keeper.notify_one();
        self.peer(name).await
    }

    /// Shows no notifications of a peer's messages, or shows them again.
    ///
    /// # Errors
    /// `PEER_NOT_FOUND` and those of the store.
    pub async fn set_muted(&self, name: &str, muted: bool) -> Result<PeerView, Problem> {
        let peer = self.peer_named(name)?;
        let id = peer.id;
        let until = muted.then_some(FOR_GOOD);
        self.change_peer(id, move |tx| peers::set_muted_until(tx, id, until))
            .await?;
        self.peer(name).await
    }

    /// Stops listening, says farewell, revokes.
    async fn part(&self, peer: &Arc<Peer>) -> Result<(), Problem> {
        peer.set_leaving(true);
        self.farewell(peer).await;
        let parted = self.revoke(peer).await;
        peer.set_leaving(false);
        parted
    }

    async fn farewell(&self, peer: &Arc<Peer>) {
        if peer.record().keys.is_some() {
            let told = crate::exchange::exchange_open(self, peer, path::UNPAIR, "{}".into());
            if tokio::time::timeout(FAREWELL, told).await.is_err() {
                tracing::info!(peer = %peer.alias(), "unpaired without the peer's knowing");
            }
        }
    }

    async fn revoke(&self, peer: &Arc<Peer>) -> Result<(), Problem> {
        let id = peer.id;
        let alias = peer.alias();
        let now = wall_now();
        let why = serde_json::json!(crate::outbox::unpaired());
        // A join that was stored a moment ago must be in memory before it is taken out of it, or it
        // would come back as a peer that nobody has.
        let _turn = self.changing.lock().await;
        // A join that was not confirmed yet must not be done again with the same link, nor finish
        // behind this.
        let used = self.invites.confirm(id);
        self.store
            .write(move |tx| {
                for invite in &used {
                    tieline_store::settings::remove(tx, &setting(invite))?;
                }
                messages::give_up(tx, id, now, &why)?;
                peers::revoke(tx, id, now)
            })
            .await?;
        self.peers.take_out(id);
        self.note_former_name(alias.clone());
        self.events.changed(EventKind::Peers, alias);
        Ok(())
    }
}

/// Unpairs and leaves nothing of the peer behind, no message and no name.
pub(crate) async fn forget(node: &Node, peer: &Arc<Peer>) -> Result<(), Problem> {
    node.part(peer).await?;
    delete_with_history(node, peer.id).await
}

/// Deletes a revoked peer with all its messages.
pub(crate) async fn delete_with_history(node: &Node, id: peers::PeerId) -> Result<(), Problem> {
    let store = &node.store;
    while store
        .write(move |tx| peers::delete_history(tx, id, 500))
        .await?
    {}
    store.write(move |tx| peers::delete(tx, id)).await?;
    node.events.changed(EventKind::Messages, String::new());
    Ok(())
}

/// The peer has unpaired this node. It stays on the list, with the reason, until the person removes it.
pub(crate) async fn answer_unpair(node: &Node, peer: &Arc<Peer>) {
    let problem = Problem::new(Code::PeerRevoked)
        .summary(format!("{} has unpaired this machine.", peer.alias()))
        .because("Someone chose Unpair there.")
        .remedy("Pair the two machines again, or remove the peer here.");
    {
        let mut live = peer.live.lock();
        live.online = false;
        live.problem = Some(problem.clone());
    }
    let id = peer.id;
    let value = serde_json::json!(problem);
    if let Err(error) = node
        .change_peer(id, move |tx| peers::set_last_error(tx, id, Some(&value)))
        .await
    {
        tracing::warn!(%error, "noting that a peer unpaired this node failed");
    }
}

/// The peer, other than `except`, that this name would be mistaken for. Asked in the transaction that
/// stores the name.
pub(super) fn mistaken_for(
    conn: &Sql,
    alias: &Alias,
    except: Option<peers::PeerId>,
) -> Result<Option<String>, StoreError> {
    let others = peers::list(conn, false)?;
    let mut others = others.into_iter().filter(|peer| Some(peer.id) != except);
    let known =
        others.find(|peer| Alias::new(&peer.alias).is_ok_and(|known| alias.conflicts_with(&known)));
    Ok(known.map(|peer| peer.alias))
}

/// The name a new peer gets: its own where that is free, else with a number in front (behind, one
/// name would be the beginning of the other).
pub(super) fn free_alias(conn: &Sql, suggested: &str) -> Result<String, StoreError> {
    let taken: Vec<Alias> = peers::list(conn, false)?
        .iter()
        .filter_map(|row| Alias::new(&row.alias).ok())
        .collect();
    let wanted = Alias::suggest(suggested);
    let free = |alias: &Alias| !taken.iter().any(|other| alias.conflicts_with(other));
    if free(&wanted) {
        return Ok(wanted.as_str().to_owned());
    }
    let numbered = (2_u32..).map(|number| Alias::suggest(&format!("{number}-{}", wanted.as_str())));
    let found = numbered.take(10_000).find(free);
    found
        .map(|alias| alias.as_str().to_owned())
        .ok_or_else(|| StoreError::Constraint {
            detail: "no free name for the peer".into(),
        })
}

/// Whether one of these keys is a peer's whose other key is not the one given here.
pub(super) fn changed_key(
    conn: &Sql,
    tls_key: &VerifyKey,
    verify_key: &VerifyKey,
) -> Result<bool, StoreError> {
    let by_tls = peers::by_tls_key(conn, tls_key)?;
    let by_signing = peers::by_key_id(conn, &verify_key.key_id())?;
    Ok(
        by_tls.is_some_and(|known| known.verify_key != Some(*verify_key))
            || by_signing.is_some_and(|known| known.tls_key != Some(*tls_key)),
    )
}

/// The problem of a name that another peer has, or that begins alike.
pub(super) fn taken(alias: &Alias, other: &str) -> Problem {
    Problem::new(Code::AliasTaken)
        .because(format!(
            "{} would be mistaken for the peer {other}.",
            alias.as_str()
        ))
        .with("peer", other)
}

/// Sets one field of a peer's options.
pub(crate) fn set_option(
    conn: &Sql,
    id: peers::PeerId,
    key: &str,
    value: serde_json::Value,
) -> Result<(), StoreError> {
    let row = peers::get(conn, id)?.ok_or_else(|| StoreError::not_found("peer"))?;
    let mut options = row.options;
    if let Some(object) = options.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
    peers::set_options(conn, id, &options)
}
