//! Notifications: what is said, and how it gets onto the screen.

mod show;
mod words;

pub(crate) use show::show;
pub(crate) use words::{Notice, ping_answered, ping_failed, stopped};
