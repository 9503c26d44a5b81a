//! Messages, attempts and receipts as front ends see them.

use serde::{Deserialize, Serialize};
use tieline_wire::problem::Problem;
use utoipa::ToSchema;

use super::Via;

/// How long each phase of a try took, in milliseconds; absent when it was not reached.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PhaseTimings {
    /// Name look-up and TCP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_ms: Option<f64>,
    /// TLS handshake with the pin check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_ms: Option<f64>,
    /// What came before the first request on a new connection: HTTP/2, and the pair's token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_ms: Option<f64>,
    /// Request, the peer's store, and its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_ms: Option<f64>,
}

/// One try over one route.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttemptView {
    /// `lan` or `relay`.
    pub route: String,
    /// `success` or `failed`.
    pub status: String,
    /// Time it took in milliseconds; 0 when nothing was tried.
    pub latency_ms: f64,
    /// What failed, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// On a relay attempt that worked: `delivered` or `queued`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relay_status: Option<String>,
    /// Counts the tries for a message from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ordinal: Option<i64>,
    /// Direct, or over the held connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<Via>,
    /// Address used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Phase reached: resolve, connect, tls, pin, auth, limit, store or responder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// Stable code of the failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The failure with cause and remedy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<super::ProblemSchema>)]
    pub problem: Option<Problem>,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// Time per phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timings: Option<PhaseTimings>,
}

/// A message that was sent, or accepted into the outbox.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SendOutcome {
    /// Always true.
    pub ok: bool,
    /// Names the message on every route and retry.
    pub message_id: String,
    /// The peer as the caller wrote it.
    pub target: String,
    /// `dm` or `group`.
    pub target_type: String,
    /// The route it took, or will be tried on.
    pub route: String,
    /// `delivered` or `queued`.
    pub status: String,
    /// What backs the status: `signed`, `claimed` or `none`.
    pub evidence: String,
    /// Every try.
    pub attempts: Vec<AttemptView>,
    /// Time of this answer.
    pub timestamp: String,
}

/// A message that was not delivered.
#[derive(Debug, Clone)]
pub struct SendFailure {
    /// Why.
    pub problem: Problem,
    /// Every try; absent when nothing could be tried.
    pub attempts: Option<Vec<AttemptView>>,
    /// Its id, when it was accepted into the outbox before it failed.
    pub message_id: Option<String>,
    /// `failed`: nothing was stored. `unconfirmed`: zero or one copy, resolved at the next contact.
    pub status: Option<String>,
}

/// A message, either direction.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageView {
    /// Place in this node's store; pages are keyed by it.
    pub seq: i64,
    /// Names the message on both sides.
    pub message_id: String,
    /// `in` or `out`.
    pub direction: String,
    /// The peer's name here.
    pub peer: String,
    /// Payload type.
    pub r#type: String,
    /// Payload text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Whole payload; absent after its retention time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub payload: Option<serde_json::Value>,
    /// When the sender made it, by the sender's clock.
    pub sent_at: String,
    /// When this node stored it.
    pub created_at: String,
    /// Out: `queued`, `sending`, `delivered`, `failed`, `unconfirmed`. In: `new`, `read`, `handedOver`, `acknowledged`.
    pub state: String,
    /// In: how surely it is from that peer: `signed` by its own key, `sharedSecret`, or `unauthenticated`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assurance: Option<String>,
    /// What backs `delivered`: `signed`, `claimed` or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// Why it failed or waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<super::ProblemSchema>)]
    pub problem: Option<Problem>,
    /// Length of the payload's JSON in bytes, also after its retention time.
    pub bytes: u64,
    /// Until when an outgoing message in the queue is tried; sleep of this machine counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// When an outgoing message was delivered or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<String>,
    /// When the person read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<String>,
    /// When an agent, or the peer's, got it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_over_at: Option<String>,
    /// When the agent, or the peer's agent, acknowledged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<String>,
}

/// A page of messages.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessagePage {
    /// The messages.
    pub messages: Vec<MessageView>,
    /// Give this as `before` (or `after`, when paging forward) for the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<i64>,
}

/// A signed word of the peer (out) or of this node (in).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptView {
    /// `stored`, `handedOver`, `acknowledged` or `refused`.
    pub stage: String,
    /// When it was made or came.
    pub at: String,
    /// The store that holds the copy.
    pub store_id: String,
    /// Ed25519 signature, base64.
    pub signature: String,
}

/// A message with all that happened to it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MessageDetail {
    /// The message.
    pub message: MessageView,
    /// Every try, oldest first.
    pub attempts: Vec<AttemptView>,
    /// Every receipt, oldest first.
    pub receipts: Vec<ReceiptView>,
}

/// An outgoing message with its way.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryView {
    /// The message.
    pub message: MessageView,
    /// The last tries, oldest first; at most twenty.
    pub attempts: Vec<AttemptView>,
    /// How many tries there were in all.
    pub attempt_count: u64,
    /// Every receipt, oldest first.
    pub receipts: Vec<ReceiptView>,
}

/// A page of outgoing messages, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DeliveryPage {
    /// The messages.
    pub deliveries: Vec<DeliveryView>,
    /// Give this as `before` for the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<i64>,
}

/// What went back and forth with one peer, in a line.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConversationView {
    /// The peer's name here.
    pub peer: String,
    /// Its dialect: `tieline`, `kithkit` or `abtars`.
    pub dialect: String,
    /// Whether the last exchange with it worked.
    pub online: bool,
    /// Why it is not reached, where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<super::ProblemSchema>)]
    pub problem: Option<Problem>,
    /// Whether its messages make no notification.
    pub muted: bool,
    /// The newest message, either direction; absent where there is none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<MessageView>,
    /// Incoming messages not yet read.
    pub unread: u64,
    /// Messages waiting in the outbox.
    pub queued: u64,
    /// Messages whose delivery is not known yet.
    pub unconfirmed: u64,
    /// Its questions that wait for the person.
    pub asks: u64,
}

/// A ping that was answered.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PingView {
    /// The peer's name here.
    pub peer: String,
    /// Round trip of the request alone, in milliseconds.
    pub latency_ms: f64,
    /// `lan` or `relay`.
    pub route: String,
    /// Direct, or over the held connection.
    pub via: Via,
    /// Address used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The peer's clock minus ours, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_offset_ms: Option<i64>,
    /// Every try.
    pub attempts: Vec<AttemptView>,
}

/// A ping that was not answered.
#[derive(Debug, Clone)]
pub struct PingFailure {
    /// Why.
    pub problem: Problem,
    /// Every try.
    pub attempts: Vec<AttemptView>,
}
