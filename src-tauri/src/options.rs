//! The command line of the app.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use tieline_api::host;

use crate::deep_link::Link;

/// Tieline's tray app: pairs this machine with others, and shows what their agents say.
#[derive(Debug, Clone, Parser)]
#[command(name = "tieline-desktop", version)]
pub(crate) struct Options {
    /// Directory that holds everything of this node [default: the platform's own]
    #[arg(long, env = host::HOME_VARIABLE, value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,

    /// What this machine calls itself; remembered [default: its host name]
    #[arg(long)]
    pub(crate) name: Option<String>,

    /// Where peers connect; port 0 takes a free one
    #[arg(long, value_name = "IP:PORT", default_value_t = host::DEFAULT_PEER_ADDR)]
    pub(crate) peer_addr: SocketAddr,

    /// Where agents on this machine connect; port 0 takes a free one
    #[arg(long, value_name = "IP:PORT", default_value_t = host::DEFAULT_API_ADDR)]
    pub(crate) api_addr: SocketAddr,

    /// Start into the tray, without the window (as at login)
    #[arg(long)]
    pub(crate) background: bool,

    /// Put no icon into the tray; the window stays instead
    #[arg(long, conflicts_with = "background")]
    pub(crate) no_tray: bool,

    /// A link that was clicked; the window shows what it says before anything is done
    #[arg(value_name = "LINK", hide = true)]
    pub(crate) link: Option<Link>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Options::command().debug_assert();
    }
}
