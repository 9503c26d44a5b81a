//! Whole files: a `peers.json` brought in, and this node's peers written as one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tieline_wire::abtars::names;
use tieline_wire::abtars::peers_json::{PeerEntry, PeersFile};
use tieline_wire::problem::{Code, Problem};

use super::contact::{fields, live, open, remarks};
use super::{found, probe, state};
use crate::model::{AbtarsExport, AbtarsImport, AbtarsImportView, AbtarsImportedPeer};
use crate::node::Node;

/// What the frame of an imported file is sealed for.
const FRAME: &str = "abtars-file";

impl Node {
    /// Brings in the peers of a `peers.json`. Those that are here stay as they are; a file with a
    /// mistake changes nothing.
    ///
    /// # Errors
    /// `CONFIG_INVALID` with line and column, `INVALID_REQUEST`, and those of the store. What is
    /// wrong with one peer stands beside it and stops no other.
    pub async fn import_abtars(&self, import: AbtarsImport) -> Result<AbtarsImportView, Problem> {
        let _turn = self.abtars.turn.lock().await;
        let text = match (import.text, import.found) {
            (Some(text), None) => text,
            (None, Some(path)) => found::read(&path)?,
            _ => {
                return Err(Problem::new(Code::InvalidRequest).summary(
                    "Give either the text of a peers.json or the path of one that was found.",
                ));
            }
        };
        let file = PeersFile::parse(&text)?;
        let entries = file.peers();
        let mut name_taken = file.own_name() == self.abtars_name();
        if !import.dry_run {
            name_taken = self.take_frame(&file).await?;
        }
        let mut peers = Vec::with_capacity(entries.len());
        for entry in &entries {
            let known = self.known_as(entry);
            let imported = match known {
                Some(alias) => Ok(("known", Some(alias))),
                None if import.dry_run => self.check_entry(entry).map(|()| ("new", None)),
                None => self
                    .add_abtars_entry(&file, entry, None)
                    .await
                    .map(|view| ("added", Some(view.name))),
            };
            let (outcome, peer, problem) = match imported {
                Ok((outcome, peer)) => (outcome, peer, None),
                Err(problem) => ("refused", None, Some(problem)),
            };
            let entry_for_it = match outcome {
                "refused" => None,
                _ => Some(self.abtars_paste(entry.token.clone())?),
            };
            peers.push(AbtarsImportedPeer {
                name: entry.name.clone(),
                outcome: outcome.into(),
                peer,
                problem,
                usable: live(entry.usable()).into(),
                fields: fields(entry),
                remarks: remarks(entry),
                entry_for_it,
            });
        }
        let added = peers.iter().filter(|peer| peer.outcome == "added");
        for alias in added.filter_map(|peer| peer.peer.clone()) {
            if let Ok(peer) = self.peer_named(&alias) {
                let node = self.clone();
                self.tasks
                    .spawn(async move { probe::find_out(&node, &peer).await });
            }
        }
        Ok(AbtarsImportView {
            name: file.own_name().to_owned(),
            name_taken,
            peers,
        })
    }

    /// Keeps what a file holds besides its peers, and goes by its name where none was chosen and no
    /// peer knows this machine by another. Says whether this machine has that name now.
    async fn take_frame(&self, file: &PeersFile) -> Result<bool, Problem> {
        let mut settings = self.abtars.settings();
        let sealed = self
            .identity
            .seal
            .seal(FRAME, file.frame().to_json().as_bytes())?;
        settings.frame = Some(STANDARD.encode(sealed));
        settings.max_hops = settings.max_hops.or(Some(
            file.max_hops().min(tieline_wire::ask::MAX_HOPS.into()),
        ));
        let peers = self.peers.all();
        let first = !peers.iter().any(|peer| peer.record().contact.is_some());
        if settings.name.is_none() && first && names::check(file.own_name()).is_ok() {
            settings.name = Some(file.own_name().to_owned());
        }
        state::save(self, settings).await?;
        Ok(self.abtars_name() == file.own_name())
    }

    /// The peer that an entry describes, if it is here.
    pub(super) fn known_as(&self, entry: &PeerEntry) -> Option<String> {
        let peers = self.peers.all();
        let known = peers.iter().find(|peer| {
            let record = peer.record();
            record.contact.as_ref().is_some_and(|contact| {
                contact.name == entry.name && contact.entry.verify_key == entry.verify_key
            })
        });
        known.map(|peer| peer.alias())
    }

    /// This node's abTARS peers as a `peers.json`, with every field of the files that they came
    /// from. Without `secrets` the private key and the tokens are left out.
    ///
    /// # Errors
    /// `STORE_DAMAGED` where an entry cannot be opened any more.
    pub fn export_abtars(&self, secrets: bool) -> Result<AbtarsExport, Problem> {
        let frame = self.abtars.settings().frame;
        let mut file = frame
            .and_then(|sealed| STANDARD.decode(sealed).ok())
            .and_then(|sealed| self.identity.seal.open(FRAME, &sealed))
            .and_then(|plain| PeersFile::parse(std::str::from_utf8(&plain).ok()?).ok())
            .unwrap_or_default();
        file.set_own_name(&self.abtars_name());
        if secrets {
            file.set_signing_key(self.abtars_key());
        }
        for peer in self.peers.all() {
            let record = peer.record();
            let Some(contact) = &record.contact else {
                continue;
            };
            let sealed = record.row.sealed_token.as_deref();
            let own = sealed
                .and_then(|sealed| open(&contact.name, sealed, &self.identity))
                .ok_or_else(|| {
                    Problem::new(Code::StoreDamaged)
                        .because(format!("The entry of {} cannot be opened.", peer.alias()))
                })?;
            file.take_over(&own);
            if let Some(address) = record.row.addresses.first() {
                file.set_address(&contact.name, address);
            }
        }
        let redacted = !secrets && file.redact();
        Ok(AbtarsExport {
            text: file.to_json().to_string(),
            redacted: redacted || !secrets,
        })
    }
}
