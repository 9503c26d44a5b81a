//! SIGKILL in the middle of writing, and a disk that is really full.
//!
//! Each test starts this very program again as the process to be killed or confined; a variable in the environment
//! tells the two apart.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use crate::support::{Home, add_peer, incoming};
use tieline_store::messages::{self, Accepted, Cursor, Filter};
use tieline_store::peers::{self, PeerId};
use tieline_store::{Store, StoreError, settings};

const CHILD: &str = "TIELINE_STORE_TEST_CHILD";
const WRITERS: usize = 8;
const KILLS: u64 = 40;

/// This test again, in a process of its own, working in `directory`.
fn child(program: &[&str], test: &str, directory: &Path) -> Command {
    let own = std::env::current_exe().unwrap();
    let mut words = program
        .iter()
        .map(std::ffi::OsStr::new)
        .chain([own.as_os_str()]);
    let mut command = Command::new(words.next().unwrap());
    command
        .args(words)
        .args(["--exact", &format!("crash::{test}"), "--nocapture"])
        .env(CHILD, directory);
    command
}

/// A small generator, so that a failure can be repeated with its seed (xorshift64*, Vigna 2016).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }
}

#[test]
fn no_acknowledged_write_is_lost_by_sigkill() {
    if let Some(directory) = std::env::var_os(CHILD) {
        return write_for_ever(Path::new(&directory));
    }
    let clock = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_nanos() as u64;
    let seed = std::env::var("TIELINE_TEST_SEED").map_or(clock | 1, |seed| seed.parse().unwrap());
    println!("repeat with TIELINE_TEST_SEED={seed}");
    let mut dice = Dice(seed);
    let home = Home::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (peer, store_id) = runtime.block_on(async {
        let store = home.open();
        let peer = add_peer(&store, "kitchen").await;
        store
            .write(move |tx| settings::set(tx, "peer", &peer))
            .await
            .unwrap();
        store.close().await.unwrap();
        (peer, store.store_id())
    });

    let (mut acknowledged, mut unanswered) = (BTreeSet::new(), 0);
    for _ in 0..KILLS {
        let test = "no_acknowledged_write_is_lost_by_sigkill";
        let mut child = child(&[], test, &home.db())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let before = acknowledged.len();
        read_until_killed(&mut child, &mut dice, &mut acknowledged);
        assert!(
            acknowledged.len() > before,
            "the kill came before anything was written"
        );
        let (stored, id) = runtime.block_on(look(&home, peer));
        assert_eq!(id, store_id, "a crash is not a restore");
        let lost: Vec<_> = acknowledged.difference(&stored).take(3).collect();
        assert!(lost.is_empty(), "acknowledged and gone: {lost:?}");
        unanswered += stored.len() - acknowledged.len();
        // What was stored without an answer counts as known from here on.
        acknowledged = stored;
    }
    println!(
        "{KILLS} kills, {} writes, of which {unanswered} were stored and not yet answered",
        acknowledged.len()
    );
    assert!(
        unanswered > 0,
        "no kill came between a commit and its answer"
    );
}

/// Collects what the child reports, kills it after a random number of writes and time, and reads on to the end.
fn read_until_killed(child: &mut Child, dice: &mut Dice, acknowledged: &mut BTreeSet<String>) {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let wanted = 1 + dice.below(400);
    let mut seen = 0;
    while seen < wanted {
        let line = lines.next().unwrap().unwrap();
        seen += u64::from(note(&line, acknowledged));
    }
    pause(Duration::from_micros(dice.below(2000)));
    assert!(
        child.try_wait().unwrap().is_none(),
        "the child ended by itself"
    );
    child.kill().unwrap();
    for line in lines.map_while(Result::ok) {
        note(&line, acknowledged);
    }
    let status = child.wait().unwrap();
    assert_eq!(
        std::os::unix::process::ExitStatusExt::signal(&status),
        Some(9)
    );
}

/// Moves the moment of the kill away from the moment of an acknowledgement.
#[allow(
    clippy::disallowed_methods,
    reason = "not for an event, and not on a runtime"
)]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// Notes an `ack <message id>.` line; the full stop proves that it is whole.
fn note(line: &str, acknowledged: &mut BTreeSet<String>) -> bool {
    let id = line
        .strip_prefix("ack ")
        .and_then(|rest| rest.strip_suffix('.'));
    id.is_some_and(|id| acknowledged.insert(id.to_owned()))
}

/// Everything that is stored, each with its content, and the store id.
async fn look(home: &Home, peer: PeerId) -> (BTreeSet<String>, tieline_wire::receipt::StoreId) {
    let store = home.open();
    let mut stored = BTreeSet::new();
    let mut filter = Filter {
        cursor: Cursor::After(0),
        limit: 500,
        payload: true,
        ..Filter::default()
    };
    loop {
        let asked = filter.clone();
        let page = store
            .read(move |conn| messages::list(conn, &asked))
            .await
            .unwrap();
        for row in &page.messages {
            let id = row.message_id.to_string();
            let sent = incoming(peer, &id, &format!("words of {id}"));
            assert_eq!(
                row.content.as_ref().unwrap().payload.as_deref(),
                Some(&*sent.payload)
            );
            assert!(stored.insert(id), "stored twice");
        }
        filter.cursor = page
            .messages
            .last()
            .map_or(filter.cursor, |row| Cursor::After(row.seq));
        if !page.more {
            break;
        }
    }
    let index_matches = |tx: &tieline_store::Transaction<'_>| {
        tx.execute_batch("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")?;
        Ok(())
    };
    store.write(index_matches).await.unwrap();
    store.close().await.unwrap();
    (stored, store.store_id())
}

/// The process that is killed: eight writers, each printing what was acknowledged.
fn write_for_ever(path: &Path) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (store, _) = Store::open(path).unwrap();
        let peer: PeerId = store
            .read(|conn| settings::get(conn, "peer"))
            .await
            .unwrap()
            .unwrap();
        let run = std::process::id();
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| tokio::spawn(write(store.clone(), peer, run, writer)))
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
    });
}

async fn write(store: Store, peer: PeerId, run: u32, writer: usize) {
    for number in 0_u64.. {
        let id = format!("{run}-{writer}-{number}");
        let message = incoming(peer, &id, &format!("words of {id}"));
        let accepted = store
            .write(move |tx| messages::accept_incoming(tx, &message))
            .await
            .unwrap();
        assert!(matches!(accepted, Accepted::Stored(_)));
        // One write call a line, past the buffer of `print!`.
        std::io::stdout()
            .lock()
            .write_all(format!("ack {id}.\n").as_bytes())
            .unwrap();
    }
}

/// On a small file system of its own, which a user namespace lets anyone mount.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_loses_nothing_and_heals() {
    if let Some(directory) = std::env::var_os(CHILD) {
        return tokio::runtime::Runtime::new()
            .unwrap()
            .block_on(fill_the_disk(Path::new(&directory)));
    }
    let directory = tempfile::tempdir().unwrap();
    let confined = ["unshare", "--user", "--map-root-user", "--mount"];
    let probe = Command::new(confined[0])
        .args(&confined[1..])
        .args(["mount", "-t", "tmpfs", "tmpfs"])
        .arg(directory.path())
        .output();
    if !probe.as_ref().is_ok_and(|output| output.status.success()) {
        return skip(
            "a_full_disk_loses_nothing_and_heals",
            "no tmpfs can be mounted in a user namespace here",
        );
    }
    let outcome = child(
        &confined,
        "a_full_disk_loses_nothing_and_heals",
        directory.path(),
    )
    .output()
    .unwrap();
    let words = String::from_utf8_lossy(&outcome.stdout);
    assert!(
        outcome.status.success(),
        "{words}{}",
        String::from_utf8_lossy(&outcome.stderr)
    );
    assert!(words.contains("healed after "), "{words}");
}

#[cfg(target_os = "linux")]
async fn fill_the_disk(directory: &Path) {
    let mount = |options: &str| {
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(directory)
            .status()
            .unwrap();
        assert!(status.success());
    };
    mount("size=3m");
    let path = directory.join("home/tieline.db");
    let (store, _) = Store::open(&path).unwrap();
    let peer = add_peer(&store, "kitchen").await;
    let ballast = directory.join("ballast");
    std::fs::write(&ballast, vec![1; 1 << 20]).unwrap();
    let put = |number: i64| {
        let message = incoming(peer, &format!("m-{number}"), &"many words ".repeat(1000));
        store.write(move |tx| messages::accept_incoming(tx, &message))
    };
    let mut stored = 0;
    while let Ok(accepted) = put(stored).await {
        assert!(matches!(accepted, Accepted::Stored(_)));
        stored += 1;
    }
    assert!(stored > 5);
    for _ in 0..3 {
        assert_eq!(put(stored).await, Err(StoreError::Full));
    }
    let rows = store.read(move |conn| {
        Ok(conn.query_row("SELECT count(*) FROM messages", [], |row| {
            row.get::<_, i64>(0)
        })?)
    });
    assert_eq!(rows.await.unwrap(), stored);

    std::fs::remove_file(&ballast).unwrap();
    assert_eq!(put(stored).await, Ok(Accepted::Stored(stored + 1)));
    store.check().await.unwrap();

    // Full again, closed and opened: what was acknowledged is still there.
    let mut filler = std::fs::File::create(&ballast).unwrap();
    while filler.write_all(&[1; 4096]).is_ok() {}
    let _ = store.close().await;
    drop(filler);
    let opened = Store::open(&path);
    assert!(
        matches!(opened, Ok(_) | Err(StoreError::Full)),
        "{opened:?}"
    );
    drop(opened);
    std::fs::remove_file(&ballast).unwrap();
    let (store, report) = Store::open(&path).unwrap();
    assert!(!report.restored && !report.created);
    let known = store
        .read(move |conn| peers::get(conn, peer))
        .await
        .unwrap();
    assert!(known.is_some());
    let rows = store.read(|conn| {
        Ok(conn.query_row("SELECT count(*) FROM messages", [], |row| {
            row.get::<_, i64>(0)
        })?)
    });
    assert_eq!(rows.await.unwrap(), stored + 1);
    store.close().await.unwrap();

    let read_only = Command::new("mount")
        .args(["-o", "remount,ro"])
        .arg(directory)
        .status()
        .unwrap();
    assert!(read_only.success());
    let opened = Store::open(&path);
    assert!(
        matches!(opened, Err(StoreError::Permission { .. })),
        "{opened:?}"
    );
    println!("healed after {stored} messages");
}

/// Tells the suite, which fails for it in CI, that this test could not run.
fn skip(test: &str, reason: &str) {
    println!("skipped: {reason}");
    if let Some(log) = std::env::var_os("TIELINE_SKIP_LOG") {
        let mut log = std::fs::OpenOptions::new().append(true).open(log).unwrap();
        writeln!(log, "{test}: {reason}").unwrap();
    }
}
