//! `tieline peers add`.

use std::fs;
use std::path::Path;

use tieline_node::model::{AddPeer, KithkitPeer, PeerView};
use tieline_wire::problem::{Code, Problem};

use crate::commands::{Context, Outcome};
use crate::{prompt, show};

/// Add a machine from its card, or a KithKit machine on the LAN
///
/// The other machine must add this one's card as well. Compare fingerprints with its owner: a
/// card proves nothing about who gave it to you.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tieline peers add mac.card
  ssh mac tieline card --json | tieline peers add - --name mac
  tieline peers add --kithkit bmo --host davids-mac-mini.lan --port 3847 --ip 192.168.1.9")]
pub(crate) struct Args {
    /// File with the card, JSON or PEM; `-` reads it from standard input
    #[arg(required_unless_present = "kithkit")]
    card: Option<String>,

    /// What to call it on this machine; its card suggests a name
    #[arg(long)]
    name: Option<String>,

    /// Name of a KithKit agent, instead of a card
    #[arg(long, value_name = "AGENT", conflicts_with = "card", requires_all = ["host", "port"])]
    kithkit: Option<String>,

    /// Host name of the KithKit agent
    #[arg(long, requires = "kithkit")]
    host: Option<String>,

    /// Port of the KithKit agent
    #[arg(long, requires = "kithkit")]
    port: Option<u16>,

    /// Address of the KithKit agent, tried before its host name
    #[arg(long, requires = "kithkit")]
    ip: Option<String>,
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let kithkit = match (args.kithkit, args.host, args.port) {
        (Some(name), Some(host), Some(port)) => Some(KithkitPeer {
            name,
            host,
            port,
            ip: args.ip,
        }),
        _ => None,
    };
    let card = args.card.as_deref().map(read_card).transpose()?;
    let peer: PeerView = context
        .client
        .post(
            "/control/peers",
            &AddPeer {
                card,
                name: args.name,
                kithkit,
            },
        )
        .await?;
    if !context.output.is_json()
        && let (Some(groups), Some(words)) = (&peer.fingerprint_groups, &peer.words)
    {
        context
            .output
            .note("Compare with what that machine shows for itself (tieline card):");
        show::fingerprint(groups, words)
            .iter()
            .for_each(|line| context.output.note(line));
    }
    super::changed(&peer, "is added", context)
}

fn read_card(source: &str) -> Result<String, Problem> {
    if source == "-" {
        return prompt::all_of_stdin();
    }
    fs::read_to_string(Path::new(source)).map_err(|error| {
        Problem::new(Code::InvalidRequest)
            .summary(format!("The card {source} cannot be read."))
            .because(format!("{error}."))
            .remedy("Give the file that `tieline card --json` made on the other machine, or - for standard input.")
    })
}
