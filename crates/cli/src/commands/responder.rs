//! `tieline responder`: what answers peers' questions.

use http::Method;
use tieline_node::model::Responder;

use super::{Context, DONE, Outcome};
use crate::client::query;

/// Choose what answers the questions of peers; by default nobody does
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tieline responder                                     # the default for all peers
  tieline responder --peer wsl-box person
  tieline responder --peer wsl-box command -- claude -p # question on standard input, answer on output
  tieline responder endpoint http://127.0.0.1:11434/v1 --model llama3
  tieline responder --peer wsl-box nobody")]
pub(crate) struct Args {
    /// Only for this peer; for all that have no choice of their own otherwise
    #[arg(long, value_name = "NAME")]
    peer: Option<String>,

    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Nobody: askers are told so
    Nobody,
    /// You, with `tieline asks` or in the window
    Person {
        /// Seconds until the asker is told that nobody answered
        #[arg(long, default_value_t = 600)]
        deadline: u64,
    },
    /// A program with fixed arguments, never through a shell
    Command {
        /// Seconds it may take
        #[arg(long, default_value_t = 120)]
        timeout: u64,
        /// The program and its arguments
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        argv: Vec<String>,
    },
    /// An OpenAI-compatible endpoint on this machine
    Endpoint {
        /// Its base, such as http://127.0.0.1:11434/v1
        url: String,
        /// The model to name
        #[arg(long)]
        model: String,
        /// Seconds it may take
        #[arg(long, default_value_t = 120)]
        timeout: u64,
    },
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome {
    let path = format!("/control/responder{}", query(&[("peer", args.peer)]));
    let responder = match args.what {
        None => {
            let responder: Responder = context.client.get(&path).await?;
            if context.output.is_json() {
                context.output.object(&responder);
            } else {
                context.output.line(words(&responder));
            }
            return DONE;
        }
        Some(What::Nobody) => Responder::Nobody,
        Some(What::Person { deadline }) => Responder::Person {
            deadline_seconds: deadline,
        },
        Some(What::Command { timeout, argv }) => Responder::Command {
            argv,
            timeout_seconds: timeout,
        },
        Some(What::Endpoint {
            url,
            model,
            timeout,
        }) => Responder::Endpoint {
            url,
            model,
            timeout_seconds: timeout,
        },
    };
    context.client.order(Method::PUT, &path, &responder).await?;
    context.output.note(words(&responder));
    DONE
}

fn words(responder: &Responder) -> String {
    match responder {
        Responder::Nobody => "Nobody answers.".into(),
        Responder::Person { deadline_seconds } => {
            format!("You answer, within {deadline_seconds} s.")
        }
        Responder::Command {
            argv,
            timeout_seconds,
        } => {
            format!("The command {argv:?} answers, within {timeout_seconds} s.")
        }
        Responder::Endpoint {
            url,
            model,
            timeout_seconds,
        } => {
            format!("The model {model} at {url} answers, within {timeout_seconds} s.")
        }
    }
}
