//! One app for each home: a second start opens the window of the first.

use std::path::Path;

use sha2::{Digest, Sha256};
use tauri::Runtime;
use tauri::plugin::TauriPlugin;

use crate::deep_link;
use crate::window::{self, Page};

/// The plugin that finds the app that already runs for this home. `is_default` says that the home
/// is the platform's own.
///
/// Only Linux can tell homes apart; elsewhere another home goes without, and the lock in the home
/// refuses a second host.
pub(crate) fn plugin<R: Runtime>(home: &Path, is_default: bool) -> Option<TauriPlugin<R>> {
    if !is_default && !cfg!(target_os = "linux") {
        return None;
    }
    let mut builder = tauri_plugin_single_instance::Builder::new().callback(|app, arguments, _| {
        if let Some(link) = deep_link::of_start(&arguments) {
            deep_link::offer(app, link);
        } else if !arguments.iter().any(|argument| argument == "--background") {
            window::open(app, Page::Last);
        }
    });
    if !is_default {
        builder = builder.dbus_id(bus_name(home));
    }
    Some(builder.build())
}

/// A bus name for this home. Letters in front, because an element may not begin with a digit.
fn bus_name(home: &Path) -> String {
    let home = home.canonicalize().unwrap_or_else(|_| home.to_owned());
    let digest = Sha256::digest(home.as_os_str().as_encoded_bytes());
    let hex: String = digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("dev.tieline.desktop.home{hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn homes_have_names_of_their_own_that_a_bus_accepts() {
        let one = bus_name(Path::new("/a"));
        assert_ne!(one, bus_name(Path::new("/b")));
        assert_eq!(one, bus_name(Path::new("/a")));
        assert!(one.chars().all(|c| c.is_ascii_alphanumeric() || c == '.'));
    }
}
