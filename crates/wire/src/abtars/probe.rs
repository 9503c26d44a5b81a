//! Answers by which a peer is known to be alive: the agent card, which is the real liveness call,
//! and the list of models.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::refusal::Refusal;
use crate::time::UnixMillis;

/// The route of the agent card; a signed `GET`. There is no `/health` in any release.
pub const CARD_PATH: &str = "/v1/agent-card";
/// The route of the models.
pub const MODELS_PATH: &str = "/v1/models";

/// What an agent says about itself. Everything in it is the peer's claim.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentCard {
    /// Its `self.name`.
    pub name: String,
    /// Its version, often `?`.
    pub version: String,
    /// What it can do, in words of its own.
    pub capabilities: Vec<String>,
    /// How busy it is, 0 to 1.
    pub load: f64,
    /// How many sessions it runs at once.
    pub max_sessions: u32,
    /// `ready`.
    pub status: String,
}

impl Default for AgentCard {
    fn default() -> Self {
        Self {
            name: String::new(),
            version: "?".to_owned(),
            capabilities: Vec::new(),
            load: 0.0,
            max_sessions: 12,
            status: "ready".to_owned(),
        }
    }
}

impl AgentCard {
    /// Reads a card; missing fields are the defaults. `None` if it is not an object of this shape.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Self> {
        // Through a value, because a struct would also be read from an array.
        let body: Value = serde_json::from_slice(body).ok()?;
        body.is_object()
            .then(|| serde_json::from_value(body).ok())
            .flatten()
    }

    /// The body of the answer.
    #[must_use]
    pub fn to_json(&self) -> String {
        json!(self).to_string()
    }
}

/// The body of `GET /v1/models`: an agent offers itself, and itself as the default.
#[must_use]
pub fn models_body(own_name: &str, now: UnixMillis) -> String {
    let data: Vec<Value> = model_ids(own_name)
        .iter()
        .map(|id| model(id, own_name, now))
        .collect();
    json!({"object": "list", "data": data}).to_string()
}

/// The body of `GET /v1/models/:id`.
///
/// # Errors
/// [`Refusal::ModelNotFound`].
pub fn model_body(id: &str, own_name: &str, now: UnixMillis) -> Result<String, Refusal> {
    if model_ids(own_name).iter().any(|known| known == id) {
        Ok(model(id, own_name, now).to_string())
    } else {
        Err(Refusal::ModelNotFound(id.to_owned()))
    }
}

fn model_ids(own_name: &str) -> [String; 2] {
    [format!("{own_name}/default"), own_name.to_owned()]
}

fn model(id: &str, own_name: &str, now: UnixMillis) -> Value {
    json!({"id": id, "object": "model", "created": now.as_seconds(), "owned_by": own_name})
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_767_225_600_000);

    #[test]
    fn a_card_is_written_in_the_documented_order_and_read_with_gaps() {
        let card = AgentCard {
            name: "kp".to_owned(),
            capabilities: vec!["bash".to_owned()],
            ..AgentCard::default()
        };
        assert_eq!(
            card.to_json(),
            r#"{"name":"kp","version":"?","capabilities":["bash"],"load":0.0,"max_sessions":12,"status":"ready"}"#
        );
        assert_eq!(AgentCard::parse(card.to_json().as_bytes()), Some(card));
        assert_eq!(
            AgentCard::parse(br#"{"name":"x","new":1}"#).unwrap().name,
            "x"
        );
        for bad in ["", "[]", r#"["kp"]"#, r#"{"name":7}"#] {
            assert_eq!(AgentCard::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn models_are_listed_and_found_by_id() {
        assert_eq!(
            models_body("kp", NOW),
            r#"{"object":"list","data":[{"id":"kp/default","object":"model","created":1767225600,"owned_by":"kp"},{"id":"kp","object":"model","created":1767225600,"owned_by":"kp"}]}"#
        );
        assert!(model_body("kp/default", "kp", NOW).is_ok());
        assert_eq!(
            model_body("gpt", "kp", NOW),
            Err(Refusal::ModelNotFound("gpt".to_owned()))
        );
    }
}
