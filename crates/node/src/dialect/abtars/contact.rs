//! What is known of an abTARS peer: its entry, and what was learned and chosen since.
//!
//! The entry is kept whole, with fields that nobody knows, and sealed, since it may hold secrets.

use serde::{Deserialize, Serialize};
use tieline_store::StoreError;
use tieline_store::peers::{self, Dialect, PeerId, PeerRow};
use tieline_wire::abtars::Generation;
use tieline_wire::abtars::peers_json::{FieldUse, Live, PeerEntry, PeersFile};
use tieline_wire::problem::Problem;

use crate::identity::Identity;
use crate::model::{AbtarsFieldView, AbtarsPeerView};
use crate::pairing::set_option;

/// The generation that signs its requests.
pub(super) const CURRENT: Generation = Generation::Current;

/// Field of a peer's options with its [`Learned`].
pub(super) const OPTION: &str = "abtars";

/// What was learned of a peer, and what the person chose for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Learned {
    /// What it speaks, once that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<Generation>,
    /// Whether legacy bearers are taken from it.
    pub bearer_allowed: bool,
    /// Whether it has to tag its texts; what its entry says unless the person chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_only: Option<bool>,
}

/// An abTARS peer, ready for use.
pub(crate) struct Contact {
    /// Its `self.name`: whom it claims to be, and what its messages are tagged for.
    pub name: String,
    /// Its entry.
    pub entry: PeerEntry,
    /// The rest.
    pub learned: Learned,
}

impl Contact {
    /// Reads a row; `None` where it is no abTARS peer's, or its entry cannot be opened.
    #[must_use]
    pub(crate) fn of(row: &PeerRow, identity: &Identity) -> Option<Self> {
        if row.dialect != Dialect::Abtars {
            return None;
        }
        let name = row.suggested_name.clone()?;
        let entry = open(&name, row.sealed_token.as_deref()?, identity)?.peer(&name)?;
        Some(Self {
            name,
            entry,
            learned: learned(row),
        })
    }

    /// Whether its texts must carry a valid tag.
    #[must_use]
    pub(crate) fn is_signed_only(&self) -> bool {
        self.learned.signed_only.unwrap_or(self.entry.signed_only)
    }

    /// Whether a request with a legacy bearer is taken from it: a person said so, and it was not
    /// found to sign its requests.
    #[must_use]
    pub(crate) fn takes_bearer(&self) -> bool {
        self.learned.bearer_allowed && self.learned.generation != Some(Generation::Current)
    }

    /// What is spoken with it, for a badge.
    #[must_use]
    pub(crate) fn badge(&self) -> &'static str {
        match self.learned.generation {
            None => "abTARS, not probed yet",
            Some(Generation::Current) => "abTARS, signed requests",
            Some(Generation::Legacy) => "abTARS, shared token",
        }
    }

    /// What protects the traffic with it.
    #[must_use]
    pub(crate) fn assurance(&self) -> String {
        let connection = match self.learned.generation {
            Some(Generation::Legacy) => {
                "Encrypted, to exactly the certificate in its entry. Requests carry a token made \
                 with a secret that both machines hold: it covers neither the text nor the request, \
                 and can be used again for a minute."
            }
            _ => {
                "Encrypted, to exactly the key in its entry. Requests are signed and good once, but \
                 their signature does not say whom they are meant for; only the tag of a message does."
            }
        };
        let bearer = if self.takes_bearer() {
            " From this peer a token made with the shared secret is enough."
        } else {
            ""
        };
        format!("{connection} What it says it did is its word, without a receipt.{bearer}")
    }

    /// As front ends see it.
    #[must_use]
    pub(crate) fn view(&self) -> AbtarsPeerView {
        AbtarsPeerView {
            name: self.name.clone(),
            generation: self.learned.generation.map(|generation| {
                match generation {
                    Generation::Current => "current",
                    Generation::Legacy => "legacy",
                }
                .to_owned()
            }),
            verify_key: self.entry.verify_key.map(|key| key.to_base64()),
            has_token: self.entry.token.is_some(),
            bearer_allowed: self.learned.bearer_allowed,
            signed_only: self.is_signed_only(),
            fields: fields(&self.entry),
            remarks: remarks(&self.entry),
        }
    }
}

/// What was learned of a peer.
#[must_use]
pub(super) fn learned(row: &PeerRow) -> Learned {
    let value = row.options.get(OPTION).cloned();
    value
        .and_then(|value| serde_json::from_value(value).ok())
        .unwrap_or_default()
}

/// Changes what was learned of a peer.
///
/// # Errors
/// Those of the store.
pub(super) fn learn(
    conn: &rusqlite::Connection,
    id: PeerId,
    change: impl FnOnce(&mut Learned),
) -> Result<(), StoreError> {
    let row = peers::get(conn, id)?.ok_or_else(|| StoreError::not_found("peer"))?;
    let mut known = learned(&row);
    change(&mut known);
    set_option(conn, id, OPTION, serde_json::json!(known))
}

/// Seals a file with one peer's entry.
///
/// # Errors
/// As [`crate::seal::SealKey::seal`].
pub(super) fn seal(name: &str, file: &PeersFile, identity: &Identity) -> Result<Vec<u8>, Problem> {
    identity
        .seal
        .seal(&purpose(name), file.to_json().as_bytes())
}

/// Opens it.
#[must_use]
pub(super) fn open(name: &str, sealed: &[u8], identity: &Identity) -> Option<PeersFile> {
    let plain = identity.seal.open(&purpose(name), sealed)?;
    PeersFile::parse(std::str::from_utf8(&plain).ok()?).ok()
}

fn purpose(name: &str) -> String {
    format!("abtars-entry:{name}")
}

/// Every field of an entry.
#[must_use]
pub(super) fn fields(entry: &PeerEntry) -> Vec<AbtarsFieldView> {
    let view = |field: &FieldUse| AbtarsFieldView {
        key: field.key.clone(),
        purpose: field.field.map(|field| field.purpose().to_owned()),
        live: live(field.live).to_owned(),
    };
    entry.fields.iter().map(view).collect()
}

/// What a person should know about an entry.
#[must_use]
pub(super) fn remarks(entry: &PeerEntry) -> Vec<String> {
    entry.remarks.iter().map(ToString::to_string).collect()
}

/// For front ends.
#[must_use]
pub(super) const fn live(live: Live) -> &'static str {
    match live {
        Live::Current => "current",
        Live::Legacy => "legacy",
        Live::Both => "both",
        Live::Neither => "neither",
    }
}
