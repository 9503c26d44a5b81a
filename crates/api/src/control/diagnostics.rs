//! What helps to find out what is wrong.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tieline_node::Node;
use tieline_node::model::{DiagnosticsView, LogLine};
use utoipa::{IntoParams, ToSchema};

use crate::extract::Params;
use crate::problem::{Failure, ProblemSchema};

/// Lines of the log, where the caller does not say.
const LINES: usize = 200;

/// Where the node listens, its limits, its files, and what failed last.
#[utoipa::path(
    get,
    operation_id = "getDiagnostics",
    path = "/control/diagnostics",
    tag = "diagnostics",
    responses((status = 200, body = DiagnosticsView), (status = "5XX", body = ProblemSchema))
)]
pub(super) async fn show(State(node): State<Node>) -> Result<Json<DiagnosticsView>, Failure> {
    Ok(Json(node.diagnostics().await?))
}

/// A report for somebody who helps.
#[derive(Serialize, ToSchema)]
pub(super) struct Report {
    /// Plain text.
    text: String,
}

/// A report to be shown to strangers: no secret, no text of a message, no name, no address in it.
#[utoipa::path(
    get,
    operation_id = "getReport",
    path = "/control/diagnostics/report",
    tag = "diagnostics",
    responses((status = 200, body = Report), (status = "5XX", body = ProblemSchema))
)]
pub(super) async fn report(State(node): State<Node>) -> Result<Json<Report>, Failure> {
    let text = node.report().await?;
    Ok(Json(Report { text }))
}

/// How much of the log.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct LogParams {
    /// At most this many lines; 200 otherwise.
    limit: Option<usize>,
}

/// The last lines of the host's log, the oldest first.
#[utoipa::path(
    get,
    operation_id = "getLog",
    path = "/control/log",
    tag = "diagnostics",
    params(LogParams),
    responses((status = 200, body = Vec<LogLine>))
)]
pub(super) async fn log(Params(params): Params<LogParams>) -> Json<Vec<LogLine>> {
    Json(tieline_node::log::tail(params.limit.unwrap_or(LINES)))
}
