//! `tieline status`.

use tieline_node::model::{HostKind, NodeStatus};

use super::{Context, DONE, Outcome};
use crate::show;

pub(crate) async fn run(context: &Context) -> Outcome {
    let status: NodeStatus = context.client.get("/control/status").await?;
    let output = &context.output;
    if output.is_json() {
        output.object(&status);
        return DONE;
    }
    let host = match status.host {
        HostKind::App => "the app",
        HostKind::Serve => "tieline serve",
    };
    output.line(format!(
        "{}  (Tieline {}, {host}, process {})",
        show::printable(&status.name),
        status.version,
        status.pid
    ));
    let uptime = show::time(&status.started_at);
    output.line(format!("  running since  {uptime}"));
    output.line(format!("  home           {}", status.home));
    output.line(format!("  peers connect  {}", status.peer_addr));
    output.line(format!(
        "  agents connect {}",
        status
            .api_addr
            .as_deref()
            .unwrap_or("nowhere: the local API is off")
    ));
    output.line(format!("  secrets        {}", status.vault.description));
    output.line(format!(
        "  peers {}, queued {}, unconfirmed {}, unread {}",
        status.counts.peers, status.counts.queued, status.counts.unconfirmed, status.counts.unread
    ));
    output.line(format!("  fingerprint    {}", status.fingerprint));
    for line in show::fingerprint(&status.fingerprint_groups, &status.words) {
        output.line(format!("  {line}"));
    }
    for problem in &status.problems {
        output.line(format!("  ! {}", problem.summary));
        output.line(format!("    {} {}", problem.cause, problem.remedy));
    }
    DONE
}
