//! The peers of a kithkit.config.yaml.

use tieline_node::model::{AddPeer, KithkitPeer, PeerView};
use tieline_wire::kithkit::config::{Config, ConfigPeer};

use crate::commands::{Context, DONE, Outcome};
use crate::show::printable;

pub(super) async fn run(text: &str, context: &Context) -> Outcome {
    let config = Config::parse(text)?;
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
            kithkit: Some(KithkitPeer {
                name: peer.name.clone(),
                host: peer.host.clone(),
                port: peer.port,
                ip: peer.ip.clone(),
            }),
            ..AddPeer::default()
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
