//! What a click in the menu does.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Zoned;
use parking_lot::Mutex;
use serde_json::json;
use tauri::{AppHandle, Manager, Runtime};
use tieline_wire::problem::Problem;
use tieline_wire::time::UnixMillis;
use tokio::sync::Notify;

use super::menu::{Action, Pause, may_be_pinged};
use crate::app;
use crate::engine::{Engine, Running};
use crate::notify::{self, latency};
use crate::platform::login;
use crate::window::{self, Page};

/// Hour of the next day at which a pause until tomorrow ends.
const MORNING: i8 = 8;

/// What clicks leave behind for the next drawing.
#[derive(Default)]
pub(crate) struct Clicks {
    /// What came of the last test ping to each peer, by its name.
    pub(super) pings: Mutex<HashMap<String, String>>,
    /// Told when the menu must be drawn again.
    pub(super) changed: Notify,
}

pub(super) fn perform<R: Runtime>(app: &AppHandle<R>, action: Action) {
    match action {
        Action::Open => window::open(app, Page::Last),
        Action::Pair => window::open(app, Page::At("/pair".to_owned())),
        Action::Conversation(peer) => {
            window::open(app, Page::At(format!("/messages/{peer}")));
        }
        Action::Quit => app::quit(app),
        other => {
            let app = app.clone();
            tauri::async_runtime::spawn(async move {
                if let Err(problem) = change(&app, other).await {
                    notify::show(&app, notify::not_done(&problem)).await;
                }
                // Also where nothing changed: the click has moved the mark.
                app.state::<Clicks>().changed.notify_one();
            });
        }
    }
}

async fn change<R: Runtime>(app: &AppHandle<R>, action: Action) -> Result<(), Problem> {
    let running = app.state::<Engine>().running().await?;
    let node = &running.node;
    match action {
        Action::Ping(peer) => ping(app, &running, &peer).await,
        Action::PingAll => {
            let peers = node.peers().await?;
            let names = peers.iter().filter(|peer| may_be_pinged(peer));
            join_all(names.map(|peer| ping(app, &running, &peer.name))).await;
        }
        Action::Mute(peer) => {
            let muted = node.peer(&peer).await?.muted;
            node.set_muted(&peer, !muted).await?;
        }
        Action::Pause(pause) => {
            let until = end_of(pause, &Zoned::now()).map(|until| until.to_string());
            let patch = json!({"notifications": {"pausedUntil": until}});
            node.change_preferences(patch.as_object().cloned().unwrap_or_default())
                .await?;
        }
        Action::StartAtLogin => {
            let engine = app.state::<Engine>().inner().clone();
            login::set(&engine, !login::is_set(&engine).unwrap_or(false))?;
        }
        Action::Open | Action::Pair | Action::Conversation(_) | Action::Quit => {}
    }
    Ok(())
}

/// Pings, and says how it went: in a notification, and in the menu from then on.
async fn ping<R: Runtime>(app: &AppHandle<R>, running: &Running, peer: &str) {
    let (notice, result) = match running.node.ping(peer).await {
        Ok(ping) => (notify::ping_answered(&ping), latency(ping.latency_ms)),
        Err(failure) => (
            notify::ping_failed(peer, &failure.problem),
            failure.problem.summary.to_string(),
        ),
    };
    let clicks = app.state::<Clicks>();
    clicks.pings.lock().insert(peer.to_owned(), result);
    clicks.changed.notify_one();
    notify::show(app, notice).await;
}

/// When a pause that begins now ends; `None` where it is no pause.
fn end_of(pause: Pause, now: &Zoned) -> Option<UnixMillis> {
    let stamp = |time: &Zoned| UnixMillis(time.timestamp().as_millisecond());
    match pause {
        Pause::Off => None,
        Pause::OneHour => Some(stamp(now).plus(Duration::from_secs(3600))),
        Pause::UntilTomorrow => now
            .tomorrow()
            .and_then(|tomorrow| tomorrow.with().hour(MORNING).minute(0).second(0).build())
            .ok()
            .map(|morning| stamp(&morning)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_pause_ends_in_an_hour_or_on_the_next_morning() {
        let now: Zoned = "2026-03-28T23:30:15+01:00[Europe/Berlin]".parse().unwrap();
        let end = |pause| end_of(pause, &now).map(|until| until.to_string());
        assert_eq!(end(Pause::Off), None);
        assert_eq!(end(Pause::OneHour).unwrap(), "2026-03-28T23:30:15.000Z");
        // In between the clocks go forward.
        assert_eq!(
            end(Pause::UntilTomorrow).unwrap(),
            "2026-03-29T06:00:00.000Z"
        );
    }
}
