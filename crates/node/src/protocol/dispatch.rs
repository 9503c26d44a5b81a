//! From a request to its answer, whichever way it came.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tieline_wire::problem::{Code, Problem};

use super::{Channel, Proof, authenticate, path};
use crate::node::Node;
use crate::{asleep, inbox, pairing, reach};

/// A request from outside.
#[derive(Debug)]
pub(crate) struct Request {
    /// The connection it came on.
    pub channel: Arc<Channel>,
    /// HTTP method.
    pub method: Method,
    /// Path and query as sent.
    pub path: String,
    /// Token and HMAC, where it shows any.
    pub proof: Option<Proof>,
    /// The whole body.
    pub body: Bytes,
}

/// An answer, JSON.
#[derive(Debug)]
pub(crate) struct Reply {
    /// HTTP status.
    pub status: StatusCode,
    /// JSON.
    pub body: Bytes,
}

impl Reply {
    /// A success.
    #[must_use]
    pub(crate) fn ok(body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(json) => Self {
                status: StatusCode::OK,
                body: json.into(),
            },
            Err(error) => Problem::new(Code::Internal)
                .because(error.to_string())
                .into(),
        }
    }
}

impl From<Problem> for Reply {
    fn from(problem: Problem) -> Self {
        let status = StatusCode::from_u16(problem.code.status())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&problem).unwrap_or_default().into();
        Self { status, body }
    }
}

/// Serves one request.
pub(crate) async fn dispatch(node: &Node, request: Request) -> Reply {
    served(node, request).await.unwrap_or_else(Reply::from)
}

async fn served(node: &Node, request: Request) -> Result<Reply, Problem> {
    if request.path == path::HEALTH {
        return health(&request);
    }
    if request.method != Method::POST {
        return Err(Problem::new(Code::NotFound));
    }
    // Joining brings its own proofs and is open only while an invite is.
    match request.path.as_str() {
        path::PAIR_HELLO => {
            let body = read(&request.body)?;
            return Ok(Reply::ok(
                &pairing::hello(node, &request.channel, &body).await?,
            ));
        }
        path::PAIR_PROVE => {
            let body = read(&request.body)?;
            return Ok(Reply::ok(
                &pairing::prove(node, &request.channel, &body).await?,
            ));
        }
        _ => {}
    }
    let peer = authenticate(&node.peers, &request)?;
    let from = request.channel.remote.ip();
    node.heard_from(&peer);
    match request.path.as_str() {
        path::PING => reach::answer_ping(node, &peer, from, read(&request.body)?)
            .await
            .map(|a| Reply::ok(&a)),
        path::REACH => reach::answer_reach(node, &peer, from)
            .await
            .map(|answer| Reply::ok(&answer)),
        path::BIND => pairing::answer_bind(node, &peer, &request.channel)
            .await
            .map(|a| Reply::ok(&a)),
        path::PAIR_CONFIRM => pairing::answer_confirm(node, &peer, request.proof.as_ref())
            .await
            .map(|a| Reply::ok(&a)),
        path::MESSAGES => inbox::accept(node, &peer, &request.body)
            .await
            .map(|a| Reply::ok(&a)),
        path::RESOLVE => inbox::answer_resolve(node, &peer, read(&request.body)?)
            .await
            .map(|a| Reply::ok(&a)),
        path::STAGES => crate::outbox::answer_stages(node, &peer, read(&request.body)?)
            .await
            .map(|()| Reply::ok(&serde_json::json!({"ok": true}))),
        path::ASK_CANCEL => {
            let body: CancelBody = read(&request.body)?;
            crate::ask::cancel(node, &peer, &body.id);
            Ok(Reply::ok(&serde_json::json!({"ok": true})))
        }
        path::ASK_PROGRESS => {
            let body: crate::ask::ProgressBody = read(&request.body)?;
            crate::ask::arrived_progress(node, &peer, &body);
            Ok(Reply::ok(&serde_json::json!({"ok": true})))
        }
        path::ASLEEP => {
            asleep::answer(node, &peer);
            Ok(Reply::ok(&serde_json::json!({"ok": true})))
        }
        path::UNPAIR => {
            pairing::answer_unpair(node, &peer).await;
            Ok(Reply::ok(&serde_json::json!({"ok": true})))
        }
        _ => Err(Problem::new(Code::NotFound)),
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct CancelBody {
    id: String,
}

fn health(request: &Request) -> Result<Reply, Problem> {
    if request.method == Method::GET || request.method == Method::HEAD {
        Ok(Reply::ok(&serde_json::json!({"status": "ok"})))
    } else {
        Err(Problem::new(Code::NotFound))
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body)
        .map_err(|error| Problem::new(Code::InvalidRequest).because(format!("{error}.")))
}
