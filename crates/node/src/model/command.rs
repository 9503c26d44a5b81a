//! What front ends ask for.

use serde::{Deserialize, Serialize};
use tieline_wire::message::MessageId;
use utoipa::ToSchema;

/// Which way a message may travel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RouteChoice {
    /// LAN first, then relay, or the other way round as the preferences say.
    #[default]
    Auto,
    /// LAN only: direct, or over a connection that the peer holds.
    Lan,
    /// Relay only.
    Relay,
}

/// What becomes of a message that could not be delivered now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// Report the failure and stop (the documented behaviour).
    #[default]
    Fail,
    /// Keep it in the outbox and go on trying until it expires.
    Queue,
}

/// A message to send.
#[derive(Debug, Clone)]
pub struct SendCommand {
    /// The peer's name as the caller wrote it.
    pub to: String,
    /// The payload object, normalised.
    pub payload: serde_json::Map<String, serde_json::Value>,
    /// Which way it may travel.
    pub route: RouteChoice,
    /// The caller's own id, for retries that must not double; a new one otherwise.
    pub message_id: Option<MessageId>,
    /// What to do when no route works now.
    pub on_failure: OnFailure,
}

/// What a name in `to` means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// One peer.
    Peer {
        /// Its name here.
        alias: String,
        /// Its dialect: `tieline`, `kithkit` or `abtars`.
        dialect: String,
    },
    /// Several peers begin with it, and none is exactly it.
    Ambiguous,
    /// No peer.
    Unknown,
}

/// A peer to add without an invite.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AddPeer {
    /// What the other machine gave of itself: its card as JSON or PEM, or its address, fingerprint and
    /// key. A certificate that is missing is fetched and must have that fingerprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// The name it shall have here; suggested by the card otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A KithKit machine on the LAN, instead of a card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kithkit: Option<KithkitPeer>,
    /// An abTARS machine, instead of a card. Such an entry is also understood in `card`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abtars: Option<super::AbtarsEntry>,
}

/// A KithKit peer as its configuration names it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KithkitPeer {
    /// Its agent name; compared without case.
    pub name: String,
    /// Host name.
    pub host: String,
    /// TCP port of its LAN listener.
    pub port: u16,
    /// Address tried before the host name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
}

/// Which outgoing messages to list with their way. All given conditions must hold.
#[derive(Debug, Clone, Default)]
pub struct DeliveryQuery {
    /// Peer name.
    pub peer: Option<String>,
    /// One of the states of outgoing messages in [`super::MessageView::state`].
    pub state: Option<String>,
    /// `direct`, `held` or `relay`: tried that way at least once.
    pub over: Option<String>,
    /// `signed`, `claimed` or `none`: delivered, and resting on that.
    pub evidence: Option<String>,
    /// Only those before this `seq`.
    pub before: Option<i64>,
    /// At most this many, 1 to 100; 30 otherwise.
    pub limit: Option<u32>,
}

/// Which messages to list. All given conditions must hold.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MessageQuery {
    /// Peer name.
    pub peer: Option<String>,
    /// `in` or `out`.
    pub direction: Option<String>,
    /// A state as in [`super::MessageView::state`].
    pub state: Option<String>,
    /// Payload type.
    pub r#type: Option<String>,
    /// Words that must occur in the text.
    pub search: Option<String>,
    /// Only incoming ones not yet read.
    pub unread: Option<bool>,
    /// Only those before this `seq` (newest first).
    pub before: Option<i64>,
    /// Only those after this `seq` (oldest first).
    pub after: Option<i64>,
    /// At most this many, 1 to 500; 50 otherwise.
    pub limit: Option<u32>,
}
