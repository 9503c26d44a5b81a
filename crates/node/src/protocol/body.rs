//! Bodies of requests and answers, JSON.

use serde::{Deserialize, Serialize};
use tieline_wire::pairing::PairProof;
use tieline_wire::problem::Problem;
use tieline_wire::receipt::Receipt;

/// `pair/hello`: which invite, and who comes. The card travels as text so that both sides hash the
/// same bytes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct HelloBody {
    /// Base64 of the 16-byte invite id.
    pub invite_id: String,
    /// The joiner's card, JSON.
    pub card: String,
}

/// The inviter's card, JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HelloAnswer {
    /// The card.
    pub card: String,
}

/// `pair/prove`: the joiner's proof.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ProveBody {
    /// The proof.
    pub proof: PairProof,
}

/// The inviter's proof.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProveAnswer {
    /// The proof.
    pub proof: PairProof,
}

/// The pair stands on both sides.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConfirmAnswer {
    /// Always true.
    pub ok: bool,
}

/// The pair's token was made from this connection.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BindAnswer {
    /// Always true.
    pub ok: bool,
}

/// `ping`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PingBody {
    /// The sender's wall clock, Unix milliseconds.
    pub at: i64,
    /// Where the sender can be dialled now, as it believes.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// Names the sender's database, base64.
    pub store_id: String,
}

/// Answer to a ping.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PingAnswer {
    /// The answerer's wall clock, Unix milliseconds.
    pub at: i64,
    /// Where the answerer can be dialled, as it believes.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// Names the answerer's database, base64.
    pub store_id: String,
}

/// Whether the answerer could dial the asker just now.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReachAnswer {
    /// Whether it could.
    pub ok: bool,
    /// Round trip of a ping, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// The address that worked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Why it could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// A message is stored durably.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessageAnswer {
    /// The signed word for it.
    pub receipt: Receipt,
}

/// `resolve`: what became of these.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ResolveBody {
    /// At most 256.
    pub items: Vec<ResolveItem>,
}

/// One message asked about.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ResolveItem {
    /// Message id.
    pub id: String,
    /// Hash of its canonical form, as receipts write it.
    pub hash: String,
    /// Whether a copy that arrives later shall be refused, so that "not stored" stays true.
    pub fence: bool,
}

/// Answers in the order asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResolveAnswer {
    /// One for each.
    pub items: Vec<ResolvedItem>,
}

/// What became of one message.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResolvedItem {
    /// Message id.
    pub id: String,
    /// `stored` or `refused`; absent when it is unknown and was not to be fenced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
}

/// `stages`: later stages that the sender's messages reached here.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct StagesBody {
    /// At most 256.
    pub receipts: Vec<Receipt>,
}
