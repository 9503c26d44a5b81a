//! `tieline messages`.

use tieline_node::model::MessagePage;

use super::{Context, DONE, Outcome};
use crate::client::query;
use crate::show;

/// List messages of both directions, oldest first
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tieline messages --search 'deploy failed'
  tieline messages --direction out --state queued
  tieline messages --before 1042                  # an earlier page, by seq")]
pub(crate) struct Args {
    /// Only those whose text has these words
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,

    /// Only those with this peer
    #[arg(long)]
    peer: Option<String>,

    /// Only one direction
    #[arg(long, value_parser = ["in", "out"])]
    direction: Option<String>,

    /// Only in this state: queued, sending, delivered, failed, unconfirmed; new, read, handedOver, acknowledged
    #[arg(long)]
    state: Option<String>,

    /// Only of this type
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,

    /// Only before this seq
    #[arg(long, value_name = "SEQ")]
    before: Option<i64>,

    /// At most this many
    #[arg(short = 'n', long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome {
    let output = &context.output;
    let parameters = query(&[
        ("search", args.search),
        ("peer", args.peer),
        ("direction", args.direction),
        ("state", args.state),
        ("type", args.kind),
        ("before", args.before.map(|seq| seq.to_string())),
        ("limit", Some(args.limit.to_string())),
    ]);
    let page: MessagePage = context
        .client
        .get(&format!("/control/messages{parameters}"))
        .await?;
    for message in page.messages.iter().rev() {
        if output.is_json() {
            output.object(message);
        } else {
            show::message(message)
                .iter()
                .for_each(|line| output.line(line));
        }
    }
    if let Some(next) = page.next {
        output.note(format!("There are earlier ones: --before {next}"));
    }
    DONE
}
