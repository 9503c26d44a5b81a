//! What is left of messages after retention and unpairing.

use tieline_store::StoreError;
use tieline_store::messages::{self, Accepted, Filter, Mode};
use tieline_store::peers::{self};
use tieline_wire::time::UnixMillis;

use crate::outbox::stored;
use crate::support::{Home, NOW, add_peer, id, incoming, outgoing};

#[tokio::test]
async fn retention_takes_content_and_leaves_tombstones() {
    let home = Home::new();
    let store = home.open();
    let peer = add_peer(&store, "kitchen").await;
    let later = UnixMillis(NOW.0 + 1000);
    store
        .write(move |tx| {
            let waiting = stored(messages::insert_outgoing(
                tx,
                &outgoing(peer, "waiting", Mode::Queue),
            )?);
            let Accepted::Stored(old) =
                messages::accept_incoming(tx, &incoming(peer, "old", "porcelain"))?
            else {
                panic!()
            };
            let mut message = incoming(peer, "new", "porcelain");
            message.created_at = later;
            messages::accept_incoming(tx, &message)?;

            assert_eq!(messages::retention_candidates(tx, later, 10)?, [old]);
            assert_eq!(messages::delete_content(tx, &[old])?, 1);
            assert_eq!(messages::delete_content(tx, &[old])?, 0);
            let search = Filter {
                search: Some("porcelain".into()),
                ..Filter::default()
            };
            assert_eq!(messages::list(tx, &search)?.messages.len(), 1);
            let tombstone = messages::get(tx, old)?.unwrap();
            assert_eq!(
                (tombstone.content, tombstone.receipt),
                (None, Some(b"signed".to_vec()))
            );
            let again = messages::accept_incoming(tx, &incoming(peer, "old", "porcelain"))?;
            assert!(matches!(again, Accepted::Duplicate { seq, .. } if seq == old));
            assert!(messages::get(tx, waiting)?.unwrap().content.is_some());
            tx.execute_batch("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")?;
            Ok(())
        })
        .await
        .unwrap();
    store.close().await.unwrap();
    let bytes = std::fs::read(home.db()).unwrap();
    assert!(
        bytes.windows(9).any(|window| window == b"porcelain"),
        "the newer message is there"
    );
}

#[tokio::test]
async fn deleted_content_is_gone_from_the_file() {
    let home = Home::new();
    let store = home.open();
    let peer = add_peer(&store, "kitchen").await;
    let message = incoming(
        peer,
        "m",
        &format!("xylophone {}", "filler words ".repeat(2000)),
    );
    let Accepted::Stored(seq) = store
        .write(move |tx| messages::accept_incoming(tx, &message))
        .await
        .unwrap()
    else {
        panic!()
    };
    store
        .write(move |tx| messages::delete_content(tx, &[seq]))
        .await
        .unwrap();
    store.close().await.unwrap();
    for entry in std::fs::read_dir(home.db().parent().unwrap()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(9).any(|window| window == b"xylophone"));
    }
}

#[tokio::test]
async fn unpairing_keeps_history_until_it_is_deleted() {
    let home = Home::new();
    let store = home.open();
    let peer = add_peer(&store, "kitchen").await;
    store
        .write(move |tx| {
            for number in 0..5 {
                messages::accept_incoming(tx, &incoming(peer, &format!("m-{number}"), "x"))?;
            }
            messages::fence(tx, peer, &id("f"), NOW, true)?;
            assert!(matches!(
                peers::delete_history(tx, peer, 3),
                Err(StoreError::NotFound { .. })
            ));
            peers::revoke(tx, peer, NOW)?;
            let late = messages::accept_incoming(tx, &incoming(peer, "late", "x"));
            assert!(
                matches!(late, Err(StoreError::NotFound { .. })),
                "unpairing is effective at once"
            );
            let answer = messages::insert_outgoing(tx, &outgoing(peer, "late", Mode::Now));
            assert!(matches!(answer, Err(StoreError::NotFound { .. })));
            assert_eq!(
                messages::list(
                    tx,
                    &Filter {
                        peer: Some(peer),
                        ..Filter::default()
                    }
                )?
                .messages
                .len(),
                5
            );
            assert!(matches!(
                peers::delete(tx, peer),
                Err(StoreError::Constraint { .. })
            ));
            assert!(peers::delete_history(tx, peer, 3)?);
            assert!(!peers::delete_history(tx, peer, 3)?);
            peers::delete(tx, peer)?;
            assert!(peers::get(tx, peer)?.is_none());
            Ok(())
        })
        .await
        .unwrap();
    let next = add_peer(&store, "kitchen").await;
    assert!(next > peer, "numbers are never given out twice");
    let message = incoming(next, "m", "x");
    let accepted = store
        .write(move |tx| messages::accept_incoming(tx, &message))
        .await
        .unwrap();
    assert_eq!(accepted, Accepted::Stored(6));
}
