//! `tieline peers add`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use tieline_node::model::{AbtarsEntry, AddPeer, KithkitPeer, PeerView};
use tieline_wire::problem::{Code, Problem};

use crate::commands::{Context, Outcome};
use crate::{prompt, show};

/// Add a machine from its card, a KithKit machine on the LAN, or an abTARS machine
///
/// The other machine must add this one's card as well. Compare fingerprints with its owner: a
/// card proves nothing about who gave it to you.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tieline peers add mac.card
  ssh mac tieline card --json | tieline peers add - --name mac
  tieline peers add --kithkit bmo --host davids-mac-mini.lan --port 3847 --ip 192.168.1.9
  tieline peers add entry-of-a-peers.json
  tieline peers add --abtars peer-b --host 192.168.1.7 --port 7100 --verify-key MCowBQYDK2VwAyEA...")]
pub(crate) struct Args {
    /// File with the card, JSON or PEM, or with an entry of a peers.json; `-` reads it from
    /// standard input
    #[arg(required_unless_present_any = ["kithkit", "abtars"])]
    card: Option<String>,

    /// What to call it on this machine; its card suggests a name
    #[arg(long)]
    name: Option<String>,

    /// Name of a KithKit agent, instead of a card
    #[arg(long, value_name = "AGENT", conflicts_with = "card", requires_all = ["host", "port"])]
    kithkit: Option<String>,

    /// What an abTARS machine calls itself, instead of a card
    #[arg(long, value_name = "AGENT", conflicts_with_all = ["card", "kithkit"], requires_all = ["host", "port"])]
    abtars: Option<String>,

    /// Host name of the KithKit or abTARS machine
    #[arg(long, conflicts_with = "card")]
    host: Option<String>,

    /// Port of the KithKit or abTARS machine
    #[arg(long, conflicts_with = "card")]
    port: Option<u16>,

    /// Public key of the abTARS machine, as `abtars tribe status` prints it there
    #[arg(long, value_name = "KEY", requires = "abtars")]
    verify_key: Option<String>,

    /// Certificate of the abTARS machine, PEM; releases up to v0.3.3 are known by it
    #[arg(long, value_name = "FILE", requires = "abtars")]
    cert: Option<PathBuf>,

    /// Read the token shared with the abTARS machine from standard input or a prompt
    #[arg(long, requires = "abtars")]
    token: bool,

    /// Address of the KithKit agent, tried before its host name
    #[arg(long, requires = "kithkit")]
    ip: Option<String>,
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let kithkit = match (&args.kithkit, &args.host, args.port) {
        (Some(name), Some(host), Some(port)) => Some(KithkitPeer {
            name: name.clone(),
            host: host.clone(),
            port,
            ip: args.ip.clone(),
        }),
        _ => None,
    };
    let abtars = match &args.abtars {
        Some(name) => Some(AbtarsEntry {
            entry: entry(&args)?,
            name: Some(name.clone()),
        }),
        None => None,
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
                abtars,
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

/// The abTARS machine in the form of an entry of a peers.json.
fn entry(args: &Args) -> Result<String, Problem> {
    let mut fields = json!({"host": args.host, "port": args.port});
    if let Some(key) = &args.verify_key {
        fields["verifyKey"] = key.as_str().into();
    }
    if let Some(path) = &args.cert {
        fields["certPem"] = read(path, "Give the certificate, PEM.")?.into();
    }
    if args.token {
        fields["token"] = prompt::secret("The token that both machines hold: ")?.into();
    }
    Ok(fields.to_string())
}

fn read_card(source: &str) -> Result<String, Problem> {
    if source == "-" {
        return prompt::all_of_stdin();
    }
    read(
        Path::new(source),
        "Give the file that `tieline card --json` made on the other machine, or - for standard input.",
    )
}

fn read(path: &Path, remedy: &'static str) -> Result<String, Problem> {
    fs::read_to_string(path).map_err(|error| {
        Problem::new(Code::InvalidRequest)
            .summary(format!("{} cannot be read.", path.display()))
            .because(format!("{error}."))
            .remedy(remedy)
    })
}
