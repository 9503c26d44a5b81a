//! A report to be shown to strangers: what is wrong, without who, where and what.

use std::borrow::Cow;
use std::fmt::Write;

use tieline_store::peers;
use tieline_wire::problem::Problem;

use super::redact::Redactor;
use crate::log;
use crate::model::{DirectionState, PeerView};
use crate::node::Node;

/// Lines of the log in a report.
const LINES: usize = 200;
/// Former names that are remembered: more than the lines of the log can hold.
const FORMER_NAMES: usize = 500;

impl Node {
    /// A report as text. It has no secret, no link, no text of a message, no name of a machine and
    /// no address in it, except loopback ones.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn report(&self) -> Result<String, Problem> {
        let view = self.diagnostics().await?;
        let paired = self.peers().await?;
        let status = self.status().await?;

        let mut redactor = Redactor::default();
        for name in [view.name.clone(), crate::start::host_name()] {
            redactor.replace(name, "this-machine");
        }
        for (number, peer) in (1..).zip(&paired) {
            redactor.replace(peer.name.as_str(), format!("peer-{number}"));
            if peer.suggested_name != peer.name {
                redactor.replace(peer.suggested_name.as_str(), format!("peer-{number}"));
            }
        }
        self.hide_the_rest(&mut redactor).await?;
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
        for peer in &paired {
            line(format_args!("- {}", peer_line(peer)));
        }
        line(format_args!("\nProblems"));
        // As the table words them: in this case's words a peer or a program may be quoted.
        for problem in &view.problems {
            line(format_args!("- {}: {}", problem.code, general(problem)));
        }
        for recent in &view.recent {
            let problem = &recent.problem;
            line(format_args!(
                "- {} {}: {} {} ({} times)",
                recent.at,
                recent.peer,
                problem.code,
                general(problem),
                recent.count
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

    /// Remembers a name that the log may still hold.
    pub(crate) fn note_former_name(&self, name: String) {
        let mut names = self.former_names.lock();
        if names.len() == FORMER_NAMES {
            names.remove(0);
        }
        names.push(name);
    }

    /// Names of machines that are gone or called otherwise now, and the hosts of all of them.
    async fn hide_the_rest(&self, redactor: &mut Redactor) -> Result<(), Problem> {
        let rows = self.store.read(|conn| peers::list(conn, true)).await?;
        for row in rows {
            // A row that is still paired has its number already; the first word given counts.
            redactor.replace(row.alias, "former-peer");
            if let Some(name) = row.suggested_name {
                redactor.replace(name, "former-peer");
            }
            for address in row.addresses {
                let open = address
                    .ip()
                    .is_some_and(|ip| ip.is_loopback() || ip.is_unspecified());
                if !open && address.host() != "localhost" {
                    redactor.replace(address.host(), "[host]");
                }
            }
        }
        for name in self.former_names.lock().iter() {
            redactor.replace(name.as_str(), "former-name");
        }
        Ok(())
    }
}

fn general(problem: &Problem) -> Cow<'static, str> {
    Problem::new(problem.code).summary
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
