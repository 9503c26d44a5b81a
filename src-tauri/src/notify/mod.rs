//! Notifications: what is worth one, what it says, and how it gets onto the screen.

mod decide;
mod show;
mod watch;
mod words;

pub(crate) use show::{OnScreen, introduce, show};
pub(crate) use watch::follow;
pub(crate) use words::{
    Notice, empty_window, latency, no_tray, not_done, ping_answered, ping_failed, stopped,
};
