//! Whether somebody shows tray icons. On Linux that is a program of the desktop (GNOME has none
//! without an extension): an icon that nobody shows is no way back to the window.

use std::time::Duration;

use tauri::{AppHandle, Manager, Runtime};
use tokio::sync::watch;

use crate::engine::Engine;
use crate::{notify, tray};

/// Longest time that a desktop takes at login until its tray is there.
const SETTLING: Duration = Duration::from_secs(15);
/// File in the home that remembers that the person knows.
const TOLD: &str = "told-of-missing-tray";

/// What is known of who shows tray icons: `None` before anything is.
pub(crate) struct TrayHost {
    known: watch::Sender<Option<bool>>,
}

impl Default for TrayHost {
    fn default() -> Self {
        Self {
            known: watch::Sender::new(None),
        }
    }
}

/// Whether the person can see the tray icon, as far as is known.
pub(crate) fn tray_is_seen<R: Runtime>(app: &AppHandle<R>) -> bool {
    tray::is_shown(app) && *app.state::<TrayHost>().known.borrow() != Some(false)
}

/// Keeps an eye on who shows tray icons, and tells the person once where nobody does.
pub(crate) async fn watch_tray_host<R: Runtime>(app: AppHandle<R>) {
    tauri::async_runtime::spawn(tell_once(app.clone()));
    if let Err(error) = imp::follow(&app.state::<TrayHost>().known).await {
        tracing::info!(%error, "nobody can be asked about the tray");
        app.state::<TrayHost>().known.send_replace(Some(false));
    }
}

async fn tell_once<R: Runtime>(app: AppHandle<R>) {
    tokio::time::sleep(SETTLING).await;
    let told = app.state::<Engine>().home().join(TOLD);
    if tray_is_seen(&app) || told.exists() {
        return;
    }
    notify::show(&app, notify::no_tray()).await;
    if let Err(error) = std::fs::write(&told, "") {
        tracing::warn!(%error, "it will be told again that there is no tray");
    }
}

#[cfg(target_os = "linux")]
mod imp {
    use futures_util::StreamExt;
    use tokio::sync::watch;
    use zbus::fdo::DBusProxy;
    use zbus::names::BusName;
    use zbus::{Connection, Proxy};

    /// Who the icons register with (StatusNotifierItem specification, "StatusNotifierWatcher").
    const WATCHER: &str = "org.kde.StatusNotifierWatcher";
    const PATH: &str = "/StatusNotifierWatcher";

    /// Follows it for ever.
    ///
    /// # Errors
    /// There is no session bus.
    pub(super) async fn follow(known: &watch::Sender<Option<bool>>) -> zbus::Result<()> {
        let connection = Connection::session().await?;
        let bus = DBusProxy::new(&connection).await?;
        let mut owners = bus
            .receive_name_owner_changed_with_args(&[(0, WATCHER)])
            .await?;
        let watcher: Proxy<'_> = zbus::proxy::Builder::new(&connection)
            .destination(WATCHER)
            .path(PATH)
            .interface(WATCHER)
            .cache_properties(zbus::proxy::CacheProperties::No)
            .build()
            .await?;
        // Hosts come and go while the watcher stays.
        let mut signals = watcher.receive_all_signals().await?;
        loop {
            let name = BusName::try_from(WATCHER)?;
            let there = bus.name_has_owner(name).await?
                && watcher
                    .get_property::<bool>("IsStatusNotifierHostRegistered")
                    .await
                    .unwrap_or(true);
            known.send_if_modified(|known| {
                let before = known.replace(there);
                before != Some(there)
            });
            tokio::select! {
                owner = owners.next() => if owner.is_none() { return Ok(()) },
                signal = signals.next() => if signal.is_none() { return Ok(()) },
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use tokio::sync::watch;

    /// The system shows it.
    pub(super) async fn follow(
        known: &watch::Sender<Option<bool>>,
    ) -> Result<(), std::convert::Infallible> {
        known.send_replace(Some(true));
        Ok(())
    }
}
