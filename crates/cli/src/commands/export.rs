//! `tieline export`: what another system's configuration needs to know of this node's peers.

use tieline_node::model::{KithkitLanView, NodeStatus, PeerView};
use tieline_wire::address::Address;
use tieline_wire::kithkit::config::{Config, ConfigPeer, LanListener};

use super::{Context, DONE, Outcome};

/// Print this machine's KithKit peers in the form of a kithkit.config.yaml
///
/// The secret is not in it: KithKit reads it from the keychain.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  tieline export kithkit > kithkit.config.yaml")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// The kithkit.config.yaml of a KithKit daemon
    Kithkit,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Outcome {
    let What::Kithkit = args.what;
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
