//! The store as files: damage, removal, permissions, space.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use tieline_store::messages::{self, Filter};
use tieline_store::{OpenOptions, Store, StoreError, settings};

use crate::groups::setting;
use crate::support::{Home, add_peer, incoming};

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
        matches!(outcome, Err(StoreError::NewerSchema { found: 99, .. })),
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

#[test]
fn sqlite_is_recent_enough() {
    // 3.51.3 corrected a rare corruption of write-ahead logs.
    assert!(
        rusqlite::version_number() >= 3_051_003,
        "{}",
        rusqlite::version()
    );
}
