//! `tieline ping`.

use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use serde_json::Value;
use tieline_node::model::{AttemptView, PingView};

use super::{Context, Outcome};
use crate::client::segment;
use crate::{exit, progress, show};

/// Ping a peer: one authenticated request over the route that messages take
///
/// Succeeds only if every ping was answered.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tieline ping wsl-box
  tieline ping wsl-box -n 5 --json | jq .latencyMs")]
pub(crate) struct Args {
    /// The peer's name
    peer: String,

    /// How many pings
    #[arg(short = 'n', long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    count: u32,
}

const BETWEEN_PINGS: Duration = Duration::from_millis(200);

pub(crate) async fn run(args: &Args, context: &Context) -> Outcome {
    let path = format!("/control/peers/{}/ping", segment(&args.peer));
    let mut code = ExitCode::SUCCESS;
    let mut answered = 0_u32;
    for number in 0..args.count {
        if number > 0 {
            tokio::time::sleep(BETWEEN_PINGS).await;
        }
        let pinging = context.client.request(Method::POST, &path, Bytes::new());
        let answer = progress::noting(&context.output, "Waiting for an answer…", pinging).await?;
        if answer.status.is_success() {
            answered += 1;
            report(&answer.json()?, context);
            continue;
        }
        let problem = answer.problem();
        let tries = answer
            .json::<Value>()
            .ok()
            .and_then(|mut body| body.get_mut("attempts").map(Value::take));
        code = exit::code(problem.code);
        if context.output.is_json() {
            context.output.object(&answer.json::<Value>()?);
        } else {
            context.output.problem(&problem);
            let tries: Vec<AttemptView> = tries
                .and_then(|tries| serde_json::from_value(tries).ok())
                .unwrap_or_default();
            for line in tries
                .iter()
                .enumerate()
                .flat_map(|(index, attempt)| show::attempt(index + 1, attempt))
            {
                context.output.note(format!("  {line}"));
            }
        }
    }
    if args.count > 1 {
        context
            .output
            .note(format!("{answered} of {} answered", args.count));
    }
    Ok(code)
}

fn report(ping: &PingView, context: &Context) {
    if context.output.is_json() {
        return context.output.object(ping);
    }
    let mut line = format!(
        "{} answered in {}, {}",
        show::printable(&ping.peer),
        show::millis(ping.latency_ms),
        show::via(ping.via)
    );
    if let Some(address) = &ping.address {
        line += &format!(", {}", show::printable(address));
    }
    if let Some(offset) = ping.clock_offset_ms {
        line += &format!(", clock {}", show::clock_offset(offset));
    }
    context.output.line(line);
}
