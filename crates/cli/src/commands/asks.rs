//! `tieline asks`: questions of peers that wait for the person, and answers fetched later.

use http::Method;
use serde_json::{Value, json};
use tieline_node::model::{AskView, BrakeView, PendingAsk};

use super::{Context, DONE, Outcome, ask};
use crate::client::segment;
use crate::{prompt, show};

/// Answer questions of peers, and fetch answers to yours
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tieline asks                             # what waits for you
  tieline asks reply ASK-ID 'at one'
  tieline asks decline ASK-ID
  tieline asks show ASK-ID                 # what came of a question of yours
  tieline asks brakes                      # how many went back and forth this hour
  tieline asks allow wsl-box asksIn        # ten more
  tieline asks stop wsl-box handovers      # its messages start nothing more")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List the questions that wait for you
    List,
    /// Answer one
    Reply {
        /// Its id
        id: String,
        /// The answer; `-` reads it from standard input
        text: String,
    },
    /// Decline to answer one
    Decline {
        /// Its id
        id: String,
    },
    /// Show what came of a question of yours
    Show {
        /// Its id
        id: String,
    },
    /// Show how many questions went back and forth this hour
    Brakes,
    /// Allow ten more this hour
    Allow {
        /// The peer's name
        peer: String,
        /// What: questions in, questions out, or messages to the hook
        #[arg(value_parser = ["asksIn", "asksOut", "handovers"])]
        kind: String,
    },
    /// Take, send or hand over no more
    Stop {
        /// The peer's name
        peer: String,
        /// What: questions in, questions out, or messages to the hook
        #[arg(value_parser = ["asksIn", "asksOut", "handovers"])]
        kind: String,
    },
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome {
    match args.what.unwrap_or(What::List) {
        What::List => list(context).await,
        What::Reply { id, text } => {
            let text = if text == "-" {
                prompt::all_of_stdin()?
            } else {
                text
            };
            reply(&id, json!({ "text": text }), "Answered.", context).await
        }
        What::Decline { id } => reply(&id, json!({}), "Declined.", context).await,
        What::Show { id } => {
            let view: AskView = context
                .client
                .get(&format!("/control/asks/{}", segment(&id)))
                .await?;
            ask::told(&view, context)
        }
        What::Brakes => brakes(context).await,
        What::Allow { peer, kind } => brake(&peer, &kind, true, context).await,
        What::Stop { peer, kind } => brake(&peer, &kind, false, context).await,
    }
}

async fn list(context: &Context) -> Outcome {
    let output = &context.output;
    let pending: Vec<PendingAsk> = context.client.get("/control/asks").await?;
    for ask in &pending {
        if output.is_json() {
            output.object(ask);
        } else {
            output.line(format!(
                "{} asks, until {}:",
                show::printable(&ask.peer),
                ask.deadline_at
            ));
            output.line(format!("    {}", show::printable(&ask.text)));
            output.line(format!("    id {}", ask.ask_id));
        }
    }
    if pending.is_empty() && !output.is_json() {
        output.note("No question waits for you.");
    }
    DONE
}

async fn reply(id: &str, body: Value, done: &str, context: &Context) -> Outcome {
    let path = format!("/control/asks/{}/reply", segment(id));
    context.client.order(Method::POST, &path, &body).await?;
    context.output.note(done);
    DONE
}

async fn brakes(context: &Context) -> Outcome {
    let brakes: Vec<BrakeView> = context.client.get("/control/brakes").await?;
    for brake in &brakes {
        if context.output.is_json() {
            context.output.object(brake);
        } else {
            let waiting = if brake.waiting {
                ", asks you for more"
            } else {
                ""
            };
            context.output.line(format!(
                "{}  {}  {} of {}{waiting}",
                show::printable(&brake.peer),
                brake.kind,
                brake.used,
                brake.limit
            ));
        }
    }
    DONE
}

async fn brake(peer: &str, kind: &str, allow: bool, context: &Context) -> Outcome {
    let body = json!({ "peer": peer, "kind": kind, "allow": allow });
    context
        .client
        .order(Method::POST, "/control/brakes", &body)
        .await?;
    context.output.note(if allow {
        "Ten more are allowed."
    } else {
        "Stopped."
    });
    DONE
}
