//! Incoming messages, and further copies of them.

use tieline_store::StoreError;
use tieline_store::messages::{self, Accepted, Assurance, Counts, Cursor, Fence, Filter, State};
use tieline_store::receipts;
use tieline_wire::message::ContentHash;
use tieline_wire::receipt::Stage;

use crate::support::{Home, NOW, add_peer, id, incoming};

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
            let asked = |name: &str, room| messages::fence(tx, peer, &id(name), NOW, room);
            assert!(matches!(asked("late", false)?, Fence::NoRoom));
            assert_eq!(messages::fences(tx, peer)?, 0);
            assert!(matches!(asked("late", true)?, Fence::Fenced { new: true }));
            assert!(matches!(
                asked("late", false)?,
                Fence::Fenced { new: false }
            ));
            assert_eq!(messages::fences(tx, peer)?, 1);
            assert_eq!(
                messages::accept_incoming(tx, &incoming(peer, "late", "x"))?,
                Accepted::Fenced
            );
            assert!(matches!(
                messages::accept_incoming(tx, &incoming(other, "late", "x"))?,
                Accepted::Stored(_)
            ));
            let Accepted::Stored(seq) =
                messages::accept_incoming(tx, &incoming(peer, "there", "x"))?
            else {
                panic!()
            };
            assert!(matches!(asked("there", false)?, Fence::Known(row) if row.seq == seq));
            assert!(matches!(
                messages::accept_incoming(tx, &incoming(peer, "there", "x"))?,
                Accepted::Duplicate { .. }
            ));
            Ok(())
        })
        .await
        .unwrap();
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
async fn our_receipts_wait_until_the_peer_took_them() {
    let home = Home::new();
    let store = home.open();
    let (peer, other) = (
        add_peer(&store, "kitchen").await,
        add_peer(&store, "other").await,
    );
    store
        .write(move |tx| {
            for name in ["a", "b"] {
                messages::accept_incoming(tx, &incoming(peer, name, "x"))?;
            }
            assert!(receipts::add(
                tx,
                2,
                Stage::Acknowledged,
                NOW,
                Some(b"ack b")
            )?);
            assert!(receipts::add(
                tx,
                1,
                Stage::HandedOver,
                NOW,
                Some(b"over a")
            )?);
            assert!(
                receipts::add(tx, 1, Stage::Acknowledged, NOW, None)?,
                "a dialect without receipts"
            );
            let unknown = receipts::add(tx, 9, Stage::Acknowledged, NOW, None);
            assert!(matches!(unknown, Err(StoreError::NotFound { .. })));
            let stored = receipts::add(tx, 1, Stage::Stored, NOW, None);
            assert!(matches!(stored, Err(StoreError::Constraint { .. })));

            let waiting: Vec<_> = receipts::unsent(tx, peer, 9)?
                .into_iter()
                .map(|unsent| unsent.receipt)
                .collect();
            assert_eq!(waiting, [b"over a".to_vec(), b"ack b".to_vec()]);
            assert_eq!(receipts::unsent(tx, other, 9)?, []);
            assert!(receipts::mark_sent(tx, 1, Stage::HandedOver, NOW)?);
            assert!(!receipts::mark_sent(tx, 1, Stage::HandedOver, NOW)?);
            let unsent = receipts::unsent(tx, peer, 9)?;
            assert_eq!(
                (unsent.len(), unsent[0].message_seq, unsent[0].stage),
                (1, 2, Stage::Acknowledged)
            );
            let stages: Vec<_> = receipts::list(tx, 1)?
                .into_iter()
                .map(|row| row.stage)
                .collect();
            assert_eq!(
                stages,
                [Stage::Stored, Stage::HandedOver, Stage::Acknowledged]
            );
            Ok(())
        })
        .await
        .unwrap();
}
