//! The clipboard, and the promise that a link does not stay on it.

#[cfg_attr(target_os = "linux", path = "gtk.rs")]
#[cfg_attr(not(target_os = "linux"), path = "arboard.rs")]
mod board;

use parking_lot::Mutex;
use tauri::{AppHandle, Manager, Runtime};
use tieline_wire::problem::{Code, Problem};
use zeroize::Zeroizing;

/// The secret text that we put on the clipboard last.
#[derive(Default)]
pub(crate) struct Copied {
    secret: Mutex<Option<Zeroizing<String>>>,
}

/// Puts `text` there; `secret` text is kept out of clipboard histories where the platform can.
///
/// # Errors
/// `INTERNAL` when there is no clipboard.
pub(crate) async fn write<R: Runtime>(
    app: &AppHandle<R>,
    text: String,
    secret: bool,
) -> Result<(), Problem> {
    let kept = secret.then(|| Zeroizing::new(text.clone()));
    board::write(app, text, secret).await?;
    *app.state::<Copied>().secret.lock() = kept;
    Ok(())
}

/// The text that is there, empty if it is something else.
///
/// # Errors
/// `INTERNAL` when there is no clipboard, or its owner does not answer.
pub(crate) async fn read<R: Runtime>(app: &AppHandle<R>) -> Result<String, Problem> {
    board::read(app).await
}

/// Takes secret text off the clipboard that is no longer `needed`, unless something else is there
/// by now.
pub(crate) async fn forget_unless<R: Runtime>(app: &AppHandle<R>, needed: impl Fn(&str) -> bool) {
    let text = {
        let copied = app.state::<Copied>();
        let mut secret = copied.secret.lock();
        if secret.as_ref().is_none_or(|text| needed(text)) {
            return;
        }
        secret.take()
    };
    let Some(text) = text else { return };
    let cleared = match board::read(app).await {
        Ok(there) if there == *text => board::clear(app).await,
        Ok(_) => Ok(()),
        Err(problem) => Err(problem),
    };
    if let Err(problem) = cleared {
        tracing::warn!(cause = %problem.cause, "the clipboard could not be cleared");
    }
}

fn unavailable(reason: &str) -> Problem {
    Problem::new(Code::Internal)
        .summary("The clipboard cannot be used")
        .because(format!("{reason}."))
        .remedy("Use the keyboard instead: select, copy and paste.")
}
