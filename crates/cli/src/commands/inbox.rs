//! `tieline inbox`.

use http::Method;
use serde_json::json;
use tieline_node::model::{MessagePage, MessageView};
use tieline_wire::problem::Problem;

use super::{Context, DONE, Outcome};
use crate::client::{query, segment};
use crate::show;

/// Show what came in, oldest first
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tieline inbox                       # the last 20 messages
  tieline inbox --unread --read       # what is new, and mark it as read
  tieline inbox --follow --json       # everything that comes, for a script")]
pub(crate) struct Args {
    /// Stay, and show messages as they come
    #[arg(short, long)]
    follow: bool,

    /// Only from this peer
    #[arg(long)]
    peer: Option<String>,

    /// Only what nobody has read
    #[arg(long)]
    unread: bool,

    /// Mark what is shown as read
    #[arg(long)]
    read: bool,

    /// How many of the last messages to show
    #[arg(short = 'n', long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=500))]
    limit: u32,
}

/// Seconds that one request of `--follow` waits; then it asks again.
const WAIT: &str = "50";

pub(crate) async fn run(args: &Args, context: &Context) -> Outcome {
    let newest = list(
        args,
        context,
        &[("limit", Some(args.limit.max(1).to_string()))],
    )
    .await?;
    let mut last = newest.messages.first().map_or(0, |message| message.seq);
    if args.limit > 0 {
        let oldest_first: Vec<MessageView> = newest.messages.into_iter().rev().collect();
        show_all(&oldest_first, args, context).await?;
    }
    while args.follow && context.output.is_read() {
        let after = [
            ("after", Some(last.to_string())),
            ("wait", Some(WAIT.to_owned())),
        ];
        let page = list(args, context, &after).await?;
        last = page.messages.last().map_or(last, |message| message.seq);
        show_all(&page.messages, args, context).await?;
    }
    DONE
}

async fn list(
    args: &Args,
    context: &Context,
    more: &[(&str, Option<String>)],
) -> Result<MessagePage, Problem> {
    let mut parameters = vec![
        ("direction", Some("in".to_owned())),
        ("peer", args.peer.clone()),
        ("unread", args.unread.then(|| "true".to_owned())),
    ];
    parameters.extend_from_slice(more);
    context
        .client
        .get(&format!("/control/messages{}", query(&parameters)))
        .await
}

async fn show_all(messages: &[MessageView], args: &Args, context: &Context) -> Result<(), Problem> {
    for message in messages {
        if context.output.is_json() {
            context.output.object(message);
        } else {
            show::message(message)
                .iter()
                .for_each(|line| context.output.line(line));
        }
        if args.read {
            let path = format!("/control/peers/{}/read", segment(&message.peer));
            context
                .client
                .order(Method::POST, &path, &json!({ "upTo": message.seq }))
                .await?;
        }
    }
    Ok(())
}
