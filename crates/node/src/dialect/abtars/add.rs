//! Adding an abTARS machine by its entry, and what the person changes of it.

use std::time::Duration;

use tieline_store::peers::{self, Dialect, NewPeer, PairedBy, PeerState};
use tieline_wire::abtars::names;
use tieline_wire::abtars::peers_json::{Live, PeerEntry, PeersFile};
use tieline_wire::address::Address;
use tieline_wire::name::Alias;
use tieline_wire::problem::{Code, Problem};

use super::contact::{Learned, OPTION, learn, remarks, seal};
use super::own::not_abtars;
use super::probe;
use crate::clock::wall_now;
use crate::model::{AbtarsEntry, AbtarsPeerChange, PeerView};
use crate::node::Node;

/// How long adding a machine waits until it is known what it speaks.
const PROBE: Duration = Duration::from_secs(8);

impl Node {
    /// Adds one abTARS machine, and asks it what it speaks. A machine that does not answer now is
    /// added all the same.
    pub(crate) async fn add_abtars(
        &self,
        given: AbtarsEntry,
        alias: Option<Alias>,
    ) -> Result<PeerView, Problem> {
        let wire_name = given.name.unwrap_or_default();
        let file = PeersFile::pasted(&given.entry, &wire_name)?;
        let mut entries = file.peers();
        let (Some(entry), true) = (entries.pop(), entries.is_empty()) else {
            return Err(Problem::new(Code::InvalidRequest)
                .summary("There is not exactly one peer in this text.")
                .because("An abTARS machine is added by its entry of a peers.json.")
                .remedy("Paste one entry, or import the whole file with `tieline import`."));
        };
        let view = self.add_abtars_entry(&file, &entry, alias).await?;
        if let Ok(peer) = self.peer_named(&view.name) {
            let _ = tokio::time::timeout(PROBE, probe::find_out(self, &peer)).await;
        }
        self.peer(&view.name).await
    }

    /// Stores one entry of a file as a peer.
    pub(super) async fn add_abtars_entry(
        &self,
        file: &PeersFile,
        entry: &PeerEntry,
        alias: Option<Alias>,
    ) -> Result<PeerView, Problem> {
        self.check_entry(entry)?;
        let addresses = match (&entry.host, entry.port) {
            (Some(host), Some(port)) => vec![Address::new(host, port)?],
            _ => Vec::new(),
        };
        let own = file.only(&entry.name).unwrap_or_default();
        let new = NewPeer {
            alias: String::new(),
            dialect: Dialect::Abtars,
            state: PeerState::Kept,
            tls_key: entry.verify_key,
            verify_key: entry.verify_key,
            certificate: entry.certificate.as_ref().map(|it| it.der().to_vec()),
            suggested_name: Some(entry.name.clone()),
            addresses,
            sealed_token: Some(seal(&entry.name, &own, &self.identity)?),
            token_confirmed: false,
            paired_by: PairedBy::Config,
            paired_at: wall_now(),
            options: serde_json::json!({ OPTION: Learned::default() }),
        };
        self.insert_peer(new, alias, entry.name.clone()).await
    }

    /// Whether an entry can become a peer beside those that are here.
    pub(super) fn check_entry(&self, entry: &PeerEntry) -> Result<(), Problem> {
        let refuse = |text: String| {
            Problem::new(Code::CardInvalid)
                .summary("This entry of a peers.json cannot be used.")
                .because(text)
                .remedy("Correct the entry, or copy it again from the other machine.")
        };
        match names::check(&entry.name) {
            Ok(()) | Err(names::NameError::Refused) => {}
            Err(names::NameError::Empty) => {
                return Err(
                    refuse("It does not say what the machine calls itself.".into()).remedy(
                        "Give the machine's own name, `self.name` of its peers.json, with it.",
                    ),
                );
            }
            Err(error) => return Err(refuse(format!("{error}."))),
        }
        if entry.name == self.abtars_name()
            || entry.verify_key == Some(self.abtars_key().verify_key())
        {
            return Err(Problem::new(Code::OwnLink)
                .summary("This is this machine's own entry.")
                .because("Its name or its key is that of this machine.")
                .remedy("Give the entry of the other machine."));
        }
        if entry.runs_tieline {
            return Err(Problem::new(Code::InvalidRequest)
                .summary("This machine runs Tieline.")
                .because("Its entry says so. As a peer of abTARS it would be spoken to without receipts, and with weaker proofs.")
                .remedy("Pair with it by a link, or by its card."));
        }
        // One that only dials in needs no address, but some proof of who it is.
        if entry.usable() == Live::Neither && entry.verify_key.is_none() {
            let mut why = remarks(entry);
            if why.is_empty() {
                why.push("It has neither a key nor a token with a certificate.".into());
            }
            return Err(refuse(why.join(" ")));
        }
        for peer in self.peers.all() {
            let record = peer.record();
            let same_key = entry.verify_key.is_some() && record.row.tls_key == entry.verify_key;
            let same_name = record.row.dialect == Dialect::Abtars
                && record.row.suggested_name.as_ref() == Some(&entry.name);
            if same_key || same_name {
                let alias = peer.alias();
                return Err(Problem::new(Code::PeerExists)
                    .summary(format!("This machine is already known as {alias}."))
                    .with("peer", alias));
            }
        }
        Ok(())
    }

    /// Changes what the person chose for an abTARS peer.
    ///
    /// # Errors
    /// `PEER_NOT_FOUND`; `INVALID_REQUEST` for a peer that is no abTARS machine, a bearer without a
    /// token, or tags without a key; and those of the store.
    pub async fn change_abtars_peer(
        &self,
        name: &str,
        change: AbtarsPeerChange,
    ) -> Result<PeerView, Problem> {
        let peer = self.peer_named(name)?;
        let record = peer.record();
        let contact = record.contact.as_ref().ok_or_else(not_abtars)?;
        let wrong = |text: &str| Problem::new(Code::InvalidRequest).because(text.to_owned());
        if change.bearer_allowed == Some(true) && contact.entry.token.is_none() {
            return Err(wrong(
                "There is no token in this peer's entry, so it cannot make a bearer.",
            )
            .remedy("Add the peer again with the `token` that both machines hold."));
        }
        if change.signed_only == Some(true) && contact.entry.verify_key.is_none() {
            return Err(wrong(
                "There is no key in this peer's entry, so its tags cannot be checked.",
            )
            .remedy("Add the peer again with its `verifyKey`."));
        }
        let id = peer.id;
        self.change_peer(id, move |tx| {
            learn(tx, id, |learned| {
                learned.bearer_allowed = change.bearer_allowed.unwrap_or(learned.bearer_allowed);
                learned.signed_only = change.signed_only.or(learned.signed_only);
                if change.forget_generation {
                    learned.generation = None;
                }
                // A person who takes bearers of a peer says that it speaks the older generation.
                if change.bearer_allowed == Some(true) {
                    learned.generation = learned
                        .generation
                        .filter(|generation| *generation != super::contact::CURRENT);
                }
            })?;
            peers::set_last_error(tx, id, None)
        })
        .await?;
        peer.live.lock().problem = None;
        self.peer(name).await
    }
}
