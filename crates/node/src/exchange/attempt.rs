//! One try of a request, as it is recorded and shown.

use std::time::Duration;

use tieline_store::attempts::{Attempt, AttemptStatus};
use tieline_wire::problem::Problem;
use tieline_wire::time::UnixMillis;

use crate::clock::millis;
use crate::model::{AttemptView, PhaseTimings, Via};

/// One try of a request over one connection.
#[derive(Debug, Clone)]
pub(crate) struct Try {
    /// How the line ran; `None` where no connection came about.
    pub via: Option<Via>,
    /// Address used.
    pub address: Option<String>,
    /// When it began.
    pub started_at: UnixMillis,
    /// How long it took.
    pub took: Duration,
    /// Look-up and TCP, where it dialled.
    pub connect: Option<Duration>,
    /// TLS handshake, where it dialled.
    pub tls: Option<Duration>,
    /// From the TLS connection to one that the peer takes requests on: HTTP/2, and the pair's token.
    pub auth: Option<Duration>,
    /// Request to answer.
    pub store: Option<Duration>,
    /// Why it failed.
    pub problem: Option<Problem>,
}

impl Try {
    /// As front ends see it.
    #[must_use]
    pub(crate) fn view(&self) -> AttemptView {
        let problem = self.problem.as_ref();
        AttemptView {
            route: "lan".into(),
            status: if problem.is_some() {
                "failed"
            } else {
                "success"
            }
            .into(),
            latency_ms: millis(self.took),
            error: problem.map(problem_sentence),
            relay_status: None,
            ordinal: None,
            via: self.via,
            address: self.address.clone(),
            phase: self.phase(),
            code: problem.map(|problem| problem.code.to_string()),
            problem: problem.cloned(),
            started_at: Some(self.started_at.to_string()),
            timings: Some(PhaseTimings {
                connect_ms: self.connect.map(millis),
                tls_ms: self.tls.map(millis),
                auth_ms: self.auth.map(millis),
                store_ms: self.store.map(millis),
            }),
        }
    }

    /// As the store keeps it.
    #[must_use]
    pub(crate) fn record(&self) -> Attempt {
        let micros = |span: Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Attempt {
            route: "lan".into(),
            via: self
                .via
                .map(|via| if via == Via::Held { "held" } else { "direct" }.to_owned()),
            address: self.address.clone(),
            phase: self.phase(),
            status: if self.problem.is_some() {
                AttemptStatus::Failed
            } else {
                AttemptStatus::Success
            },
            code: self
                .problem
                .as_ref()
                .map(|problem| problem.code.to_string()),
            detail: self
                .problem
                .as_ref()
                .map(|problem| serde_json::json!(problem)),
            started_at: self.started_at,
            latency_us: Some(micros(self.took)),
            connect_us: self.connect.map(micros),
            tls_us: self.tls.map(micros),
            auth_us: self.auth.map(micros),
            store_us: self.store.map(micros),
        }
    }

    fn phase(&self) -> Option<String> {
        match &self.problem {
            Some(problem) => problem.phase.map(|phase| phase.to_string()),
            None => Some("store".into()),
        }
    }
}

/// A problem as one sentence for the documented `error` field.
#[must_use]
pub(crate) fn problem_sentence(problem: &Problem) -> String {
    if problem.cause.is_empty() {
        problem.summary.to_string()
    } else {
        format!("{} {}", problem.summary, problem.cause)
    }
}
