//! What differs between machines, found out before it can hurt.

pub(crate) mod command_line;
mod display;
pub(crate) mod login;
mod tray_host;
mod tray_library;
mod webkit;

pub(crate) use display::{NoDisplay, require_display};
pub(crate) use tray_host::{TrayHost, tray_is_seen, watch_tray_host};
pub(crate) use tray_library::tray_available;
#[cfg(target_os = "linux")]
pub(crate) use webkit::TURNED_OFF;
pub(crate) use webkit::start_again_where_needed;
