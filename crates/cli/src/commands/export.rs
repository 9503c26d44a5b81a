//! `tieline export`: what another system's configuration needs to know of this node's peers.

use tieline_node::model::{AbtarsExport, KithkitLanView, NodeStatus, PeerView};
use tieline_wire::address::Address;
use tieline_wire::kithkit::config::{Config, ConfigPeer, LanListener};

use super::{Context, DONE, Outcome};

/// Print this machine's KithKit or abTARS peers in the form of those systems' own files
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tieline export kithkit > kithkit.config.yaml
  tieline export abtars --with-secrets > peers.json")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// The kithkit.config.yaml of a KithKit daemon; the secret is not in it, KithKit reads it from
    /// the keychain
    Kithkit,
    /// The peers.json of an abTARS machine, with every field that was imported
    Abtars {
        /// With this machine's private key and the shared tokens, which a machine needs that is to
        /// take this one's place
        #[arg(long)]
        with_secrets: bool,
    },
}

pub(crate) async fn run(args: &Args, context: &Context) -> Outcome {
    match args.what {
        What::Kithkit => kithkit(context).await,
        What::Abtars { with_secrets } => abtars(with_secrets, context).await,
    }
}

async fn abtars(with_secrets: bool, context: &Context) -> Outcome {
    let path = format!("/control/abtars/export?secrets={with_secrets}");
    let export: AbtarsExport = context.client.get(&path).await?;
    if context.output.is_json() {
        context.output.object(&export);
        return DONE;
    }
    context.output.line(export.text.trim_end());
    if export.redacted {
        context.output.note(
            "The private key and the shared tokens were left out; --with-secrets prints them.",
        );
    }
    DONE
}

async fn kithkit(context: &Context) -> Outcome {
    let status: NodeStatus = context.client.get("/control/status").await?;
    let lan: KithkitLanView = context.client.get("/control/kithkit-lan").await?;
    let peers: Vec<PeerView> = context.client.get("/control/peers").await?;
    let mut config = Config::parse("")?;
    config.set_agent_name(&status.name)?;
    if let Some(settings) = lan.settings {
        config.set_lan(&LanListener {
            enabled: Some(true),
            bind_host: Some(settings.bind.to_string()),
            port: Some(settings.port),
        })?;
        config.set_message_posture(settings.posture.into())?;
    }
    for peer in peers.iter().filter_map(config_peer) {
        config.set_peer(&peer)?;
    }
    context.output.line(config.to_yaml().trim_end());
    DONE
}

/// A KithKit peer; of several addresses, the first is its `ip` and the last its `host`.
fn config_peer(peer: &PeerView) -> Option<ConfigPeer> {
    if peer.dialect != "kithkit" {
        return None;
    }
    let address = |text: Option<&String>| text?.parse::<Address>().ok();
    let host = address(peer.addresses.last())?;
    let ip = address(peer.addresses.first()).filter(|ip| *ip != host);
    Some(ConfigPeer {
        name: peer.suggested_name.clone(),
        host: host.host().to_owned(),
        port: host.port(),
        ip: ip.map(|ip| ip.host().to_owned()),
    })
}
