//! `tieline://` links that the desktop hands to the app. A link only ever opens the page on which
//! the person reads the inviter's words and decides; nothing is done by it.

use std::fmt;
use std::str::FromStr;

use parking_lot::Mutex;
use tauri::{AppHandle, Manager, Runtime};
use zeroize::Zeroizing;

use crate::window::{self, Page};

/// What such links begin with.
const SCHEME: &str = "tieline://";
/// The page with the words.
const CONFIRM: &str = "/pair/join";

/// A link. It lets whoever has it join, so it is never printed.
#[derive(Clone)]
pub(crate) struct Link(Zeroizing<String>);

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Link(…)")
    }
}

/// The argument does not begin with `tieline://`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a link begins with tieline://")]
pub(crate) struct NoLink;

impl FromStr for Link {
    type Err = NoLink;

    fn from_str(text: &str) -> Result<Self, NoLink> {
        match text.starts_with(SCHEME) {
            true => Ok(Self(Zeroizing::new(text.to_owned()))),
            false => Err(NoLink),
        }
    }
}

/// The link that waits for the page to take it.
#[derive(Default)]
pub(crate) struct Offered {
    link: Mutex<Option<Link>>,
}

/// The first link among the arguments of a program.
pub(crate) fn among<'a>(arguments: impl IntoIterator<Item = &'a String>) -> Option<Link> {
    arguments
        .into_iter()
        .find_map(|argument| argument.parse().ok())
}

/// Keeps a link for the page, without opening it.
pub(crate) fn keep<R: Runtime>(app: &AppHandle<R>, link: Link) {
    *app.state::<Offered>().link.lock() = Some(link);
}

/// Shows the page on which the person decides about a link.
pub(crate) fn offer<R: Runtime>(app: &AppHandle<R>, link: Link) {
    keep(app, link);
    window::open(app, page());
}

/// The page on which the person decides.
pub(crate) fn page() -> Page {
    Page::At(CONFIRM.to_owned())
}

/// The link that was offered, once.
pub(crate) fn take<R: Runtime>(app: &AppHandle<R>) -> Option<String> {
    let link = app.state::<Offered>().link.lock().take();
    link.map(|Link(text)| text.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_link_is_found_among_arguments_and_never_printed() {
        let arguments = ["tieline-desktop", "--home", "/h", "tieline://join#secret"];
        let arguments = arguments.map(str::to_owned);
        let link = among(&arguments).unwrap();
        assert_eq!(*link.0, "tieline://join#secret");
        assert!(!format!("{link:?}").contains("secret"));
        assert!(among(&arguments[..3]).is_none());
        assert!("https://example.org/tieline://".parse::<Link>().is_err());
    }
}
