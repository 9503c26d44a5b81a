//! A KithKit message that arrives: believed as far as its signature goes, and stored once.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tieline_store::messages::{Accepted, Assurance, NewIncoming};
use tieline_store::peers::Dialect;
use tieline_wire::bytes::lp;
use tieline_wire::kithkit::{LanMessage, LanRefusal, Posture, Provenance, SignatureRefusal, judge};
use tieline_wire::message::{ContentHash, MessageId};
use tieline_wire::problem::{Code, Problem};
use tieline_wire::time::UnixMillis;

use super::http::{Answer, refusal};
use crate::clock::wall_now;
use crate::dialect::kithkit::secret_lately;
use crate::handover;
use crate::model::EventKind;
use crate::node::Node;
use crate::peers::Peer;

/// What became of a message.
pub(super) struct Taken {
    /// Whether its sender holds the shared secret.
    pub(super) is_signed: bool,
    /// What the sender is told.
    pub(super) answer: Answer,
}

/// Takes the body of `POST /agent/message`: JSON first, then the signature, then the fields.
pub(super) async fn take(
    node: &Node,
    posture: Posture,
    signature: Option<&str>,
    body: &[u8],
) -> Taken {
    let unsigned = |answer| Taken {
        is_signed: false,
        answer,
    };
    let parsed = LanMessage::parse(body);
    if parsed == Err(LanRefusal::NotJson) {
        return unsigned(bad(&LanRefusal::NotJson.to_string()));
    }
    let provenance = match provenance(node, posture, signature, body).await {
        Ok(provenance) => provenance,
        Err(why) => return unsigned(refusal(StatusCode::UNAUTHORIZED, why.to_string())),
    };
    let answer = match parsed {
        Ok(message) => accept(node, provenance, message).await,
        Err(why) => bad(&why.to_string()),
    };
    Taken {
        is_signed: provenance == Provenance::Signed,
        answer,
    }
}

/// The vault is asked only where there is a signature to check: nobody on the network has this node
/// bother its person for nothing.
async fn provenance(
    node: &Node,
    posture: Posture,
    signature: Option<&str>,
    body: &[u8],
) -> Result<Provenance, SignatureRefusal> {
    if signature.is_none() {
        return match posture {
            Posture::Enforce => Err(SignatureRefusal::Missing),
            Posture::Permissive => Ok(Provenance::Unauthenticated),
        };
    }
    // A secret that cannot be read is no secret that is not there: this signature may be wrong.
    let secret = secret_lately(node)
        .await
        .map_err(|_| SignatureRefusal::NoSecret)?;
    let secret = secret.as_ref().map(|secret| secret.expose());
    judge(posture, secret, signature, body)
}

fn bad(error: &str) -> Answer {
    (StatusCode::BAD_REQUEST, json!({"error": error}))
}

async fn accept(node: &Node, provenance: Provenance, message: LanMessage) -> Answer {
    // Whoever is not a peer here has no place to keep a message in, under either posture.
    let Some(peer) = sender(node, &message.from) else {
        tracing::debug!("a KithKit message of a sender that is no peer was refused");
        return refusal(
            StatusCode::UNAUTHORIZED,
            "The sender is not a KithKit peer of this machine",
        );
    };
    if provenance == Provenance::Signed {
        node.heard_from(&peer);
    }
    if message.type_ == "status" {
        return (StatusCode::OK, json!({"ok": true, "queued": false}));
    }
    match store(node, &peer, provenance, message).await {
        Ok(answer) => answer,
        Err(problem) => {
            let status = StatusCode::from_u16(problem.code.status())
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            refusal(status, problem.summary)
        }
    }
}

/// The KithKit peer that calls itself so, whatever it is called here; else the one called so here.
fn sender(node: &Node, from: &str) -> Option<Arc<Peer>> {
    let from = from.to_lowercase();
    let mut peers = node.peers.all();
    peers.retain(|peer| peer.record().row.dialect == Dialect::Kithkit);
    let is = |name: &str| name.to_lowercase() == from;
    let own = peers
        .iter()
        .find(|peer| peer.record().row.suggested_name.as_deref().is_some_and(is));
    own.or_else(|| peers.iter().find(|peer| is(&peer.alias())))
        .cloned()
}

async fn store(
    node: &Node,
    peer: &Arc<Peer>,
    provenance: Provenance,
    message: LanMessage,
) -> Result<Answer, Problem> {
    let id = message_id(&message.message_id)?;
    let text = message.payload.get("text").and_then(Value::as_str);
    let text = text.unwrap_or_default().to_owned();
    let payload = Value::Object(message.payload).to_string();
    let now = wall_now();
    let new = NewIncoming {
        peer: peer.id,
        message_id: id.clone(),
        assurance: match provenance {
            Provenance::Signed => Assurance::SharedSecret,
            Provenance::Unauthenticated => Assurance::Unauthenticated,
        },
        sender: None,
        recipient: None,
        content_hash: ContentHash(Sha256::digest(payload.as_bytes()).into()),
        kind: message.type_,
        payload,
        text,
        sent_at: message.timestamp.parse::<UnixMillis>().unwrap_or(now),
        created_at: now,
        route: Some("lan".into()),
        via: None,
        receipt: None,
    };
    let for_hook = handover::takes(node, peer, new.assurance, &new.kind);
    let accepted = node
        .store
        .write(move |tx| handover::accept(tx, &new, for_hook))
        .await?;
    let kept = (StatusCode::OK, json!({"ok": true, "queued": true}));
    match accepted {
        Accepted::Stored(_) => {
            if for_hook {
                peer.handing.wake();
            }
            node.events.changed(EventKind::Messages, id.as_str());
            node.arrived.notify_waiters();
            Ok(kept)
        }
        Accepted::Duplicate { .. } => Ok(kept),
        Accepted::Conflict { .. } => {
            if provenance == Provenance::Signed {
                node.alert(
                    Problem::new(Code::IdConflict)
                        .with("peer", peer.alias())
                        .with("messageId", id.as_str()),
                );
            }
            Err(Problem::new(Code::IdConflict))
        }
        Accepted::Fenced => Err(Problem::new(Code::IdConflict)),
    }
}

/// The sender's id. Daemons make UUIDs; one in another alphabet is kept by its hash, so that a
/// copy is still recognised.
fn message_id(given: &str) -> Result<MessageId, Problem> {
    if let Ok(id) = MessageId::new(given) {
        return Ok(id);
    }
    let hash = ContentHash(Sha256::digest(lp(&[b"kithkit-id", given.as_bytes()])).into());
    Ok(MessageId::new(&format!("kithkit:{hash}"))?)
}
