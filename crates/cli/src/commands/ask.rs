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
  tieline ask mac 'tell me a story' --stream
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

    /// Print the answer as it comes into being
    #[arg(long)]
    stream: bool,
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
    if args.stream {
        return streamed(body, context).await;
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

/// Prints the answer as it comes. Ending the program hangs up: nobody works on the answer then.
async fn streamed(mut body: Value, context: &Context) -> Outcome {
    body["stream"] = true.into();
    let output = &context.output;
    let mut events = context.client.stream("/control/ask", &body).await?;
    let mut printed = String::new();
    while let Some(event) = events.next().await? {
        if output.is_json() {
            let data: Value = event.json()?;
            output.object(&json!({ "event": event.name, "data": data }));
        }
        match event.name.as_str() {
            "piece" if !output.is_json() => {
                let part: Value = event.json()?;
                let text = part["untrustedText"].as_str().unwrap_or_default();
                output.part(show::printable_text(text));
                printed.push_str(text);
            }
            "note" if !output.is_json() => {
                let part: Value = event.json()?;
                let note = part["untrustedText"].as_str().unwrap_or_default();
                output.note(show::printable(note));
            }
            "answer" => {
                let mut view: AskView = event.json()?;
                if output.is_json() {
                    return ended(&view);
                }
                return rest(&mut view, &printed, context);
            }
            _ => {}
        }
    }
    Err(Problem::new(Code::NotRunning).summary("The node stopped before the answer came."))
}

/// Prints what of the answer was not printed yet.
fn rest(view: &mut AskView, printed: &str, context: &Context) -> Outcome {
    if printed.is_empty() {
        return told(view, context);
    }
    let rest = view
        .untrusted_answer
        .as_deref()
        .and_then(|answer| answer.strip_prefix(printed));
    match rest {
        Some(rest) => {
            context.output.part(show::printable_text(rest));
            context.output.line("");
            ended(view)
        }
        // It failed on the way, or is another one than its pieces.
        None => {
            context.output.line("");
            told(view, context)
        }
    }
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
    ended(view)
}

fn ended(view: &AskView) -> Outcome {
    match &view.problem {
        Some(problem) => Ok(exit::code(problem.code)),
        None if view.status == "accepted" => Ok(ExitCode::from(exit::NOT_YET)),
        None => DONE,
    }
}
