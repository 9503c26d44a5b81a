//! The stream of events into the window, and the way to tell it to show a page.

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use parking_lot::Mutex;
use serde::Serialize;
use tauri::ipc::Channel;
use tieline_node::model::{Event, EventKind};
use tokio::task::AbortHandle;

use crate::engine::{Engine, State};

/// What the window is told.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum Signal {
    /// Something changed in the engine.
    Event { event: Event },
    /// Show this page, such as `/pair`.
    Go { path: String },
}

/// The open stream, if the window has opened one.
#[derive(Default)]
pub(crate) struct Feed {
    open: Mutex<Option<Open>>,
}

struct Open {
    channel: Channel<Signal>,
    task: AbortHandle,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Feed {
    /// Streams events after `after` into `channel`, in place of an earlier stream.
    pub(crate) fn open(&self, engine: &Engine, after: Option<u64>, channel: Channel<Signal>) {
        let events = engine
            .running_now()
            .map(|running| running.node.events().subscribe(after).boxed());
        let task = tauri::async_runtime::spawn(forward(engine.clone(), events, channel.clone()));
        let task = task.inner().abort_handle();
        *self.open.lock() = Some(Open { channel, task });
    }

    /// Ends the stream; the window is gone.
    pub(crate) fn close(&self) {
        *self.open.lock() = None;
    }

    /// Asks the window to show a page. `false` if no window listens.
    pub(crate) fn go(&self, path: &str) -> bool {
        let open = self.open.lock();
        open.as_ref().is_some_and(|open| {
            open.channel
                .send(Signal::Go {
                    path: path.to_owned(),
                })
                .is_ok()
        })
    }
}

/// Forwards events for as long as the window listens, across restarts of the engine.
async fn forward(
    engine: Engine,
    mut events: Option<BoxStream<'static, Event>>,
    channel: Channel<Signal>,
) {
    loop {
        if let Some(events) = &mut events {
            while let Some(event) = events.next().await {
                if channel.send(Signal::Event { event }).is_err() {
                    return;
                }
            }
        }
        let mut states = engine.states();
        let running = loop {
            if let State::Running(running) = &*states.borrow_and_update() {
                break running.clone();
            }
            if states.changed().await.is_err() {
                return;
            }
        };
        events = Some(running.node.events().subscribe(None).boxed());
        // Whatever the page fetched before came from no engine, or from the one before.
        let resync = Event {
            seq: 0,
            kind: EventKind::Resync,
            ids: Vec::new(),
        };
        if channel.send(Signal::Event { event: resync }).is_err() {
            return;
        }
    }
}
