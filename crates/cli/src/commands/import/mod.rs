//! `tieline import`: peers from another system's configuration.

mod kithkit;
mod peers_json;

use std::fs;
use std::path::{Path, PathBuf};

use tieline_node::model::FoundConfig;
use tieline_wire::problem::{Code, Problem};

use super::{Context, DONE, Outcome};
use crate::show::{printable, reason};

/// Add the peers of an abTARS peers.json or a kithkit.config.yaml that are not here yet
///
/// The file is only read. Peers that are here already stay as they are. Without a file, lists the
/// configurations that were found on this machine.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tieline import                                     # what is there to import
  tieline import ~/.abtars/config/peers.json
  tieline import ~/.abtars/config/peers.json --keys --cert ~/.abtars/config/identity.crt
  tieline import ~/kithkit/kithkit.config.yaml")]
pub(crate) struct Args {
    /// The configuration file
    file: Option<PathBuf>,

    /// Only say what would be added, and which of its fields are in use (peers.json)
    #[arg(long, requires = "file")]
    dry_run: bool,

    /// Use the file's own key in the place of this machine's, so that other machines need not be
    /// told of a new one (peers.json); only before anything is paired
    #[arg(long, requires = "file", conflicts_with = "dry_run")]
    keys: bool,

    /// With --keys: the certificate to go on using, PEM
    #[arg(long, value_name = "FILE", requires = "keys")]
    cert: Option<PathBuf>,

    /// With --cert: the certificate's private key, PEM, where it is not the file's own
    #[arg(long, value_name = "FILE", requires = "cert")]
    tls_key: Option<PathBuf>,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Outcome {
    let Some(file) = &args.file else {
        return found(context).await;
    };
    let text = read(file)?;
    if is_json(file, &text) {
        peers_json::run(args, &text, context).await
    } else {
        kithkit::run(&text, context).await
    }
}

/// Lists what could be imported.
async fn found(context: &Context) -> Outcome {
    let output = &context.output;
    let found: Vec<FoundConfig> = context.client.get("/control/found").await?;
    if output.is_json() {
        found.iter().for_each(|config| output.object(config));
        return DONE;
    }
    if found.is_empty() {
        output.note(
            "No configuration of abTARS or KithKit was found. Give the file: tieline import FILE",
        );
    }
    for config in &found {
        match &config.problem {
            Some(problem) => output.line(format!("{}: {}", config.path, reason(problem))),
            None => output.line(describe(config)),
        }
    }
    DONE
}

/// A configuration and what to do with it, in a line.
pub(crate) fn describe(config: &FoundConfig) -> String {
    let path = printable(&config.path);
    match (config.peers, config.new_peers) {
        (_, 0) => format!("{path}: nothing new"),
        (peers, new) => {
            format!("{path}: {new} of {peers} peers are new. Add them: tieline import '{path}'")
        }
    }
}

fn is_json(path: &Path, text: &str) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    match extension {
        Some("json") => true,
        Some("yaml" | "yml") => false,
        _ => text
            .trim_start_matches('\u{feff}')
            .trim_start()
            .starts_with('{'),
    }
}

fn read(path: &Path) -> Result<String, Problem> {
    fs::read_to_string(path).map_err(|error| {
        Problem::new(Code::InvalidRequest)
            .summary(format!("{} cannot be read.", path.display()))
            .because(format!("{error}."))
            .remedy("Give the peers.json of an abTARS machine, or the kithkit.config.yaml of a KithKit machine.")
    })
}
