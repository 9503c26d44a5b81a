//! `tieline ui`.

use serde::Deserialize;
use serde_json::json;

use super::{Context, DONE, Outcome};
use crate::page;

/// Open the page of a node that was started with `serve --ui`, in a browser
///
/// Prints a link that opens the page once, within 60 seconds, and opens it. Whoever opens it controls
/// the node until the page is closed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tieline ui
  tieline ui --no-open                      # only print the link
  ssh -L 3849:127.0.0.1:3849 server         # then, there: tieline ui --no-open")]
pub(crate) struct Args {
    /// Only print the link, open no browser
    #[arg(long)]
    no_open: bool,
}

#[derive(Deserialize)]
struct Link {
    url: String,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Outcome {
    let link: Link = context
        .client
        .post("/control/page-link", &json!({}))
        .await?;
    page::show_link(
        &link.url,
        !args.no_open,
        context.client.home(),
        &context.output,
    );
    DONE
}
