//! Messages from the first commit to the tombstone, on real files.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::json;
use support::{Home, NOW, add_peer, id, incoming, outgoing};
use tieline_store::StoreError;
use tieline_store::messages::{
    self, Accepted, Assurance, Content, Counts, Cursor, Direction, Evidence, Fence, Filter, Finish,
    Mode, Queued, State,
};
use tieline_store::peers::{self, PeerId};
use tieline_store::receipts;
use tieline_wire::message::ContentHash;
use tieline_wire::receipt::Stage;
use tieline_wire::time::UnixMillis;

fn stored(queued: Queued) -> i64 {
    match queued {
        Queued::Stored(seq) => seq,
        Queued::Exists(row) => panic!("exists as {}", row.seq),
    }
}

fn finish(state: State, evidence: Evidence) -> Finish<'static> {
    Finish {
        state,
        evidence,
        receipt: None,
        problem: None,
        at: NOW,
    }
}

#[tokio::test]
async fn an_outgoing_message_keeps_every_byte_and_ends_once() {
    let home = Home::new();
    let store = home.open();
    let peer = add_peer(&store, "kitchen").await;
    let seq = store
        .write(move |tx| messages::insert_outgoing(tx, &outgoing(peer, "m-1", Mode::Now)))
        .await
        .map(stored);
    let seq = seq.unwrap();

    store.close().await.unwrap();
    let store = home.open();
    let row = store
        .read(move |conn| messages::get(conn, seq))
        .await
        .unwrap()
        .unwrap();
    let sent = outgoing(peer, "m-1", Mode::Now);
    assert_eq!(
        (row.peer, row.direction, row.state, row.mode),
        (peer, Direction::Out, State::Sending, Some(Mode::Now))
    );
    assert_eq!(
        (row.sender, row.recipient, row.content_hash),
        (sent.sender, sent.recipient, sent.content_hash)
    );
    assert_eq!(
        (row.sent_at, row.payload_bytes),
        (NOW, sent.payload.len() as i64)
    );
    assert_eq!(
        row.content,
        Some(Content {
            text: sent.text,
            payload: Some(sent.payload)
        })
    );

    store
        .write(move |tx| {
            let delivered = Finish {
                receipt: Some(b"receipt"),
                ..finish(State::Delivered, Evidence::Claimed)
            };
            assert!(messages::finish_outgoing(tx, seq, &delivered)?);
            assert!(!messages::finish_outgoing(
                tx,
                seq,
                &finish(State::Failed, Evidence::None)
            )?);
            assert!(!messages::finish_outgoing(
                tx,
                seq,
                &finish(State::Unconfirmed, Evidence::None)
            )?);
            let signed = Finish {
                receipt: Some(b"better"),
                ..finish(State::Delivered, Evidence::Signed)
            };
            assert!(messages::finish_outgoing(tx, seq, &signed)?);
            assert!(!messages::finish_outgoing(tx, seq, &delivered)?);
            let wrong = messages::finish_outgoing(tx, seq, &finish(State::Queued, Evidence::None));
            assert!(matches!(wrong, Err(StoreError::Constraint { .. })));
            let missing = messages::finish_outgoing(tx, seq + 1, &signed);
            assert!(matches!(missing, Err(StoreError::NotFound { .. })));
            assert!(receipts::add(
                tx,
                seq,
                Stage::Acknowledged,
                UnixMillis(NOW.0 + 5),
                Some(b"ack")
            )?);
            assert!(!receipts::add(tx, seq, Stage::Acknowledged, NOW, None)?);
            Ok(())
        })
        .await
        .unwrap();
    let (row, stages) = store
        .read(move |conn| {
            Ok((
                messages::get(conn, seq)?.unwrap(),
                receipts::list(conn, seq)?,
            ))
        })
        .await
        .unwrap();
    assert_eq!(
        (row.state, row.evidence, row.receipt.as_deref()),
        (State::Delivered, Evidence::Signed, Some(&b"better"[..]))
    );
    assert_eq!(
        (row.finished_at, row.acknowledged_at),
        (Some(NOW), Some(UnixMillis(NOW.0 + 5)))
    );
    let stages: Vec<_> = stages
        .into_iter()
        .map(|row| (row.stage, row.receipt.unwrap()))
        .collect();
    assert_eq!(
        stages,
        [
            (Stage::Stored, b"better".to_vec()),
            (Stage::Acknowledged, b"ack".to_vec())
        ]
    );
}

#[tokio::test]
async fn a_supplied_id_is_used_once_per_peer() {
    let home = Home::new();
    let store = home.open();
    let (one, two) = (add_peer(&store, "one").await, add_peer(&store, "two").await);
    store
        .write(move |tx| {
            let first = stored(messages::insert_outgoing(tx, &outgoing(one, "same", Mode::Now))?);
            stored(messages::insert_outgoing(tx, &outgoing(two, "same", Mode::Now))?);
            assert!(matches!(messages::accept_incoming(tx, &incoming(one, "same", "x"))?, Accepted::Stored(_)));
            let again = messages::insert_outgoing(tx, &outgoing(one, "same", Mode::Queue))?;
            assert!(matches!(again, Queued::Exists(row) if row.seq == first && row.content_hash == ContentHash([3; 32])));
            let of_id = messages::by_message_id(tx, &id("same"))?;
            assert_eq!(of_id.iter().map(|row| row.seq).collect::<Vec<_>>(), [first + 2, first + 1, first]);
            let unknown = messages::insert_outgoing(tx, &outgoing(PeerId(99), "x", Mode::Now));
            assert!(matches!(unknown, Err(StoreError::Constraint { .. })));
            Ok(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn further_copies_are_recognised_by_content_and_assurance() {
    let home = Home::new();
    let store = home.open();
    let peer = add_peer(&store, "kitchen").await;
    store
        .write(move |tx| {
            let mut message = incoming(peer, "m", "hello");
            message.assurance = Assurance::SharedSecret;
            message.receipt = None;
            let Accepted::Stored(lower) = messages::accept_incoming(tx, &message)? else {
                panic!("not stored")
            };
            let duplicate = Accepted::Duplicate {
                seq: lower,
                receipt: None,
            };
            assert_eq!(messages::accept_incoming(tx, &message)?, duplicate);

            // Someone who only knows the shared secret cannot keep the signed message out.
            let mut signed = incoming(peer, "m", "hello");
            signed.content_hash = ContentHash([5; 32]);
            let Accepted::Stored(higher) = messages::accept_incoming(tx, &signed)? else {
                panic!("not stored")
            };
            assert_ne!(lower, higher);
            let known = Accepted::Duplicate {
                seq: higher,
                receipt: Some(b"signed".to_vec()),
            };
            assert_eq!(messages::accept_incoming(tx, &signed)?, known);
            assert_eq!(
                messages::accept_incoming(tx, &message)?,
                Accepted::Conflict { seq: higher }
            );
            message.assurance = Assurance::Unauthenticated;
            assert_eq!(
                messages::accept_incoming(tx, &message)?,
                Accepted::Conflict { seq: higher }
            );
            signed.content_hash = ContentHash([6; 32]);
            assert_eq!(
                messages::accept_incoming(tx, &signed)?,
                Accepted::Conflict { seq: higher }
            );
            assert_eq!(messages::list(tx, &Filter::default())?.messages.len(), 2);
            Ok(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_fenced_id_never_arrives() {
    let home = Home::new();
    let store = home.open();
    let (peer, other) = (
        add_peer(&store, "kitchen").await,
        add_peer(&store, "other").await,
    );
    store
        .write(move |tx| {
            assert!(matches!(messages::fence(tx, peer, &id("late"), NOW)?, Fence::Fenced));
            assert!(matches!(messages::fence(tx, peer, &id("late"), NOW)?, Fence::Fenced));
            assert_eq!(messages::accept_incoming(tx, &incoming(peer, "late", "x"))?, Accepted::Fenced);
            assert!(matches!(messages::accept_incoming(tx, &incoming(other, "late", "x"))?, Accepted::Stored(_)));
            let Accepted::Stored(seq) = messages::accept_incoming(tx, &incoming(peer, "there", "x"))? else { panic!() };
            assert!(matches!(messages::fence(tx, peer, &id("there"), NOW)?, Fence::Known(row) if row.seq == seq));
            assert!(matches!(messages::accept_incoming(tx, &incoming(peer, "there", "x"))?, Accepted::Duplicate { .. }));
            Ok(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn the_queue_is_in_order_and_honest_about_what_may_have_arrived() {
    let home = Home::new();
    let store = home.open();
    let peer = add_peer(&store, "kitchen").await;
    store
        .write(move |tx| {
            let mut seqs = Vec::new();
            for name in ["a", "b", "c", "d"] {
                let mut message = outgoing(peer, name, Mode::Queue);
                message.expires_elapsed_ms = Some(1000);
                seqs.push(stored(messages::insert_outgoing(tx, &message)?));
            }
            let due = |limit| {
                messages::due_for_peer(tx, peer, limit)
                    .map(|rows| rows.iter().map(|row| row.seq).collect::<Vec<_>>())
            };
            assert_eq!(due(10)?, seqs);
            assert_eq!(due(2)?, seqs[..2]);
            let rows = messages::due_for_peer(tx, peer, 1)?;
            assert!(
                rows[0]
                    .content
                    .as_ref()
                    .unwrap()
                    .payload
                    .as_ref()
                    .unwrap()
                    .contains("tea")
            );
            assert_eq!(messages::peers_with_due(tx)?, [peer]);

            // a was tried and the connection refused; b's answer was lost; c is being sent when time is up.
            assert!(
                messages::start_sending(tx, seqs[0])? && messages::requeue(tx, seqs[0], false)?
            );
            assert!(messages::start_sending(tx, seqs[1])? && messages::requeue(tx, seqs[1], true)?);
            assert!(
                messages::start_sending(tx, seqs[1])? && messages::requeue(tx, seqs[1], false)?
            );
            assert!(messages::start_sending(tx, seqs[2])?);
            assert!(!messages::start_sending(tx, seqs[2])?);
            assert_eq!(
                messages::expire(tx, 999, NOW, &json!({"code": "EXPIRED"}))?,
                messages::Expired::default()
            );
            let expired = messages::expire(tx, 1000, NOW, &json!({"code": "EXPIRED"}))?;
            assert_eq!(expired.failed, [seqs[0], seqs[3]]);
            assert_eq!(expired.unconfirmed, [seqs[1]]);
            assert_eq!(
                messages::unconfirmed_for_peer(tx, peer, 9)?[0].problem,
                Some(json!({"code": "EXPIRED"}))
            );
            let counted = Counts {
                sending: 1,
                unconfirmed: 1,
                ..Counts::default()
            };
            assert_eq!(messages::counts(tx)?, [(peer, counted)]);
            Ok(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_restart_settles_what_was_being_sent() {
    let home = Home::new();
    let store = home.open();
    let peer = add_peer(&store, "kitchen").await;
    let (now, queue) = store
        .write(move |tx| {
            let now = stored(messages::insert_outgoing(
                tx,
                &outgoing(peer, "now", Mode::Now),
            )?);
            let queue = stored(messages::insert_outgoing(
                tx,
                &outgoing(peer, "queue", Mode::Queue),
            )?);
            messages::start_sending(tx, queue)?;
            Ok((now, queue))
        })
        .await
        .unwrap();
    store.close().await.unwrap();
    let store = home.open();
    let recovered = store
        .write(|tx| messages::recover_on_start(tx, &json!({"code": "INTERRUPTED"})))
        .await
        .unwrap();
    assert_eq!(
        recovered,
        messages::Recovered {
            unconfirmed: vec![now],
            requeued: vec![queue]
        }
    );
    let nothing = store
        .write(|tx| messages::recover_on_start(tx, &json!({})))
        .await
        .unwrap();
    assert_eq!(nothing, messages::Recovered::default());
    // The queued one may have arrived before the crash, so giving up on it is not a failure.
    let given_up = store
        .write(move |tx| messages::give_up(tx, peer, NOW, &json!({})))
        .await
        .unwrap();
    assert_eq!(
        given_up,
        messages::Expired {
            failed: vec![],
            unconfirmed: vec![queue]
        }
    );
}

#[tokio::test]
async fn the_inbox_moves_forward_only() {
    let home = Home::new();
    let store = home.open();
    let peer = add_peer(&store, "kitchen").await;
    store
        .write(move |tx| {
            let mut seqs = Vec::new();
            for name in ["a", "b", "c", "d"] {
                let Accepted::Stored(seq) =
                    messages::accept_incoming(tx, &incoming(peer, name, "x"))?
                else {
                    panic!()
                };
                seqs.push(seq);
            }
            assert_eq!(
                messages::counts(tx)?,
                [(
                    peer,
                    Counts {
                        unread: 4,
                        ..Counts::default()
                    }
                )]
            );
            assert!(messages::hand_over(tx, seqs[0], NOW)?);
            assert!(messages::acknowledge(tx, seqs[0], NOW)?);
            assert!(messages::mark_read(tx, seqs[0], NOW)?);
            assert!(
                !messages::acknowledge(tx, seqs[0], NOW)?
                    && !messages::hand_over(tx, seqs[0], NOW)?
            );
            assert!(
                messages::mark_read(tx, seqs[1], NOW)? && !messages::mark_read(tx, seqs[1], NOW)?
            );
            assert!(messages::hand_over(tx, seqs[1], NOW)?);
            assert_eq!(messages::mark_read_up_to(tx, Some(peer), seqs[2], NOW)?, 1);
            let page = messages::list(
                tx,
                &Filter {
                    cursor: Cursor::After(0),
                    ..Filter::default()
                },
            )?;
            let states: Vec<State> = page.messages.iter().map(|row| row.state).collect();
            assert_eq!(
                states,
                [
                    State::Acknowledged,
                    State::HandedOver,
                    State::Read,
                    State::New
                ]
            );
            let unread = messages::list(
                tx,
                &Filter {
                    unread: true,
                    ..Filter::default()
                },
            )?;
            assert_eq!(
                unread
                    .messages
                    .iter()
                    .map(|row| row.seq)
                    .collect::<Vec<_>>(),
                [seqs[3]]
            );
            Ok(())
        })
        .await
        .unwrap();
}

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
            messages::fence(tx, peer, &id("f"), NOW)?;
            assert!(matches!(
                peers::delete_history(tx, peer, 3),
                Err(StoreError::NotFound { .. })
            ));
            peers::revoke(tx, peer, NOW)?;
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
