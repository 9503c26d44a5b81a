//! `tieline peers`.

mod add;
mod list;
mod show;

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use tieline_node::model::PeerView;
use tieline_wire::problem::{Code, Problem};

use super::{Context, DONE, Outcome};
use crate::client::segment;
use crate::{prompt, show as text};

/// List the paired machines, and change what is known about them
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tieline peers
  tieline peers keep wsl-box                     # after it joined: it may do what peers may
  tieline peers add mac.card --name mac
  tieline peers addresses mac 192.168.1.5:3100 mac.lan:3100")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List the peers
    List,
    Add(add::Args),
    /// Show a peer: keys, addresses, and how the line to it stands in both directions
    Show {
        /// The peer's name
        name: String,
    },
    /// Keep a peer that joined by link: from now on it may do what peers may
    Keep {
        /// The peer's name
        name: String,
    },
    /// Undo a joining: the peer is cut off, and what it wrote is thrown away
    Undo {
        /// The peer's name
        name: String,
    },
    /// Call a peer something else on this machine
    Rename {
        /// The peer's name
        name: String,
        /// Its new name
        new_name: String,
    },
    /// Set where a peer is dialled; without addresses, print them
    Addresses {
        /// The peer's name
        name: String,
        /// Host and port, as in 192.168.1.5:3100; they replace what was known
        #[arg(value_name = "HOST:PORT")]
        addresses: Vec<String>,
    },
    /// Unpair a machine, at once
    Remove {
        /// The peer's name
        name: String,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome {
    match args.what.unwrap_or(What::List) {
        What::List => list::run(context).await,
        What::Add(args) => add::run(args, context).await,
        What::Show { name } => show::run(&peer(&name, context).await?, context),
        What::Keep { name } => {
            let kept: PeerView = context
                .client
                .post(&path(&name, "/keep"), &json!({}))
                .await?;
            changed(&kept, "is kept", context)
        }
        What::Undo { name } => {
            context
                .client
                .order(Method::POST, &path(&name, "/undo"), &json!({}))
                .await?;
            context
                .output
                .note(format!("{name} is cut off; what it wrote is gone."));
            DONE
        }
        What::Rename { name, new_name } => {
            let renamed: PeerView = context
                .client
                .post(&path(&name, "/rename"), &json!({ "name": new_name }))
                .await?;
            changed(&renamed, "is its name now", context)
        }
        What::Addresses { name, addresses } if addresses.is_empty() => {
            print_addresses(&name, context).await
        }
        What::Addresses { name, addresses } => {
            let body = json!({ "addresses": addresses });
            let moved: PeerView = context
                .client
                .post(&path(&name, "/addresses"), &body)
                .await?;
            changed(
                &moved,
                &format!("is dialled at {}", moved.addresses.join(", ")),
                context,
            )
        }
        What::Remove { name, yes } => remove(&name, yes, context).await,
    }
}

async fn print_addresses(name: &str, context: &Context) -> Outcome {
    let peer = peer(name, context).await?;
    for address in &peer.addresses {
        if context.output.is_json() {
            context.output.object(&json!({ "address": address }));
        } else {
            context.output.line(address);
        }
    }
    DONE
}

async fn remove(name: &str, yes: bool, context: &Context) -> Outcome {
    let question = format!("Unpair {name}? Queued messages to it will not be sent.");
    if !yes && prompt::is_interactive() && !prompt::confirm(&question)? {
        return Err(Problem::new(Code::InvalidRequest)
            .summary("Nothing was removed.")
            .because("You did not answer yes.")
            .remedy("Answer y, or give --yes."));
    }
    context
        .client
        .successful(Method::DELETE, &path(name, ""), Bytes::new())
        .await?;
    context.output.note(format!("{name} is unpaired."));
    DONE
}

/// Says how a peer stands after a change.
fn changed(peer: &PeerView, what: &str, context: &Context) -> Outcome {
    if context.output.is_json() {
        context.output.object(peer);
    } else {
        context
            .output
            .note(format!("{} {what}.", text::printable(&peer.name)));
    }
    DONE
}

async fn peer(name: &str, context: &Context) -> Result<PeerView, Problem> {
    context.client.get(&path(name, "")).await
}

fn path(name: &str, action: &str) -> String {
    format!("/control/peers/{}{action}", segment(name))
}

/// A state in words.
fn state(peer: &PeerView) -> String {
    match serde_json::to_value(peer.state) {
        Ok(Value::String(state)) if state == "newKey" => "new key!".to_owned(),
        Ok(Value::String(state)) => state,
        _ => String::new(),
    }
}
