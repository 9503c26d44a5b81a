//! Machines added by hand: from whatever the person brought of them, compared, and with new keys.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use tieline_node::model::{
    AddPeer, HostKind, MessageQuery, OnFailure, PeerStateView, PeerView, RouteChoice, SendCommand,
};
use tieline_node::{Node, NodeConfig, VaultChoice};
use tieline_wire::fingerprint::Fingerprint;
use tieline_wire::problem::{Code, Problem};

async fn start(home: &Path, name: &str, addr: &str) -> Node {
    Node::start(NodeConfig {
        home: home.to_owned(),
        name: Some(name.to_owned()),
        peer_addr: addr.parse().unwrap(),
        vault: VaultChoice::File {
            passphrase_file: None,
        },
        host: HostKind::Serve,
        version: "0.0.0",
    })
    .await
    .unwrap()
}

async fn add(node: &Node, text: &str) -> Result<PeerView, Problem> {
    node.add_peer(AddPeer {
        card: Some(text.to_owned()),
        ..Default::default()
    })
    .await
}

fn say(to: &str, text: &str) -> SendCommand {
    let payload = serde_json::json!({"type": "text", "text": text});
    SendCommand {
        to: to.to_owned(),
        payload: payload.as_object().unwrap().clone(),
        route: RouteChoice::Auto,
        message_id: None,
        on_failure: OnFailure::Fail,
    }
}

/// A value of `parts`, such as its fingerprint.
fn part<'a>(parts: &'a str, label: &str) -> &'a str {
    let line = parts.lines().find(|line| line.starts_with(label)).unwrap();
    line.split_once(": ").unwrap().1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn address_fingerprint_and_key_are_enough_to_pair() {
    let homes = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let a = start(homes.0.path(), "mac", "127.0.0.1:0").await;
    let b = start(homes.1.path(), "wsl-box", "127.0.0.1:0").await;
    let offer = b.swap_offer().unwrap();

    let seen = a.read_presented(&offer.parts).await.unwrap();
    assert_eq!(
        (seen.form.as_str(), seen.suggested_alias.as_str()),
        ("parts", "wsl-box")
    );
    assert!(seen.certificate_is_fetched && seen.problem.is_none());
    let peer = add(&a, &offer.parts).await.unwrap();
    assert_eq!(peer.name, "wsl-box");
    assert_eq!(
        peer.fingerprint.as_deref(),
        Some(offer.fingerprint.fingerprint.as_str())
    );

    let added = add(&b, &a.swap_offer().unwrap().pem).await.unwrap();
    assert_eq!(added.name, "mac");
    assert_eq!(a.ping("wsl-box").await.unwrap().peer, "wsl-box");
    assert_eq!(
        b.send(say("mac", "hello")).await.unwrap().status,
        "delivered"
    );
    let again = a.read_presented(&offer.card).await.unwrap();
    assert_eq!(again.matches_peer.as_deref(), Some("wsl-box"));
    assert_eq!(again.problem.unwrap().code, Code::PeerExists);
    for node in [a, b] {
        node.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_with_another_fingerprint_is_not_taken() {
    let homes = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let a = start(homes.0.path(), "mac", "127.0.0.1:0").await;
    let b = start(homes.1.path(), "wsl-box", "127.0.0.1:0").await;
    let parts = b.swap_offer().unwrap().parts;
    let stated = part(&parts, "fingerprint");
    let mut forged = Fingerprint::parse(stated).unwrap();
    forged.0[6] ^= 1;
    let text = parts.replace(stated, &forged.to_string());

    let refused = add(&a, &text).await.unwrap_err();
    assert_eq!(refused.code, Code::PinMismatch);
    assert!(a.peers().await.unwrap().is_empty());
    let compared = a.compare(&text, Some(stated)).unwrap();
    assert_eq!(
        (compared.same, compared.first_difference),
        (Some(false), Some(3))
    );
    let same = a
        .compare(&b.swap_offer().unwrap().pem, Some(stated))
        .unwrap();
    assert_eq!((same.same, same.first_difference), (Some(true), None));
    for node in [a, b] {
        node.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_missing_is_named_before_anything_is_dialled() {
    let homes = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let a = start(homes.0.path(), "mac", "127.0.0.1:0").await;
    let b = start(homes.1.path(), "wsl-box", "127.0.0.1:0").await;
    let offer = b.swap_offer().unwrap();
    let without = |label: &str| {
        let lines = offer.parts.lines().filter(|line| !line.starts_with(label));
        lines.collect::<Vec<_>>().join("\n")
    };
    for (text, word) in [
        (without("key"), "signing key"),
        (without("host"), "address"),
        (offer.peers_json.clone(), "does not run Tieline"),
    ] {
        let seen = a.read_presented(&text).await.unwrap();
        let objection = seen.problem.unwrap();
        assert!(objection.summary.contains(word), "{word}: {objection:?}");
        assert_eq!(add(&a, &text).await.unwrap_err().summary, objection.summary);
    }
    let own = a.swap_offer().unwrap().card;
    let seen = a.read_presented(&own).await.unwrap();
    assert!(seen.is_own);
    assert_eq!(seen.problem.unwrap().code, Code::OwnLink);
    for node in [a, b] {
        node.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_keys_are_attached_to_the_old_history_by_choice_only() {
    let homes = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let a = start(homes.0.path(), "mac", "127.0.0.1:0").await;
    let b = start(homes.1.path(), "wsl-box", "127.0.0.1:0").await;
    add(&a, &b.swap_offer().unwrap().card).await.unwrap();
    add(&b, &a.swap_offer().unwrap().card).await.unwrap();
    a.send(say("wsl-box", "before")).await.unwrap();
    let address = part(&b.swap_offer().unwrap().parts, "host").to_owned();
    b.shutdown().await;

    let home = tempfile::tempdir().unwrap();
    let anew = start(home.path(), "wsl-box", &address).await;
    add(&anew, &a.swap_offer().unwrap().card).await.unwrap();
    let refused = a.ping("wsl-box").await.unwrap_err();
    assert_eq!(refused.problem.code, Code::PinMismatch);
    assert_eq!(
        a.peer("wsl-box").await.unwrap().state,
        PeerStateView::NewKey
    );

    let own = a.swap_offer().unwrap().card;
    assert_eq!(
        a.renew_keys("wsl-box", &own).await.unwrap_err().code,
        Code::OwnLink
    );
    let renewed = a
        .renew_keys("wsl-box", &anew.swap_offer().unwrap().parts)
        .await
        .unwrap();
    assert_eq!(renewed.state, PeerStateView::Kept);
    assert_eq!(a.ping("wsl-box").await.unwrap().peer, "wsl-box");
    assert_eq!(
        a.send(say("wsl-box", "after")).await.unwrap().status,
        "delivered"
    );
    let query = MessageQuery {
        peer: Some("wsl-box".into()),
        ..Default::default()
    };
    let texts: Vec<_> = a.messages(query).await.unwrap().messages;
    let texts: Vec<_> = texts
        .into_iter()
        .filter_map(|message| message.text)
        .collect();
    assert_eq!(texts, ["after", "before"]);
    for node in [a, anew] {
        node.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_renamed_and_remembers_it() {
    let home = tempfile::tempdir().unwrap();
    let node = start(home.path(), "mac", "127.0.0.1:0").await;
    assert!(!node.status().await.unwrap().welcomed);
    assert_eq!(
        node.set_own_name(" \u{200b} ").await.unwrap_err().code,
        Code::InvalidRequest
    );
    node.set_own_name("  desk\u{202e} by the window ")
        .await
        .unwrap();
    node.set_welcomed().await.unwrap();
    assert_eq!(node.card().unwrap().name, "desk by the window");
    node.shutdown().await;
    drop(node);

    let again = Node::start(NodeConfig {
        home: home.path().to_owned(),
        name: None,
        peer_addr: "127.0.0.1:0".parse().unwrap(),
        vault: VaultChoice::File {
            passphrase_file: None,
        },
        host: HostKind::Serve,
        version: "0.0.0",
    })
    .await
    .unwrap();
    let status = again.status().await.unwrap();
    assert_eq!(
        (status.name.as_str(), status.welcomed),
        ("desk by the window", true)
    );
    again.shutdown().await;
}
