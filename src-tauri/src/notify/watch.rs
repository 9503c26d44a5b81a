//! From what happens in the engine to notifications.

use std::collections::HashMap;

use futures_util::StreamExt;
use tauri::{AppHandle, Manager, Runtime};
use tieline_node::Node;
use tieline_node::model::{
    Event, EventKind, MessageQuery, MessageView, OnFailure, PeerView, RouteChoice, SendCommand,
    TimeOfDay,
};
use tieline_wire::problem::Problem;
use tieline_wire::time::UnixMillis;

use super::decide::{Around, Incoming, Told};
use super::show::{self, OnScreen};
use super::words::{self, Tag};
use crate::engine::{Engine, State};
use crate::window;

/// Messages looked at in one go; more come in the next.
const PAGE: u32 = 100;

/// Shows what is worth a notification for as long as the app runs.
pub(crate) async fn follow<R: Runtime>(app: AppHandle<R>) {
    let mut states = app.state::<Engine>().states();
    loop {
        let state = states.borrow_and_update().clone();
        if let State::Running(running) = state {
            let events = running.node.events().subscribe(None).boxed();
            match Watch::begin(app.clone(), running.node).await {
                Ok(watch) => watch.run(events).await,
                Err(problem) => tracing::warn!(%problem, "notifications could not begin"),
            }
        }
        if states.changed().await.is_err() {
            return;
        }
    }
}

/// Sends what the person wrote into a notification; what fails is said in another.
pub(super) fn send<R: Runtime>(app: &AppHandle<R>, peer: String, text: String) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let sent = match app.state::<Engine>().running().await {
            Ok(running) => reply(&running.node, peer, text).await,
            Err(problem) => Err(problem),
        };
        if let Err(problem) = sent {
            show::show(&app, words::not_done(&problem)).await;
        }
    });
}

async fn reply(node: &Node, to: String, text: String) -> Result<(), Problem> {
    let payload = serde_json::json!({"type": "text", "text": text});
    let command = SendCommand {
        to,
        payload: payload.as_object().cloned().unwrap_or_default(),
        route: RouteChoice::Auto,
        message_id: None,
        on_failure: OnFailure::Queue,
    };
    let sent = node.send(command).await;
    sent.map(drop).map_err(|failure| failure.problem)
}

/// What has been looked at so far.
struct Watch<R: Runtime> {
    app: AppHandle<R>,
    node: Node,
    /// Number of the newest message looked at.
    seq: i64,
    told: Told,
}

impl<R: Runtime> Watch<R> {
    /// Begins after what is there already: it was told before, or nobody was there to be told.
    async fn begin(app: AppHandle<R>, node: Node) -> Result<Self, Problem> {
        let newest = MessageQuery {
            limit: Some(1),
            ..MessageQuery::default()
        };
        let newest = node.messages(newest).await?.messages;
        let mut told = Told::default();
        told.peers(states(&node.peers().await?));
        Ok(Self {
            app,
            node,
            seq: newest.first().map_or(0, |message| message.seq),
            told,
        })
    }

    async fn run(mut self, mut events: futures_util::stream::BoxStream<'static, Event>) {
        while let Some(event) = events.next().await {
            if let Err(problem) = self.look(event.kind).await {
                tracing::warn!(%problem, "what happened could not be looked at");
            }
        }
    }

    async fn look(&mut self, kind: EventKind) -> Result<(), Problem> {
        let all = kind == EventKind::Resync;
        if all || kind == EventKind::Peers {
            let peers = self.node.peers().await?;
            for notice in self.told.peers(states(&peers)) {
                show::show(&self.app, notice).await;
            }
            self.put_away(&peers).await;
        }
        if all || kind == EventKind::Messages {
            self.messages().await?;
        }
        if all || kind == EventKind::Asks {
            let around = self.around().await?;
            for notice in self.told.asks(&self.node.pending_asks(), &around) {
                show::show(&self.app, notice).await;
            }
        }
        Ok(())
    }

    async fn messages(&mut self) -> Result<(), Problem> {
        loop {
            let query = MessageQuery {
                direction: Some("in".to_owned()),
                unread: Some(true),
                after: Some(self.seq),
                limit: Some(PAGE),
                ..MessageQuery::default()
            };
            let page = self.node.messages(query).await?.messages;
            let Some(last) = page.last() else {
                return Ok(());
            };
            self.seq = last.seq;
            let incoming: Vec<Incoming> = page.into_iter().map(incoming).collect();
            let around = self.around().await?;
            let screen = self.app.state::<OnScreen>();
            let notices = screen.bursts.lock().arrived(&incoming, &around);
            for notice in notices {
                show::show(&self.app, notice).await;
            }
        }
    }

    /// Takes notifications of messages away that have been read.
    async fn put_away(&self, peers: &[PeerView]) {
        for peer in self.app.state::<OnScreen>().peers() {
            let unread = peers
                .iter()
                .any(|view| view.name == peer && view.unread > 0);
            if !unread {
                show::close(&self.app, &Tag::Messages(peer)).await;
            }
        }
    }

    async fn around(&self) -> Result<Around, Problem> {
        let peers = self.node.peers().await?;
        let app = self.app.clone();
        let page = tauri::async_runtime::spawn_blocking(move || window::page_in_focus(&app)).await;
        let clock = jiff::Zoned::now();
        let of_day = |number: i8| u8::try_from(number).ok();
        Ok(Around {
            now: UnixMillis(clock.timestamp().as_millisecond()),
            time: of_day(clock.hour())
                .zip(of_day(clock.minute()))
                .and_then(|(hour, minute)| TimeOfDay::new(hour, minute)),
            preferences: self.node.preferences().notifications,
            muted: peers
                .into_iter()
                .filter(|peer| peer.muted)
                .map(|peer| peer.name)
                .collect(),
            page: page.unwrap_or_default(),
        })
    }
}

fn states(peers: &[PeerView]) -> HashMap<String, tieline_node::model::PeerStateView> {
    let states = peers.iter().map(|peer| (peer.name.clone(), peer.state));
    states.collect()
}

fn incoming(message: MessageView) -> Incoming {
    Incoming {
        peer: message.peer,
        kind: message.r#type,
        text: message.text,
        unauthenticated: message.assurance.as_deref() == Some("unauthenticated"),
    }
}
