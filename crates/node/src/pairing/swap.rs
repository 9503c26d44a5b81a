//! Pairing by swapping cards: each side adds what the person brought from the other.

use tieline_store::peers::{self, Dialect, NewPeer, PairedBy, PeerState};
use tieline_wire::abtars::peers_json::{self, PeerEntry};
use tieline_wire::address::Address;
use tieline_wire::name::Alias;
use tieline_wire::presented::Presented;
use tieline_wire::problem::{Code, Problem};

use super::presented::{known, own};
use super::roster::{free_alias, mistaken_for, taken};
use crate::clock::wall_now;
use crate::model::{AbtarsEntry, AddPeer, KithkitPeer, PeerView};
use crate::node::Node;

impl Node {
    /// Adds a peer from its card or whatever else says the same of it, or a KithKit or abTARS machine
    /// from its configuration.
    ///
    /// # Errors
    /// `INVALID_REQUEST`, `CARD_INVALID` or `CONFIG_INVALID` for a text that does not say enough, the failures of a
    /// dial where the certificate has to be fetched, `OWN_LINK` for this node's own card, `PEER_EXISTS`, `ALIAS_INVALID`,
    /// `ALIAS_TAKEN`, `NEW_KEY` where one of the two keys is a known peer's.
    pub async fn add_peer(&self, add: AddPeer) -> Result<PeerView, Problem> {
        let name = add.name.as_deref().map(Alias::new).transpose()?;
        match (add.card, add.kithkit, add.abtars) {
            (Some(card), None, None) => match as_abtars(&card) {
                Some(entry) => self.add_abtars(entry, name).await,
                None => self.add_card(&card, name).await,
            },
            (None, Some(kithkit), None) => self.add_kithkit(kithkit, name).await,
            (None, None, Some(entry)) => self.add_abtars(entry, name).await,
            _ => Err(Problem::new(Code::InvalidRequest).summary(
                "Give a card, a KithKit machine or an abTARS machine, and one of them only.",
            )),
        }
    }

    async fn add_card(&self, text: &str, name: Option<Alias>) -> Result<PeerView, Problem> {
        let card = self.card_of(&Presented::read(text)?).await?;
        let tls_key = card.certificate.verify_key();
        if card.key_id() == self.key_id() || tls_key == self.identity.tls.verify_key() {
            return Err(own());
        }
        for peer in self.peers.all() {
            let record = peer.record();
            let Some(keys) = &record.keys else { continue };
            match (keys.pin == card.pin(), keys.key_id == card.key_id()) {
                (true, true) => return Err(known(&peer.alias())),
                (false, false) => {}
                _ => return Err(Problem::new(Code::NewKey).with("peer", peer.alias())),
            }
        }
        let new = NewPeer {
            alias: String::new(),
            dialect: Dialect::Tieline,
            state: PeerState::Kept,
            tls_key: Some(tls_key),
            verify_key: Some(card.verify_key),
            certificate: Some(card.certificate.der().to_vec()),
            suggested_name: Some(card.name.clone()),
            addresses: card.addresses.clone(),
            sealed_token: None,
            token_confirmed: false,
            paired_by: PairedBy::Swap,
            paired_at: wall_now(),
            options: serde_json::json!({}),
        };
        self.insert_peer(new, name, card.name).await
    }

    async fn add_kithkit(
        &self,
        machine: KithkitPeer,
        name: Option<Alias>,
    ) -> Result<PeerView, Problem> {
        let mut addresses = Vec::new();
        for host in machine.ip.iter().chain([&machine.host]) {
            let address = Address::new(host, machine.port)?;
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        let new = NewPeer {
            alias: String::new(),
            dialect: Dialect::Kithkit,
            state: PeerState::Kept,
            tls_key: None,
            verify_key: None,
            certificate: None,
            suggested_name: Some(machine.name.clone()),
            addresses,
            sealed_token: None,
            token_confirmed: false,
            paired_by: PairedBy::Config,
            paired_at: wall_now(),
            options: serde_json::json!({}),
        };
        self.insert_peer(new, name, machine.name).await
    }

    pub(crate) async fn insert_peer(
        &self,
        mut new: NewPeer,
        name: Option<Alias>,
        suggested: String,
    ) -> Result<PeerView, Problem> {
        let turn = self.changing.lock().await;
        let inserted = self
            .store
            .write(move |tx| {
                new.alias = match &name {
                    Some(alias) => match mistaken_for(tx, alias, None)? {
                        Some(other) => return Ok(Err(taken(alias, &other))),
                        None => alias.as_str().to_owned(),
                    },
                    None => free_alias(tx, &suggested)?,
                };
                let id = peers::insert(tx, &new)?;
                peers::get(tx, id).map(Ok)
            })
            .await?;
        let row = inserted?;
        let alias = row
            .as_ref()
            .map(|row| row.alias.clone())
            .unwrap_or_default();
        if let Some(row) = row {
            self.put_peer(row);
        }
        drop(turn);
        self.peer(&alias).await
    }
}

/// What was pasted in the place of a card, where it is an entry of a `peers.json`. That of a machine
/// that runs Tieline is left to the card's reader, which says how to pair with it.
fn as_abtars(text: &str) -> Option<AbtarsEntry> {
    if text.contains("\"certificate\"") {
        return None;
    }
    let entries = peers_json::parse_pasted(text).ok()?;
    let is_entry =
        |entry: &PeerEntry| !entry.runs_tieline && entry.host.is_some() && !entry.fields.is_empty();
    entries.iter().any(is_entry).then(|| AbtarsEntry {
        entry: text.to_owned(),
        name: None,
    })
}
