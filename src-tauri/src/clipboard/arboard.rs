//! The clipboard of macOS and Windows.

use arboard::{Clipboard, Error};
use tauri::{AppHandle, Runtime};
use tieline_wire::problem::Problem;

use super::unavailable;

pub(super) async fn write<R: Runtime>(
    _app: &AppHandle<R>,
    text: String,
    secret: bool,
) -> Result<(), Problem> {
    blocking(move |clipboard| {
        let set = clipboard.set();
        if secret {
            concealed(set).text(text)
        } else {
            set.text(text)
        }
    })
    .await
}

pub(super) async fn read<R: Runtime>(_app: &AppHandle<R>) -> Result<String, Problem> {
    blocking(|clipboard| match clipboard.get_text() {
        Err(Error::ContentNotAvailable) => Ok(String::new()),
        other => other,
    })
    .await
}

pub(super) async fn clear<R: Runtime>(_app: &AppHandle<R>) -> Result<(), Problem> {
    blocking(Clipboard::clear).await
}

#[cfg(target_os = "macos")]
fn concealed(set: arboard::Set<'_>) -> arboard::Set<'_> {
    arboard::SetExtApple::exclude_from_history(set)
}

#[cfg(windows)]
fn concealed(set: arboard::Set<'_>) -> arboard::Set<'_> {
    arboard::SetExtWindows::exclude_from_cloud(arboard::SetExtWindows::exclude_from_history(set))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce(&mut Clipboard) -> Result<T, Error> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(move || work(&mut Clipboard::new()?)).await;
    done.unwrap_or_else(|_| {
        Err(Error::Unknown {
            description: "the request ended early".to_owned(),
        })
    })
    .map_err(|error| unavailable(&error.to_string()))
}
