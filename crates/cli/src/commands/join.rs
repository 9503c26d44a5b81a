//! `tieline join`.

use serde_json::json;
use tieline_node::model::{JoinView, LinkPreview};
use tieline_wire::problem::{Code, Problem};

use super::{Context, DONE, Outcome};
use crate::{exit, prompt, show};

/// Pair with the machine that made a link
///
/// Reads the link from standard input, or asks for it. Shows whose link it is, with the words
/// that the other machine shows for itself, and asks before anything is sent (on a terminal).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tieline join                        # paste the link when asked
  ssh mac tieline invite | tieline join")]
pub(crate) struct Args {
    /// The link; better given on standard input, where the shell's history does not keep it
    link: Option<String>,

    /// Join without asking
    #[arg(short, long)]
    yes: bool,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome {
    let output = &context.output;
    let link = match args.link {
        Some(link) => {
            output.note("note: a link given as an argument stays in the shell's history and is seen by other users of this machine while the command runs.");
            link
        }
        None if prompt::is_interactive() => prompt::line("Paste the link: ")?,
        None => prompt::all_of_stdin()?,
    };
    let body = json!({ "link": link });
    let preview: LinkPreview = context.client.post("/control/join/preview", &body).await?;
    output.note(format!(
        "This link is from {} at {}.",
        show::printable(&preview.name),
        show::printable(&preview.addresses.join(", "))
    ));
    output.note("It must show these same words for itself (tieline card):");
    for line in show::fingerprint(&preview.fingerprint_groups, &preview.words) {
        output.note(line);
    }
    if !args.yes && prompt::is_interactive() && !prompt::confirm("Join?")? {
        return Err(Problem::new(Code::InvalidRequest)
            .summary("Not joined.")
            .because("You did not answer yes.")
            .remedy("Nothing was sent; the link can still be used."));
    }
    output.note("Joining…");
    let joined: JoinView = context.client.post("/control/join", &body).await?;
    if output.is_json() {
        output.object(&joined);
    } else {
        output.line(format!("Joined {}.", show::printable(&joined.peer.name)));
        for line in line_report(&joined) {
            output.line(line);
        }
    }
    match &joined.ping_out_problem {
        // The pairing stands, but nobody should take the line for working.
        Some(problem) => Ok(exit::code(problem.code)),
        None => DONE,
    }
}

/// The line, one arrow a direction.
fn line_report(joined: &JoinView) -> Vec<String> {
    let peer = show::printable(&joined.peer.name);
    let out = match (&joined.ping_out, &joined.ping_out_problem) {
        (Some(ping), _) => format!(
            "ok, {} ({})",
            show::millis(ping.latency_ms),
            show::via(ping.via)
        ),
        (None, Some(problem)) => {
            format!("{} {}", show::reason(problem), problem.remedy)
        }
        (None, None) => "not tried".to_owned(),
    };
    let back = match &joined.ping_in {
        Some(ping) => match (ping.ok, ping.latency_ms, &ping.problem) {
            (true, Some(latency), _) => format!("ok, {}", show::millis(latency)),
            (true, None, _) => "ok".to_owned(),
            (false, _, Some(problem)) => show::reason(problem),
            (false, _, None) => {
                "cannot dial this machine; it will be reached over the connection held from here"
                    .to_owned()
            }
        },
        None => "not tried".to_owned(),
    };
    vec![
        format!("  you -> {peer}  {out}"),
        format!("  {peer} -> you  {back}"),
    ]
}
