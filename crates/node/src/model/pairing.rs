//! Invites and joining as front ends see them.

use serde::{Deserialize, Serialize};
use tieline_wire::fingerprint::Fingerprint;
use tieline_wire::problem::Problem;
use utoipa::ToSchema;

use super::{PeerView, PingView};

/// Where an invite stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum InviteState {
    /// Waiting for a machine.
    Open,
    /// A machine joined with it.
    Joined,
    /// Its time ran out.
    Expired,
    /// Taken back.
    Cancelled,
    /// Closed after five wrong proofs.
    Locked,
}

/// An invite. The link is a bearer capability: whoever holds it can join. `Debug` does not show it.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InviteView {
    /// Names the invite; not secret.
    pub id: String,
    /// The link, while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Where it stands.
    pub state: InviteState,
    /// When it was made.
    pub created_at: String,
    /// When it runs out, by this machine's clock.
    pub expires_at: String,
    /// Milliseconds left.
    pub expires_in_ms: u64,
    /// This node's certificate fingerprint, which the joiner is shown.
    pub fingerprint: String,
    /// The same as 24 words.
    pub words: Vec<String>,
    /// The peer that joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined_peer: Option<String>,
}

impl std::fmt::Debug for InviteView {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("InviteView")
            .field("id", &self.id)
            .field("link", &self.link.as_ref().map(|_| "secret"))
            .field("state", &self.state)
            .field("joined_peer", &self.joined_peer)
            .finish_non_exhaustive()
    }
}

/// What a link says, before anything is sent.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LinkPreview {
    /// What the inviter calls itself.
    pub name: String,
    /// Where it will be dialled.
    pub addresses: Vec<String>,
    /// The inviter's certificate fingerprint.
    pub fingerprint: String,
    /// As sixteen groups of four hex digits.
    pub fingerprint_groups: Vec<String>,
    /// As 24 words.
    pub words: Vec<String>,
}

/// Whether the new peer could dial this node.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PingIn {
    /// Whether it worked.
    pub ok: bool,
    /// Round trip in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<super::ProblemSchema>)]
    pub problem: Option<Problem>,
}

/// The outcome of joining.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JoinView {
    /// The new peer.
    pub peer: PeerView,
    /// The ping to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ping_out: Option<PingView>,
    /// Why that ping failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<super::ProblemSchema>)]
    pub ping_out_problem: Option<Problem>,
    /// The ping from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ping_in: Option<PingIn>,
}

/// A fingerprint in every form in which people compare it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FingerprintView {
    /// `SHA256:AA:BB…`.
    pub fingerprint: String,
    /// As sixteen groups of four hex digits.
    pub fingerprint_groups: Vec<String>,
    /// As 24 words.
    pub words: Vec<String>,
}

impl From<Fingerprint> for FingerprintView {
    fn from(fingerprint: Fingerprint) -> Self {
        let words = fingerprint.words().into_iter();
        Self {
            fingerprint: fingerprint.to_string(),
            fingerprint_groups: fingerprint.groups().to_vec(),
            words: words.map(str::to_owned).collect(),
        }
    }
}

/// A pasted fingerprint, certificate or card held against the known peers, this node, and what is
/// expected.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CompareView {
    /// What was pasted, as a fingerprint.
    #[serde(flatten)]
    pub pasted: FingerprintView,
    /// The peer whose fingerprint it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches_peer: Option<String>,
    /// Whether it is this node's own.
    pub is_own: bool,
    /// What was expected, where the caller named that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<FingerprintView>,
    /// Whether it is what was expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same: Option<bool>,
    /// The first group, from 0 to 15, that is not what was expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_difference: Option<usize>,
}

/// What a pasted text says of another machine, before anything is stored or sent.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PresentedView {
    /// `card`, `pem`, `peersJson` or `parts`.
    pub form: String,
    /// As what it would be added: `tieline`, or `abtars` with that dialect's weaker guarantees.
    pub dialect: String,
    /// What the machine calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The name it would get here: its own, made to fit among the peers.
    pub suggested_alias: String,
    /// Where it would be dialled.
    pub addresses: Vec<String>,
    /// Its certificate's fingerprint.
    #[serde(flatten)]
    pub fingerprint: FingerprintView,
    /// Id of its signing key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// Whether its certificate is not in the text: it is fetched from one of the addresses when the
    /// machine is added, and must have this fingerprint.
    pub certificate_is_fetched: bool,
    /// Whether it is this node itself.
    pub is_own: bool,
    /// The peer with this fingerprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches_peer: Option<String>,
    /// Why it cannot be added as it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<super::ProblemSchema>)]
    pub problem: Option<Problem>,
}

/// What this node gives to another machine, ready to be pasted there. Holds no secret.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SwapOffer {
    /// The card as JSON.
    pub card: String,
    /// The card as PEM blocks with lines before them.
    pub pem: String,
    /// Addresses, fingerprint and key, one a line, to be read aloud or typed.
    pub parts: String,
    /// A command for a terminal there that runs Tieline.
    pub command: String,
    /// An entry for the `peers.json` of a machine that runs abTARS.
    pub peers_json: String,
    /// Name of a file for the card, without its ending.
    pub file_name: String,
    /// This node's fingerprint.
    #[serde(flatten)]
    pub fingerprint: FingerprintView,
}
