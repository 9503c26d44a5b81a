//! One delivery: a stored message over the line of its peer, and what the answer means.

use std::sync::Arc;
use std::time::Duration;

use tieline_store::attempts;
use tieline_store::messages::{self, Evidence, MessageRow, Mode, State};
use tieline_store::peers::{self, PeerRow, PeerState};
use tieline_wire::key::KeyId;
use tieline_wire::message::Envelope;
use tieline_wire::problem::{Code, Problem};
use tieline_wire::receipt::{Receipt, Stage};

use super::exposure::{By, Exposure};
use super::outcome::{Delivery, Outcome, Verdict};
use crate::clock::wall_now;
use crate::dialect;
use crate::exchange::{Try, exchange_after};
use crate::line::Answer;
use crate::model::EventKind;
use crate::node::Node;
use crate::peers::{Keys, Peer};
use crate::protocol::{MessageAnswer, path};

/// Time between tries of storing what came of a delivery.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// Tries to deliver a message in state `sending`, and stores what came of it.
///
/// # Errors
/// Those of the store: the message stays in `sending`, and what came of it is stored as soon as
/// that is possible again.
pub(super) async fn deliver(
    node: &Node,
    peer: &Arc<Peer>,
    row: &MessageRow,
    by: By,
) -> Result<(Verdict, Vec<Try>), Problem> {
    let recognises_copies = peer.record().keys.is_some();
    let delivery = if recognises_copies {
        over_tieline(node, peer, row, by).await
    } else if row.exposed {
        let outcome = Outcome::Unknown(Problem::new(Code::ResponseTimeout));
        Delivery {
            outcome,
            tries: Vec::new(),
        }
    } else {
        dialect::deliver(node, peer, row).await
    };
    let tries = delivery.tries;
    let outcome = delivery.outcome.after_exposure(row.exposed);
    let mode = match outcome {
        // Who does not recognise copies may store a second one: the person decides, not the queue.
        Outcome::Unknown(_) if !recognises_copies => Mode::Now,
        _ => row.mode.unwrap_or(Mode::Now),
    };
    let verdict = outcome.verdict(mode);
    match settle(node, row, verdict.clone(), &tries).await {
        Ok(verdict) => Ok((verdict, tries)),
        Err(problem) => {
            let later = settle_later(node.clone(), Arc::clone(peer), row.clone(), verdict, tries);
            node.tasks.spawn(later);
            Err(problem)
        }
    }
}

/// Stores what came of a delivery once the store takes it again: a disk that was full for a moment
/// must not leave a message open until the next start.
async fn settle_later(
    node: Node,
    peer: Arc<Peer>,
    row: MessageRow,
    verdict: Verdict,
    tries: Vec<Try>,
) {
    loop {
        tokio::select! {
            () = node.stop.cancelled() => return,
            () = tokio::time::sleep(STORE_PAUSE) => {}
        }
        if settle(&node, &row, verdict.clone(), &tries).await.is_ok() {
            peer.lane.notify_one();
            return;
        }
    }
}

async fn over_tieline(node: &Node, peer: &Arc<Peer>, row: &MessageRow, by: By) -> Delivery {
    let record = peer.record();
    let Some(keys) = &record.keys else {
        let outcome = Outcome::NotStored(Problem::new(Code::PeerRevoked));
        return Delivery {
            outcome,
            tries: Vec::new(),
        };
    };
    if row.recipient.is_some_and(|meant| meant != keys.key_id) {
        let outcome = Outcome::NotStored(meant_for_old_keys(&record.row.alias));
        return Delivery {
            outcome,
            tries: Vec::new(),
        };
    }
    let envelope = match envelope(row) {
        Ok(envelope) => envelope,
        Err(problem) => {
            return Delivery {
                outcome: Outcome::NotStored(problem),
                tries: Vec::new(),
            };
        }
    };
    let mut exposure = Exposure::of(node, peer, row, by);
    let body = envelope.to_json().into();
    let asked = exchange_after(node, peer, path::MESSAGES, body, &mut exposure).await;
    let outcome = match asked.result {
        Ok(answer) => {
            read(&answer, keys, row, node.key_id(), &exposure).after_exposure(asked.exposed)
        }
        Err(error) if error.sent => Outcome::Unknown(error.problem),
        Err(error) => Outcome::NotStored(error.problem),
    };
    let mut tries = asked.tries;
    // An answer that does not hold is a failed try, whatever its status said.
    if let (Outcome::Unknown(problem), Some(last)) = (&outcome, tries.last_mut())
        && last.problem.is_none()
    {
        last.problem = Some(problem.clone());
    }
    Delivery { outcome, tries }
}

/// The message exactly as it was first made: the same bytes on every route and retry.
fn envelope(row: &MessageRow) -> Result<Envelope, Problem> {
    let lost = || Problem::new(Code::StoreDamaged).because("The message's content is missing.");
    let payload = row
        .content
        .as_ref()
        .and_then(|content| content.payload.as_deref())
        .ok_or_else(lost)?;
    let (from, to) = row.sender.zip(row.recipient).ok_or_else(lost)?;
    Ok(Envelope::new(
        row.message_id.clone(),
        from,
        to,
        row.sent_at,
        payload,
    )?)
}

/// "Delivered" only by a receipt that verifies for exactly this message.
fn read(
    answer: &Answer,
    keys: &Keys,
    row: &MessageRow,
    own: KeyId,
    exposure: &Exposure<'_>,
) -> Outcome {
    let verify = |receipt: &Receipt| {
        receipt.verify_for(&keys.verify_key, &row.message_id, own, row.content_hash)
    };
    if answer.status.is_success() {
        return match answer.read::<MessageAnswer>() {
            Ok(MessageAnswer { receipt }) => match verify(&receipt) {
                Ok(()) if receipt.stage == Stage::Stored => Outcome::Stored(Box::new(receipt)),
                Ok(()) => Outcome::Unknown(Problem::new(Code::ReceiptInvalid).because(format!(
                    "The peer answered with the stage {}.",
                    receipt.stage.as_str()
                ))),
                Err(error) => Outcome::Unknown(error.into()),
            },
            Err(problem) => Outcome::Unknown(problem),
        };
    }
    let problem = answer.problem();
    let signed = answer
        .refusal()
        .filter(|receipt| receipt.stage == Stage::Refused && verify(receipt).is_ok());
    match signed {
        Some(receipt) if exposure.is_answered_by(receipt.store_id) => {
            Outcome::Refused(problem, Some(Box::new(receipt)))
        }
        Some(_) => Outcome::Unknown(Problem::new(Code::StoreRestored)),
        None if is_before_storing(problem.code) => Outcome::NotStored(problem),
        None => Outcome::Unknown(problem),
    }
}

/// Whether a refusal without a signature says that nothing was stored: the peer looks at these
/// before it stores anything. Whatever else it says leaves open what it did, for example that its
/// disk failed under a commit that may turn out to be there, or a reason of a newer version.
fn is_before_storing(code: Code) -> bool {
    matches!(
        code,
        Code::PeerRevoked
            | Code::TokenInvalid
            | Code::InvalidRequest
            | Code::InvalidTarget
            | Code::NotFound
            | Code::PayloadTooLarge
            | Code::RateLimited
            | Code::PeerBusy
            | Code::StoreFull
    )
}

/// Stores a verdict and gives back the one that counts: nothing is queued for a peer that was
/// unpaired meanwhile, or for keys that it no longer has.
async fn settle(
    node: &Node,
    row: &MessageRow,
    verdict: Verdict,
    tries: &[Try],
) -> Result<Verdict, Problem> {
    let (seq, peer, recipient) = (row.seq, row.peer, row.recipient);
    let exposed = row.exposed;
    let now = wall_now();
    let records: Vec<_> = tries.iter().map(Try::record).collect();
    let stored = node
        .store
        .write(move |tx| {
            for record in &records {
                attempts::record(tx, seq, record)?;
            }
            let verdict = match verdict {
                Verdict::Requeue(now_exposed, problem) => {
                    match obstacle(peers::get(tx, peer)?, recipient) {
                        Some(why) => given_up(exposed || now_exposed, why),
                        None => Verdict::Requeue(now_exposed, problem),
                    }
                }
                verdict => verdict,
            };
            match &verdict {
                Verdict::Finish {
                    state,
                    evidence,
                    receipt,
                    problem,
                } => {
                    let problem = problem.as_ref().map(|problem| serde_json::json!(problem));
                    let finish = Verdict::finish(
                        *state,
                        *evidence,
                        receipt.as_deref(),
                        problem.as_ref(),
                        now,
                    );
                    messages::finish_outgoing(tx, seq, &finish)?;
                }
                Verdict::Requeue(now_exposed, _) => {
                    messages::requeue(tx, seq, *now_exposed)?;
                }
            }
            Ok(verdict)
        })
        .await;
    node.events
        .changed(EventKind::Messages, row.message_id.as_str());
    node.settled.notify_waiters();
    Ok(stored?)
}

/// Why a message for the holder of `recipient` need not wait for this peer.
fn obstacle(peer: Option<PeerRow>, recipient: Option<KeyId>) -> Option<Problem> {
    let Some(peer) = peer.filter(|peer| peer.state != PeerState::Revoked) else {
        return Some(unpaired());
    };
    let key = peer.verify_key.map(|key| key.key_id());
    let is_other = key.zip(recipient).is_some_and(|(now, then)| now != then);
    is_other.then(|| meant_for_old_keys(&peer.alias))
}

/// The end of a message that its recipient can no longer be reached for.
fn given_up(exposed: bool, problem: Problem) -> Verdict {
    Verdict::Finish {
        state: if exposed {
            State::Unconfirmed
        } else {
            State::Failed
        },
        evidence: Evidence::None,
        receipt: None,
        problem: Some(problem),
    }
}

/// Why a message to a peer that was unpaired goes no further.
pub(crate) fn unpaired() -> Problem {
    Problem::new(Code::PeerRevoked).because("The peer was unpaired here.")
}

/// Why a message goes no further whose peer has other keys since.
pub(crate) fn meant_for_old_keys(alias: &str) -> Problem {
    Problem::new(Code::NewKey)
        .summary(format!("{alias} has other keys since this was written."))
        .because("It was meant for the machine with the old keys.")
        .remedy("Send it again, if it is meant for the new ones too.")
}
