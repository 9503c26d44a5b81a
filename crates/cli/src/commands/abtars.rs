//! `tieline abtars`: this machine among abTARS machines, and what is chosen per peer.

use bytes::Bytes;
use http::Method;
use tieline_node::model::{AbtarsOrder, AbtarsPaste, AbtarsPeerChange, AbtarsView, PeerView};
use tieline_wire::problem::{Code, Problem};

use super::{Context, DONE, Outcome};
use crate::client::segment;
use crate::show::printable;

/// Show what abTARS machines know of this one, and choose what is taken from them
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tieline abtars                       # this machine's name, key and certificate
  tieline abtars name kp
  tieline abtars entry peer-b          # to be copied into the peers.json of peer-b
  tieline abtars bearer peer-b on      # take its older proof too: a token made with the shared one")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Show this machine's name, key and certificate
    Show,
    /// Call this machine something else among abTARS machines; they must know it by that name
    Name {
        /// The name, `self.name` of their files
        name: String,
    },
    /// Print the entry for a peer's peers.json; it holds the shared token, if there is one
    Entry {
        /// The peer's name
        peer: String,
    },
    /// Take requests of a peer that show only a token made with the shared one, or refuse them
    Bearer {
        /// The peer's name
        peer: String,
        /// `on` or `off`
        state: Switch,
    },
    /// Refuse messages of a peer without a tag that names this machine, or take them
    Signed {
        /// The peer's name
        peer: String,
        /// `on` or `off`
        state: Switch,
    },
    /// Forget which language a peer speaks, after it was put back to an older release
    Forget {
        /// The peer's name
        peer: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Switch {
    On,
    Off,
}

const PATH: &str = "/control/abtars";

pub(crate) async fn run(args: Args, context: &Context) -> Outcome {
    match args.what.unwrap_or(What::Show) {
        What::Show => show(&context.client.get(PATH).await?, context),
        What::Name { name } => {
            let order = AbtarsOrder {
                name: Some(name),
                max_hops: None,
            };
            show(&patch(PATH, &order, context).await?, context)
        }
        What::Entry { peer } => {
            let paste: AbtarsPaste = context.client.get(&path(&peer)).await?;
            if context.output.is_json() {
                context.output.object(&paste);
            } else {
                context.output.line(&paste.entry);
            }
            DONE
        }
        What::Bearer { peer, state } => {
            let change = AbtarsPeerChange {
                bearer_allowed: Some(state == Switch::On),
                ..AbtarsPeerChange::default()
            };
            changed(&patch(&path(&peer), &change, context).await?, context)
        }
        What::Signed { peer, state } => {
            let change = AbtarsPeerChange {
                signed_only: Some(state == Switch::On),
                ..AbtarsPeerChange::default()
            };
            changed(&patch(&path(&peer), &change, context).await?, context)
        }
        What::Forget { peer } => {
            let change = AbtarsPeerChange {
                forget_generation: true,
                ..AbtarsPeerChange::default()
            };
            changed(&patch(&path(&peer), &change, context).await?, context)
        }
    }
}

async fn patch<T: serde::de::DeserializeOwned>(
    path: &str,
    body: &impl serde::Serialize,
    context: &Context,
) -> Result<T, Problem> {
    let body = serde_json::to_vec(body)
        .map_err(|error| Problem::new(Code::InvalidRequest).because(error.to_string()))?;
    let answer = context
        .client
        .successful(Method::PATCH, path, Bytes::from(body))
        .await?;
    answer.json()
}

fn path(peer: &str) -> String {
    format!("/control/peers/{}/abtars", segment(peer))
}

fn show(view: &AbtarsView, context: &Context) -> Outcome {
    let output = &context.output;
    if output.is_json() {
        output.object(view);
        return DONE;
    }
    output.line(format!("{}  (its name among abTARS machines)", view.name));
    output.line(format!("  verifyKey        {}", view.verify_key));
    output.line(format!("  certFingerprint  {}", view.cert_fingerprint));
    if !view.key_is_certificates {
        output.line("  The certificate holds another key: releases from v0.3.5 on cannot connect to this machine.");
    }
    for line in view.cert_pem.lines() {
        output.line(line);
    }
    DONE
}

fn changed(peer: &PeerView, context: &Context) -> Outcome {
    let output = &context.output;
    if output.is_json() {
        output.object(peer);
    } else {
        output.line(format!("{}: {}.", printable(&peer.name), peer.badge));
        output.line(format!("  {}", peer.assurance));
    }
    DONE
}
