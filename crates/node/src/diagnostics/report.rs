//! A report to be shown to strangers: what is wrong, without who, where and what.

use std::fmt::Write;

use tieline_wire::problem::Problem;

use super::redact::Redactor;
use crate::log;
use crate::model::{DirectionState, PeerView};
use crate::node::Node;

/// Lines of the log in a report.
const LINES: usize = 200;

impl Node {
    /// A report as text. It has no secret, no link, no text of a message, no name of a machine and
    /// no address in it, except loopback ones.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn report(&self) -> Result<String, Problem> {
        let view = self.diagnostics().await?;
        let peers = self.peers().await?;
        let status = self.status().await?;

        let mut redactor = Redactor::default();
        for name in [view.name.clone(), crate::start::host_name()] {
            redactor.replace(name, "this-machine");
        }
        for (number, peer) in (1..).zip(&peers) {
            redactor.replace(peer.name.as_str(), format!("peer-{number}"));
            if peer.suggested_name != peer.name {
                redactor.replace(peer.suggested_name.as_str(), format!("peer-{number}"));
            }
        }
        if let Some(home) = std::env::home_dir() {
            redactor.replace(home.display().to_string(), "~");
        }
        redactor.replace(view.home.as_str(), "[home]");

        let mut text = String::new();
        let mut line = |line: std::fmt::Arguments<'_>| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{line}");
        };
        line(format_args!("Tieline {} ({:?})", view.version, view.host));
        line(format_args!(
            "{}, {}, {:?}",
            view.system, view.architecture, view.platform
        ));
        line(format_args!(
            "Running for {} s, since {}",
            view.uptime_ms / 1000,
            view.started_at
        ));
        line(format_args!(
            "Vault: {}, {}",
            view.vault.kind, view.vault.description
        ));
        let database = &view.database;
        line(format_args!(
            "Database: {} bytes and {} in its log, {} messages",
            database.bytes, database.log_bytes, database.messages
        ));
        let counts = &status.counts;
        line(format_args!(
            "Waiting: {} queued, {} unconfirmed, {} unread",
            counts.queued, counts.unconfirmed, counts.unread
        ));
        line(format_args!("\nListening"));
        for bound in &view.addresses {
            let address = bound.address.as_deref().unwrap_or("off");
            line(format_args!("- {}: {address}", bound.what));
        }
        line(format_args!("\nPeers"));
        for peer in &peers {
            line(format_args!("- {}", peer_line(peer)));
        }
        line(format_args!("\nProblems"));
        for problem in &view.problems {
            line(format_args!(
                "- {}: {} {}",
                problem.code, problem.summary, problem.cause
            ));
        }
        for recent in &view.recent {
            let problem = &recent.problem;
            line(format_args!(
                "- {} {}: {} {} ({} times)",
                recent.at, recent.peer, problem.code, problem.summary, recent.count
            ));
        }
        line(format_args!("\nLog"));
        for entry in log::tail(LINES) {
            line(format_args!(
                "{} {} {} {}",
                entry.at, entry.level, entry.target, entry.text
            ));
        }
        Ok(redactor.redact(&text))
    }
}

fn peer_line(peer: &PeerView) -> String {
    let way = |state: DirectionState| match state {
        DirectionState::Ok => "works",
        DirectionState::Failed => "fails",
        DirectionState::Unknown => "not tried",
    };
    let problem = peer.last_problem.as_ref();
    let code = problem.map_or(String::new(), |problem| format!(", {}", problem.code));
    format!(
        "{} ({}, {:?}): out {}, in {}, {} queued, {} unconfirmed{code}",
        peer.name,
        peer.dialect,
        peer.state,
        way(peer.line.out.state),
        way(peer.line.r#in.state),
        peer.queued,
        peer.unconfirmed,
    )
}
