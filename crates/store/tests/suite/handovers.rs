//! Messages that wait for a local agent.

use serde_json::json;
use tieline_store::handovers::{self, Counts, Verdict};
use tieline_store::messages::{self, Accepted, State};
use tieline_store::peers;

use crate::support::{Home, NOW, add_peer, incoming};

#[tokio::test]
async fn what_waits_survives_a_restart_and_goes_in_order() {
    let home = Home::new();
    let store = home.open();
    let peer = add_peer(&store, "kitchen").await;
    let seqs = store
        .write(move |tx| {
            let mut seqs = Vec::new();
            for id in ["m1", "m2"] {
                let Accepted::Stored(seq) =
                    messages::accept_incoming(tx, &incoming(peer, id, "tea?"))?
                else {
                    panic!("not stored")
                };
                handovers::add(tx, peer, seq)?;
                seqs.push(seq);
            }
            // A try that was begun and never ended, as at a power cut.
            handovers::begin(tx, seqs[0])?;
            Ok(seqs)
        })
        .await
        .unwrap();
    store.close().await.unwrap();

    let store = home.open();
    store
        .write(move |tx| {
            let first = handovers::next(tx, peer)?.unwrap();
            assert_eq!(
                (first.message.seq, first.tries, first.refusals),
                (seqs[0], 1, 1)
            );
            assert!(
                first
                    .message
                    .content
                    .unwrap()
                    .payload
                    .unwrap()
                    .contains("tea?")
            );
            handovers::failed(tx, seqs[0], &json!({"code": "X"}), Verdict::Uncounted)?;
            assert_eq!(handovers::next(tx, peer)?.unwrap().refusals, 0);
            handovers::failed(tx, seqs[0], &json!({"code": "X"}), Verdict::GivenUp)?;
            assert_eq!(handovers::next(tx, peer)?.unwrap().message.seq, seqs[1]);
            assert!(handovers::done(tx, seqs[1], NOW)?);
            let second = messages::get(tx, seqs[1])?.unwrap();
            assert_eq!(
                (second.state, second.handed_over_at),
                (State::HandedOver, Some(NOW))
            );
            let one = Counts {
                waiting: 0,
                given_up: 1,
            };
            assert_eq!(handovers::counts(tx, peer)?, one);
            assert_eq!(handovers::problem(tx, peer)?, Some(json!({"code": "X"})));
            assert!(messages::get(tx, seqs[0])?.unwrap().problem.is_some());
            assert_eq!(handovers::retry(tx, peer)?, 1);
            assert_eq!(handovers::next(tx, peer)?.unwrap().message.seq, seqs[0]);
            assert_eq!(handovers::discard(tx, peer)?, 1);
            assert!(handovers::next(tx, peer)?.is_none());
            assert!(messages::get(tx, seqs[0])?.unwrap().problem.is_none());
            Ok(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn nothing_of_an_unpaired_peer_waits() {
    let home = Home::new();
    let store = home.open();
    let peer = add_peer(&store, "kitchen").await;
    store
        .write(move |tx| {
            let Accepted::Stored(seq) = messages::accept_incoming(tx, &incoming(peer, "m", "x"))?
            else {
                panic!("not stored")
            };
            handovers::add(tx, peer, seq)?;
            peers::revoke(tx, peer, NOW)?;
            assert!(handovers::next(tx, peer)?.is_none());
            while peers::delete_history(tx, peer, 100)? {}
            Ok(())
        })
        .await
        .unwrap();
}
