//! How a problem looks to front ends.
//!
//! The type itself is [`tieline_wire::problem::Problem`]; these describe its JSON in the OpenAPI
//! documents, from which front ends make their types.

use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A failure in words for a person.
#[derive(Debug, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemSchema {
    /// Stable code, for programs.
    pub code: String,
    /// What failed, in a sentence.
    pub summary: String,
    /// The likely cause.
    pub cause: String,
    /// What to do about it.
    pub remedy: String,
    /// How far it had come, for failures on the way to a peer.
    pub phase: Option<PhaseSchema>,
    /// Facts of this case.
    #[schema(value_type = Option<Object>)]
    pub detail: Option<Map<String, Value>>,
}

/// How far an exchange with a peer had come when it failed.
#[derive(Debug, serde::Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Phase)]
pub enum PhaseSchema {
    /// Finding the address behind a name.
    Resolve,
    /// Opening the connection.
    Connect,
    /// The TLS handshake.
    Tls,
    /// Comparing the peer's key with the pinned one.
    Pin,
    /// Showing who we are, and being accepted.
    Auth,
    /// Rates and sizes.
    Limit,
    /// Storing the message, here or there.
    Store,
    /// Whatever answers at the peer.
    Responder,
}
