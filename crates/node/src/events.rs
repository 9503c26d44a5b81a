//! The event bus: who watches learns that something changed, in order, and when it missed some.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::Stream;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::model::{Event, EventKind};

/// Changes of one kind within this time become one event.
const COALESCE: Duration = Duration::from_millis(100);
/// Events kept for a watcher that comes back.
const KEPT: usize = 1_024;
/// More changed ids than this in one event are told as "any".
const MOST_IDS: usize = 256;

/// Publishes changes. Cheap to clone.
#[derive(Clone, Default)]
pub struct EventBus {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Wakes the coalescing task.
    dirty: Notify,
    /// Wakes watchers.
    published: tokio::sync::watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    last_seq: u64,
    kept: VecDeque<Event>,
    pending: HashMap<EventKind, BTreeSet<String>>,
}

impl EventBus {
    /// Notes that `id` of this kind changed. Never blocks.
    pub fn changed(&self, kind: EventKind, id: impl Into<String>) {
        let mut state = self.shared.state.lock();
        state.pending.entry(kind).or_default().insert(id.into());
        drop(state);
        self.shared.dirty.notify_one();
    }

    /// Turns changes into events until dropped; run it as a task.
    pub async fn run(self) {
        loop {
            self.shared.dirty.notified().await;
            tokio::time::sleep(COALESCE).await;
            self.publish();
        }
    }

    fn publish(&self) {
        let mut state = self.shared.state.lock();
        let pending = std::mem::take(&mut state.pending);
        for (kind, ids) in pending {
            state.last_seq += 1;
            let ids = if ids.len() > MOST_IDS {
                Vec::new()
            } else {
                ids.into_iter().collect()
            };
            let event = Event {
                seq: state.last_seq,
                kind,
                ids,
            };
            state.kept.push_back(event);
            if state.kept.len() > KEPT {
                state.kept.pop_front();
            }
        }
        let seq = state.last_seq;
        drop(state);
        self.shared.published.send_replace(seq);
    }

    /// Every event after `after`, or from now on. Where events were missed, the first is `Resync`.
    pub fn subscribe(&self, after: Option<u64>) -> impl Stream<Item = Event> + Send + 'static {
        let start = after.unwrap_or_else(|| self.shared.state.lock().last_seq);
        let cursor = Cursor {
            shared: Arc::clone(&self.shared),
            seq: start,
            watch: self.shared.published.subscribe(),
            queue: VecDeque::new(),
        };
        futures_util::stream::unfold(cursor, |mut cursor| async move {
            let event = cursor.next().await?;
            Some((event, cursor))
        })
    }
}

struct Cursor {
    shared: Arc<Shared>,
    seq: u64,
    watch: tokio::sync::watch::Receiver<u64>,
    queue: VecDeque<Event>,
}

impl Cursor {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                self.seq = event.seq;
                return Some(event);
            }
            self.watch.mark_unchanged();
            self.fill();
            if self.queue.is_empty() {
                self.watch.changed().await.ok()?;
            }
        }
    }

    fn fill(&mut self) {
        let state = self.shared.state.lock();
        let oldest = state
            .kept
            .front()
            .map_or(state.last_seq + 1, |event| event.seq);
        let ahead = self.seq > state.last_seq;
        if ahead || self.seq + 1 < oldest {
            // A gap, or a number from an engine that ran before: the page must fetch again.
            self.queue.push_back(Event {
                seq: state.last_seq,
                kind: EventKind::Resync,
                ids: Vec::new(),
            });
            return;
        }
        let missed = state
            .kept
            .iter()
            .filter(|event| event.seq > self.seq)
            .cloned();
        self.queue.extend(missed);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use futures_util::StreamExt;

    use super::*;

    #[tokio::test]
    async fn changes_of_a_kind_are_told_once_and_in_order() {
        let bus = EventBus::default();
        let mut seen = Box::pin(bus.subscribe(None));
        bus.changed(EventKind::Messages, "m1");
        bus.changed(EventKind::Messages, "m2");
        bus.changed(EventKind::Messages, "m1");
        bus.publish();
        let event = seen.next().await.unwrap();
        assert_eq!(
            (event.seq, event.ids),
            (1, vec!["m1".to_owned(), "m2".to_owned()])
        );
        bus.changed(EventKind::Peers, "box");
        bus.publish();
        assert_eq!(seen.next().await.unwrap().kind, EventKind::Peers);
    }

    #[tokio::test]
    async fn a_gap_or_a_foreign_number_asks_for_a_resync() {
        let bus = EventBus::default();
        for round in 0..(KEPT + 10) {
            bus.changed(EventKind::Messages, round.to_string());
            bus.publish();
        }
        let old = Box::pin(bus.subscribe(Some(1))).next().await.unwrap();
        assert_eq!(old.kind, EventKind::Resync);
        let foreign = Box::pin(bus.subscribe(Some(1_000_000)))
            .next()
            .await
            .unwrap();
        assert_eq!(foreign.kind, EventKind::Resync);
        let recent = Box::pin(bus.subscribe(Some(KEPT as u64 + 9)))
            .next()
            .await
            .unwrap();
        assert_eq!(
            (recent.seq, recent.kind),
            (KEPT as u64 + 10, EventKind::Messages)
        );
    }
}
