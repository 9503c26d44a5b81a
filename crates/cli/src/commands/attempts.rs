//! `tieline attempts`.

use tieline_node::model::MessageDetail;

use super::{Context, DONE, Outcome};
use crate::client::segment;
use crate::show;

/// Show every try to deliver a message, and every receipt for it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tieline attempts 6f1c…
  tieline attempts 6f1c… --json                # one try a line
  tieline attempts 6f1c… --json --receipts     # one receipt a line")]
pub(crate) struct Args {
    /// The message's id, as `send`, `inbox` and `messages` show it
    message_id: String,

    /// The receipts only
    #[arg(long)]
    receipts: bool,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Outcome {
    let output = &context.output;
    let detail: MessageDetail = context
        .client
        .get(&format!("/control/messages/{}", segment(&args.message_id)))
        .await?;
    if output.is_json() {
        if args.receipts {
            detail
                .receipts
                .iter()
                .for_each(|receipt| output.object(receipt));
        } else {
            detail
                .attempts
                .iter()
                .for_each(|attempt| output.object(attempt));
        }
        return DONE;
    }
    if !args.receipts {
        show::message(&detail.message)
            .iter()
            .for_each(|line| output.line(line));
        if detail.attempts.is_empty() {
            output.line("no attempts yet");
        }
        for (index, attempt) in detail.attempts.iter().enumerate() {
            show::attempt(index + 1, attempt)
                .iter()
                .for_each(|line| output.line(line));
        }
    }
    for receipt in &detail.receipts {
        output.line(format!(
            "receipt: {} at {}, store {}",
            receipt.stage,
            show::time(&receipt.at),
            receipt.store_id
        ));
    }
    DONE
}
