//! The one window: made when it is wanted, and freed with its web view when it is closed.

use tauri::{
    AppHandle, Manager, Runtime, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent,
};

use crate::engine::Engine;
use crate::feed::Feed;
use crate::tray;

/// Its label; the capabilities are given to this one.
pub(crate) const MAIN: &str = "main";

/// What to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Page {
    /// What is shown already; the first page in a new window.
    Last,
    /// This page, such as `/pair`.
    At(String),
}

/// Brings the window to the front, making it if there is none.
pub(crate) fn open<R: Runtime>(app: &AppHandle<R>, page: Page) {
    let app = app.clone();
    // Never on the main thread: making a window there waits for itself on Windows.
    tauri::async_runtime::spawn_blocking(move || {
        if let Err(error) = open_now(&app, page) {
            tracing::error!(%error, "the window could not be opened");
        }
    });
}

fn open_now<R: Runtime>(app: &AppHandle<R>, page: Page) -> tauri::Result<()> {
    let Some(window) = app.get_webview_window(MAIN) else {
        return make(app, page);
    };
    if let Page::At(path) = page {
        app.state::<Feed>().go(&path);
    }
    window.unminimize()?;
    window.show()?;
    window.set_focus()
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
    match event {
        // Without a tray the window is the only way back in, so it stays, out of the way.
        WindowEvent::CloseRequested { api, .. } if !tray::is_shown(window.app_handle()) => {
            api.prevent_close();
            if let Err(error) = window.minimize() {
                tracing::warn!(%error, "the window could not be minimised");
            }
        }
        WindowEvent::Destroyed => window.app_handle().state::<Feed>().close(),
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
