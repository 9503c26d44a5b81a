//! Outgoing messages from the first commit to the end.

use serde_json::json;
use tieline_store::StoreError;
use tieline_store::messages::{
    self, Accepted, Content, Counts, Direction, Evidence, Finish, Mode, Queued, State,
};
use tieline_store::peers::PeerId;
use tieline_store::receipts;
use tieline_wire::message::ContentHash;
use tieline_wire::receipt::Stage;
use tieline_wire::time::UnixMillis;

use crate::support::{Home, NOW, add_peer, id, incoming, outgoing};

pub(crate) fn stored(queued: Queued) -> i64 {
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
            assert!(matches!(unknown, Err(StoreError::NotFound { .. })));
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
            let recipient = outgoing(peer, "x", Mode::Now).recipient.unwrap();
            assert_eq!(
                messages::unconfirmed_for_peer(tx, peer, recipient, "", 9)?[0].problem,
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
async fn a_cancelled_message_is_failed_unless_the_peer_may_hold_it() {
    let home = Home::new();
    let store = home.open();
    let peer = add_peer(&store, "kitchen").await;
    let outcome = store.write(move |tx| {
        let why = json!({"code": "CANCELLED"});
        let queue = |name| -> Result<i64, StoreError> {
            Ok(stored(messages::insert_outgoing(
                tx,
                &outgoing(peer, name, Mode::Queue),
            )?))
        };
        let (fresh, exposed, running) = (queue("m-1")?, queue("m-2")?, queue("m-3")?);
        messages::start_sending(tx, exposed)?;
        messages::requeue(tx, exposed, true)?;
        messages::start_sending(tx, running)?;
        assert!(messages::cancel(tx, fresh, NOW, &why)?);
        assert!(messages::cancel(tx, exposed, NOW, &why)?);
        assert!(
            !messages::cancel(tx, running, NOW, &why)?,
            "it is on its way"
        );
        assert!(!messages::cancel(tx, fresh, NOW, &why)?, "only once");
        // It is asked about, and never goes back into the queue.
        messages::start_sending(tx, exposed)?;
        assert!(!messages::requeue(tx, exposed, true)?);
        let state = |seq| Ok::<_, StoreError>(messages::get(tx, seq)?.map(|row| row.state));
        Ok((state(fresh)?, state(running)?))
    });
    assert_eq!(
        outcome.await.unwrap(),
        (Some(State::Failed), Some(State::Sending))
    );
}
