//! `tieline import`: peers from another system's configuration.

use std::fs;
use std::path::{Path, PathBuf};

use tieline_node::model::{AddPeer, KithkitPeer, PeerView};
use tieline_wire::kithkit::config::{Config, ConfigPeer};
use tieline_wire::problem::{Code, Problem};

use super::{Context, DONE, Outcome};
use crate::show::printable;

/// Add the peers of a kithkit.config.yaml that are not here yet
///
/// The file is only read. Peers that are here already stay as they are.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  tieline import ~/kithkit/kithkit.config.yaml")]
pub(crate) struct Args {
    /// The configuration file
    file: PathBuf,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Outcome {
    let config = Config::parse(&read(&args.file)?)?;
    let known: Vec<PeerView> = context.client.get("/control/peers").await?;
    let is_known = |peer: &ConfigPeer| {
        let name = peer.name.to_lowercase();
        known.iter().any(|known| {
            known.name.to_lowercase() == name
                || (known.dialect == "kithkit" && known.suggested_name.to_lowercase() == name)
        })
    };
    let output = &context.output;
    let mut added = 0;
    for peer in &config.settings().peers {
        if is_known(peer) {
            output.note(format!("{} is here already.", printable(&peer.name)));
            continue;
        }
        let order = AddPeer {
            card: None,
            name: None,
            kithkit: Some(KithkitPeer {
                name: peer.name.clone(),
                host: peer.host.clone(),
                port: peer.port,
                ip: peer.ip.clone(),
            }),
        };
        let view: PeerView = context.client.post("/control/peers", &order).await?;
        added += 1;
        if output.is_json() {
            output.object(&view);
        } else {
            output.line(format!("{} is added, not encrypted.", view.name));
        }
    }
    if added == 0 {
        output.note("There was nothing to add.");
    }
    DONE
}

fn read(path: &Path) -> Result<String, Problem> {
    fs::read_to_string(path).map_err(|error| {
        Problem::new(Code::InvalidRequest)
            .summary(format!("{} cannot be read.", path.display()))
            .because(format!("{error}."))
            .remedy("Give the kithkit.config.yaml of a KithKit machine.")
    })
}
