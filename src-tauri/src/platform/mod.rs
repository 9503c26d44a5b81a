//! What differs between machines, found out before it can hurt.

mod display;
mod tray_library;

pub(crate) use display::{NoDisplay, require_display};
pub(crate) use tray_library::tray_available;
