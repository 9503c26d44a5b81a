//! What the clients sent, and everything they were told about it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::Value;

use super::Side;

/// A message as its client made it.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) from: Side,
    /// Whether it goes into the queue if it cannot go now.
    pub(super) queue: bool,
    pub(super) payload: Value,
}

/// What a client was told in one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    /// Nothing: the node was down.
    NotSent,
    /// Nothing: the node went away while it had the request.
    Broken,
    /// The node's disk is full. It did not say that it has the message.
    NoRoom,
    Delivered,
    Queued,
    Failed,
    Unconfirmed,
    /// What should not be.
    Unexpected(String),
}

/// One line of the ledger.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) message: Message,
    /// In the order they were told.
    pub(super) words: Vec<Word>,
}

/// All messages by id.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    entries: Mutex<BTreeMap<String, Entry>>,
}

impl Ledger {
    pub(super) fn begin(&self, id: &str, message: Message) {
        let entry = Entry {
            message,
            words: Vec::new(),
        };
        let known = self.entries.lock().unwrap().insert(id.to_owned(), entry);
        assert!(known.is_none(), "{id} names one message");
    }

    pub(super) fn note(&self, id: &str, word: Word) {
        let mut entries = self.entries.lock().unwrap();
        entries.get_mut(id).unwrap().words.push(word);
    }

    pub(super) fn len(&self) -> usize {
        self.entries.lock().unwrap().len()
    }

    /// How often clients were told so.
    pub(super) fn count(&self, word: &Word) -> usize {
        let entries = self.entries.lock().unwrap();
        let words = entries.values().flat_map(|entry| &entry.words);
        words.filter(|told| *told == word).count()
    }

    pub(super) fn entries(&self) -> BTreeMap<String, Entry> {
        self.entries.lock().unwrap().clone()
    }
}

impl Entry {
    /// Whether a node has taken it, by its own word.
    pub(super) fn was_accepted(&self) -> bool {
        self.words
            .iter()
            .any(|word| !matches!(word, Word::NotSent | Word::Broken | Word::NoRoom))
    }

    pub(super) fn was_told(&self, word: &Word) -> bool {
        self.words.contains(word)
    }
}
