//! Jobs that share a commit: what one member's failure, or the group's, does to the others.

use std::sync::mpsc;

use tieline_store::messages::{self};
use tieline_store::{Store, StoreError, settings};
use tokio::task::JoinHandle;

use crate::support::{Home, add_peer, incoming};

/// Keeps the writer busy until the sender is used. Held longer than a group may run (20 ms), nothing joins this one,
/// and the jobs handed in meanwhile form the next.
async fn hold(store: &Store) -> (mpsc::Sender<()>, JoinHandle<Result<(), StoreError>>) {
    let (release, gate) = mpsc::channel();
    let (running, runs) = tokio::sync::oneshot::channel();
    let store = store.clone();
    let held = tokio::spawn(async move {
        store
            .write(move |_| {
                running.send(()).unwrap();
                gate.recv().unwrap();
                Ok(())
            })
            .await
    });
    runs.await.unwrap();
    (release, held)
}

pub(crate) async fn setting(store: &Store, key: &'static str) -> Option<i64> {
    store
        .read(move |conn| settings::get(conn, key))
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_fails_or_panics_undoes_only_itself() {
    let home = Home::new();
    let store = home.open();
    let (release, held) = hold(&store).await;
    let good = |key: &'static str| store.write(move |tx| settings::set(tx, key, &1));
    let failing = store.write(|tx| {
        settings::set(tx, "failed", &1)?;
        Err::<(), _>(StoreError::not_found("on purpose"))
    });
    let panicking = store.write(|tx| {
        settings::set(tx, "panicked", &1)?;
        if true {
            panic!("on purpose");
        }
        Ok(())
    });
    let refused = store.write(|tx| Ok(tx.execute_batch("INSERT INTO nowhere VALUES (1)")?));
    let wait = async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        release.send(()).unwrap();
    };
    let (before, failing, panicking, refused, after, ()) = tokio::join!(
        good("before"),
        failing,
        panicking,
        refused,
        good("after"),
        wait
    );
    held.await.unwrap().unwrap();
    assert_eq!((before, after), (Ok(()), Ok(())));
    assert_eq!(failing, Err(StoreError::not_found("on purpose")));
    assert_eq!(panicking, Err(StoreError::Panicked));
    assert!(matches!(refused, Err(StoreError::Sql { .. })));
    assert_eq!(
        (
            setting(&store, "before").await,
            setting(&store, "after").await
        ),
        (Some(1), Some(1))
    );
    assert_eq!(
        (
            setting(&store, "failed").await,
            setting(&store, "panicked").await
        ),
        (None, None)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_cannot_be_committed_fails_every_member() {
    let home = Home::new();
    let store = home.open();
    let (release, held) = hold(&store).await;
    let good = |key: &'static str| store.write(move |tx| settings::set(tx, key, &1));
    // A deferred rule is checked at the commit only, when the whole group stands or falls.
    let poison = store.write(|tx| {
        tx.execute_batch(
            "PRAGMA defer_foreign_keys = on; INSERT INTO bodies VALUES (77, '{}', '')",
        )?;
        Ok(())
    });
    let wait = async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        release.send(()).unwrap();
    };
    let (first, poison, last, ()) = tokio::join!(good("first"), poison, good("last"), wait);
    held.await.unwrap().unwrap();
    for outcome in [first, poison, last] {
        assert!(
            matches!(outcome, Err(StoreError::Constraint { .. })),
            "{outcome:?}"
        );
    }
    assert_eq!(
        (
            setting(&store, "first").await,
            setting(&store, "last").await
        ),
        (None, None)
    );
    good("later").await.unwrap();
    assert_eq!(setting(&store, "later").await, Some(1));
}

#[tokio::test]
async fn a_job_cannot_commit_behind_the_groups_back() {
    let home = Home::new();
    let store = home.open();
    let outcome = store.write(|tx| Ok(tx.execute_batch("ROLLBACK")?)).await;
    assert!(matches!(outcome, Err(StoreError::Sql { code: 0, .. })));
    store
        .write(|tx| settings::set(tx, "after", &1))
        .await
        .unwrap();
    assert_eq!(setting(&store, "after").await, Some(1));
}

#[tokio::test]
async fn a_reader_cannot_write_and_survives_a_panic() {
    let home = Home::new();
    let store = home.open();
    let outcome = store.read(|conn| settings::set(conn, "x", &1)).await;
    assert!(
        matches!(outcome, Err(StoreError::Permission { .. })),
        "{outcome:?}"
    );
    for _ in 0..5 {
        let outcome: Result<(), _> = store.read(|_| panic!("on purpose")).await;
        assert_eq!(outcome, Err(StoreError::Panicked));
    }
    assert_eq!(setting(&store, "x").await, None);
}

#[tokio::test]
async fn a_full_store_refuses_and_goes_on_when_there_is_room() {
    let home = Home::new();
    let store = home.open();
    let peer = add_peer(&store, "kitchen").await;
    let fill = |number: i64| {
        let message = incoming(peer, &format!("m-{number}"), &"many words ".repeat(2000));
        store.write(move |tx| messages::accept_incoming(tx, &message))
    };
    store
        .write(|tx| {
            let pages: i64 = tx.pragma_query_value(None, "page_count", |row| row.get(0))?;
            tx.query_row(
                &format!("PRAGMA max_page_count = {}", pages + 50),
                [],
                |_| Ok(()),
            )?;
            Ok(())
        })
        .await
        .unwrap();
    let mut stored = 0;
    let full = loop {
        match fill(stored).await {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(full, StoreError::Full);
    assert!(stored > 0);
    assert_eq!(fill(1000).await, Err(StoreError::Full));
    store
        .write(|tx| Ok(tx.query_row("PRAGMA max_page_count = 1000000", [], |_| Ok(()))?))
        .await
        .unwrap();
    let count: i64 = store
        .read(|conn| Ok(conn.query_row("SELECT count(*) FROM messages", [], |row| row.get(0))?))
        .await
        .unwrap();
    assert_eq!(count, stored);
    fill(1000).await.unwrap();
    store.check().await.unwrap();
}

#[tokio::test]
async fn jobs_handed_in_before_the_last_handle_goes_are_done() {
    let home = Home::new();
    let store = home.open();
    let (release, held) = hold(&store).await;
    let writes: Vec<_> = (0..50)
        .map(|number: i64| {
            let store = store.clone();
            tokio::spawn(async move {
                store
                    .write(move |tx| settings::set(tx, &number.to_string(), &number))
                    .await
            })
        })
        .collect();
    tokio::task::yield_now().await;
    let closing = tokio::spawn({
        let store = store.clone();
        async move { store.close().await }
    });
    tokio::task::yield_now().await;
    drop(store);
    release.send(()).unwrap();
    held.await.unwrap().unwrap();
    for write in writes {
        write.await.unwrap().unwrap();
    }
    closing.await.unwrap().unwrap();
    let count = home.open().read(settings::list).await.unwrap().len();
    assert_eq!(count, 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_holding_the_database_is_told_once_for_all() {
    let home = Home::new();
    let store = home.open();
    let other = rusqlite::Connection::open(home.db()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let started = std::time::Instant::now();
    let writes: Vec<_> = (0..20)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.write(|tx| settings::set(tx, "a", &1)).await })
        })
        .collect();
    for write in writes {
        assert_eq!(write.await.unwrap(), Err(StoreError::Busy));
    }
    assert!(
        started.elapsed().as_secs() < 10,
        "not one wait after the other"
    );
    assert_eq!(
        setting(&store, "a").await,
        None,
        "reading goes on meanwhile"
    );
    other.execute_batch("COMMIT").unwrap();
    store.write(|tx| settings::set(tx, "a", &2)).await.unwrap();
    assert_eq!(setting(&store, "a").await, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_groups_messages_are_found_after_its_commit_and_undone_ones_never() {
    let home = Home::new();
    let store = home.open();
    let peer = add_peer(&store, "kitchen").await;
    let (release, held) = hold(&store).await;
    let stored = |id: &'static str| {
        let message = incoming(peer, id, "porcelain");
        store.write(move |tx| messages::accept_incoming(tx, &message).map(drop))
    };
    // The first job of a group is undone in another way than those that follow.
    let undone = |id: &'static str| {
        let message = incoming(peer, id, "porcelain");
        store.write(move |tx| {
            messages::accept_incoming(tx, &message)?;
            Err::<(), _>(StoreError::not_found("on purpose"))
        })
    };
    let wait = async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        release.send(()).unwrap();
    };
    let (first, one, between, two, ()) = tokio::join!(
        undone("first"),
        stored("one"),
        undone("between"),
        stored("two"),
        wait
    );
    held.await.unwrap().unwrap();
    assert!(first.is_err() && between.is_err());
    one.and(two).unwrap();
    let search = messages::Filter {
        search: Some("porcelain".into()),
        limit: 10,
        ..messages::Filter::default()
    };
    let page = store
        .read(move |conn| messages::list(conn, &search))
        .await
        .unwrap();
    let found: Vec<_> = page
        .messages
        .iter()
        .map(|row| row.message_id.as_str())
        .collect();
    assert_eq!(found, ["two", "one"]);
    store
        .write(|tx| {
            tx.execute_batch("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")?;
            Ok(())
        })
        .await
        .unwrap();
}
