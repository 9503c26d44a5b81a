//! Invites and joining as front ends see them.

use serde::{Deserialize, Serialize};
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

/// A pasted fingerprint, certificate or card held against the known peers.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CompareView {
    /// What was pasted, as a fingerprint.
    pub fingerprint: String,
    /// As sixteen groups of four hex digits.
    pub fingerprint_groups: Vec<String>,
    /// As 24 words.
    pub words: Vec<String>,
    /// The peer whose fingerprint it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches_peer: Option<String>,
    /// Whether it is this node's own.
    pub is_own: bool,
}
