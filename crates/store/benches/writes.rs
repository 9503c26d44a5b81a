//! `cargo bench -p tieline-store [-- DIRECTORY]`: what a durable write costs, beside bare commits of the same file
//! system. The directory decides which disk is measured; default is the system's temporary directory.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "../tests/suite/support.rs"]
#[allow(dead_code)]
mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::{NOW, add_peer, id, incoming, outgoing};
use rusqlite::Connection;
use tieline_store::attempts::{self, Attempt, AttemptStatus};
use tieline_store::messages::{self, Evidence, Filter, Finish, Mode, Queued, State};
use tieline_store::peers::{self, PeerId};
use tieline_store::{Store, StoreError, settings};

const SINGLE: usize = 2000;
const WRITERS: usize = 64;
const EACH: usize = 500;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let directory = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    let directory = match directory {
        Some(path) => tempfile::tempdir_in(path).unwrap(),
        None => tempfile::tempdir().unwrap(),
    };
    bare(directory.path());
    runtime.block_on(measured(directory.path()));
}

fn bare(directory: &Path) {
    let conn = Connection::open(directory.join("bare.db")).unwrap();
    conn.execute_batch("PRAGMA journal_mode = wal; PRAGMA synchronous = full; CREATE TABLE t (x INTEGER PRIMARY KEY, y TEXT);").unwrap();
    let mut spans = Vec::new();
    for number in 0..SINGLE as i64 {
        let started = Instant::now();
        conn.execute("INSERT INTO t (y) VALUES (?1)", [number])
            .unwrap();
        spans.push(started.elapsed());
    }
    report("bare SQLite insert", spans);
}

async fn measured(directory: &Path) {
    resident("resident before");
    let started = Instant::now();
    let (store, _) = Store::open(directory.join("tieline.db")).unwrap();
    println!("create {:?}", started.elapsed());
    let peer = add_peer(&store, "kitchen").await;
    store.read(peers_of).await.unwrap();
    resident("resident with an idle store");

    let mut spans = Vec::new();
    for number in 0..SINGLE as i64 {
        let started = Instant::now();
        store
            .write(move |tx| settings::set(tx, "counter", &number))
            .await
            .unwrap();
        spans.push(started.elapsed());
    }
    report("one setting", spans);

    let mut spans = Vec::new();
    for number in 0..SINGLE as i64 {
        let started = Instant::now();
        let message = incoming(
            peer,
            &format!("in-{number}"),
            "the tea is ready, said the kettle",
        );
        store
            .write(move |tx| messages::accept_incoming(tx, &message))
            .await
            .unwrap();
        spans.push(started.elapsed());
    }
    report("accept one message", spans);

    let (mut inserts, mut ends) = (Vec::new(), Vec::new());
    for number in 0..SINGLE as i64 {
        let started = Instant::now();
        let seq = send(&store, peer, format!("out-{number}")).await;
        inserts.push(started.elapsed());
        let started = Instant::now();
        end(&store, seq).await;
        ends.push(started.elapsed());
    }
    report("queue one message", inserts);
    report("end one message", ends);

    together(
        "settings, 64 writers",
        &store,
        |store, writer, number| async move {
            store
                .write(move |tx| settings::set(tx, &writer.to_string(), &number))
                .await
                .unwrap();
        },
    )
    .await;
    together(
        "accept, 64 writers",
        &store,
        move |store, writer, number| async move {
            let message = incoming(
                peer,
                &format!("{writer}-{number}"),
                "the tea is ready, said the kettle",
            );
            store
                .write(move |tx| messages::accept_incoming(tx, &message))
                .await
                .unwrap();
        },
    )
    .await;
    together(
        "queue and end, 64 writers",
        &store,
        move |store, writer, number| async move {
            let seq = send(&store, peer, format!("both-{writer}-{number}")).await;
            end(&store, seq).await;
        },
    )
    .await;

    for (name, filter) in [
        ("newest 50", Filter::default()),
        (
            "search for a common word",
            Filter {
                search: Some("kettle".into()),
                ..Filter::default()
            },
        ),
        (
            "newest 50 of a peer",
            Filter {
                peer: Some(peer),
                ..Filter::default()
            },
        ),
    ] {
        let mut spans = Vec::new();
        for _ in 0..100 {
            let (started, filter) = (Instant::now(), filter.clone());
            store
                .read(move |conn| messages::list(conn, &filter))
                .await
                .unwrap();
            spans.push(started.elapsed());
        }
        report(name, spans);
    }
    resident("resident after that");
    let started = Instant::now();
    store.close().await.unwrap();
    println!("close {:?}", started.elapsed());
    let size = std::fs::metadata(directory.join("tieline.db"))
        .unwrap()
        .len();
    let started = Instant::now();
    drop(Store::open(directory.join("tieline.db")).unwrap());
    println!(
        "open with checks, {} MiB: {:?}",
        size >> 20,
        started.elapsed()
    );
}

async fn send(store: &Store, peer: PeerId, message_id: String) -> i64 {
    let message = outgoing(peer, id(&message_id).as_str(), Mode::Now);
    match store
        .write(move |tx| messages::insert_outgoing(tx, &message))
        .await
        .unwrap()
    {
        Queued::Stored(seq) => seq,
        Queued::Exists(row) => row.seq,
    }
}

async fn end(store: &Store, seq: i64) {
    store
        .write(move |tx| {
            let attempt = Attempt {
                route: "lan".into(),
                via: None,
                address: Some("192.0.2.7:3100".into()),
                phase: None,
                status: AttemptStatus::Success,
                code: None,
                detail: None,
                started_at: NOW,
                latency_us: Some(900),
                connect_us: None,
                tls_us: None,
                auth_us: None,
                store_us: None,
            };
            attempts::record(tx, seq, &attempt)?;
            let receipt = Some(&[7_u8; 400][..]);
            let finish = Finish {
                state: State::Delivered,
                evidence: Evidence::Signed,
                receipt,
                problem: None,
                at: NOW,
            };
            messages::finish_outgoing(tx, seq, &finish)
        })
        .await
        .unwrap();
}

async fn together<F, W>(name: &str, store: &Store, work: W)
where
    W: Fn(Store, usize, usize) -> F + Copy + Send + 'static,
    F: Future<Output = ()> + Send,
{
    let started = Instant::now();
    let tasks: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut spans = Vec::new();
                for number in 0..EACH {
                    let started = Instant::now();
                    work(store.clone(), writer, number).await;
                    spans.push(started.elapsed());
                }
                spans
            })
        })
        .collect();
    let mut spans = Vec::new();
    for task in tasks {
        spans.extend(task.await.unwrap());
    }
    let rate = (WRITERS * EACH) as f64 / started.elapsed().as_secs_f64();
    report(&format!("{name} ({rate:.0}/s)"), spans);
}

fn report(name: &str, mut spans: Vec<Duration>) {
    spans.sort_unstable();
    let at = |per_mille: usize| spans[(spans.len() - 1) * per_mille / 1000].as_secs_f64() * 1e3;
    println!(
        "{name:42} p50 {:.3} ms  p99 {:.3} ms  max {:.3} ms",
        at(500),
        at(990),
        at(1000)
    );
}

fn peers_of(conn: &Connection) -> Result<usize, StoreError> {
    Ok(peers::list(conn, true)?.len())
}

/// Prints the resident memory of this process, where the system tells it.
fn resident(name: &str) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(line) = status.lines().find_map(|line| line.strip_prefix("VmRSS:")) {
        println!("{name:42} {}", line.trim());
    }
}
