//! `tieline send`.

use std::process::ExitCode;

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use tieline_node::model::{AttemptView, SendOutcome};
use tieline_wire::problem::{Code, Problem};

use super::{Context, Outcome};
use crate::{exit, progress, prompt, show};

/// Send a message to a peer
///
/// Succeeds when the peer stored it, or, with --queue, when it was accepted into the outbox.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tieline send wsl-box 'the build is green'
  git diff | tieline send wsl-box - --type patch       # text from standard input
  tieline send wsl-box 'when you are back' --queue     # keeps trying")]
pub(crate) struct Args {
    /// The peer's name, or a beginning that only one peer has
    peer: String,

    /// The text; `-` reads it from standard input
    text: String,

    /// What kind of message it is, for the receiving agent
    #[arg(long = "type", value_name = "TYPE", default_value = "text")]
    kind: String,

    /// Which way it may travel
    #[arg(long, value_parser = ["auto", "lan", "relay"], default_value = "auto")]
    route: String,

    /// If it cannot go now, keep it in the outbox and go on trying
    #[arg(long)]
    queue: bool,

    /// Your own id for it: sending the same again under this id does not double it
    #[arg(long, value_name = "ID")]
    message_id: Option<String>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome {
    let output = &context.output;
    let text = if args.text == "-" {
        prompt::all_of_stdin()?
    } else {
        args.text
    };
    let mut body = json!({
        "to": args.peer,
        "payload": { "type": args.kind, "text": text },
        "route": args.route,
    });
    if args.queue {
        body["onFailure"] = json!("queue");
    }
    if let Some(id) = args.message_id {
        body["messageId"] = json!(id);
    }
    let bytes = serde_json::to_vec(&body)
        .map_err(|error| Problem::new(Code::InvalidRequest).because(error.to_string()))?;
    let sending = context
        .client
        .request(Method::POST, "/control/send", Bytes::from(bytes));
    let answer = progress::noting(output, "Sending…", sending).await?;
    let failed = !answer.status.is_success();
    let code = if failed {
        exit::code(answer.problem().code)
    } else {
        ExitCode::SUCCESS
    };
    if output.is_json() {
        output.object(&answer.json::<Value>()?);
        return Ok(code);
    }
    if failed {
        output.problem(&answer.problem());
        let mut body: Value = answer.json()?;
        let tries = body
            .get_mut("attempts")
            .map(Value::take)
            .unwrap_or_default();
        let tries: Vec<AttemptView> = serde_json::from_value(tries).unwrap_or_default();
        for line in tries
            .iter()
            .enumerate()
            .flat_map(|(index, attempt)| show::attempt(index + 1, attempt))
        {
            output.note(format!("  {line}"));
        }
        return Ok(code);
    }
    let sent: SendOutcome = answer.json()?;
    output.line(format!(
        "{} to {} ({}), id {}",
        sent.status,
        show::printable(&sent.target),
        words(&sent),
        sent.message_id
    ));
    Ok(code)
}

/// What backs the status, in words.
fn words(sent: &SendOutcome) -> &'static str {
    match (sent.status.as_str(), sent.evidence.as_str()) {
        ("delivered", "signed") => "with the peer's signed receipt",
        ("delivered", "claimed") => "the peer says so",
        ("delivered", _) => "no evidence",
        _ => "it waits in the outbox",
    }
}
