//! `tieline card`.

use bytes::Bytes;
use http::Method;
use tieline_wire::card::Card;
use tieline_wire::problem::{Code, Problem};

use super::{Context, DONE, Outcome};
use crate::show;

/// Show this node's card: its public data, for another machine to add
///
/// A card holds no secret. Whoever adds it should compare the fingerprint with what this command
/// shows here.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tieline card --json > mac.card      # then, there: tieline peers add mac.card
  tieline card --pem                  # certificate and signing key, readable by openssl")]
pub(crate) struct Args {
    /// Print certificate and signing key as PEM
    #[arg(long, conflicts_with = "json")]
    pem: bool,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Outcome {
    let output = &context.output;
    let format = if args.pem { "pem" } else { "json" };
    let path = format!("/control/card?format={format}");
    let answer = context
        .client
        .successful(Method::GET, &path, Bytes::new())
        .await?;
    let text = String::from_utf8_lossy(&answer.body);
    if args.pem || output.is_json() {
        output.line(text.trim_end());
        return DONE;
    }
    let card = Card::parse_any(&text).map_err(|error| {
        Problem::new(Code::Internal).because(format!("The node's card cannot be read: {error}."))
    })?;
    output.line(show::printable(&card.name));
    for address in &card.addresses {
        output.line(format!("  reachable at  {address}"));
    }
    output.line(format!("  fingerprint   {}", card.fingerprint));
    let groups: Vec<String> = card.fingerprint.groups().to_vec();
    let words: Vec<String> = card
        .fingerprint
        .words()
        .iter()
        .map(ToString::to_string)
        .collect();
    for line in show::fingerprint(&groups, &words) {
        output.line(format!("  {line}"));
    }
    DONE
}
