//! KithKit on the LAN: plain HTTP with an HMAC over the body, and the peer's unsigned word.

mod http;
mod secret;

use std::sync::Arc;

use ::http::{Method, Request, StatusCode, header};
use bytes::Bytes;
use http_body_util::Full;
use serde::Deserialize;
use tieline_store::messages::MessageRow;
use tieline_wire::kithkit::{lan_body, sign};
use tieline_wire::problem::{Code, Problem};

use self::http::ask;
use crate::clock::millis;
use crate::model::{PingFailure, PingView, Via};
use crate::node::Node;
use crate::outbox::{Delivery, Outcome};
use crate::peers::Peer;

pub(crate) use secret::LanSecret;
pub(super) use secret::{secret, secret_lately};

/// Characters of an answer that a person is shown.
const MAX_QUOTED: usize = 200;

#[derive(Deserialize)]
struct Answer {
    ok: Option<bool>,
    error: Option<String>,
}

/// Delivers one message: the addresses in order, the next one only where the last did not answer.
pub(super) async fn deliver(node: &Node, peer: &Arc<Peer>, row: &MessageRow) -> Delivery {
    let early = |problem| Delivery {
        outcome: Outcome::NotStored(problem),
        tries: Vec::new(),
    };
    let secret = match secret(node).await {
        Ok(secret) => secret,
        Err(problem) => return early(problem),
    };
    let payload = row
        .content
        .as_ref()
        .and_then(|content| content.payload.as_deref());
    let Some(Ok(serde_json::Value::Object(payload))) = payload.map(serde_json::from_str) else {
        return early(
            Problem::new(Code::StoreDamaged).because("The message's content is missing."),
        );
    };
    let body = lan_body(&node.own_name(), &payload, &row.message_id, row.sent_at);
    let signature = sign(secret.expose(), &body);
    let body = Bytes::from(body);
    let mut tries = Vec::new();
    let mut sent = false;
    let mut last = Problem::new(Code::NoAddress);
    for address in &peer.record().row.addresses {
        let request = Request::builder()
            .method(Method::POST)
            .uri("/agent/message")
            .header(header::HOST, address.to_string())
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-signature", &signature)
            .body(Full::new(body.clone()));
        let Ok(request) = request else { continue };
        let (answered, mut this) = ask(address, request).await;
        match answered {
            Ok((status, answer)) => {
                let outcome = judge(status, &answer).after_exposure(sent);
                if let Outcome::NotStored(problem) | Outcome::Unknown(problem) = &outcome {
                    this.problem = Some(problem.clone());
                }
                tries.push(this);
                return Delivery { outcome, tries };
            }
            Err(error) => {
                sent |= error.sent;
                last = error.problem.clone();
                this.problem = Some(error.problem);
                tries.push(this);
            }
        }
    }
    // One attempt over the route, whatever it tried inside: the last address tells.
    let tries = tries.pop().into_iter().collect();
    let outcome = if sent {
        Outcome::Unknown(last)
    } else {
        Outcome::NotStored(last)
    };
    Delivery { outcome, tries }
}

/// Success is a 2xx status and `ok: true`; the real daemon looks only at the latter. `ok: false`
/// and a 4xx status are refusals; any other answer does not say what became of the message.
fn judge(status: StatusCode, body: &[u8]) -> Outcome {
    let problem = |text: String| Problem::new(Code::PeerRefusedUs).summary(text);
    let short = |text: &str| text.chars().take(MAX_QUOTED).collect::<String>();
    let answer = serde_json::from_slice::<Answer>(body);
    let refused = status.is_client_error()
        || matches!(
            answer,
            Ok(Answer {
                ok: Some(false),
                ..
            })
        );
    let problem = match answer {
        Ok(Answer { ok: Some(true), .. }) if status.is_success() => return Outcome::Claimed,
        Ok(Answer {
            error: Some(error), ..
        }) => problem(short(&error)),
        Ok(_) => problem(format!(
            "The peer answered with HTTP status {} and did not confirm.",
            status.as_u16()
        )),
        Err(_) => problem(format!(
            "The peer answered with HTTP status {} and no JSON: {}",
            status.as_u16(),
            short(&String::from_utf8_lossy(body))
        )),
    };
    if refused {
        Outcome::NotStored(problem)
    } else {
        Outcome::Unknown(problem)
    }
}

/// Asks a KithKit peer whether it is alive.
///
/// # Errors
/// Why it did not answer.
pub(super) async fn ping(_node: &Node, peer: &Arc<Peer>) -> Result<PingView, PingFailure> {
    let mut attempts = Vec::new();
    let mut problem = Problem::new(Code::NoAddress);
    for address in &peer.record().row.addresses {
        let request = Request::builder()
            .uri("/health")
            .header(header::HOST, address.to_string())
            .body(Full::default());
        let Ok(request) = request else { continue };
        let (answered, mut this) = ask(address, request).await;
        match answered {
            Ok(_) => {
                let latency_ms = this.store.map(millis).unwrap_or_default();
                attempts.push(this.view());
                return Ok(PingView {
                    peer: peer.alias(),
                    latency_ms,
                    route: "lan".into(),
                    via: Via::Direct,
                    address: Some(address.to_string()),
                    clock_offset_ms: None,
                    attempts,
                });
            }
            Err(error) => {
                problem = error.problem.clone();
                this.problem = Some(error.problem);
                attempts.push(this.view());
            }
        }
    }
    Err(PingFailure { problem, attempts })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, body: &str) -> &'static str {
        let status = StatusCode::from_u16(status).unwrap_or_default();
        match judge(status, body.as_bytes()) {
            Outcome::Claimed => "delivered",
            Outcome::NotStored(_) => "not stored",
            Outcome::Unknown(_) => "unknown",
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn only_a_refusal_says_that_nothing_was_stored() {
        assert_eq!(judged(200, r#"{"ok":true}"#), "delivered");
        assert_eq!(judged(200, r#"{"ok":false,"error":"no"}"#), "not stored");
        assert_eq!(
            judged(401, r#"{"error":"Invalid signature"}"#),
            "not stored"
        );
        assert_eq!(judged(404, "not found"), "not stored");
        for (status, body) in [
            (500, r#"{"ok":true}"#),
            (500, r#"{"error":"Internal"}"#),
            (502, "<html>"),
            (200, "{}"),
            (200, "stored"),
        ] {
            assert_eq!(judged(status, body), "unknown", "{status} {body}");
        }
    }

    #[test]
    fn a_peers_words_are_bounded() {
        let body = serde_json::json!({"error": "é".repeat(60_000)}).to_string();
        let Outcome::NotStored(problem) = judge(StatusCode::BAD_REQUEST, body.as_bytes()) else {
            unreachable!()
        };
        assert_eq!(problem.summary.chars().count(), MAX_QUOTED);
    }
}
