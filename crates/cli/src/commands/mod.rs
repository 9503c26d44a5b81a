//! One file per command group.

pub(crate) mod abtars;
pub(crate) mod ask;
pub(crate) mod asks;
pub(crate) mod attempts;
pub(crate) mod card;
pub(crate) mod completions;
pub(crate) mod export;
pub(crate) mod hooks;
pub(crate) mod import;
pub(crate) mod inbox;
pub(crate) mod invite;
pub(crate) mod join;
pub(crate) mod kithkit;
pub(crate) mod mcp;
pub(crate) mod messages;
pub(crate) mod openapi;
pub(crate) mod peers;
pub(crate) mod ping;
pub(crate) mod responder;
pub(crate) mod secrets;
pub(crate) mod send;
pub(crate) mod serve;
mod status;
mod token;
pub(crate) mod ui;

use std::path::PathBuf;
use std::process::ExitCode;

use tieline_wire::problem::{Code, Problem};
use tokio::runtime::Builder;

use crate::args::{Cli, ClientCommand, Command};
use crate::client::Client;
use crate::output::Output;

/// What a command gets to work with.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) client: Client,
    pub(crate) output: Output,
}

/// What a command comes to: an exit code when it did its work, else the problem.
pub(crate) type Outcome = Result<ExitCode, Problem>;

/// Done, nothing to complain about.
pub(crate) const DONE: Outcome = Ok(ExitCode::SUCCESS);

/// Runs the command that was typed.
pub(crate) fn run(cli: Cli, output: &Output) -> Outcome {
    let home = || absolute(cli.home.map_or_else(tieline_api::host::home, Ok)?);
    match cli.command {
        Command::Completions(args) => completions::run(&args),
        Command::Openapi(args) => openapi::run(&args, output),
        Command::Serve(args) => serve::run(args, &home()?, output),
        Command::Client(command) => {
            let context = Context {
                client: Client::new(&home()?),
                output: output.clone(),
            };
            let runtime = Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| {
                    Problem::new(Code::Internal)
                        .because(format!("The runtime could not start: {error}."))
                })?;
            runtime.block_on(ask(command, &context))
        }
    }
}

async fn ask(command: ClientCommand, context: &Context) -> Outcome {
    match command {
        ClientCommand::Status => status::run(context).await,
        ClientCommand::Token => token::run(context).await,
        ClientCommand::Ui(args) => ui::run(&args, context).await,
        ClientCommand::Card(args) => card::run(&args, context).await,
        ClientCommand::Invite(args) => invite::run(&args, context).await,
        ClientCommand::Join(args) => join::run(args, context).await,
        ClientCommand::Peers(args) => peers::run(args, context).await,
        ClientCommand::Ping(args) => ping::run(&args, context).await,
        ClientCommand::Send(args) => send::run(args, context).await,
        ClientCommand::Ask(args) => ask::run(args, context).await,
        ClientCommand::Asks(args) => asks::run(args, context).await,
        ClientCommand::Responder(args) => responder::run(args, context).await,
        ClientCommand::Hooks(args) => hooks::run(args, context).await,
        ClientCommand::Mcp(args) => mcp::run(args, context).await,
        ClientCommand::Inbox(args) => inbox::run(&args, context).await,
        ClientCommand::Messages(args) => messages::run(args, context).await,
        ClientCommand::Attempts(args) => attempts::run(&args, context).await,
        ClientCommand::Secrets(args) => secrets::run(args, context).await,
        ClientCommand::Kithkit(args) => kithkit::run(args, context).await,
        ClientCommand::Abtars(args) => abtars::run(args, context).await,
        ClientCommand::Import(args) => import::run(&args, context).await,
        ClientCommand::Export(args) => export::run(&args, context).await,
    }
}

/// The home as a path that does not depend on where the command was typed.
fn absolute(home: PathBuf) -> Result<PathBuf, Problem> {
    std::path::absolute(&home).map_err(|error| {
        Problem::new(Code::ConfigInvalid)
            .summary(format!("{} is not a usable home.", home.display()))
            .because(format!("{error}."))
    })
}
