//! One try of a hook with one message.

use std::fmt::Write as _;
use std::time::Duration;

use hmac::{Hmac, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::Sha256;
use tieline_wire::problem::{Code, Problem};

use super::document::Document;
use crate::local::loopback::{LoopbackError, Place};
use crate::local::plain_id;
use crate::local::program::{self, Job, ProgramError};
use crate::model::Hook;
use crate::node::Node;
use crate::secrets;

/// Bytes that a hook may print or answer. More is a failure: a hook's output goes nowhere.
const MAX_OUTPUT: usize = 64 * 1024;
/// Characters of a command's complaint that a person is shown.
const MAX_QUOTED: usize = 300;
/// Longest time a hook may take for one message.
const LONGEST: u64 = 3600;

const SIGNATURE: HeaderName = HeaderName::from_static("x-tieline-signature");
const MESSAGE_ID: HeaderName = HeaderName::from_static("x-tieline-message-id");

/// Why a try failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) problem: Problem,
    /// Whether the hook was not there at all, so that it is not the message's fault.
    pub(super) is_absent: bool,
}

/// Whether a hook can work at all.
///
/// # Errors
/// `INVALID_REQUEST`, with what is wrong.
pub(super) fn check(hook: &Hook) -> Result<(), Problem> {
    let seconds = match hook {
        Hook::None => return Ok(()),
        Hook::Command {
            argv,
            timeout_seconds,
        } => {
            program::check(argv)?;
            *timeout_seconds
        }
        Hook::Webhook {
            url,
            timeout_seconds,
            ..
        } => {
            Place::parse(url)?;
            *timeout_seconds
        }
    };
    if seconds == 0 || seconds > LONGEST {
        return Err(Problem::new(Code::InvalidRequest)
            .because("The time for one message is one second to one hour."));
    }
    Ok(())
}

/// Gives a hook a message; what it printed or answered. Dropping the future ends the hook.
///
/// # Errors
/// [`Failure`].
pub(super) async fn run(node: &Node, hook: &Hook, document: Document) -> Result<Vec<u8>, Failure> {
    match hook {
        Hook::None => Ok(Vec::new()),
        Hook::Command {
            argv,
            timeout_seconds,
        } => command(node, argv, Duration::from_secs(*timeout_seconds), document).await,
        Hook::Webhook {
            url,
            secret,
            timeout_seconds,
        } => {
            let limit = Duration::from_secs(*timeout_seconds);
            let posting = webhook(node, url, secret.as_deref(), document);
            tokio::time::timeout(limit, posting)
                .await
                .unwrap_or_else(|_| {
                    Err(failed(
                        Code::HookTimeout,
                        format!(
                            "The webhook took longer than {timeout_seconds} s, and the connection was closed."
                        ),
                    ))
                })
        }
    }
}

async fn command(
    node: &Node,
    argv: &[String],
    limit: Duration,
    document: Document,
) -> Result<Vec<u8>, Failure> {
    let job = Job {
        argv,
        env: vec![
            (
                "TIELINE_MESSAGE_ID",
                plain_id(&document.message_id).to_owned(),
            ),
            ("TIELINE_MESSAGE_PEER", document.peer),
        ],
        home: node.home.path(),
        input: document.json,
        most_output: MAX_OUTPUT,
        limit,
    };
    program::run(job, |_| {}).await.map_err(|error| {
        let mut why = error.to_string();
        if let ProgramError::Ended { complaint, .. } = &error
            && !complaint.is_empty()
        {
            let quoted: String = complaint.chars().take(MAX_QUOTED).collect();
            // Writing to a string cannot fail.
            let _ = write!(why, " It wrote: {quoted}");
        }
        match error {
            ProgramError::NotStarted { .. } => absent(why),
            ProgramError::Late { .. } => failed(Code::HookTimeout, why),
            ProgramError::Ended { .. } | ProgramError::TooMuch { .. } => {
                failed(Code::HookFailed, why)
            }
        }
    })
}

async fn webhook(
    node: &Node,
    url: &str,
    secret: Option<&str>,
    document: Document,
) -> Result<Vec<u8>, Failure> {
    let refused = |problem| Failure {
        problem,
        is_absent: true,
    };
    let place = Place::parse(url).map_err(refused)?;
    let mut headers = HeaderMap::new();
    if let Ok(id) = HeaderValue::from_str(plain_id(&document.message_id)) {
        headers.insert(MESSAGE_ID, id);
    }
    if let Some(name) = secret {
        let signature = signature(node, name, &document.json)
            .await
            .map_err(refused)?;
        headers.insert(SIGNATURE, signature);
    }
    let answer = place.post("", headers, document.json).await;
    let answer = answer.map_err(|error| match error {
        LoopbackError::Unreachable { .. } => absent(error.to_string()),
        _ => failed(Code::HookFailed, error.to_string()),
    })?;
    let status = answer.status;
    if status.is_redirection() {
        return Err(failed(
            Code::HookFailed,
            format!(
                "The webhook answered with HTTP status {}, and redirects are not followed.",
                status.as_u16()
            ),
        ));
    }
    if !status.is_success() {
        return Err(failed(
            Code::HookFailed,
            format!("The webhook answered with HTTP status {}.", status.as_u16()),
        ));
    }
    let body = answer.whole(MAX_OUTPUT).await;
    let body = body.map_err(|error| failed(Code::HookFailed, error.to_string()))?;
    Ok(body.to_vec())
}

/// `sha256=` and the HMAC-SHA256 of the body under the secret, in hex.
async fn signature(node: &Node, name: &str, body: &[u8]) -> Result<HeaderValue, Problem> {
    let item = secrets::item(name);
    let secret = node
        .with_vault(move |vault| vault.get(&item))
        .await?
        .ok_or_else(|| Problem::new(Code::SecretNotFound).with("name", name))?;
    let unusable = || Problem::new(Code::Internal).because("The signature cannot be made.");
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose()).map_err(|_| unusable())?;
    mac.update(body);
    let mut text = String::from("sha256=");
    for byte in mac.finalize().into_bytes() {
        let _ = write!(text, "{byte:02x}");
    }
    HeaderValue::from_str(&text).map_err(|_| unusable())
}

fn failed(code: Code, why: String) -> Failure {
    Failure {
        problem: Problem::new(code).because(why),
        is_absent: false,
    }
}

fn absent(why: String) -> Failure {
    Failure {
        problem: Problem::new(Code::HookUnreachable).because(why),
        is_absent: true,
    }
}
