//! Questions and answers as front ends see them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tieline_wire::problem::Problem;
use utoipa::ToSchema;

/// A question to a peer.
#[derive(Debug, Clone)]
pub struct AskCommand {
    /// The peer's name as the caller wrote it.
    pub to: String,
    /// The question.
    pub text: String,
    /// Machines it may still travel through.
    pub hops: Option<u8>,
    /// Ties questions together.
    pub session: Option<String>,
    /// How long the caller waits; after that the answer can be fetched by the ask's id. Without
    /// it, 330 s, or as long as the answerer says that it takes.
    pub wait: Option<Duration>,
    /// Whether the caller wants to see the answer as it comes into being.
    pub stream: bool,
}

/// Where an answer comes from, from this node's own records and not from what the peer says.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    /// The peer's name here.
    pub peer: String,
    /// Its certificate's fingerprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// When it was paired.
    pub paired_at: String,
    /// How: `link`, `swap` or `config`.
    pub paired_by: String,
    /// What backs that the answer is the peer's: `signed` or `claimed`.
    pub evidence: String,
}

/// What came of a question.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AskView {
    /// The ask's message id.
    pub ask_id: String,
    /// `answered`, `accepted` (no answer yet) or `failed`.
    pub status: String,
    /// The answer: the peer's text, untrusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untrusted_answer: Option<String>,
    /// What the peer says while it works on the answer, untrusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untrusted_note: Option<String>,
    /// Why there is no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub problem: Option<Problem>,
    /// Where it comes from.
    pub provenance: Provenance,
    /// Time of this view.
    pub timestamp: String,
}

/// A peer's question that waits for the person.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PendingAsk {
    /// The ask's message id.
    pub ask_id: String,
    /// The peer's name here.
    pub peer: String,
    /// The question: the peer's text, untrusted.
    pub text: String,
    /// When it came.
    pub received_at: String,
    /// When the asker is told that nobody answered.
    pub deadline_at: String,
}

/// What answers a peer's questions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "camelCase", deny_unknown_fields)]
pub enum Responder {
    /// Nobody; the asker is told so.
    #[default]
    Nobody,
    /// The person, in the window.
    #[serde(rename_all = "camelCase")]
    Person {
        /// Seconds until the asker is told that nobody answered.
        #[serde(default = "person_deadline")]
        deadline_seconds: u64,
    },
    /// A program with fixed arguments: the question on its standard input, the answer on its output.
    #[serde(rename_all = "camelCase")]
    Command {
        /// Program and arguments, never through a shell.
        argv: Vec<String>,
        /// Seconds it may take.
        #[serde(default = "machine_timeout")]
        timeout_seconds: u64,
    },
    /// An OpenAI-compatible endpoint on this machine.
    #[serde(rename_all = "camelCase")]
    Endpoint {
        /// Base, such as `http://127.0.0.1:11434/v1`; nothing else is ever contacted.
        url: String,
        /// Model to name.
        model: String,
        /// Seconds it may take.
        #[serde(default = "machine_timeout")]
        timeout_seconds: u64,
    },
}

const fn person_deadline() -> u64 {
    600
}

const fn machine_timeout() -> u64 {
    120
}

/// A brake on what goes back and forth with a peer within an hour.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BrakeView {
    /// The peer's name here.
    pub peer: String,
    /// `asksIn`, `asksOut` or `handovers` (messages handed to an agent here).
    pub kind: String,
    /// Used within the last hour.
    pub used: u32,
    /// Allowed within an hour.
    pub limit: u32,
    /// Whether the person is being asked for more.
    pub waiting: bool,
}
