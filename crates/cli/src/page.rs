//! The page that `tieline serve --ui` serves: the build of `ui/`, inside this program.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::path::Path;

use rust_embed::RustEmbed;
use serde_json::json;
use tieline_api::page::{CODE_LIFE, Door};
use tieline_node::Platform;
use tieline_wire::problem::{Code, Problem};

use crate::browser;
use crate::output::Output;

/// Release builds hold the files; debug builds read them where they were built.
#[derive(RustEmbed)]
#[folder = "../../ui/dist"]
#[allow_missing = true]
struct Build;

/// A file of the page by its path.
pub(crate) fn file(path: &str) -> Option<Cow<'static, [u8]>> {
    Build::get(path).map(|file| file.data)
}

/// # Errors
/// `CONFIG_INVALID` when this program was built without the page.
pub(crate) fn must_be_there() -> Result<(), Problem> {
    if file("index.html").is_some() {
        return Ok(());
    }
    Err(Problem::new(Code::ConfigInvalid)
        .summary("This tieline has no page in it.")
        .because("The page (ui/dist) had not been built when this program was compiled.")
        .remedy("Run `cargo xtask ui`, and then build tieline again; or leave --ui out."))
}

/// Whether links say `localhost`. Windows passes that on to WSL, other names of the loopback not
/// always.
pub(crate) fn as_localhost(platform: Platform) -> bool {
    platform == Platform::Wsl
}

/// The way into a page that is served.
pub(crate) struct Entrance {
    /// Where it is served.
    pub(crate) addr: SocketAddr,
    /// Makes its links.
    pub(crate) door: Door,
}

impl Entrance {
    /// Opens the page in the browser, or prints the link for the person to open.
    pub(crate) fn show(&self, open: bool, home: &Path, output: &Output) -> Result<(), Problem> {
        let link = self.door.link()?;
        if output.is_json() {
            // Whoever reads JSON knows where it is served, and asks `tieline ui` for a link.
            if open {
                say_if_unopened(&link, home, output);
            }
            return Ok(());
        }
        show_link(&link, open, home, output);
        Ok(())
    }
}

/// Prints a link, and opens it if that is wanted.
pub(crate) fn show_link(link: &str, open: bool, home: &Path, output: &Output) {
    if output.is_json() {
        output.object(&json!({ "url": link, "validSeconds": CODE_LIFE.as_secs() }));
    } else {
        output.line(link);
        output.note(format!(
            "This link opens the page once, within {} seconds; `tieline ui` makes another.",
            CODE_LIFE.as_secs()
        ));
    }
    if open {
        say_if_unopened(link, home, output);
    }
}

fn say_if_unopened(link: &str, home: &Path, output: &Output) {
    if let Err(why) = browser::open(link, home, Platform::here()) {
        output.note(format!(
            "No browser was opened: {why} Open the link yourself."
        ));
    }
}
