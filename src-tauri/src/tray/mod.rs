//! The tray: its icon tells the state by shape, its menu does the few things that need no window.

mod draw;
mod icon;
mod menu;
mod perform;
mod words;

use std::time::Duration;

use futures_util::StreamExt;
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tauri::{AppHandle, Manager, Runtime};
use tieline_node::model::{EventKind, MessageQuery};
use tieline_wire::problem::Problem;
use tieline_wire::time::UnixMillis;

use self::draw::{Drawn, alike};
use self::menu::{Action, Face, Facts};
use crate::engine::{Engine, Running, State};
use crate::platform::login;

pub(crate) use self::perform::Clicks;

/// Its id; on Linux also the last part of the object's path on the bus.
const ID: &str = "tieline";
/// Messages in the menu.
const RECENT: u32 = 5;

/// Puts the icon into the tray. Call it only where [`crate::platform::tray_available`].
pub(crate) fn create<R: Runtime>(app: &AppHandle<R>) -> tauri::Result<()> {
    let face = menu::starting();
    TrayIconBuilder::with_id(ID)
        .tooltip("Tieline")
        .icon(icon::picture(face.shape)?)
        .icon_as_template(true)
        .menu(&Drawn::new(app, &face.menu)?.menu)
        .on_menu_event(|app, event| match Action::from_id(event.id().as_ref()) {
            Some(action) => perform::perform(app, action),
            None => tracing::debug!(id = event.id().as_ref(), "a menu entry without an action"),
        })
        .build(app)?;
    Ok(())
}

/// Whether there is a tray icon.
pub(crate) fn is_shown<R: Runtime>(app: &AppHandle<R>) -> bool {
    app.tray_by_id(ID).is_some()
}

/// Draws the tray again where something changed that the engine does not tell of.
pub(crate) fn look_again<R: Runtime>(app: &AppHandle<R>) {
    app.state::<Clicks>().changed.notify_one();
}

/// Keeps the tray true for as long as the app runs.
pub(crate) async fn follow<R: Runtime>(app: AppHandle<R>) {
    let Some(tray) = app.tray_by_id(ID) else {
        return;
    };
    let mut states = app.state::<Engine>().states();
    let mut shown = Shown {
        app,
        tray,
        face: menu::starting(),
        drawn: None,
    };
    loop {
        let state = states.borrow_and_update().clone();
        match state {
            State::Starting => shown.show(menu::starting()),
            State::Failed(problem) => shown.show(menu::failed(&problem.summary)),
            State::Running(running) => {
                tokio::select! {
                    () = shown.follow(running) => {}
                    changed = states.changed() => if changed.is_err() { return },
                }
                continue;
            }
            State::Stopped => return,
        }
        if states.changed().await.is_err() {
            return;
        }
    }
}

/// What is in the tray now.
struct Shown<R: Runtime> {
    app: AppHandle<R>,
    tray: TrayIcon<R>,
    face: Face,
    /// The menu, unless it is the one from before the engine ran.
    drawn: Option<Drawn<R>>,
}

impl<R: Runtime> Shown<R> {
    /// Shows every change of a running engine, until its events end.
    async fn follow(&mut self, running: Running) {
        let mut events = running.node.events().subscribe(None).boxed();
        let app = self.app.clone();
        let clicks = app.state::<Clicks>();
        loop {
            let pause_ends = match self.look(&running).await {
                Ok(ends) => ends,
                Err(problem) => {
                    self.show(menu::failed(&problem.summary));
                    None
                }
            };
            let relevant = |kind| !matches!(kind, EventKind::Invites | EventKind::Secrets);
            loop {
                tokio::select! {
                    event = events.next() => match event {
                        Some(event) if relevant(event.kind) => break,
                        Some(_) => {}
                        None => return,
                    },
                    () = clicks.changed.notified() => {
                        self.set_marks();
                        break;
                    }
                    () = after(pause_ends) => break,
                }
            }
        }
    }

    /// Draws what is so now. Gives the time until a pause of notifications ends.
    async fn look(&mut self, running: &Running) -> Result<Option<Duration>, Problem> {
        let node = &running.node;
        let recent = MessageQuery {
            direction: Some("in".to_owned()),
            limit: Some(RECENT),
            ..MessageQuery::default()
        };
        let (status, peers) = (node.status().await?, node.peers().await?);
        let recent = node.messages(recent).await?.messages;
        let preferences = node.preferences();
        let engine = self.app.state::<Engine>().inner().clone();
        let app = self.app.clone();
        let clicks = app.state::<Clicks>();
        let pings = clicks.pings.lock().clone();
        let now = UnixMillis::from_system_time(std::time::SystemTime::now());
        let facts = Facts {
            now,
            status,
            peers,
            preferences,
            recent,
            pings,
            at_login: login::is_set(&engine).ok(),
        };
        let ends = facts.paused_until().map(|until| until.since(now));
        self.show(menu::running(&facts));
        Ok(ends)
    }

    fn show(&mut self, face: Face) {
        if face == self.face {
            return;
        }
        if let Err(error) = self.redraw(&face) {
            tracing::warn!(%error, "the tray could not be changed");
            return;
        }
        self.face = face;
    }

    fn redraw(&mut self, face: &Face) -> tauri::Result<()> {
        if face.shape != self.face.shape {
            self.tray
                .set_icon_with_as_template(Some(icon::picture(face.shape)?), true)?;
        }
        if face.words != self.face.words {
            self.tray
                .set_tooltip(Some(format!("Tieline: {}", face.words)))?;
        }
        match &self.drawn {
            _ if face.menu == self.face.menu => {}
            Some(drawn) if alike(&self.face.menu, &face.menu) => drawn.update(&face.menu)?,
            _ => {
                let drawn = Drawn::new(&self.app, &face.menu)?;
                self.tray.set_menu(Some(drawn.menu.clone()))?;
                self.drawn = Some(drawn);
            }
        }
        Ok(())
    }

    /// Puts the marks back where they belong after a click.
    fn set_marks(&self) {
        if let Some(drawn) = &self.drawn
            && let Err(error) = drawn.update(&self.face.menu)
        {
            tracing::warn!(%error, "the tray's marks could not be set");
        }
    }
}

/// Waits so long, or for ever.
async fn after(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}
