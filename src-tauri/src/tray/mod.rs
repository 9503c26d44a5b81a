//! The tray: its icon tells the state by shape, its menu does the few things that need no window.

mod icon;
mod menu;

use futures_util::StreamExt;
use tauri::menu::{Menu, MenuBuilder, MenuItemBuilder};
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tauri::{AppHandle, Manager, Runtime};
use tieline_node::model::EventKind;

use self::menu::{Action, Entry, Face};
use crate::engine::{Engine, Running, State};
use crate::window::{self, Page};
use crate::{app, notify};

/// Its id; on Linux also the last part of the object's path on the bus.
const ID: &str = "tieline";

/// Puts the icon into the tray. Call it only where [`crate::platform::tray_available`].
pub(crate) fn create<R: Runtime>(app: &AppHandle<R>) -> tauri::Result<()> {
    let face = menu::starting();
    TrayIconBuilder::with_id(ID)
        .tooltip("Tieline")
        .icon(icon::picture(face.shape)?)
        .icon_as_template(true)
        .menu(&build(app, &face)?)
        .on_menu_event(|app, event| match Action::from_id(event.id().as_ref()) {
            Some(action) => perform(app, action),
            None => tracing::debug!(id = event.id().as_ref(), "a menu entry without an action"),
        })
        .build(app)?;
    Ok(())
}

/// Whether there is a tray icon.
pub(crate) fn is_shown<R: Runtime>(app: &AppHandle<R>) -> bool {
    app.tray_by_id(ID).is_some()
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
}

impl<R: Runtime> Shown<R> {
    /// Shows every change of a running engine, until its events end.
    async fn follow(&mut self, running: Running) {
        let mut events = running.node.events().subscribe(None).boxed();
        loop {
            match (running.node.status().await, running.node.peers().await) {
                (Ok(status), Ok(peers)) => self.show(menu::running(&status, &peers)),
                (Err(problem), _) | (_, Err(problem)) => self.show(menu::failed(&problem.summary)),
            }
            let relevant = |kind| {
                !matches!(
                    kind,
                    EventKind::Invites | EventKind::Secrets | EventKind::Settings
                )
            };
            loop {
                match events.next().await {
                    Some(event) if relevant(event.kind) => break,
                    Some(_) => {}
                    None => return,
                }
            }
        }
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

    fn redraw(&self, face: &Face) -> tauri::Result<()> {
        if face.shape != self.face.shape {
            self.tray
                .set_icon_with_as_template(Some(icon::picture(face.shape)?), true)?;
        }
        if face.menu != self.face.menu {
            self.tray.set_menu(Some(build(&self.app, face)?))?;
        }
        Ok(())
    }
}

fn build<R: Runtime>(app: &AppHandle<R>, face: &Face) -> tauri::Result<Menu<R>> {
    let mut menu = MenuBuilder::new(app);
    for entry in &face.menu {
        menu = match entry {
            Entry::Action { action, label } => {
                menu.item(&MenuItemBuilder::with_id(action.id(), plain(label)).build(app)?)
            }
            Entry::Words(words) => menu.item(
                &MenuItemBuilder::new(plain(words))
                    .enabled(false)
                    .build(app)?,
            ),
            Entry::Separator => menu.separator(),
        };
    }
    menu.build()
}

/// A label in which `&` is itself, and marks no keyboard shortcut.
fn plain(label: &str) -> String {
    label.replace('&', "&&")
}

fn perform<R: Runtime>(app: &AppHandle<R>, action: Action) {
    match action {
        Action::Open => window::open(app, Page::Last),
        Action::Pair => window::open(app, Page::At("/pair".to_owned())),
        Action::Ping(peer) => {
            tauri::async_runtime::spawn(ping(app.clone(), peer));
        }
        Action::Quit => app::quit(app),
    }
}

/// Pings, and says how it went.
async fn ping<R: Runtime>(app: AppHandle<R>, peer: String) {
    let running = app.state::<Engine>().running().await;
    let outcome = match running {
        Ok(running) => running
            .node
            .ping(&peer)
            .await
            .map_err(|failure| failure.problem),
        Err(problem) => Err(problem),
    };
    let notice = match outcome {
        Ok(ping) => notify::ping_answered(&ping),
        Err(problem) => notify::ping_failed(&peer, &problem),
    };
    notify::show(&app, notice).await;
}
