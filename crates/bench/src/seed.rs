//! Fills the database of a stopped node with a long history, for measuring what shows it.
//!
//! The rows are written as the node writes them, but all at once and without a sender: receipts do not verify.

use std::path::Path;

use anyhow::{Context, Result, bail};
use rusqlite::{Connection, OptionalExtension, params};

/// What to write.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// Home of a node that is not running and has the peer
    #[arg(long, value_name = "DIR")]
    home: std::path::PathBuf,
    /// The peer's name there
    #[arg(long, value_name = "NAME")]
    peer: String,
    /// How many messages
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    count: u32,
}

/// From the first message to the last one.
const SPAN_MS: i64 = 90 * 24 * 3600 * 1000;

/// Texts as agents write them: a word, a line, a paragraph, a report.
const TEXTS: [&str; 6] = [
    "ok",
    "Build finished, 214 tests passed.",
    "Deploy of api is green. Shall I promote it?",
    crate::workload::TEXT,
    "The run failed in step 3:\n  error: connection reset by peer\n  at src/net/pool.rs:214\nI try again in five minutes; \
        if it fails again, somebody should look at the switch in the rack.",
    "Nightly report\n\n- 41 GB were written in 12 minutes, two minutes more than yesterday.\n- One disk reports \
        reallocated sectors; it is still within its limits.\n- The certificate of the mirror is valid for 19 more days.\n\
        - Nothing was lost.\n\nThe next run starts at 02:00.",
];

/// Writes the history.
pub(crate) fn seed(options: &Options) -> Result<()> {
    let mut conn = open(&options.home)?;
    let peer: Option<i64> = conn
        .query_row(
            "SELECT id FROM peers WHERE alias = ?1 AND state <> 'revoked'",
            [&options.peer],
            |row| row.get(0),
        )
        .optional()?;
    let Some(peer) = peer else {
        bail!("there is no peer named {}", options.peer);
    };
    let now: i64 = conn.query_row("SELECT unixepoch() * 1000", [], |row| row.get(0))?;
    let step = SPAN_MS / i64::from(options.count.max(1));
    let tx = conn.transaction()?;
    {
        let mut message = tx.prepare(
            "INSERT INTO messages (peer_id, direction, message_id, assurance, content_hash, kind, payload_bytes, sent_at, \
             created_at, state, evidence, mode, finished_at) VALUES (?1, ?2, ?3, 2, randomblob(32), ?4, ?5, ?6, ?6, ?7, ?8, \
             ?9, ?6)",
        )?;
        let mut body = tx.prepare("INSERT INTO bodies (seq, payload, text) VALUES (?1, ?2, ?3)")?;
        let mut search = tx.prepare("INSERT INTO search (rowid, text) VALUES (?1, ?2)")?;
        for n in 0..options.count {
            let at = now - SPAN_MS + i64::from(n) * step;
            let out = n % 3 == 0;
            let (kind, text) = if n % 17 == 0 {
                ("task", String::new())
            } else {
                ("text", format!("{} ({n})", TEXTS[n as usize % TEXTS.len()]))
            };
            let payload = if kind == "task" {
                serde_json::json!({ "type": kind, "id": n, "files": ["src/a.rs", "src/b.rs"], "dryRun": n % 2 == 0 })
            } else {
                serde_json::json!({ "type": kind, "text": text })
            };
            let payload = payload.to_string();
            let (state, evidence, mode) = match (out, n % 501) {
                (true, 0) => ("failed", "none", Some("now")),
                (true, _) => ("delivered", "signed", Some("now")),
                (false, _) => ("read", "none", None),
            };
            let length = i64::try_from(payload.len())?;
            let id = format!("seed-{n}");
            message.execute(params![
                peer, out, id, kind, length, at, state, evidence, mode
            ])?;
            let seq = tx.last_insert_rowid();
            body.execute(params![seq, payload, text])?;
            if !text.is_empty() {
                search.execute(params![seq, text])?;
            }
        }
    }
    tx.commit()?;
    println!("{} messages with {}", options.count, options.peer);
    Ok(())
}

fn open(home: &Path) -> Result<Connection> {
    let file = home.join("tieline.db");
    if !file.exists() {
        bail!("there is no database in {}", home.display());
    }
    Connection::open(&file).with_context(|| format!("cannot open {}", file.display()))
}
