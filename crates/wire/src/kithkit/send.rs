use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::payload::{MAX_LENGTH, measured_length, normalise};
use crate::problem::{Code, Problem};

/// How a message may travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Route {
    /// Whatever works, in the configured order.
    #[default]
    Auto,
    /// Directly, or not at all.
    Lan,
    /// Through the relay, or not at all.
    Relay,
}

impl Route {
    /// The name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Lan => "lan",
            Self::Relay => "relay",
        }
    }
}

/// Whom a message is for, as the caller spelt it; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// `to`: one peer.
    Peer(String),
    /// `group`: a group's name or id.
    Group(String),
}

/// A valid body of `POST /api/a2a/send`, its payload normalised and of a length that will not be
/// cut anywhere.
#[derive(Debug, Clone, PartialEq)]
pub struct SendRequest {
    /// Whom it is for.
    pub target: Target,
    /// The payload: has a non-empty string `type`.
    pub payload: Map<String, Value>,
    /// The route asked for.
    pub route: Route,
    /// The caller's own message id, if `messageId` is a string; checked by whoever uses it.
    pub message_id: Option<String>,
}

/// Why a send request was refused before anything was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SendRefusal {
    /// The documented code.
    pub code: Code,
    /// The documented `error` text.
    pub message: String,
    /// With [`Code::PayloadTooLarge`]: the length found, in UTF-16 code units.
    pub actual_length: Option<usize>,
    /// With [`Code::PayloadTooLarge`]: the length allowed.
    pub max_length: Option<usize>,
}

impl SendRequest {
    /// Checks a body in the documented order; the first failure answers. An empty body is `{}`.
    ///
    /// # Errors
    /// [`SendRefusal`] with one of `INVALID_REQUEST`, `INVALID_TARGET`, `INVALID_ROUTE` and
    /// `PAYLOAD_TOO_LARGE`.
    pub fn parse(body: &[u8]) -> Result<Self, SendRefusal> {
        let body = if body.is_empty() { b"{}" } else { body };
        let body = serde_json::from_slice(body)
            .map_err(|_| SendRefusal::new(Code::InvalidRequest, "Invalid JSON"))?;
        match body {
            Value::Object(fields) => Self::from_fields(fields),
            Value::Array(_) => Self::from_fields(Map::new()),
            _ => Err(SendRefusal::new(
                Code::InvalidRequest,
                "The request body must be a JSON object",
            )),
        }
    }

    /// Checks the fields of a body that was already parsed, in the same order.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn from_fields(fields: Map<String, Value>) -> Result<Self, SendRefusal> {
        let request = Self::of_any_length(fields)?;
        request.check_length()?;
        request.check_name()?;
        Ok(request)
    }

    /// The checks before the length, for callers whose limit depends on who the recipient is.
    /// [`check_length`](Self::check_length) or their own, then [`check_name`](Self::check_name)
    /// must follow. The payload is normalised.
    ///
    /// # Errors
    /// [`SendRefusal`] with one of `INVALID_REQUEST`, `INVALID_TARGET` and `INVALID_ROUTE`.
    pub fn of_any_length(mut fields: Map<String, Value>) -> Result<Self, SendRefusal> {
        let target = target(fields.remove("to"), fields.remove("group"))?;
        let mut payload = payload(fields.remove("payload"))?;
        let route = route(fields.remove("route").as_ref())?;
        if route == Route::Lan && matches!(target, Target::Group(_)) {
            return Err(SendRefusal::new(
                Code::InvalidRoute,
                "Groups travel over the relay: 'route' cannot be 'lan' with 'group'",
            ));
        }
        normalise(&mut payload);
        let message_id = match fields.remove("messageId") {
            Some(Value::String(id)) => Some(id),
            _ => None,
        };
        Ok(Self {
            target,
            payload,
            route,
            message_id,
        })
    }

    /// Refuses what a KithKit receiver would cut off.
    ///
    /// # Errors
    /// [`SendRefusal`] with `PAYLOAD_TOO_LARGE`.
    pub fn check_length(&self) -> Result<(), SendRefusal> {
        let length = measured_length(&self.payload);
        if length > MAX_LENGTH {
            return Err(SendRefusal::too_large(length));
        }
        Ok(())
    }

    /// Refuses a name of the relay on the LAN.
    ///
    /// # Errors
    /// [`SendRefusal`] with `INVALID_ROUTE`.
    pub fn check_name(&self) -> Result<(), SendRefusal> {
        match &self.target {
            Target::Peer(name) if self.route == Route::Lan && name.contains('@') => {
                Err(SendRefusal::new(
                    Code::InvalidRoute,
                    "A name with @ belongs to the relay: 'route' cannot be 'lan' with it",
                ))
            }
            _ => Ok(()),
        }
    }

    /// The payload as compact JSON.
    #[must_use]
    pub fn payload_json(&self) -> String {
        Value::Object(self.payload.clone()).to_string()
    }
}

fn target(to: Option<Value>, group: Option<Value>) -> Result<Target, SendRefusal> {
    let refuse = |message: &str| Err(SendRefusal::new(Code::InvalidTarget, message));
    let named = |name: &str| !name.trim().is_empty();
    let present = |value: Option<Value>| value.filter(|value| !value.is_null());
    match (present(to), present(group)) {
        (None, None) => refuse("One of 'to' and 'group' is required"),
        (Some(_), Some(_)) => refuse("Only one of 'to' and 'group' may be given"),
        (Some(Value::String(to)), None) if named(&to) => Ok(Target::Peer(to)),
        (None, Some(Value::String(group))) if named(&group) => Ok(Target::Group(group)),
        (Some(_), None) => refuse("'to' must be a non-empty string"),
        (None, Some(_)) => refuse("'group' must be a non-empty string"),
    }
}

fn payload(payload: Option<Value>) -> Result<Map<String, Value>, SendRefusal> {
    let refuse = |message: &str| Err(SendRefusal::new(Code::InvalidRequest, message));
    match payload {
        Some(Value::Object(payload)) => match payload.get("type") {
            Some(Value::String(name)) if !name.is_empty() => Ok(payload),
            _ => refuse("'payload.type' is required and must be a non-empty string"),
        },
        _ => refuse("'payload' is required and must be an object"),
    }
}

fn route(route: Option<&Value>) -> Result<Route, SendRefusal> {
    match route.map(Value::as_str) {
        None | Some(Some("auto")) => Ok(Route::Auto),
        Some(Some("lan")) => Ok(Route::Lan),
        Some(Some("relay")) => Ok(Route::Relay),
        Some(_) => Err(SendRefusal::new(
            Code::InvalidRoute,
            "'route' must be 'auto', 'lan' or 'relay'",
        )),
    }
}

impl SendRefusal {
    fn new(code: Code, message: &str) -> Self {
        Self {
            code,
            message: message.to_owned(),
            actual_length: None,
            max_length: None,
        }
    }

    fn too_large(length: usize) -> Self {
        Self {
            code: Code::PayloadTooLarge,
            message: format!(
                "The message has {length} characters, and at most {MAX_LENGTH} are delivered whole; nothing was sent"
            ),
            actual_length: Some(length),
            max_length: Some(MAX_LENGTH),
        }
    }
}

impl From<SendRefusal> for Problem {
    fn from(refusal: SendRefusal) -> Self {
        let mut problem = Self::new(refusal.code).because(format!("{}.", refusal.message));
        if let (Some(actual), Some(max)) = (refusal.actual_length, refusal.max_length) {
            problem = problem.with("actualLength", actual).with("maxLength", max);
        }
        problem
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(body: Value) -> Result<SendRequest, SendRefusal> {
        SendRequest::parse(body.to_string().as_bytes())
    }

    #[test]
    fn a_good_request_is_normalised_and_keeps_the_callers_spelling() {
        let request = parse(json!({
            "to": "BMO", "payload": {"type": "text", "message": {"content": "hi"}, "extra": [1]}, "other": true,
        }))
        .unwrap();
        assert_eq!(request.target, Target::Peer("BMO".to_owned()));
        assert_eq!(request.route, Route::Auto);
        assert_eq!(
            request.payload_json(),
            r#"{"type":"text","extra":[1],"text":"hi"}"#
        );
        assert_eq!(request.message_id, None);
    }

    #[test]
    fn null_counts_as_absent_for_targets_but_not_for_routes() {
        let payload = json!({"type": "text"});
        let group = parse(json!({"to": null, "group": "g", "payload": payload})).unwrap();
        assert_eq!(group.target, Target::Group("g".to_owned()));
        let refusal = parse(json!({"to": "a", "payload": payload, "route": null})).unwrap_err();
        assert_eq!(refusal.code, Code::InvalidRoute);
        let blank = parse(json!({"to": " ", "payload": payload})).unwrap_err();
        assert_eq!(blank.code, Code::InvalidTarget);
    }

    #[test]
    fn the_length_is_measured_after_normalising_and_both_numbers_are_told() {
        let long = "x".repeat(MAX_LENGTH + 1);
        let refusal =
            parse(json!({"to": "a", "payload": {"type": "t", "message": {"content": long}}}))
                .unwrap_err();
        assert_eq!(
            (refusal.actual_length, refusal.max_length),
            (Some(3501), Some(3500))
        );
        assert!(refusal.message.contains("3501") && refusal.message.contains("3500"));
        let problem = Problem::from(refusal);
        assert_eq!(
            (problem.code, problem.status()),
            (Code::PayloadTooLarge, 413)
        );
        assert!(
            parse(json!({"to": "a", "payload": {"type": "t", "text": "x".repeat(MAX_LENGTH)}}))
                .is_ok()
        );
    }

    #[test]
    fn size_is_refused_before_a_qualified_name_on_lan() {
        let body = |text: &str| json!({"to": "a@b", "route": "lan", "payload": {"type": "t", "text": text}});
        assert_eq!(
            parse(body(&"x".repeat(4000))).unwrap_err().code,
            Code::PayloadTooLarge
        );
        assert_eq!(parse(body("x")).unwrap_err().code, Code::InvalidRoute);
    }

    #[test]
    fn a_message_id_is_passed_on_only_as_text() {
        let request = |id: Value| {
            parse(json!({"to": "a", "payload": {"type": "t"}, "messageId": id})).unwrap()
        };
        assert_eq!(request(json!("m-1")).message_id.as_deref(), Some("m-1"));
        assert_eq!(request(json!(7)).message_id, None);
    }
}
