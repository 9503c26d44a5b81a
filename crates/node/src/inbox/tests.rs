//! What a kept peer may leave here, with bounds small enough to reach.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use tieline_store::messages::{self, MessageRow};
use tieline_vault::VaultChoice;
use tieline_wire::message::{ContentHash, MessageId};

use super::intake::{FENCE_COST, Intake, MESSAGE_COST};
use super::*;
use crate::model::{HostKind, OnFailure, RouteChoice, SendCommand};
use crate::node::NodeConfig;
use crate::protocol::{ResolveBody, ResolveItem};

async fn start(home: &tempfile::TempDir, name: &str) -> Node {
    let config = NodeConfig {
        home: home.path().to_owned(),
        name: Some(name.to_owned()),
        peer_addr: "127.0.0.1:0".parse().unwrap(),
        vault: VaultChoice::File {
            passphrase_file: None,
        },
        host: HostKind::Serve,
        version: "0.0.0",
    };
    Node::start(config).await.unwrap()
}

struct Pair {
    mac: Node,
    wsl: Node,
    /// The second, as the first knows it.
    peer: Arc<Peer>,
    _homes: [tempfile::TempDir; 2],
}

async fn pair() -> Pair {
    let homes = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let (mac, wsl) = (start(&homes[0], "mac").await, start(&homes[1], "wsl").await);
    let link = mac.create_invite(None).await.unwrap().link.unwrap();
    wsl.join(&link).await.unwrap();
    mac.keep("wsl").await.unwrap();
    let peer = mac.peers.by_name("wsl").unwrap();
    Pair {
        mac,
        wsl,
        peer,
        _homes: homes,
    }
}

fn message(id: &str, on_failure: OnFailure) -> SendCommand {
    let payload = serde_json::json!({"type": "text", "text": "hello"});
    SendCommand {
        to: "mac".into(),
        payload: payload.as_object().unwrap().clone(),
        route: RouteChoice::Auto,
        message_id: Some(MessageId::new(id).unwrap()),
        on_failure,
    }
}

/// The peer's message with this id.
async fn stored(node: &Node, peer: &Peer, id: &str) -> MessageRow {
    let (from, id) = (peer.id, MessageId::new(id).unwrap());
    let found = node
        .store
        .read(move |conn| messages::find(conn, from, messages::Direction::In, &id));
    found.await.unwrap().remove(0)
}

async fn state(node: &Node, id: &str) -> String {
    node.message(id).await.unwrap().message.state
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_peer_leaves_only_so_much_within_an_hour_and_loses_nothing_by_it() {
    let Pair {
        mac,
        wsl,
        peer,
        _homes,
    } = pair().await;
    *peer.intake.lock() = Intake::new(2 * MESSAGE_COST + 500);
    for id in ["m-1", "m-2"] {
        let sent = wsl.send(message(id, OnFailure::Fail)).await.unwrap();
        assert_eq!(sent.status, "delivered");
    }
    // One that is not to wait has failed, for a reason that passes; one that may wait waits.
    let refused = wsl.send(message("m-3", OnFailure::Fail)).await.unwrap_err();
    assert_eq!(refused.status.as_deref(), Some("failed"));
    let attempts = refused.attempts.unwrap();
    assert_eq!(attempts[0].code.as_deref(), Some("RATE_LIMITED"));
    let waits = wsl.send(message("m-4", OnFailure::Queue)).await.unwrap();
    assert_eq!(waits.status, "queued");
    // A copy of what is here is answered all the same.
    let here = stored(&mac, &peer, "m-1").await;
    let payload = here.content.as_ref().unwrap().payload.clone().unwrap();
    let (from, to) = (here.sender.unwrap(), here.recipient.unwrap());
    let id_1 = here.message_id.clone();
    let copy =
        tieline_wire::message::Envelope::new(id_1, from, to, here.sent_at, &payload).unwrap();
    let again = accept(&mac, &peer, &copy.to_json().into()).await.unwrap();
    assert_eq!(again.receipt.stage, Stage::Stored);
    // An hour later.
    *peer.intake.lock() = Intake::default();
    let lane = wsl.peers.by_name("mac").unwrap();
    lane.lane.notify_one();
    while state(&wsl, "m-4").await != "delivered" {
        let settled = wsl.settled.notified();
        if state(&wsl, "m-4").await != "delivered" {
            settled.await;
        }
    }
    mac.shutdown().await;
    wsl.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_called_absent_for_good_without_a_fence_that_stands_for_it() {
    let Pair {
        mac,
        wsl,
        peer,
        _homes,
    } = pair().await;
    wsl.send(message("here", OnFailure::Fail)).await.unwrap();
    let hash = stored(&mac, &peer, "here").await.content_hash.to_string();
    let ask = async |ids: &[&str]| {
        let items = ids
            .iter()
            .map(|id| ResolveItem {
                id: (*id).to_owned(),
                hash: if *id == "here" {
                    hash.clone()
                } else {
                    ContentHash([7; 32]).to_string()
                },
                fence: true,
            })
            .collect();
        let answer = answer_resolve(&mac, &peer, ResolveBody { items }).await;
        let items = answer.unwrap().items.into_iter();
        items
            .map(|item| item.receipt.map(|receipt| receipt.stage))
            .collect::<Vec<_>>()
    };
    *peer.intake.lock() = Intake::new(2 * FENCE_COST);
    let (stored, refused) = (Some(Stage::Stored), Some(Stage::Refused));
    assert_eq!(
        ask(&["x-1", "here", "x-2", "x-3"]).await,
        [refused, stored, refused, None]
    );
    // What was promised stays so; nothing more is.
    assert_eq!(ask(&["x-1", "x-3", "x-2"]).await, [refused, None, refused]);
    let id = peer.id;
    let standing = mac.store.read(move |conn| messages::fences(conn, id));
    assert_eq!(standing.await.unwrap(), 2);
    // The one without a promise may still come.
    *peer.intake.lock() = Intake::default();
    let sent = wsl.send(message("x-3", OnFailure::Fail)).await.unwrap();
    assert_eq!(sent.status, "delivered");
    let refused = wsl.send(message("x-1", OnFailure::Fail)).await.unwrap_err();
    assert_eq!(refused.status.as_deref(), Some("failed"));
    mac.shutdown().await;
    wsl.shutdown().await;
}
