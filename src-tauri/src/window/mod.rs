//! The one window: made when it is wanted, and freed with its web view when it is closed.

mod life;

use std::time::Duration;

use parking_lot::Mutex;
use tauri::{
    AppHandle, Manager, Runtime, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent,
};

use self::life::{Deed, Happening, Life};
use crate::engine::Engine;
use crate::feed::Feed;
use crate::{notify, platform};

pub(crate) use self::life::Page;

/// Its label; the capabilities are given to this one.
pub(crate) const MAIN: &str = "main";

/// A page that works is up long before this, also on a busy machine.
const OVERDUE: Duration = Duration::from_secs(30);

/// The window's life so far.
#[derive(Default)]
pub(crate) struct Window {
    life: Mutex<Life>,
}

/// Brings the window to the front, making it if there is none.
pub(crate) fn open<R: Runtime>(app: &AppHandle<R>, page: Page) {
    happened(app, Happening::Asked(page));
}

/// The page in the window has asked for events: it is up.
pub(crate) fn page_is_up<R: Runtime>(app: &AppHandle<R>) {
    happened(app, Happening::PageUp);
}

/// Notes what happened, and does what follows.
fn happened<R: Runtime>(app: &AppHandle<R>, happening: Happening) {
    let deeds = app.state::<Window>().life.lock().on(happening);
    if deeds.is_empty() {
        return;
    }
    let app = app.clone();
    // Never on the main thread: making a window there waits for itself on Windows.
    tauri::async_runtime::spawn_blocking(move || {
        for deed in deeds {
            perform(&app, deed);
        }
    });
}

fn perform<R: Runtime>(app: &AppHandle<R>, deed: Deed) {
    match deed {
        Deed::Make { page, number } => {
            if let Err(error) = make(app, page) {
                tracing::error!(%error, "the window could not be made");
                happened(app, Happening::NotMade);
                return;
            }
            let app = app.clone();
            tauri::async_runtime::spawn(async move {
                tokio::time::sleep(OVERDUE).await;
                happened(&app, Happening::Overdue { number });
            });
        }
        Deed::Raise => {
            let raised = app.get_webview_window(MAIN).map_or(Ok(()), |window| {
                window.unminimize()?;
                window.show()?;
                window.set_focus()
            });
            if let Err(error) = raised {
                tracing::warn!(%error, "the window could not be brought to the front");
            }
        }
        Deed::Go(path) => {
            app.state::<Feed>().go(&path);
        }
        Deed::Explain => {
            let notice = notify::empty_window();
            tracing::error!("{}. {}", notice.summary, notice.body);
            let app = app.clone();
            tauri::async_runtime::spawn(async move { notify::show(&app, notice).await });
        }
        // Done where the window asks, which waits for the answer.
        Deed::LetGo | Deed::PutDown => {}
    }
}

/// The page that the window shows while the person is in it, such as `/messages/box`.
pub(crate) fn page_in_focus<R: Runtime>(app: &AppHandle<R>) -> Option<String> {
    let window = app.get_webview_window(MAIN)?;
    let looked_at = window.is_focused().ok()? && window.is_visible().ok()?;
    let url = window.url().ok()?;
    looked_at.then(|| url.fragment().unwrap_or("/peers").to_owned())
}

fn make<R: Runtime>(app: &AppHandle<R>, page: Page) -> tauri::Result<()> {
    let address = match page {
        Page::Last => "index.html".to_owned(),
        Page::At(path) => format!("index.html#{path}"),
    };
    let home = app.state::<Engine>().home().join("webview");
    let window = WebviewWindowBuilder::new(app, MAIN, WebviewUrl::App(address.into()))
        .title("Tieline")
        .inner_size(1000.0, 700.0)
        .min_inner_size(640.0, 480.0)
        .data_directory(home)
        // Nothing but our own page is ever shown, and no other window is opened.
        .on_navigation(is_own_page)
        .on_new_window(|_, _| tauri::webview::NewWindowResponse::Deny)
        .disable_drag_drop_handler()
        .build()?;
    let handle = window.clone();
    window.on_window_event(move |event| on_event(&handle, event));
    Ok(())
}

fn on_event<R: Runtime>(window: &WebviewWindow<R>, event: &WindowEvent) {
    let app = window.app_handle();
    match event {
        WindowEvent::CloseRequested { api, .. } => {
            let reachable = platform::tray_is_seen(app);
            let deeds = app
                .state::<Window>()
                .life
                .lock()
                .on(Happening::CloseAsked { reachable });
            // Without a tray the window is the only way back in, so it stays, out of the way.
            if deeds.contains(&Deed::PutDown) {
                api.prevent_close();
                if let Err(error) = window.minimize() {
                    tracing::warn!(%error, "the window could not be minimised");
                }
            }
        }
        WindowEvent::Destroyed => {
            app.state::<Feed>().close();
            happened(app, Happening::Destroyed);
        }
        _ => {}
    }
}

fn is_own_page(url: &tauri::Url) -> bool {
    // Without a port: any program of this machine can listen on one of `tauri.localhost`.
    let bundled = match url.scheme() {
        "tauri" => url.host_str() == Some("localhost"),
        "http" | "https" => {
            cfg!(windows) && url.host_str() == Some("tauri.localhost") && url.port().is_none()
        }
        _ => false,
    };
    let dev_server =
        cfg!(debug_assertions) && url.host_str() == Some("127.0.0.1") && url.port() == Some(1420);
    bundled || dev_server
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_our_own_pages_are_shown() {
        let own = |url: &str| is_own_page(&url.parse().unwrap());
        assert!(own("tauri://localhost/index.html#/peers"));
        assert_eq!(own("http://tauri.localhost/index.html"), cfg!(windows));
        assert!(!own("http://tauri.localhost:8080/index.html"));
        assert!(!own("tauri://elsewhere/index.html"));
        assert!(!own("https://example.org/"));
        assert!(!own("http://127.0.0.1:3847/api/a2a/send"));
        assert!(!own("https://tauri.localhost.example.org/"));
        assert!(!own("javascript:alert(1)"));
        assert!(!own("file:///etc/passwd"));
    }
}
