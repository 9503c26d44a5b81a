//! `tieline hooks`: what takes the messages of peers on this machine.

use http::Method;
use serde_json::json;
use tieline_node::model::{Hook, HookTrial, HookView};
use tieline_wire::problem::{Code, Problem};

use super::{Context, DONE, Outcome};
use crate::client::segment;
use crate::{exit, show};

/// Hand peers' messages to an agent on this machine; by default nothing takes them
///
/// Each message is one JSON object: what the peer wrote stands in the fields `untrusted…`, where it
/// comes from in `provenance`. An agent may get a message more than once; `messageId` tells.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tieline hooks                                                # what takes whose messages
  tieline hooks set wsl-box -- python3 /home/me/agent.py       # JSON on standard input
  tieline hooks set wsl-box --webhook http://127.0.0.1:8080/in --secret hook-secret
  tieline hooks set --default --none                           # for peers without a hook of their own
  tieline hooks try wsl-box                                    # with a message made up for it
  tieline hooks retry wsl-box                                  # what was given up
  tieline hooks remove wsl-box                                 # back to the default")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List every hook, and what waits for it
    List,
    /// Choose a peer's hook, or the default
    Set(Box<Choice>),
    /// Let the default take a peer's messages again
    Remove {
        /// The peer's name
        peer: String,
    },
    /// Give a peer's hook a message made up for it
    Try {
        /// The peer's name
        peer: String,
    },
    /// Try again what was given up after too many tries
    Retry {
        /// The peer's name
        peer: String,
    },
}

#[derive(Debug, clap::Args)]
struct Choice {
    /// The peer's name
    #[arg(required_unless_present = "default", conflicts_with = "default")]
    peer: Option<String>,

    /// For all peers that have no hook of their own
    #[arg(long)]
    default: bool,

    /// An address on this machine that each message is posted to
    #[arg(
        long,
        value_name = "URL",
        required_unless_present_any = ["none", "argv"],
        conflicts_with_all = ["none", "argv"]
    )]
    webhook: Option<String>,

    /// Name of the secret that signs what is posted (see `tieline secrets`)
    #[arg(long, value_name = "NAME", requires = "webhook")]
    secret: Option<String>,

    /// Nothing takes the messages
    #[arg(long, conflicts_with = "argv")]
    none: bool,

    /// Seconds it may take for one message
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    timeout: u64,

    /// A program and its arguments, never through a shell
    #[arg(last = true, value_name = "PROGRAM")]
    argv: Vec<String>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome {
    match args.what.unwrap_or(What::List) {
        What::List => list(context).await,
        What::Set(choice) => set(*choice, context).await,
        What::Remove { peer } => order(Method::DELETE, &of(&peer), context).await,
        What::Retry { peer } => order(Method::POST, &format!("{}/retry", of(&peer)), context).await,
        What::Try { peer } => try_it(&peer, context).await,
    }
}

fn of(peer: &str) -> String {
    format!("/control/peers/{}/hook", segment(peer))
}

async fn list(context: &Context) -> Outcome {
    let hooks: Vec<HookView> = context.client.get("/control/hooks").await?;
    if context.output.is_json() {
        for hook in &hooks {
            context.output.object(hook);
        }
        return DONE;
    }
    for hook in &hooks {
        context.output.line(words(hook));
        if let Some(problem) = &hook.last_problem {
            context
                .output
                .line(format!("    ! {}", show::reason(problem)));
        }
    }
    DONE
}

async fn set(choice: Choice, context: &Context) -> Outcome {
    let hook = match choice.webhook {
        Some(url) => Hook::Webhook {
            url,
            secret: choice.secret,
            timeout_seconds: choice.timeout,
        },
        None if choice.none => Hook::None,
        None => Hook::Command {
            argv: choice.argv,
            timeout_seconds: choice.timeout,
        },
    };
    let path = choice
        .peer
        .map_or_else(|| "/control/hook".to_owned(), |peer| of(&peer));
    let body = serde_json::to_vec(&hook)
        .map_err(|error| Problem::new(Code::InvalidRequest).because(error.to_string()))?;
    let answer = context
        .client
        .successful(Method::PUT, &path, body.into())
        .await?;
    told(&answer.json()?, context)
}

async fn order(method: Method, path: &str, context: &Context) -> Outcome {
    let answer = context.client.successful(method, path, "{}".into()).await?;
    told(&answer.json()?, context)
}

fn told(hook: &HookView, context: &Context) -> Outcome {
    if context.output.is_json() {
        context.output.object(hook);
    } else {
        context.output.note(words(hook));
    }
    DONE
}

async fn try_it(peer: &str, context: &Context) -> Outcome {
    let path = format!("{}/try", of(peer));
    let trial: HookTrial = context.client.post(&path, &json!({})).await?;
    let output = &context.output;
    if output.is_json() {
        output.object(&trial);
    } else if trial.ok {
        output.note(format!(
            "It took the message, in {}.",
            show::millis(trial.took_ms)
        ));
        for line in trial
            .output
            .iter()
            .flat_map(|text| show::printable_lines(text))
        {
            output.line(line);
        }
    }
    match trial.problem {
        Some(problem) if output.is_json() => Ok(exit::code(problem.code)),
        Some(problem) => Err(problem),
        None => DONE,
    }
}

fn words(view: &HookView) -> String {
    let whose = match &view.peer {
        Some(peer) if view.is_default => format!("{}, by default:", show::printable(peer)),
        Some(peer) => format!("{}:", show::printable(peer)),
        None => "Peers without a hook of their own:".to_owned(),
    };
    let what = match &view.hook {
        Hook::None => "nothing takes the messages.".to_owned(),
        Hook::Command {
            argv,
            timeout_seconds,
        } => format!("the command {argv:?}, within {timeout_seconds} s."),
        Hook::Webhook {
            url,
            secret,
            timeout_seconds,
        } => {
            let signed = secret
                .as_ref()
                .map(|name| format!(", signed with {name}"))
                .unwrap_or_default();
            format!("a post to {url}{signed}, within {timeout_seconds} s.")
        }
    };
    let mut words = format!("{whose} {what}");
    if view.waiting > 0 {
        words += &format!(" {} wait.", view.waiting);
    }
    if view.given_up > 0 {
        words += &format!(" {} were given up.", view.given_up);
    }
    words
}
