//! What can be typed.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::commands::{
    abtars, ask, asks, attempts, card, completions, export, hooks, import, inbox, invite, join,
    kithkit, mcp, messages, openapi, peers, ping, responder, secrets, send, serve, ui,
};
use crate::exit;

const TOUR: &str = "\
Two machines in five lines:
  mac$ tieline serve                        # or run the app
  mac$ tieline invite                       # prints a link, valid for ten minutes
  wsl$ tieline serve
  wsl$ tieline join                         # paste the link
  wsl$ tieline send mac 'are you there?'";

/// A private line between your machines' agents: pair once, then send, ask and hear.
#[derive(Debug, Parser)]
#[command(name = "tieline", version, arg_required_else_help = true, after_help = TOUR)]
#[command(after_long_help = format!("{TOUR}\n\n{}", exit::TABLE))]
pub(crate) struct Cli {
    /// Directory with everything of one node; the platform's own place otherwise
    #[arg(long, global = true, env = "TIELINE_HOME", value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,

    /// Print data as JSON, one object a line
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(serve::Args),
    #[command(flatten)]
    Client(ClientCommand),
    Completions(completions::Args),
    Openapi(openapi::Args),
}

/// Commands that ask the running node.
#[derive(Debug, Subcommand)]
pub(crate) enum ClientCommand {
    /// Show the running node: name, addresses, fingerprint, vault, and what is wrong
    Status,
    /// Print the token that the local API wants for reading messages
    ///
    /// Give it as `Authorization: Bearer TOKEN`. Whoever has it can read every message.
    #[command(after_help = TOKEN_EXAMPLE)]
    Token,
    Ui(ui::Args),
    Card(card::Args),
    Invite(invite::Args),
    Join(join::Args),
    Peers(peers::Args),
    Ping(ping::Args),
    Send(send::Args),
    Ask(ask::Args),
    Asks(asks::Args),
    Responder(responder::Args),
    Hooks(hooks::Args),
    Mcp(mcp::Args),
    Inbox(inbox::Args),
    Messages(messages::Args),
    Attempts(attempts::Args),
    Secrets(secrets::Args),
    Kithkit(kithkit::Args),
    Abtars(abtars::Args),
    Import(import::Args),
    Export(export::Args),
}

const TOKEN_EXAMPLE: &str = "\
Example:
  curl -H \"Authorization: Bearer $(tieline token)\" 'http://127.0.0.1:3847/api/a2a/messages?direction=in'";
