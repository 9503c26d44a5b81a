//! What helps to find out what is wrong: where this node listens, its limits, its files, its log.

pub(crate) mod redact;
mod report;
mod system;

use std::path::Path;

use tieline_store::{attempts, messages};
use tieline_wire::problem::Problem;

use crate::ask::ASKS_PER_HOUR;
use crate::limits::{
    IDLE_TIMEOUT, MAX_CONNECTIONS, MAX_CONNECTIONS_PER_ADDRESS, MAX_HANDSHAKES_PER_MINUTE,
    MAX_PAYLOAD, MAX_UNKEPT_MESSAGES, RESPONSE_TIMEOUT,
};
use crate::model::{
    BoundAddress, DatabaseView, DiagnosticsView, LimitView, RecentProblem, VaultView,
};
use crate::node::Node;
use crate::outbox::EXPIRY;
use crate::platform::Platform;
use crate::queries::names;

/// Failed tries that are looked at.
const RECENT: u32 = 100;

impl Node {
    /// Notes where something of this node listens: `control`, `page`.
    pub fn note_listening(&self, what: &'static str, address: impl Into<String>) {
        self.listening.lock().insert(what, address.into());
    }

    /// What this node is made of and how it is.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn diagnostics(&self) -> Result<DiagnosticsView, Problem> {
        let (recent, names, count) = self
            .store
            .read(|conn| {
                let recent = attempts::recent_failures(conn, RECENT)?;
                Ok((recent, names(conn)?, messages::count(conn)?))
            })
            .await?;
        let mut reasons: Vec<RecentProblem> = Vec::new();
        for (peer, attempt) in recent {
            let problem: Option<Problem> = attempt
                .detail
                .and_then(|detail| serde_json::from_value(detail).ok());
            let Some(problem) = problem else { continue };
            let peer = names.get(&peer).cloned().unwrap_or_default();
            let known = reasons
                .iter_mut()
                .find(|known| known.peer == peer && known.problem.code == problem.code);
            match known {
                Some(known) => {
                    known.count += 1;
                    known.at = attempt.started_at.to_string().max(known.at.clone());
                }
                None => reasons.push(RecentProblem {
                    at: attempt.started_at.to_string(),
                    count: 1,
                    peer,
                    problem,
                }),
            }
        }
        reasons.sort_by(|a, b| b.at.cmp(&a.at));
        let database = self.store.path();
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        Ok(DiagnosticsView {
            name: self.own_name(),
            version: self.version.to_owned(),
            host: self.host,
            pid: std::process::id(),
            started_at: self.started_at.to_string(),
            uptime_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            platform: Platform::here(),
            system: system::name(),
            architecture: std::env::consts::ARCH.to_owned(),
            home: self.home.path().display().to_string(),
            addresses: self.addresses().await?,
            limits: self.limits(),
            vault: VaultView {
                kind: self.vault.kind().as_str().to_owned(),
                description: self.vault.description().to_owned(),
            },
            database: DatabaseView {
                path: database.display().to_string(),
                bytes: size(database),
                log_bytes: size(Path::new(&log)),
                messages: u64::try_from(count).unwrap_or(0),
                store_id: self.store_id().to_string(),
            },
            problems: self.problems.lock().clone(),
            recent: reasons,
        })
    }

    async fn addresses(&self) -> Result<Vec<BoundAddress>, Problem> {
        let kithkit = self.kithkit_lan().await?.address;
        let listening = self.listening.lock().clone();
        let api = self.api_addr.lock().map(|address| address.to_string());
        let bound = |what: &str, address: Option<String>| BoundAddress {
            what: what.to_owned(),
            address,
        };
        Ok(vec![
            bound("peers", Some(self.peer_addr.to_string())),
            bound("api", api),
            bound("page", listening.get("page").cloned()),
            bound("kithkit", kithkit),
            bound("control", listening.get("control").cloned()),
        ])
    }

    fn limits(&self) -> Vec<LimitView> {
        let limit = |what: &str, value: u64, unit: &str| LimitView {
            what: what.to_owned(),
            value,
            unit: unit.to_owned(),
        };
        let mut limits = vec![
            limit("Largest message", MAX_PAYLOAD as u64, "bytes"),
            limit("A queued message is tried for", EXPIRY.as_secs(), "seconds"),
            limit(
                "Longest wait for a peer's answer",
                RESPONSE_TIMEOUT.as_secs(),
                "seconds",
            ),
            limit(
                "An idle connection is closed after",
                IDLE_TIMEOUT.as_secs(),
                "seconds",
            ),
            limit(
                "Connections to the peer listener at once",
                MAX_CONNECTIONS as u64,
                "count",
            ),
            limit(
                "Connections from one address at once",
                MAX_CONNECTIONS_PER_ADDRESS as u64,
                "count",
            ),
            limit(
                "Handshakes from one address a minute",
                u64::from(MAX_HANDSHAKES_PER_MINUTE),
                "count",
            ),
            limit(
                "Messages of a machine that was not kept yet",
                MAX_UNKEPT_MESSAGES,
                "count",
            ),
            limit(
                "Questions with one peer an hour, each way",
                u64::from(ASKS_PER_HOUR),
                "count",
            ),
        ];
        if let Some(days) = self.preferences().retention_days {
            limits.push(limit(
                "Content of messages is kept for",
                u64::from(days),
                "days",
            ));
        }
        limits
    }
}

/// Bytes of a file; 0 where there is none.
fn size(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |data| data.len())
}
