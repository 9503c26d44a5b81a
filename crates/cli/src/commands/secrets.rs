//! `tieline secrets`.

use http::Method;
use serde_json::{Value, json};
use tieline_node::model::SecretView;
use tieline_wire::problem::{Code, Problem};

use super::{Context, DONE, Outcome};
use crate::client::segment;
use crate::{prompt, show};

/// Keep secrets for other systems, such as the one that KithKit machines share
///
/// Values go in, and never come out again through a command.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tieline secrets
  tieline secrets set credential-agent-comms-secret < secret.txt
  tieline secrets delete credential-agent-comms-secret")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List the names and ages
    List,
    /// Set or replace a secret; its value is read from standard input, or asked for without echo
    Set {
        /// The secret's name
        name: String,
    },
    /// Delete a secret
    Delete {
        /// The secret's name
        name: String,
    },
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome {
    match args.what.unwrap_or(What::List) {
        What::List => list(context).await,
        What::Set { name } => set(&name, context).await,
        What::Delete { name } => {
            context
                .client
                .order(Method::DELETE, &path(&name), &Value::Null)
                .await?;
            context.output.note(format!("{name} is deleted."));
            DONE
        }
    }
}

async fn list(context: &Context) -> Outcome {
    let output = &context.output;
    let secrets: Vec<SecretView> = context.client.get("/control/secrets").await?;
    if output.is_json() {
        secrets.iter().for_each(|secret| output.object(secret));
        return DONE;
    }
    let rows: Vec<Vec<String>> = secrets
        .iter()
        .map(|secret| {
            let set = show::time(secret.rotated_at.as_ref().unwrap_or(&secret.created_at));
            vec![show::printable(&secret.name), secret.backend.clone(), set]
        })
        .collect();
    show::table(&["NAME", "KEPT IN", "SET"], &rows)
        .iter()
        .for_each(|line| output.line(line));
    DONE
}

async fn set(name: &str, context: &Context) -> Outcome {
    let value = prompt::secret(&format!("Value of {name}: "))?;
    if value.is_empty() {
        return Err(Problem::new(Code::InvalidRequest)
            .summary("The value is empty.")
            .because("Nothing came on standard input.")
            .remedy(format!("Give the value: tieline secrets set {name} < FILE. To remove it: tieline secrets delete {name}.")));
    }
    context
        .client
        .order(Method::PUT, &path(name), &json!({ "value": value }))
        .await?;
    context.output.note(format!("{name} is set."));
    DONE
}

fn path(name: &str) -> String {
    format!("/control/secrets/{}", segment(name))
}
