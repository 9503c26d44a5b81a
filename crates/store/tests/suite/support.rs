//! What the store's tests share: a store in a directory of its own, a peer, and messages.

use std::path::PathBuf;

use serde_json::json;
use tempfile::TempDir;
use tieline_store::messages::{Assurance, Mode, NewIncoming, NewOutgoing};
use tieline_store::peers::{self, Dialect, NewPeer, PairedBy, PeerId, PeerState};
use tieline_store::{OpenReport, Store};
use tieline_wire::key::SigningKey;
use tieline_wire::message::{ContentHash, MessageId};
use tieline_wire::time::UnixMillis;

pub(crate) const NOW: UnixMillis = UnixMillis(1_772_366_400_000);

/// A directory that goes away with the value, and the path of the database in it.
pub(crate) struct Home {
    pub(crate) directory: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn db(&self) -> PathBuf {
        self.directory.path().join("home/tieline.db")
    }

    pub(crate) fn open(&self) -> Store {
        self.open_reporting().0
    }

    pub(crate) fn open_reporting(&self) -> (Store, OpenReport) {
        Store::open(self.db()).unwrap()
    }
}

pub(crate) fn new_peer(alias: &str) -> NewPeer {
    NewPeer {
        alias: alias.into(),
        dialect: Dialect::Tieline,
        state: PeerState::Kept,
        tls_key: Some(SigningKey::generate().verify_key()),
        verify_key: Some(SigningKey::generate().verify_key()),
        certificate: Some(vec![0x30, 0x00]),
        suggested_name: Some("Kitchen".into()),
        addresses: vec!["192.0.2.7:3100".parse().unwrap()],
        sealed_token: Some(vec![7; 60]),
        token_confirmed: false,
        paired_by: PairedBy::Link,
        paired_at: NOW,
        options: json!({}),
    }
}

pub(crate) async fn add_peer(store: &Store, alias: &str) -> PeerId {
    let peer = new_peer(alias);
    store
        .write(move |tx| peers::insert(tx, &peer))
        .await
        .unwrap()
}

pub(crate) fn id(text: &str) -> MessageId {
    MessageId::new(text).unwrap()
}

pub(crate) fn outgoing(peer: PeerId, message_id: &str, mode: Mode) -> NewOutgoing {
    NewOutgoing {
        peer,
        message_id: id(message_id),
        sender: Some(SigningKey::from_seed(&[1; 32]).key_id()),
        recipient: Some(SigningKey::from_seed(&[2; 32]).key_id()),
        content_hash: ContentHash([3; 32]),
        kind: "text".into(),
        payload: r#"{"type":"text","text":"the tea is ready"}"#.into(),
        text: "the tea is ready".into(),
        sent_at: NOW,
        created_at: NOW,
        mode,
        store_id: None,
        route: None,
        expires_elapsed_ms: None,
    }
}

pub(crate) fn incoming(peer: PeerId, message_id: &str, text: &str) -> NewIncoming {
    NewIncoming {
        peer,
        message_id: id(message_id),
        assurance: Assurance::Signed,
        sender: Some(SigningKey::from_seed(&[2; 32]).key_id()),
        recipient: Some(SigningKey::from_seed(&[1; 32]).key_id()),
        content_hash: ContentHash([4; 32]),
        kind: "text".into(),
        payload: json!({"type": "text", "text": text}).to_string(),
        text: text.into(),
        sent_at: NOW,
        created_at: NOW,
        route: Some("lan".into()),
        via: None,
        receipt: Some(b"signed".to_vec()),
    }
}
