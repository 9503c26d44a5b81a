//! Whether there is a display at all. Without one GTK would panic while Tauri starts.

/// Why the app cannot show anything here, and what to do instead.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoDisplay {
    /// Neither variable is set: a server, an SSH session, a container.
    #[error(
        "Tieline's app needs a display, and neither DISPLAY nor WAYLAND_DISPLAY is set here.\n\
         On a machine without one, `tieline serve` runs the same node."
    )]
    NotSet,
    /// A display is named but cannot be opened: it is gone, or it refuses this user.
    #[error(
        "Tieline's app cannot open the display {0}: it is not running, or it refuses this user.\n\
         Start the app from the desktop session itself, or run `tieline serve` without a display."
    )]
    #[cfg_attr(not(target_os = "linux"), expect(dead_code))]
    Refused(String),
}

/// Opens the display, on platforms where it can be missing.
#[cfg(target_os = "linux")]
pub(crate) fn require_display() -> Result<(), NoDisplay> {
    let named = ["WAYLAND_DISPLAY", "DISPLAY"]
        .into_iter()
        .find_map(|variable| {
            std::env::var(variable)
                .ok()
                .filter(|value| !value.is_empty())
        })
        .ok_or(NoDisplay::NotSet)?;
    gtk::init().map_err(|_| NoDisplay::Refused(named))
}

/// Always there.
#[cfg(not(target_os = "linux"))]
pub(crate) fn require_display() -> Result<(), NoDisplay> {
    let _ = NoDisplay::NotSet;
    Ok(())
}
