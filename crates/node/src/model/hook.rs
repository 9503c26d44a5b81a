//! Hooks: what takes the messages of peers on this machine.

use serde::{Deserialize, Serialize};
use tieline_wire::problem::Problem;
use utoipa::ToSchema;

/// What takes a peer's messages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "camelCase", deny_unknown_fields)]
pub enum Hook {
    /// Nothing: messages wait in the inbox until somebody fetches them.
    #[default]
    None,
    /// A program with fixed arguments; each message is JSON on its standard input.
    #[serde(rename_all = "camelCase")]
    Command {
        /// Program and arguments, never through a shell.
        argv: Vec<String>,
        /// Seconds it may take for one message.
        #[serde(default = "hook_timeout")]
        timeout_seconds: u64,
    },
    /// An address on this machine that each message is posted to as JSON.
    #[serde(rename_all = "camelCase")]
    Webhook {
        /// Such as `http://127.0.0.1:8080/tieline`; nothing else is ever contacted.
        url: String,
        /// Name of the secret whose HMAC-SHA256 over the body goes into `X-Tieline-Signature`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        secret: Option<String>,
        /// Seconds it may take for one message.
        #[serde(default = "hook_timeout")]
        timeout_seconds: u64,
    },
}

/// A hook and how it does.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HookView {
    /// The peer's name here; absent for the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// What takes its messages.
    pub hook: Hook,
    /// Whether that is the default, because the peer has none of its own.
    pub is_default: bool,
    /// Messages still to be handed over.
    pub waiting: u64,
    /// Messages given up after too many tries; *retry* takes them up again.
    pub given_up: u64,
    /// Why the last try failed, until one works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<super::ProblemSchema>)]
    pub last_problem: Option<Problem>,
}

/// What came of trying a hook with a message made up for it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HookTrial {
    /// Whether it took the message.
    pub ok: bool,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
    /// What it printed or answered, at most the first 2,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// Why it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<super::ProblemSchema>)]
    pub problem: Option<Problem>,
}

const fn hook_timeout() -> u64 {
    30
}
