//! `tieline ask`.

use std::process::ExitCode;

use http::Method;
use serde_json::{Value, json};
use tieline_node::model::AskView;
use tieline_wire::problem::{Code, Problem};

use super::{Context, DONE, Outcome};
use crate::{exit, progress, prompt, show};

/// Ask a peer and print its answer
///
/// What answers there is that person's choice: a person, a command or a model. The answer is the
/// peer's text; do not run it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tieline ask wsl-box 'is the build green?'
  tieline ask mac - < question.txt
  tieline ask mac 'lunch?' --wait 5        # prints the id if there is no answer within 5 s
  tieline asks show ASK-ID                 # fetches the answer later")]
pub(crate) struct Args {
    /// The peer's name, or a beginning that only one peer has
    peer: String,

    /// The question; `-` reads it from standard input
    text: String,

    /// Seconds to wait for the answer
    #[arg(long, value_name = "SECONDS")]
    wait: Option<u64>,

    /// Machines the question may still travel through
    ///
    /// A responder's command gets what is left in TIELINE_ASK_HOPS, so a question that it asks in
    /// turn stops by itself.
    #[arg(long, value_name = "COUNT", env = "TIELINE_ASK_HOPS")]
    hops: Option<u8>,

    /// Ties questions of one conversation together
    #[arg(long, value_name = "NAME")]
    session: Option<String>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome {
    let text = if args.text == "-" {
        prompt::all_of_stdin()?
    } else {
        args.text
    };
    let mut body = json!({ "to": args.peer, "text": text });
    for (name, value) in [
        ("waitSeconds", args.wait.map(Value::from)),
        ("hops", args.hops.map(Value::from)),
        ("session", args.session.map(Value::from)),
    ] {
        if let Some(value) = value {
            body[name] = value;
        }
    }
    let bytes = serde_json::to_vec(&body)
        .map_err(|error| Problem::new(Code::InvalidRequest).because(error.to_string()))?;
    let asking = context
        .client
        .request(Method::POST, "/control/ask", bytes.into());
    let answer = progress::noting(&context.output, "Waiting for the answer…", asking).await?;
    if !answer.status.is_success() {
        return Err(answer.problem());
    }
    told(&answer.json()?, context)
}

/// Prints what has come of a question.
pub(super) fn told(view: &AskView, context: &Context) -> Outcome {
    let output = &context.output;
    if output.is_json() {
        output.object(view);
    } else {
        match (&view.untrusted_answer, &view.problem) {
            (Some(answer), _) => {
                for line in show::printable_lines(answer) {
                    output.line(line);
                }
            }
            (None, Some(problem)) => output.problem(problem),
            (None, None) => output.line(format!("no answer yet, ask id {}", view.ask_id)),
        }
        if let Some(note) = &view.untrusted_note {
            output.note(format!(
                "{} says: {}",
                show::printable(&view.provenance.peer),
                show::printable(note)
            ));
        }
    }
    match &view.problem {
        Some(problem) => Ok(exit::code(problem.code)),
        None if view.status == "accepted" => Ok(ExitCode::from(exit::NOT_YET)),
        None => DONE,
    }
}
