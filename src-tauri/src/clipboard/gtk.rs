//! The clipboard of the desktop that the window is on, X11 or Wayland alike.

use std::time::Duration;

use gtk::gdk::SELECTION_CLIPBOARD;
use gtk::{Clipboard, TargetEntry, TargetFlags};
use tauri::{AppHandle, Runtime};
use tieline_wire::problem::Problem;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::unavailable;

/// The text belongs to another program, which may hang.
const PATIENCE: Duration = Duration::from_secs(5);

/// Under these names programs ask for text.
const TEXT: [&str; 4] = ["UTF8_STRING", "text/plain;charset=utf-8", "STRING", "TEXT"];
/// Asks clipboard histories to leave the text alone; KDE began it, others follow.
const CONCEALED: &str = "x-kde-passwordManagerHint";

pub(super) async fn write<R: Runtime>(
    app: &AppHandle<R>,
    text: String,
    secret: bool,
) -> Result<(), Problem> {
    let text = Zeroizing::new(text);
    on_main(app, move |clipboard, done| {
        let taken = if secret {
            offer_concealed(clipboard, text)
        } else {
            clipboard.set_text(&text);
            true
        };
        // The receiver is gone only if the app is on its way out.
        let _ = done.send(taken);
    })
    .await?
    .then_some(())
    .ok_or_else(|| unavailable("The desktop does not take text from this window"))
}

pub(super) async fn read<R: Runtime>(app: &AppHandle<R>) -> Result<String, Problem> {
    on_main(app, |clipboard, done| {
        clipboard.request_text(|_, text| {
            let _ = done.send(text.unwrap_or_default().to_owned());
        });
    })
    .await
}

pub(super) async fn clear<R: Runtime>(app: &AppHandle<R>) -> Result<(), Problem> {
    on_main(app, |clipboard, done| {
        // GTK keeps what it offers until another takes over; nothing in place of it is safest.
        clipboard.set_text("");
        clipboard.clear();
        let _ = done.send(());
    })
    .await
}

fn offer_concealed(clipboard: &Clipboard, text: Zeroizing<String>) -> bool {
    const HINT: u32 = u32::MAX;
    let mut targets: Vec<TargetEntry> = TEXT
        .iter()
        .zip(0..)
        .map(|(name, info)| TargetEntry::new(name, TargetFlags::empty(), info))
        .collect();
    targets.push(TargetEntry::new(CONCEALED, TargetFlags::empty(), HINT));
    clipboard.set_with_data(&targets, move |_, selection, info| {
        if info == HINT {
            selection.set(&selection.target(), 8, b"secret");
        } else {
            selection.set_text(&text);
        }
    })
}

/// GTK belongs to the main thread.
async fn on_main<R: Runtime, T: Send + 'static>(
    app: &AppHandle<R>,
    work: impl FnOnce(&Clipboard, oneshot::Sender<T>) + Send + 'static,
) -> Result<T, Problem> {
    let (done, outcome) = oneshot::channel();
    app.run_on_main_thread(move || work(&Clipboard::get(&SELECTION_CLIPBOARD), done))
        .map_err(|error| unavailable(&error.to_string()))?;
    match tokio::time::timeout(PATIENCE, outcome).await {
        Ok(Ok(outcome)) => Ok(outcome),
        Ok(Err(_)) | Err(_) => Err(unavailable(
            "The program that holds the text does not answer",
        )),
    }
}
