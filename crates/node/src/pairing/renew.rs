//! A peer whose keys changed: the person's choice attaches the new ones to the old history.

use std::sync::Arc;

use tieline_store::messages;
use tieline_store::peers::{self, PeerId};
use tieline_wire::card::Card;
use tieline_wire::presented::Presented;
use tieline_wire::problem::{Code, Problem};

use super::presented::{known, own};
use crate::clock::wall_now;
use crate::model::PeerView;
use crate::node::Node;
use crate::outbox::meant_for_old_keys;
use crate::peers::Peer;

impl Node {
    /// Gives a peer the keys in `text` (what [`Node::add_peer`] takes as a card), which the person
    /// compared. Name, settings and messages stay; the token of the old pair, and what still waited
    /// for the old keys, go.
    ///
    /// # Errors
    /// `PEER_NOT_FOUND`; `INVALID_REQUEST` for a peer that has no keys of this kind; `OWN_LINK`,
    /// `PEER_EXISTS` and `NEW_KEY` where a key is this node's or another peer's; those of
    /// [`Node::add_peer`] for the text.
    pub async fn renew_keys(&self, name: &str, text: &str) -> Result<PeerView, Problem> {
        let peer = self.peer_named(name)?;
        let old = peer.record().keys.as_ref().map(|keys| keys.key_id);
        let Some(old) = old else {
            return Err(Problem::new(Code::InvalidRequest)
                .summary(format!("{name} is not known by keys of this kind."))
                .because("It does not run Tieline."));
        };
        let card = self.card_of(&Presented::read(text)?).await?;
        let tls_key = card.certificate.verify_key();
        if card.key_id() == self.key_id() || tls_key == self.identity.tls.verify_key() {
            return Err(own());
        }
        let id = peer.id;
        let now = wall_now();
        let key_id = card.key_id();
        let another = old != key_id;
        let why = serde_json::json!(meant_for_old_keys(&peer.alias()));
        let turn = self.changing.lock().await;
        // Fetching the certificate may have taken its time: peers were unpaired and added meanwhile.
        let there = self.still_there(id, name)?;
        self.must_be_nobody_elses(&card, id)?;
        let row = self
            .store
            .write(move |tx| {
                peers::set_keys(
                    tx,
                    id,
                    Some(&tls_key),
                    Some(&card.verify_key),
                    Some(card.certificate.der()),
                )?;
                peers::set_token(tx, id, None, false)?;
                peers::set_state(tx, id, peers::PeerState::Kept)?;
                peers::set_last_error(tx, id, None)?;
                if !card.addresses.is_empty() {
                    peers::set_addresses(tx, id, &card.addresses)?;
                    peers::set_last_good_address(tx, id, None)?;
                }
                if another {
                    messages::give_up(tx, id, now, &why)?;
                    messages::stop_asking(tx, id, key_id, &why)?;
                }
                peers::get(tx, id)
            })
            .await?;
        // Everything that runs for it runs with the old keys: it starts anew with the new ones.
        self.peers.take_out(id);
        if let Some(row) = row {
            self.put_peer(row);
        }
        drop(turn);
        self.peer(&there.alias()).await
    }

    /// The peer with this row, if it was not unpaired meanwhile.
    fn still_there(&self, id: PeerId, name: &str) -> Result<Arc<Peer>, Problem> {
        self.peers.by_id(id).ok_or_else(|| {
            Problem::new(Code::PeerNotFound).summary(format!(
                "{name} is no peer any more: it was unpaired meanwhile."
            ))
        })
    }

    fn must_be_nobody_elses(&self, card: &Card, id: PeerId) -> Result<(), Problem> {
        for other in self.peers.all().iter().filter(|other| other.id != id) {
            let record = other.record();
            let Some(keys) = &record.keys else { continue };
            match (keys.pin == card.pin(), keys.key_id == card.key_id()) {
                (true, true) => return Err(known(&other.alias())),
                (false, false) => {}
                _ => return Err(Problem::new(Code::NewKey).with("peer", other.alias())),
            }
        }
        Ok(())
    }
}
