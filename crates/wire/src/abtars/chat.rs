//! `POST /v1/chat/completions`: the question and its answer, in the shape of OpenAI's API.
//!
//! A server takes the last message only, whatever its role, and ignores everything else in the
//! body. It answers whole; nothing is streamed.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::{Generation, clock};
use crate::time::UnixMillis;

/// The route of an ask.
pub const PATH: &str = "/v1/chat/completions";
/// The model that abTARS clients name.
pub const DEFAULT_MODEL: &str = "default";
/// Hops an ask starts with, unless the file says otherwise.
pub const MAX_HOPS: u32 = 12;

/// A question as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatRequest {
    /// The model asked for; it means nothing, and is echoed.
    pub model: String,
    /// Content of the last message, its tag still on; never empty.
    pub content: String,
}

/// Texts that are acknowledged and never given to whoever answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Special {
    /// `[NO-REPLY]` anywhere, in any case: the peer does not want an answer.
    NoReply,
    /// `[CB-RESPONSE]` at the beginning: the answer to a callback.
    CallbackResponse,
}

impl ChatRequest {
    /// Reads a body as a server of this generation does.
    ///
    /// # Errors
    /// [`Refusal::InvalidJson`], [`Refusal::EmptyPrompt`], or [`Refusal::Internal`] for what makes
    /// the real server fail: no JSON (current generation), or a content that is not text.
    pub fn parse(body: &[u8], generation: Generation) -> Result<Self, Refusal> {
        let body: Value = serde_json::from_slice(body).map_err(|_| match generation {
            Generation::Current => Refusal::Internal,
            Generation::Legacy => Refusal::InvalidJson,
        })?;
        if body.is_null() {
            return Err(Refusal::Internal);
        }
        let last = body
            .get("messages")
            .and_then(Value::as_array)
            .and_then(|messages| messages.last());
        let content = match last.and_then(|message| message.get("content")) {
            Some(Value::String(text)) if !text.is_empty() => text.clone(),
            None | Some(Value::Null | Value::String(_) | Value::Bool(false)) => {
                return Err(Refusal::EmptyPrompt);
            }
            Some(Value::Number(number)) if number.as_f64() == Some(0.0) => {
                return Err(Refusal::EmptyPrompt);
            }
            Some(_) => return Err(Refusal::Internal),
        };
        let model = match body.get("model") {
            Some(Value::String(model)) if !model.is_empty() => model.clone(),
            _ => DEFAULT_MODEL.to_owned(),
        };
        Ok(Self { model, content })
    }

    /// The body as abTARS clients write it, for a content with its tag already on.
    #[must_use]
    pub fn body(content: &str) -> String {
        json!({"model": DEFAULT_MODEL, "messages": [{"role": "user", "content": content}]})
            .to_string()
    }
}

impl Special {
    /// What a text, without its tag, asks for besides or instead of an answer.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        const NO_REPLY: &[u8] = b"[NO-REPLY]";
        let says_no_reply = text
            .as_bytes()
            .windows(NO_REPLY.len())
            .any(|window| window.eq_ignore_ascii_case(NO_REPLY));
        if says_no_reply {
            Some(Self::NoReply)
        } else if text.starts_with("[CB-RESPONSE]") {
            Some(Self::CallbackResponse)
        } else {
            None
        }
    }

    /// The answer's body; its status is 200.
    #[must_use]
    pub fn body(self) -> String {
        let id = match self {
            Self::NoReply => "no-reply",
            Self::CallbackResponse => "cb-ack",
        };
        json!({"id": id, "object": "chat.completion", "choices": [choice("")]}).to_string()
    }
}

/// The body of an answer; its status is 200. `id` is a UUID in text.
#[must_use]
pub fn completion_body(id: &str, model: &str, text: &str, now: UnixMillis) -> String {
    json!({
        "id": format!("chatcmpl-{id}"),
        "object": "chat.completion",
        "created": now.as_seconds(),
        "model": model,
        "choices": [choice(text)],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    })
    .to_string()
}

fn choice(text: &str) -> Value {
    json!({
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": "stop",
    })
}

/// An answer as a client reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The text. Empty where the peer swallowed the question, for example because the text held
    /// `[NO-REPLY]`; that is not an answer, and should not be shown as one.
    pub text: String,
    /// The answer's id.
    pub id: Option<String>,
}

impl Answer {
    /// Reads a body of status 200; `None` if it is not JSON. A missing text is an empty one.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Self> {
        let body: Value = serde_json::from_slice(body).ok()?;
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        Some(Self {
            text: text(body.pointer("/choices/0/message/content")).unwrap_or_default(),
            id: text(body.get("id")),
        })
    }
}

/// The hops that a request has left by its `X-Peer-Hops`: `None` is no limit.
///
/// Texts that do not begin with a number are ignored, as abTARS does.
///
/// # Errors
/// [`Refusal::HopExceeded`] at zero and below.
pub fn hops(header: Option<&str>) -> Result<Option<u32>, Refusal> {
    match header.and_then(clock::lenient_integer) {
        None => Ok(None),
        Some(hops) if hops <= 0 => Err(Refusal::HopExceeded),
        Some(hops) => Ok(Some(u32::try_from(hops).unwrap_or(u32::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &Value) -> Result<ChatRequest, Refusal> {
        ChatRequest::parse(body.to_string().as_bytes(), Generation::Current)
    }

    #[test]
    fn only_the_last_message_counts() {
        let request = parse(&json!({"stream": true, "messages": [
            {"role": "user", "content": "first"},
            {"role": "whoever", "content": "last"},
        ]}));
        let expected = ChatRequest {
            model: "default".to_owned(),
            content: "last".to_owned(),
        };
        assert_eq!(request, Ok(expected));
    }

    #[test]
    fn bodies_without_text_are_refused_as_documented() {
        let with = |content: Value| json!({"messages": [{"role": "user", "content": content}]});
        for (body, refusal) in [
            (json!({}), Refusal::EmptyPrompt),
            (json!("text"), Refusal::EmptyPrompt),
            (json!({"messages": []}), Refusal::EmptyPrompt),
            (json!({"messages": [7]}), Refusal::EmptyPrompt),
            (with(json!("")), Refusal::EmptyPrompt),
            (with(Value::Null), Refusal::EmptyPrompt),
            (
                with(json!([{"type": "text", "text": "x"}])),
                Refusal::Internal,
            ),
            (with(json!({"text": "x"})), Refusal::Internal),
            (with(json!(5)), Refusal::Internal),
            (Value::Null, Refusal::Internal),
        ] {
            assert_eq!(parse(&body), Err(refusal), "{body}");
        }
    }

    #[test]
    fn the_generations_differ_on_what_is_not_json() {
        for (generation, refusal) in [
            (Generation::Current, Refusal::Internal),
            (Generation::Legacy, Refusal::InvalidJson),
        ] {
            assert_eq!(ChatRequest::parse(b"{", generation), Err(refusal));
        }
    }

    #[test]
    fn special_texts_are_found_and_answered() {
        for (text, special) in [
            ("thanks [no-Reply] bye", Some(Special::NoReply)),
            ("[CB-RESPONSE] 7", Some(Special::CallbackResponse)),
            ("a [CB-RESPONSE]", None),
            ("[cb-response]", None),
            ("[NO REPLY]", None),
            ("é", None),
        ] {
            assert_eq!(Special::of(text), special, "{text}");
        }
        assert_eq!(
            Special::NoReply.body(),
            r#"{"id":"no-reply","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":""},"finish_reason":"stop"}]}"#
        );
    }

    #[test]
    fn a_client_reads_what_a_server_writes() {
        let body = completion_body("u", "default", "I'm awake", UnixMillis(1_767_225_600_000));
        assert!(body.starts_with(
            r#"{"id":"chatcmpl-u","object":"chat.completion","created":1767225600,"model":"default","choices":[{"index":0,"#
        ));
        let answer = Answer::parse(body.as_bytes()).unwrap();
        assert_eq!(answer.text, "I'm awake");
        assert_eq!(Answer::parse(b"{}").unwrap().text, "");
        assert_eq!(Answer::parse(b"<html>"), None);
    }

    #[test]
    fn hops_are_counted_only_where_they_are_a_number() {
        for (header, left) in [
            (None, Ok(None)),
            (Some("many"), Ok(None)),
            (Some("12"), Ok(Some(12))),
            (Some("99999999999999"), Ok(Some(u32::MAX))),
            (Some("0"), Err(Refusal::HopExceeded)),
            (Some("-3"), Err(Refusal::HopExceeded)),
        ] {
            assert_eq!(hops(header), left, "{header:?}");
        }
    }
}
