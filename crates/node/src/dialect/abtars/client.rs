//! One request to an abTARS machine: a fresh connection, the proofs that its generation takes,
//! and a record of the try.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use tieline_store::peers;
use tieline_wire::abtars::request::{self, Covered, Nonce, PEER_HOPS};
use tieline_wire::abtars::{Generation, MAX_BODY, bearer};
use tieline_wire::address::Address;
use tieline_wire::problem::{Code, Problem};
use tokio_util::task::AbortOnDropHandle;

use super::contact::Contact;
use super::dial::{DialError, Dialled, Pins, Shown, dial};
use crate::clock::{Instant, wall_now};
use crate::exchange::Try;
use crate::line::ExchangeError;
use crate::model::Via;
use crate::node::Node;
use crate::peers::Peer;

/// What is asked.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub method: Method,
    /// Path and query.
    pub target: &'static str,
    /// Empty for `GET`.
    pub body: Bytes,
    /// `X-Peer-Hops`.
    pub hops: Option<u32>,
    /// Time for the answer.
    pub wait: Duration,
    /// Shows the signature alone, whatever the peer is thought to speak: to find that out.
    pub only_signed: bool,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(super) struct Answered {
    pub status: StatusCode,
    pub retry_after: Option<String>,
    /// The other machine's clock as it says, RFC 9110.
    pub date: Option<String>,
    pub body: Bytes,
    pub shown: Shown,
}

/// Asks the peer at its addresses in turn; the next one only where the last could not be reached.
pub(super) async fn ask(
    node: &Node,
    peer: &Arc<Peer>,
    question: &Question,
) -> (Result<Answered, ExchangeError>, Vec<Try>) {
    let record = peer.record();
    let mut tries = Vec::new();
    let unsent = |problem| ExchangeError {
        problem,
        sent: false,
    };
    let Some(contact) = &record.contact else {
        return (Err(unsent(Problem::new(Code::LanUnavailable))), tries);
    };
    let pins = match Pins::of(contact) {
        Ok(pins) => pins,
        Err(problem) => return (Err(unsent(problem)), tries),
    };
    let mut last = unsent(Problem::new(Code::NoAddress));
    for address in &record.row.addresses {
        let (answered, this) = ask_at(node, contact, pins, address, question).await;
        tries.push(this);
        match answered {
            Ok(answered) => {
                note_address(node, peer, address).await;
                return (Ok(answered), tries);
            }
            Err(error) if error.sent => return (Err(error), tries),
            Err(error) => last = error,
        }
    }
    (Err(last), tries)
}

async fn ask_at(
    node: &Node,
    contact: &Contact,
    pins: Pins,
    address: &Address,
    question: &Question,
) -> (Result<Answered, ExchangeError>, Try) {
    let started = Instant::now();
    let mut this = Try {
        via: None,
        address: Some(address.to_string()),
        started_at: wall_now(),
        took: Duration::ZERO,
        connect: None,
        tls: None,
        auth: None,
        store: None,
        problem: None,
    };
    let answered = match dial(address, pins).await {
        Ok(dialled) => {
            this.via = Some(Via::Direct);
            this.connect = Some(dialled.connect);
            this.tls = Some(dialled.tls);
            let asked = Instant::now();
            let exchanged = exchange(node, contact, dialled, address, question);
            let answered = tokio::time::timeout(question.wait, exchanged).await;
            this.store = Some(asked.elapsed());
            answered.unwrap_or_else(|_| {
                Err(ExchangeError {
                    problem: Problem::new(Code::ResponseTimeout),
                    sent: true,
                })
            })
        }
        Err(DialError { problem, connect }) => {
            this.connect = connect;
            Err(ExchangeError {
                problem,
                sent: false,
            })
        }
    };
    this.took = started.elapsed();
    if let Err(error) = &answered {
        this.problem = Some(error.problem.clone());
    }
    (answered, this)
}

async fn exchange(
    node: &Node,
    contact: &Contact,
    dialled: Dialled,
    address: &Address,
    question: &Question,
) -> Result<Answered, ExchangeError> {
    let shown = dialled.shown;
    // Made only now: which machine is there decides what it is shown.
    let request =
        build(node, contact, shown, address, question).map_err(|problem| ExchangeError {
            problem,
            sent: false,
        })?;
    let broke = |error: hyper::Error| ExchangeError {
        problem: Problem::new(Code::ResponseTimeout)
            .summary("The connection broke before the peer answered.")
            .because(format!("{error}.")),
        sent: true,
    };
    let mut http = hyper::client::conn::http1::Builder::new();
    http.title_case_headers(true);
    let (mut sender, connection) = http
        .handshake(TokioIo::new(dialled.stream))
        .await
        .map_err(broke)?;
    // Ends with this function: the peer sees that nobody waits any more.
    let _driver = AbortOnDropHandle::new(tokio::spawn(connection));
    let (head, body) = sender
        .send_request(request)
        .await
        .map_err(broke)?
        .into_parts();
    let body = Limited::new(body, MAX_BODY)
        .collect()
        .await
        .map_err(|error| ExchangeError {
            problem: Problem::new(Code::ResponseInvalid).because(format!("{error}.")),
            sent: true,
        })?;
    let text = |name| {
        let value = head.headers.get(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    Ok(Answered {
        status: head.status,
        retry_after: text(header::RETRY_AFTER),
        date: text(header::DATE),
        body: body.to_bytes(),
        shown,
    })
}

/// The request with its proofs: those of the generation that the peer speaks, both while that is
/// not known.
fn build(
    node: &Node,
    contact: &Contact,
    shown: Shown,
    address: &Address,
    question: &Question,
) -> Result<Request<Full<Bytes>>, Problem> {
    let own_name = node.abtars_name();
    let now = wall_now();
    let generation = match (contact.learned.generation, shown) {
        // Only an older release starts with such a certificate.
        (_, Shown::Certificate) => Some(Generation::Legacy),
        (known, Shown::Key) => known,
    };
    let signed = question.only_signed || generation != Some(Generation::Legacy);
    let token = contact.entry.token.as_ref();
    let token = token.filter(|_| !question.only_signed && generation != Some(Generation::Current));
    if !signed && token.is_none() {
        return Err(Problem::new(Code::PeerRefusedUs)
            .summary("There is no token for this peer.")
            .because("It speaks the older generation, which knows other machines by a token that both hold, and its entry has none.")
            .remedy("Add the `token` to the entry on both machines, then import it again."));
    }
    let mut request = Request::builder()
        .method(&question.method)
        .uri(question.target)
        .header(header::HOST, address.to_string())
        .header(header::CONNECTION, "close");
    if question.method == Method::POST {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    if signed {
        let covered = Covered {
            method: question.method.as_str(),
            target: question.target,
            body: &question.body,
        };
        let proof = request::sign(node.abtars_key(), &covered, now, Nonce::generate());
        for (name, value) in proof.headers(&own_name) {
            request = request.header(name, value);
        }
    }
    if let Some(token) = token {
        let bearer = bearer::mint(token, &own_name, &contact.name, now);
        request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
    }
    if let Some(hops) = question.hops {
        request = request.header(PEER_HOPS, hops);
    }
    request
        .body(Full::new(question.body.clone()))
        .map_err(|error| Problem::new(Code::Internal).because(error.to_string()))
}

async fn note_address(node: &Node, peer: &Arc<Peer>, address: &Address) {
    if peer.record().row.last_good_address.as_ref() == Some(address) {
        return;
    }
    let (id, address) = (peer.id, address.clone());
    let stored = node.change_peer(id, move |tx| {
        peers::set_last_good_address(tx, id, Some(&address))
    });
    if let Err(error) = stored.await {
        tracing::warn!(%error, "noting a peer's good address failed");
    }
}
