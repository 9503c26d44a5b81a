//! KithKit on the LAN: plain HTTP with an HMAC over the body, and the peer's unsigned word.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tieline_store::messages::MessageRow;
use tieline_vault::{Secret, VaultError};
use tieline_wire::address::Address;
use tieline_wire::kithkit::{lan_body, sign};
use tieline_wire::problem::{Code, Problem};
use tokio::net::TcpStream;

use crate::clock::{Instant, millis, wall_now};
use crate::exchange::{Try, problem_sentence};
use crate::line::ExchangeError;
use crate::model::{PingFailure, PingView, Via};
use crate::node::Node;
use crate::outbox::{Delivery, Outcome};
use crate::peers::Peer;

/// The keychain item of KithKit's LAN secret.
pub(super) const LAN_SECRET: &str = "credential-agent-comms-secret";
/// Time for connecting to one address, and for a whole exchange with it, as the real daemon's.
const CONNECT: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(10);
/// Largest answer that is read.
const MAX_ANSWER: usize = 64 * 1024;
/// Characters of an answer that a person is shown.
const MAX_QUOTED: usize = 200;

#[derive(Deserialize)]
struct Answer {
    ok: Option<bool>,
    error: Option<String>,
}

/// The LAN secret: set in Tieline, or the item that KithKit itself uses.
///
/// # Errors
/// `LAN_UNAVAILABLE` where there is none, and the vault's problem where it cannot be read.
pub(super) async fn secret(node: &Node) -> Result<Secret, Problem> {
    let vault = Arc::clone(&node.vault);
    let read = tokio::task::spawn_blocking(move || {
        match vault.get(&crate::secrets::item(LAN_SECRET))? {
            Some(secret) => Ok(Some(secret)),
            None => vault.foreign(LAN_SECRET, None),
        }
    });
    let found = read
        .await
        .map_err(|error| Problem::new(Code::Internal).because(error.to_string()))?;
    match found {
        Ok(Some(secret)) => Ok(secret),
        // A machine without a keychain, such as a server, has no item of KithKit's either.
        Ok(None) | Err(VaultError::Absent { .. }) => Err(Problem::new(Code::LanUnavailable)
            .summary("Agent comms secret not found in Keychain.")
            .because(format!(
                "KithKit peers need the shared secret {LAN_SECRET}, and this vault has none."
            ))
            .remedy(format!(
                "Run `tieline secrets set {LAN_SECRET}` and give the secret of the other machines."
            ))),
        Err(error) => {
            let mut problem = Problem::from(error);
            problem.code = Code::LanUnavailable;
            Err(problem)
        }
    }
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

async fn ask(
    address: &Address,
    request: Request<Full<Bytes>>,
) -> (Result<(StatusCode, Bytes), ExchangeError>, Try) {
    let mut this = Try {
        via: Some(Via::Direct),
        address: Some(address.to_string()),
        started_at: wall_now(),
        took: Duration::ZERO,
        connect: None,
        tls: None,
        auth: None,
        store: None,
        problem: None,
    };
    let started = Instant::now();
    let asked = tokio::time::timeout(WHOLE, exchange(address, request, &mut this)).await;
    this.took = started.elapsed();
    let answered = asked.unwrap_or_else(|_| {
        let sent = this.connect.is_some();
        Err(ExchangeError {
            problem: Problem::new(Code::ResponseTimeout),
            sent,
        })
    });
    (answered, this)
}

async fn exchange(
    address: &Address,
    request: Request<Full<Bytes>>,
    this: &mut Try,
) -> Result<(StatusCode, Bytes), ExchangeError> {
    let unsent = |code: Code, text: String| ExchangeError {
        problem: Problem::new(code)
            .because(text)
            .with("address", address.to_string()),
        sent: false,
    };
    let started = Instant::now();
    let connecting = TcpStream::connect((address.host(), address.port()));
    let stream = match tokio::time::timeout(CONNECT, connecting).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            return Err(unsent(Code::ConnectRefused, format!("{error}.")));
        }
        Ok(Err(error)) => return Err(unsent(Code::Unreachable, format!("{error}."))),
        Err(_) => return Err(unsent(Code::ConnectTimeout, "No answer within 5 s.".into())),
    };
    this.connect = Some(started.elapsed());
    let asked = Instant::now();
    let broke = |error: hyper::Error| ExchangeError {
        problem: Problem::new(Code::ResponseInvalid).because(problem_text(&error)),
        sent: true,
    };
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(broke)?;
    let driver = tokio::spawn(connection);
    let answered = async {
        let (head, body) = sender
            .send_request(request)
            .await
            .map_err(broke)?
            .into_parts();
        let body = Limited::new(body, MAX_ANSWER)
            .collect()
            .await
            .map_err(|error| ExchangeError {
                problem: Problem::new(Code::ResponseInvalid).because(format!("{error}.")),
                sent: true,
            })?;
        Ok((head.status, body.to_bytes()))
    }
    .await;
    driver.abort();
    this.store = Some(asked.elapsed());
    answered
}

/// What went wrong, without the request that it went wrong with.
fn problem_text(error: &hyper::Error) -> String {
    let problem = Problem::new(Code::ResponseInvalid).because(format!("{error}."));
    problem_sentence(&problem)
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
