//! A database that was put back from a copy must not keep the id under which it confirmed messages.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::Home;
use tieline_store::{Store, settings};
use tieline_wire::receipt::StoreId;

struct Opened {
    id: StoreId,
    restored: bool,
}

/// Opens, writes, closes.
async fn session(path: &Path) -> Opened {
    let (store, report) = Store::open(path).unwrap();
    store
        .write(|tx| settings::set(tx, "sessions", &1))
        .await
        .unwrap();
    store.close().await.unwrap();
    Opened {
        id: store.store_id(),
        restored: report.restored,
    }
}

fn epoch(path: &Path) -> PathBuf {
    path.with_file_name("tieline.db.epoch")
}

#[tokio::test]
async fn ordinary_restarts_keep_the_id() {
    let home = Home::new();
    let first = session(&home.db()).await;
    for _ in 0..3 {
        let next = session(&home.db()).await;
        assert!(next.id == first.id && !next.restored);
    }
    // Moving the directory is not a copy.
    let moved = home.directory.path().join("moved");
    fs::rename(home.db().parent().unwrap(), &moved).unwrap();
    let next = session(&moved.join("tieline.db")).await;
    assert!(next.id == first.id && !next.restored);
}

#[tokio::test]
async fn a_crash_keeps_the_id() {
    let home = Home::new();
    let first = session(&home.db()).await;
    let (store, _) = Store::open(home.db()).unwrap();
    let mark_of_open = fs::read(epoch(&home.db())).unwrap();
    store.close().await.unwrap();
    // As if the power failed after the database was marked and before the file was.
    fs::write(epoch(&home.db()), mark_of_open).unwrap();
    for _ in 0..2 {
        let next = session(&home.db()).await;
        assert!(next.id == first.id && !next.restored);
    }
}

#[tokio::test]
async fn an_older_file_put_back_gets_a_new_id() {
    let home = Home::new();
    let first = session(&home.db()).await;
    let backup = fs::read(home.db()).unwrap();
    session(&home.db()).await;
    // Written into the same file: only the mark tells.
    fs::write(home.db(), &backup).unwrap();
    let restored = session(&home.db()).await;
    assert!(restored.restored && restored.id != first.id);
    let next = session(&home.db()).await;
    assert!(!next.restored && next.id == restored.id);
}

#[tokio::test]
async fn a_copy_taken_while_running_gets_a_new_id() {
    let home = Home::new();
    let (store, _) = Store::open(home.db()).unwrap();
    let copy = home.directory.path().join("copy.db");
    let backup_program = rusqlite::Connection::open(home.db()).unwrap();
    backup_program
        .execute("VACUUM INTO ?1", [copy.to_str().unwrap()])
        .unwrap();
    drop(backup_program);
    store
        .write(|tx| settings::set(tx, "forgotten", &1))
        .await
        .unwrap();
    store.close().await.unwrap();
    fs::write(home.db(), fs::read(&copy).unwrap()).unwrap();
    let restored = session(&home.db()).await;
    assert!(restored.restored && restored.id != store.store_id());
}

#[tokio::test]
async fn a_copied_directory_gets_a_new_id_and_the_original_keeps_its_own() {
    let home = Home::new();
    let first = session(&home.db()).await;
    let twin = home.directory.path().join("twin");
    fs::create_dir(&twin).unwrap();
    for entry in fs::read_dir(home.db().parent().unwrap()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), twin.join(entry.file_name())).unwrap();
    }
    let copied = session(&twin.join("tieline.db")).await;
    assert!(copied.restored && copied.id != first.id);
    let original = session(&home.db()).await;
    assert!(!original.restored && original.id == first.id);
}

#[tokio::test]
async fn a_missing_or_broken_witness_means_a_new_id() {
    let home = Home::new();
    let mut last = session(&home.db()).await.id;
    fs::remove_file(epoch(&home.db())).unwrap();
    for _ in 0..2 {
        let next = session(&home.db()).await;
        assert!(next.restored && next.id != last);
        last = next.id;
        fs::write(epoch(&home.db()), "{}").unwrap();
    }
}

#[tokio::test]
async fn a_first_start_cut_short_is_not_a_restore() {
    let home = Home::new();
    let (store, _) = Store::open(home.db()).unwrap();
    // As if it was killed after the database was begun and before the file beside it was written.
    let (db, wal) = (
        fs::read(home.db()).unwrap(),
        fs::read(home.db().with_file_name("tieline.db-wal")).unwrap(),
    );
    store.close().await.unwrap();
    fs::remove_file(epoch(&home.db())).unwrap();
    fs::write(home.db(), db).unwrap();
    fs::write(home.db().with_file_name("tieline.db-wal"), wal).unwrap();
    let (store, report) = Store::open(home.db()).unwrap();
    assert!(report.created && !report.restored && !report.lost);
    store.close().await.unwrap();
    assert!(!session(&home.db()).await.restored);
}
