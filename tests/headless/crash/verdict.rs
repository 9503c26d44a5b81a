//! The ledger against what the nodes have stored.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::Side;
use super::ledger::{Entry, Ledger, Word};
use crate::harness::http::Response;
use crate::harness::{Machine, wait};

/// Longest time until nothing is open any more. Pauses between tries grow to half a minute.
const SETTLED: Duration = Duration::from_secs(120);

/// What became of all messages.
#[derive(Debug, Default)]
pub(super) struct Summary {
    delivered: usize,
    failed: usize,
    never_accepted: usize,
    /// Delivered ones of those whose client had been told nothing, or "unconfirmed".
    resolved: usize,
}

/// What the two nodes have.
#[derive(Debug, Default)]
struct Stored {
    sent: HashMap<(Side, String), Value>,
    received: HashMap<(Side, String), Vec<Value>>,
}

/// Waits until nothing is open, then holds every line of the ledger against what is stored.
#[track_caller]
pub(super) fn judge(ledger: &Ledger, nodes: &[(Side, &Machine); 2]) -> Summary {
    for (_, machine) in nodes {
        settle(machine);
    }
    let mut stored = Stored::default();
    for (side, machine) in nodes {
        for message in all(machine, "out") {
            let id = (*side, id(&message));
            let twice = stored.sent.insert(id, message);
            assert!(twice.is_none(), "twice in the outbox: {twice:?}");
        }
        for message in all(machine, "in") {
            let copies = stored.received.entry((*side, id(&message))).or_default();
            copies.push(message);
        }
    }
    let entries = ledger.entries();
    let mut summary = Summary::default();
    let mut wrong = Vec::new();
    for (id, entry) in &entries {
        if let Err(why) = check(id, entry, &stored, &mut summary) {
            wrong.push(format!("{id}: {why}\n    {}", shown(entry)));
        }
    }
    wrong.extend(strangers(&entries, &stored));
    let first: Vec<_> = wrong.iter().take(20).cloned().collect();
    assert!(
        wrong.is_empty(),
        "{} of {} messages are wrong:\n{}",
        wrong.len(),
        entries.len(),
        first.join("\n")
    );
    for (side, machine) in nodes {
        let token = machine.tieline(["token"]).success().line();
        let unknown = entries
            .iter()
            .filter(|(_, entry)| entry.message.from == *side && !entry.was_accepted());
        for (id, _) in unknown {
            let is_stored = stored.sent.contains_key(&(*side, id.to_owned()));
            let expected = if is_stored { 200 } else { 404 };
            assert_eq!(lookup(machine, &token, id), expected, "{id}");
        }
    }
    summary
}

fn check(id: &str, entry: &Entry, stored: &Stored, summary: &mut Summary) -> Result<(), String> {
    let from = entry.message.from;
    let none = Vec::new();
    let copies = stored
        .received
        .get(&(from.other(), id.to_owned()))
        .unwrap_or(&none);
    if let Some(Word::Unexpected(what)) = entry
        .words
        .iter()
        .find(|word| matches!(word, Word::Unexpected(_)))
    {
        return Err(format!("an answer that should not be: {what}"));
    }
    let Some(sent) = stored.sent.get(&(from, id.to_owned())) else {
        summary.never_accepted += 1;
        return match (entry.was_accepted(), copies.len()) {
            (false, 0) => Ok(()),
            (true, _) => Err("it was accepted, and its sender does not know it".to_owned()),
            (false, _) => Err("its sender does not know it, and it arrived".to_owned()),
        };
    };
    match (sent["state"].as_str().unwrap(), &copies[..]) {
        ("delivered", [copy]) => {
            summary.delivered += 1;
            let open = entry.was_told(&Word::Broken) || entry.was_told(&Word::Unconfirmed);
            summary.resolved += usize::from(open && !entry.was_told(&Word::Delivered));
            if copy["payload"] != entry.message.payload {
                return Err(format!("the copy is not what was sent: {copy}"));
            }
            if copy["peer"] != from.name() || sent["evidence"] != "signed" {
                return Err(format!("delivered, but {sent} and {copy}"));
            }
            if entry.was_told(&Word::Failed) {
                return Err("its client was told that it failed, and it arrived".to_owned());
            }
            Ok(())
        }
        ("failed", []) => {
            summary.failed += 1;
            if entry.was_told(&Word::Delivered) {
                return Err("its client was told that it is delivered, and it is not".to_owned());
            }
            if entry.message.queue {
                return Err(format!("queued, and given up: {sent}"));
            }
            Ok(())
        }
        (state, copies) => Err(format!("{state} with {} copies", copies.len())),
    }
}

/// Messages that nobody sent.
fn strangers(entries: &BTreeMap<String, Entry>, stored: &Stored) -> Vec<String> {
    let sent = stored.sent.keys().cloned();
    let received = stored
        .received
        .keys()
        .map(|(side, id)| (side.other(), id.clone()));
    sent.chain(received)
        .filter(|(from, id)| {
            entries
                .get(id)
                .is_none_or(|entry| entry.message.from != *from)
        })
        .map(|(from, id)| format!("{id} of {} is nobody's", from.name()))
        .collect()
}

fn settle(machine: &Machine) {
    let token = machine.tieline(["token"]).success().line();
    let open = |state: &str| page(machine, &token, &format!("state={state}&limit=1"));
    for state in ["queued", "sending", "unconfirmed"] {
        let what = format!("no message of {} to be {state}", machine.name());
        wait::until(&what, SETTLED, || open(state).is_empty().then_some(()));
    }
    // What was sending could have become one of the others meanwhile.
    let left = ["queued", "unconfirmed"].map(open);
    assert!(left.iter().all(Vec::is_empty), "{left:?}");
}

/// Every message of one direction.
fn all(machine: &Machine, direction: &str) -> Vec<Value> {
    let token = machine.tieline(["token"]).success().line();
    let mut all: Vec<Value> = Vec::new();
    loop {
        let after = all.last().map_or(0, |last| last["seq"].as_i64().unwrap());
        let query = format!("direction={direction}&limit=500&after={after}");
        let page = page(machine, &token, &query);
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

fn page(machine: &Machine, token: &str, query: &str) -> Vec<Value> {
    let answer = ask(machine, token, &format!("?{query}"));
    assert_eq!(answer.status, 200, "{answer:?}");
    serde_json::from_value(answer.json()["messages"].take()).unwrap()
}

/// The status of asking for one message.
fn lookup(machine: &Machine, token: &str, id: &str) -> u16 {
    ask(machine, token, &format!("/{id}")).status
}

fn ask(machine: &Machine, token: &str, what: &str) -> Response {
    machine
        .request("GET", &format!("/api/a2a/messages{what}"))
        .header("Authorization", &format!("Bearer {token}"))
        .send()
}

fn id(message: &Value) -> String {
    message["messageId"].as_str().unwrap().to_owned()
}

fn shown(entry: &Entry) -> String {
    let mode = if entry.message.queue { "queue" } else { "fail" };
    format!("sent with {mode}; its client was told {:?}", entry.words)
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} delivered ({} of them with a client that did not know), {} failed, {} never accepted",
            self.delivered, self.resolved, self.failed, self.never_accepted
        )
    }
}
