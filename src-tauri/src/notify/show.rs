//! Shows notifications on the platform's own service, and does what the person answers.

use std::collections::HashMap;
use std::sync::Arc;

use notify_rust::{Notification, NotificationHandle};
use parking_lot::Mutex;
use tauri::{AppHandle, Manager, Runtime};
use tokio::task::AbortHandle;

use super::decide::Bursts;
use super::words::{Notice, Tag};
use crate::window::{self, Page};

/// The notifications that are on the screen, as far as one can take another's place.
#[derive(Default)]
pub(crate) struct OnScreen {
    shown: Mutex<HashMap<Tag, Shown>>,
    /// What they stand for.
    pub(super) bursts: Mutex<Bursts>,
}

#[cfg_attr(
    any(windows, target_os = "macos"),
    allow(dead_code, reason = "only where a notification can be replaced")
)]
struct Shown {
    handle: Arc<NotificationHandle>,
    waiting: AbortHandle,
}

impl OnScreen {
    /// Peers that have a notification of messages.
    pub(super) fn peers(&self) -> Vec<String> {
        let shown = self.shown.lock();
        let peers = shown.keys().filter_map(|tag| match tag {
            Tag::Messages(peer) => Some(peer.clone()),
            _ => None,
        });
        peers.collect()
    }

    fn gone(&self, tag: &Tag) {
        self.shown.lock().remove(tag);
        if let Tag::Messages(peer) = tag {
            self.bursts.lock().gone(peer);
        }
    }
}

/// What the person did with a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    /// Clicked it, or *Open*.
    Open,
    /// Clicked *Reply*.
    Reply,
    /// Wrote a reply into it.
    #[cfg_attr(
        not(target_os = "macos"),
        allow(dead_code, reason = "only macOS lets a person write there")
    )]
    Wrote(String),
    /// Let it go.
    Closed,
}

/// Says whose the notifications are, before the first.
pub(crate) fn introduce() {
    #[cfg(target_os = "macos")]
    if let Err(error) = notify_rust::set_application("dev.tieline.desktop") {
        tracing::warn!(%error, "notifications come in the name of another program");
    }
}

/// Shows `notice`. Returns once it is on the screen. Without a notification service it is only
/// logged: the window says the same.
pub(crate) async fn show<R: Runtime>(app: &AppHandle<R>, notice: Notice) {
    imp::show(app, notice).await;
}

/// Takes a notification off the screen whose news have been read.
pub(super) async fn close<R: Runtime>(app: &AppHandle<R>, tag: &Tag) {
    let taken = app.state::<OnScreen>().shown.lock().remove(tag);
    if let Some(shown) = taken {
        imp::close(&shown).await;
    }
    app.state::<OnScreen>().gone(tag);
}

fn common(notice: &Notice) -> Notification {
    let mut notification = Notification::new();
    notification
        .appname("Tieline")
        .summary(&notice.summary)
        .body(&notice.body);
    notification
}

fn answered<R: Runtime>(app: &AppHandle<R>, notice: &Notice, answer: Answer) {
    if let Some(tag) = &notice.tag {
        app.state::<OnScreen>().gone(tag);
    }
    match (answer, &notice.reply) {
        (Answer::Closed, _) => {}
        (Answer::Reply, Some(reply)) => window::open(app, Page::At(reply.page.clone())),
        (Answer::Wrote(text), Some(reply)) => match &reply.inline {
            Some(peer) => super::watch::send(app, peer.clone(), text),
            None => window::open(app, Page::At(reply.page.clone())),
        },
        _ => window::open(app, notice.page.clone().map_or(Page::Last, Page::At)),
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
mod imp {
    use notify_rust::{Hint, NotificationResponse, Urgency};

    use super::*;

    /// Key of the button that opens the composer.
    const REPLY: &str = "reply";

    pub(super) async fn show<R: Runtime>(app: &AppHandle<R>, notice: Notice) {
        let mut notification = common(&notice);
        if understands_markup().await {
            notification.body(&escaped(&notice.body));
        }
        notification
            .icon("tieline-desktop")
            .hint(Hint::DesktopEntry("Tieline".to_owned()))
            .urgency(Urgency::Normal);
        if notice.page.is_some() {
            notification.action("default", "Open");
        }
        if notice.reply.is_some() {
            notification.action(REPLY, "Reply").action("open", "Open");
        }
        let screen = app.state::<OnScreen>();
        let before = notice.tag.as_ref().and_then(|tag| {
            let shown = screen.shown.lock();
            shown.get(tag).map(|shown| shown.handle.id())
        });
        if let Some(id) = before {
            notification.id(id);
        }
        let handle = match notification.show_async().await {
            Ok(handle) => Arc::new(handle),
            Err(error) => {
                tracing::info!(%error, summary = notice.summary, "no notification service");
                return;
            }
        };
        let tag = notice.tag.clone();
        let waiting = tokio::spawn(wait(app.clone(), Arc::clone(&handle), notice));
        let Some(tag) = tag else { return };
        let shown = Shown {
            handle,
            waiting: waiting.abort_handle(),
        };
        // Both would hear the answer to the one that is there now.
        if let Some(replaced) = screen.shown.lock().insert(tag, shown) {
            replaced.waiting.abort();
        }
    }

    pub(super) async fn close(shown: &Shown) {
        shown.waiting.abort();
        shown.handle.close_async().await;
    }

    /// Waits for as long as the notification is there.
    async fn wait<R: Runtime>(app: AppHandle<R>, handle: Arc<NotificationHandle>, notice: Notice) {
        let mut answer = Answer::Closed;
        handle
            .wait_for_action_async(|response: &NotificationResponse| {
                answer = match response {
                    NotificationResponse::Action(key) if key == REPLY => Answer::Reply,
                    NotificationResponse::Default | NotificationResponse::Action(_) => Answer::Open,
                    NotificationResponse::Reply(_) | NotificationResponse::Closed(_) => {
                        Answer::Closed
                    }
                };
            })
            .await;
        answered(&app, &notice, answer);
    }

    async fn understands_markup() -> bool {
        tokio::task::spawn_blocking(notify_rust::get_capabilities)
            .await
            .is_ok_and(|answer| answer.is_ok_and(|all| all.iter().any(|one| one == "body-markup")))
    }

    /// Text that a service with markup shows as it is.
    pub(super) fn escaped(text: &str) -> String {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn markup_in_a_text_is_shown_and_not_obeyed() {
            assert_eq!(escaped("<b>a & b</b>"), "&lt;b&gt;a &amp; b&lt;/b&gt;");
        }
    }
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
mod imp {
    use notify_rust::NotificationResponse;
    use tokio::sync::Semaphore;

    use super::*;

    /// Notifications whose answers are waited for, each on a thread; later ones are only shown.
    static WAITING: Semaphore = Semaphore::const_new(16);

    pub(super) async fn show<R: Runtime>(app: &AppHandle<R>, notice: Notice) {
        let mut notification = common(&notice);
        if let Some(_reply) = &notice.reply {
            #[cfg(target_os = "macos")]
            if _reply.inline.is_some() {
                notification.reply("Reply");
            }
            #[cfg(windows)]
            notification.action("reply", "Reply");
            notification.action("open", "Open");
        }
        let app = app.clone();
        let place = WAITING.try_acquire().ok();
        let shown = tokio::task::spawn_blocking(move || {
            let handle = notification.show()?;
            if place.is_some() {
                let mut answer = Answer::Closed;
                handle.wait_for_response(|response: &NotificationResponse| {
                    answer = match response {
                        NotificationResponse::Action(key) if key == "reply" => Answer::Reply,
                        NotificationResponse::Action(_) | NotificationResponse::Default => {
                            Answer::Open
                        }
                        NotificationResponse::Reply(text) => Answer::Wrote(text.clone()),
                        NotificationResponse::Closed(_) => Answer::Closed,
                    };
                })?;
                answered(&app, &notice, answer);
            }
            Ok::<(), notify_rust::error::Error>(())
        });
        tokio::spawn(async move {
            match shown.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::info!(%error, "the notification could not be shown"),
                Err(error) => tracing::warn!(%error, "showing the notification ended early"),
            }
        });
    }

    pub(super) async fn close(_shown: &Shown) {}
}
