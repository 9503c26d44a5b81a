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

/// Whether a link is all that a program was given, when it was given so many arguments, its own
/// name among them. Whoever hands a link over may have been made to add options to it.
pub(crate) const fn is_alone(arguments: usize) -> bool {
    arguments == 2
}

/// The link that another start of this program was given, its name in front.
pub(crate) fn of_start(arguments: &[String]) -> Option<Link> {
    let link = arguments.last()?.parse().ok()?;
    is_alone(arguments.len()).then_some(link)
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
    fn a_link_counts_by_itself_alone_and_is_never_printed() {
        let link = "tieline://join#secret".to_owned();
        let program = "tieline-desktop".to_owned();
        let found = of_start(&[program.clone(), link.clone()]).unwrap();
        assert_eq!(*found.0, link);
        assert!(!format!("{found:?}").contains("secret"));
        let home = ["--home".to_owned(), "//evil/s".to_owned()];
        let [option, value] = home;
        let injected = [program.clone(), option, value, link];
        assert!(of_start(&injected).is_none());
        assert!(of_start(&[program]).is_none());
        assert!(of_start(&[]).is_none());
        assert!("https://example.org/tieline://".parse::<Link>().is_err());
    }
}
