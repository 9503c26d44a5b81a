//! `tieline kithkit`: how KithKit machines reach this one.

use std::net::IpAddr;

use bytes::Bytes;
use http::Method;
use serde_json::json;
use tieline_node::model::{KithkitLan, KithkitLanView, LanPosture};

use super::{Context, DONE, Outcome};

/// Let KithKit machines on the local network send to this one
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tieline secrets set credential-agent-comms-secret < secret.txt
  tieline kithkit lan on
  tieline kithkit lan on --bind 192.168.1.5 --port 3848
  tieline kithkit lan show
  tieline kithkit lan off")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// The listener for their messages; off until it is switched on. Nothing on it is encrypted
    Lan {
        #[command(subcommand)]
        what: Option<Lan>,
    },
}

#[derive(Debug, clap::Subcommand)]
enum Lan {
    /// Switch it on, now and after restarts, or change it
    On {
        /// Address of this machine to listen on; all of them otherwise
        #[arg(long, value_name = "ADDRESS")]
        bind: Option<IpAddr>,
        /// Port to listen on; 3848 otherwise
        #[arg(long)]
        port: Option<u16>,
        /// Take messages without a signature too; anybody on the network can then pose as a peer
        #[arg(long)]
        permissive: bool,
    },
    /// Switch it off
    Off,
    /// Show whether it is on, and where it listens
    Show,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome {
    const PATH: &str = "/control/kithkit-lan";
    let What::Lan { what } = args.what;
    let settings = match what.unwrap_or(Lan::Show) {
        Lan::Show => {
            show(&context.client.get(PATH).await?, context);
            return DONE;
        }
        Lan::Off => None,
        Lan::On {
            bind,
            port,
            permissive,
        } => {
            let usual = KithkitLan::default();
            Some(KithkitLan {
                bind: bind.unwrap_or(usual.bind),
                port: port.unwrap_or(usual.port),
                posture: match permissive {
                    true => LanPosture::Permissive,
                    false => LanPosture::Enforce,
                },
            })
        }
    };
    let order = Bytes::from(json!({"settings": settings}).to_string());
    let answer = context.client.successful(Method::PUT, PATH, order).await?;
    show(&answer.json()?, context);
    DONE
}

fn show(view: &KithkitLanView, context: &Context) {
    let output = &context.output;
    if output.is_json() {
        return output.object(view);
    }
    let Some(settings) = &view.settings else {
        return output.line("The listener for KithKit machines is off.");
    };
    let signature = match settings.posture {
        LanPosture::Enforce => "a signature is required",
        LanPosture::Permissive => "messages without a signature are taken as unauthenticated",
    };
    match &view.address {
        Some(address) => output.line(format!(
            "KithKit machines can send to {address}: not encrypted, {signature}."
        )),
        None => output.line(format!(
            "The listener for KithKit machines is on, but cannot listen on {}:{}; see `tieline status`.",
            settings.bind, settings.port
        )),
    }
}
