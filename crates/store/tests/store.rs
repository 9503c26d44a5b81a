//! The store as a file: groups, full disks, damage, copies put back, permissions.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::Path;
use std::sync::mpsc;

use rusqlite::Connection;
use support::{Home, add_peer, incoming};
use tieline_store::messages::{self, Filter};
use tieline_store::{OpenOptions, Store, StoreError, settings};
use tokio::task::JoinHandle;

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

async fn setting(store: &Store, key: &'static str) -> Option<i64> {
    store
        .read(move |conn| settings::get(conn, key))
        .await
        .unwrap()
}

#[test]
fn sqlite_is_recent_enough() {
    // 3.51.3 corrected a rare corruption of write-ahead logs.
    assert!(
        rusqlite::version_number() >= 3_051_003,
        "{}",
        rusqlite::version()
    );
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
async fn after_closing_nothing_is_served_and_one_file_is_left() {
    let home = Home::new();
    let store = home.open();
    store.write(|tx| settings::set(tx, "a", &1)).await.unwrap();
    assert_eq!(setting(&store, "a").await, Some(1));
    store.close().await.unwrap();
    assert_eq!(store.write(|_| Ok(())).await, Err(StoreError::Closed));
    assert_eq!(store.read(|_| Ok(())).await, Err(StoreError::Closed));
    assert_eq!(store.close().await, Err(StoreError::Closed));
    assert_eq!(
        names(home.db().parent().unwrap()),
        ["tieline.db", "tieline.db.epoch"]
    );
    let (store, report) = home.open_reporting();
    assert_eq!(report, tieline_store::OpenReport::default());
    assert_eq!(setting(&store, "a").await, Some(1));
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

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_damaged_database_is_kept_and_reported() {
    let home = Home::new();
    let store = home.open();
    let old_id = store.store_id();
    let peer = add_peer(&store, "kitchen").await;
    for number in 0..200 {
        let message = incoming(
            peer,
            &format!("m-{number}"),
            &format!("words {number} ").repeat(50),
        );
        store
            .write(move |tx| messages::accept_incoming(tx, &message))
            .await
            .unwrap();
    }
    store.close().await.unwrap();
    let healthy = fs::read(home.db()).unwrap();

    let mut inner = healthy.clone();
    let middle = inner.len() / 2 / 4096 * 4096;
    inner[middle..middle + 4096].fill(0xa5);
    let mut header = healthy.clone();
    header[..16].copy_from_slice(b"something else!!");
    let cases = [
        inner,
        header,
        b"not a database at all".to_vec(),
        healthy[..healthy.len() / 3].to_vec(),
        Vec::new(),
    ];
    for damaged in cases {
        fs::write(home.db(), &damaged).unwrap();
        for _ in 0..2 {
            let outcome = Store::open(home.db());
            assert!(
                matches!(outcome, Err(StoreError::Damaged { .. })),
                "{outcome:?}"
            );
            assert!(
                fs::read(home.db()).unwrap() == damaged,
                "the file is left as it was"
            );
        }
        let (store, report) =
            Store::open_with(&OpenOptions::new(home.db()).accept_new(true)).unwrap();
        assert!(report.created && !report.lost && !report.restored);
        assert!(
            fs::read(report.set_aside.unwrap()).unwrap() == damaged,
            "the file is kept"
        );
        assert_ne!(store.store_id(), old_id);
        assert!(
            store
                .read(|conn| messages::list(conn, &Filter::default()))
                .await
                .unwrap()
                .messages
                .is_empty()
        );
        store.close().await.unwrap();
    }
    // Putting the healthy one back works, under a new id.
    fs::write(home.db(), &healthy).unwrap();
    let (store, report) = home.open_reporting();
    assert!(report.restored && store.store_id() != old_id);
    assert_eq!(
        store
            .read(|conn| messages::list(conn, &Filter::default()))
            .await
            .unwrap()
            .messages
            .len(),
        50
    );
}

#[tokio::test]
async fn a_newer_format_is_left_alone() {
    let home = Home::new();
    home.open().close().await.unwrap();
    let conn = Connection::open(home.db()).unwrap();
    conn.pragma_update(None, "user_version", 99).unwrap();
    conn.close().unwrap();
    let before = fs::read(home.db()).unwrap();
    let outcome = Store::open_with(&OpenOptions::new(home.db()).accept_new(true));
    assert!(
        matches!(
            outcome,
            Err(StoreError::NewerSchema {
                found: 99,
                known: 1
            })
        ),
        "{outcome:?}"
    );
    assert!(fs::read(home.db()).unwrap() == before);
}

#[tokio::test]
async fn a_database_that_someone_removed_is_reported() {
    let home = Home::new();
    let store = home.open();
    let id = store.store_id();
    store.close().await.unwrap();
    fs::remove_file(home.db()).unwrap();
    let (store, report) = home.open_reporting();
    assert!(report.created && report.lost);
    assert_ne!(store.store_id(), id);
}

#[test]
fn a_place_where_no_file_can_be_is_an_error() {
    let home = Home::new();
    fs::create_dir_all(home.db()).unwrap();
    assert!(matches!(Store::open(home.db()), Err(StoreError::Io { .. })));
    let below_a_file = home.directory.path().join("file");
    fs::write(&below_a_file, "").unwrap();
    assert!(matches!(
        Store::open(below_a_file.join("tieline.db")),
        Err(StoreError::Io { .. })
    ));
}

#[cfg(unix)]
#[tokio::test]
async fn all_files_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let store = home.open();
    store.write(|tx| settings::set(tx, "a", &1)).await.unwrap();
    let directory = home.db().parent().unwrap().to_owned();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&directory), 0o700);
    let names = names(&directory);
    assert_eq!(
        names,
        [
            "tieline.db",
            "tieline.db-shm",
            "tieline.db-wal",
            "tieline.db.epoch"
        ]
    );
    for name in names {
        assert_eq!(mode(&directory.join(&name)), 0o600, "{name}");
    }
    store.close().await.unwrap();

    fs::set_permissions(home.db(), fs::Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
    let (_store, report) = home.open_reporting();
    assert!(report.directory_open_to_others);
    assert_eq!(mode(&home.db()), 0o600);
}

#[tokio::test]
async fn freed_space_goes_back_to_the_disk() {
    let home = Home::new();
    let store = home.open();
    let peer = add_peer(&store, "kitchen").await;
    let mut seqs = Vec::new();
    for number in 0..50 {
        let message = incoming(peer, &format!("m-{number}"), &"x".repeat(100_000));
        store
            .write(move |tx| messages::accept_incoming(tx, &message))
            .await
            .unwrap();
        seqs.push(number + 1);
    }
    let pages = async || {
        let pages = store.read(|conn| {
            Ok(conn.pragma_query_value(None, "page_count", |row| row.get::<_, i64>(0))?)
        });
        pages.await.unwrap()
    };
    let before = pages().await;
    store
        .write(move |tx| messages::delete_content(tx, &seqs))
        .await
        .unwrap();
    store.give_back_space().await.unwrap();
    let after = pages().await;
    assert!(after * 5 < before, "{before} pages became {after}");
    store.check().await.unwrap();
}
