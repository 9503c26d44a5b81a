//! Who asks, and how surely: the signature of the request, or a bearer.

use std::sync::Arc;

use http::request::Parts;
use http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use tieline_store::messages::Assurance;
use tieline_store::nonces;
use tieline_wire::abtars::bearer::{self, Bearer};
use tieline_wire::abtars::refusal::Refusal;
use tieline_wire::abtars::request::{
    self, Covered, Fresh, PEER_ID, PEER_NONCE, PEER_SIG, PEER_TS, Received,
};
use tieline_wire::abtars::{Generation, token};
use tieline_wire::bytes::lp;
use tieline_wire::key::VerifyKey;

use crate::clock::wall_now;
use crate::dialect::abtars::contact::Contact;
use crate::node::Node;
use crate::peers::Peer;

/// What a request says of its sender.
pub(super) enum Claim {
    /// The name that comes with a signature.
    Signed(String),
    /// A bearer.
    Bearer(String),
}

/// A sender that is believed.
pub(super) struct Proven {
    pub peer: Arc<Peer>,
    /// How surely what it says is its own.
    pub assurance: Assurance,
    /// How a server of its generation would treat the body.
    pub generation: Generation,
}

impl Claim {
    /// Reads the headers. A signature goes before a bearer, as in a request that carries both.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        if let Some(name) = text(headers, PEER_ID).filter(|name| !name.is_empty()) {
            return Ok(Self::Signed(name.to_owned()));
        }
        let bearer = text(headers, header::AUTHORIZATION.as_str())
            .and_then(|value| value.strip_prefix("Bearer "));
        match bearer.map(str::trim).filter(|bearer| !bearer.is_empty()) {
            Some(bearer) => Ok(Self::Bearer(bearer.to_owned())),
            None => Err(Refusal::MissingPeerId),
        }
    }

    /// Whether anybody here could have sent it; asked before a body is taken.
    pub(super) fn check_known(&self, node: &Node) -> Result<(), Refusal> {
        match self {
            Self::Signed(name) => named(node, name).map(drop).ok_or(Refusal::UnknownPeer),
            // A bearer proves itself; the body adds nothing to it.
            Self::Bearer(bearer) => sender_of(node, bearer).map(drop),
        }
    }
}

/// Checks what a request says of its sender.
pub(super) async fn prove(
    node: &Node,
    claim: Claim,
    head: &Parts,
    target: &str,
    body: &[u8],
) -> Result<Proven, Refusal> {
    let covered = Covered {
        method: head.method.as_str(),
        target,
        body,
    };
    match claim {
        Claim::Signed(name) => signed(node, &name, &head.headers, &covered).await,
        Claim::Bearer(bearer) => borne(node, &bearer, &covered).await,
    }
}

async fn signed(
    node: &Node,
    name: &str,
    headers: &HeaderMap,
    covered: &Covered<'_>,
) -> Result<Proven, Refusal> {
    let peer = named(node, name).ok_or(Refusal::UnknownPeer)?;
    let record = peer.record();
    let key = record.contact.as_ref().and_then(|it| it.entry.verify_key);
    // A peer of the older generation without a key signs nothing.
    let key = key.ok_or(Refusal::UnknownPeer)?;
    let received = Received {
        ts: text(headers, PEER_TS),
        nonce: text(headers, PEER_NONCE),
        sig: text(headers, PEER_SIG),
    };
    let fresh = request::verify(&key, covered, received, wall_now()).map_err(|error| {
        say(node, &peer, error.reason(), "signed request refused");
        Refusal::InvalidSignature
    })?;
    let fresh = Fresh {
        nonce: fresh.nonce.to_owned(),
        stale_from: fresh.stale_from,
    };
    claim_nonce(
        node,
        &peer,
        &key,
        "request",
        fresh,
        Refusal::InvalidSignature,
    )
    .await?;
    Ok(Proven {
        peer,
        assurance: Assurance::Signed,
        generation: Generation::Current,
    })
}

async fn borne(node: &Node, bearer: &str, covered: &Covered<'_>) -> Result<Proven, Refusal> {
    match sender_of(node, bearer)? {
        Sender::Secret(peer) => Ok(Proven {
            peer,
            assurance: Assurance::SharedSecret,
            generation: Generation::Legacy,
        }),
        Sender::Claimed(peer, key) => {
            let record = peer.record();
            let name = record.contact.as_ref().map_or("", |it| it.name.as_str());
            let own_name = node.abtars_name();
            let fresh = token::verify(bearer, &key, name, &own_name, covered, wall_now()).map_err(
                |error| {
                    say(node, &peer, &error.to_string(), "signed bearer refused");
                    Refusal::InvalidBearer
                },
            )?;
            claim_nonce(node, &peer, &key, "jti", fresh, Refusal::InvalidBearer).await?;
            Ok(Proven {
                peer,
                assurance: Assurance::Signed,
                generation: Generation::Legacy,
            })
        }
    }
}

/// Whose a bearer is.
enum Sender {
    /// It was made with the secret shared with this peer.
    Secret(Arc<Peer>),
    /// It names this peer, and is to be checked with its key.
    Claimed(Arc<Peer>, VerifyKey),
}

fn sender_of(node: &Node, bearer: &str) -> Result<Sender, Refusal> {
    if token::is_eddsa(bearer) {
        let issuer = token::claimed_issuer(bearer);
        let peer = issuer.and_then(|name| named(node, &name));
        let peer = peer.ok_or(Refusal::InvalidBearer)?;
        let record = peer.record();
        let key = record.contact.as_ref().and_then(|it| it.entry.verify_key);
        return Ok(Sender::Claimed(peer, key.ok_or(Refusal::InvalidBearer)?));
    }
    let (own_name, now) = (node.abtars_name(), wall_now());
    for peer in node.peers.all() {
        let record = peer.record();
        let Some(contact) = &record.contact else {
            continue;
        };
        let Some(secret) = contact.entry.token.as_ref() else {
            continue;
        };
        match bearer::verify(bearer, secret, &contact.name, &own_name, now) {
            Ok(kind) if contact.takes_bearer() => {
                if kind == Bearer::Secret {
                    tracing::warn!(peer = %peer.alias(), "the shared secret itself was sent as a bearer");
                }
                return Ok(Sender::Secret(peer));
            }
            Ok(_) => {
                say(node, &peer, "not_allowed", "bearer refused");
            }
            Err(bearer::BearerError::BadSignature | bearer::BearerError::Malformed) => {}
            Err(error) => {
                say(node, &peer, error.reason(), "bearer refused");
            }
        }
    }
    Err(Refusal::InvalidBearer)
}

/// Records a nonce durably, before anything is done for the request.
async fn claim_nonce(
    node: &Node,
    peer: &Peer,
    key: &VerifyKey,
    kind: &str,
    fresh: Fresh<String>,
    replayed: Refusal,
) -> Result<(), Refusal> {
    let signer = key.key_id();
    let parts = [kind.as_bytes(), signer.as_bytes(), fresh.nonce.as_bytes()];
    let hash: [u8; 32] = Sha256::digest(lp(&parts)).into();
    let now = wall_now();
    let claimed = node
        .store
        .write(move |tx| nonces::claim(tx, &hash, fresh.stale_from, now))
        .await;
    match claimed {
        Ok(true) => Ok(()),
        Ok(false) => {
            say(node, peer, "nonce_replay", "request refused");
            Err(replayed)
        }
        Err(error) => {
            tracing::warn!(%error, "a nonce could not be stored, so its request is not served");
            Err(Refusal::Internal)
        }
    }
}

/// The peer that calls itself so; capitals matter.
fn named(node: &Node, name: &str) -> Option<Arc<Peer>> {
    let is = |contact: &Contact| contact.name == name;
    let peers = node.peers.all();
    let mut peers = peers.into_iter().filter(|peer| !peer.is_leaving());
    peers.find(|peer| peer.record().contact.as_ref().is_some_and(is))
}

/// A header's text; one that is no text is as good as missing.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    std::str::from_utf8(headers.get(name)?.as_bytes()).ok()
}

/// Says why a request was refused; its asker does not learn that.
fn say(node: &Node, peer: &Peer, why: &str, what: &str) {
    if node.abtars.may_warn() {
        tracing::warn!(peer = %peer.alias(), why, "{what}");
    } else {
        tracing::debug!(peer = %peer.alias(), why, "{what}");
    }
}
