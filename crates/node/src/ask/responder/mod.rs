//! What can answer a question: a person, a command, an endpoint.

mod command;
mod endpoint;

use std::path::PathBuf;
use std::time::Duration;

use tieline_store::peers::PeerId;
use tieline_wire::problem::{Code, Problem};
use tieline_wire::time::UnixMillis;

use super::partial::Partial;
use super::person::Reply;
use crate::clock::wall_now;
use crate::local::loopback::Place;
use crate::local::program;
use crate::model::{EventKind, PendingAsk, Responder};
use crate::node::Node;

/// Longest answer, in bytes. More is a failure, never cut short.
pub(crate) const MAX_ANSWER: usize = 512 * 1024;
/// Longest time anything may take.
const LONGEST: u64 = 24 * 3600;

/// A question, as a responder is given it. The text is the peer's and stays data.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    /// The ask's message id.
    pub(crate) id: String,
    /// Who asks.
    pub(crate) from: PeerId,
    /// The peer's name here.
    pub(crate) peer: String,
    /// The question.
    pub(crate) text: String,
    /// Machines that asks made while answering may still travel through.
    pub(crate) hops: u8,
    /// The asker's name for the conversation.
    pub(crate) session: Option<String>,
    /// Home of this node, for a command that uses `tieline`.
    pub(crate) home: PathBuf,
}

/// Whether a responder can work at all.
///
/// # Errors
/// `INVALID_REQUEST`, with what is wrong.
pub(crate) fn check(responder: &Responder) -> Result<(), Problem> {
    let wrong = |text: &str| Err(Problem::new(Code::InvalidRequest).because(text.to_owned()));
    let seconds = match responder {
        Responder::Nobody => return Ok(()),
        Responder::Person { deadline_seconds } => *deadline_seconds,
        Responder::Command {
            argv,
            timeout_seconds,
        } => {
            program::check(argv)?;
            *timeout_seconds
        }
        Responder::Endpoint {
            url,
            model,
            timeout_seconds,
        } => {
            Place::parse(url)?;
            if model.is_empty() {
                return wrong("An endpoint needs a model.");
            }
            *timeout_seconds
        }
    };
    if seconds == 0 || seconds > LONGEST {
        return wrong("The time is one second to 24 hours.");
    }
    Ok(())
}

impl Responder {
    /// How long it may take at most.
    pub(crate) fn limit(&self) -> Duration {
        Duration::from_secs(match self {
            Self::Nobody => 0,
            Self::Person { deadline_seconds } => *deadline_seconds,
            Self::Command {
                timeout_seconds, ..
            }
            | Self::Endpoint {
                timeout_seconds, ..
            } => *timeout_seconds,
        })
    }
}

/// Answers a question. What there is of the answer goes to `partial` as it comes.
///
/// # Errors
/// `RESPONDER_FAILED`, `RESPONDER_TIMEOUT`, `ASK_DECLINED`, `NO_RESPONDER`.
pub(crate) async fn run<Holding, Sent>(
    node: &Node,
    responder: &Responder,
    question: Question,
    partial: Option<Partial>,
    holding: Holding,
) -> Result<String, Problem>
where
    Holding: FnOnce(String) -> Sent,
    Sent: Future<Output = ()>,
{
    let late = |_| Problem::new(Code::ResponderTimeout);
    let limit = responder.limit();
    match responder {
        Responder::Nobody => Err(Problem::new(Code::NoResponder)),
        Responder::Person { .. } => {
            holding("A person has been asked; the answer can take a while.".into()).await;
            tokio::time::timeout(limit, person(node, question, limit))
                .await
                .map_err(late)?
        }
        Responder::Command { argv, .. } => command::run(argv, limit, &question, partial).await,
        Responder::Endpoint { url, model, .. } => {
            tokio::time::timeout(limit, endpoint::run(url, model, &question, partial))
                .await
                .map_err(late)?
        }
    }
}

async fn person(node: &Node, question: Question, limit: Duration) -> Result<String, Problem> {
    let now = wall_now();
    let limit_ms = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
    let replied = node.desk.lay(
        question.from,
        PendingAsk {
            ask_id: question.id.clone(),
            peer: question.peer,
            text: question.text,
            received_at: now.to_string(),
            deadline_at: UnixMillis(now.0.saturating_add(limit_ms)).to_string(),
        },
    )?;
    node.events.changed(EventKind::Asks, question.id);
    match replied.await {
        Ok(Reply::Answer(text)) if text.len() <= MAX_ANSWER => Ok(text),
        Ok(Reply::Answer(_)) => Err(Problem::new(Code::PayloadTooLarge)),
        Ok(Reply::Decline) => Err(Problem::new(Code::AskDeclined)),
        Err(_) => Err(Problem::new(Code::ResponderTimeout)),
    }
}
