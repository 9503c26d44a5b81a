//! Shows a notification on the platform's own service.

use notify_rust::Notification;
use tauri::{AppHandle, Runtime};

use super::Notice;
use crate::window::{self, Page};

/// Shows `notice`; a click on it opens its page. Returns once it is on the screen. Without a
/// notification service it is only logged: the window says the same.
pub(crate) async fn show<R: Runtime>(app: &AppHandle<R>, notice: Notice) {
    imp::show(app, notice).await;
}

fn common(notice: &Notice) -> Notification {
    let mut notification = Notification::new();
    notification
        .appname("Tieline")
        .summary(&notice.summary)
        .body(&notice.body);
    notification
}

fn clicked<R: Runtime>(app: &AppHandle<R>, page: Option<String>) {
    window::open(app, page.map_or(Page::Last, Page::At));
}

#[cfg(all(unix, not(target_os = "macos")))]
mod imp {
    use notify_rust::{Hint, NotificationResponse, Urgency};

    use super::*;

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
        match notification.show_async().await {
            Ok(handle) => {
                let app = app.clone();
                let page = notice.page;
                // Waits for as long as the notification is there.
                tokio::spawn(async move {
                    let mut open = false;
                    handle
                        .wait_for_action_async(|response: &NotificationResponse| {
                            open = matches!(response, NotificationResponse::Default);
                        })
                        .await;
                    if open {
                        clicked(&app, page);
                    }
                });
            }
            Err(error) => {
                tracing::info!(%error, summary = notice.summary, "no notification service")
            }
        }
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
    use super::*;

    pub(super) async fn show<R: Runtime>(_app: &AppHandle<R>, notice: Notice) {
        let notification = common(&notice);
        let shown = tokio::task::spawn_blocking(move || notification.show().map(drop)).await;
        match shown {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::info!(%error, "the notification could not be shown"),
            Err(error) => tracing::warn!(%error, "showing the notification ended early"),
        }
    }
}
