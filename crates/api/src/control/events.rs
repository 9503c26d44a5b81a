//! Everything that changes.

use axum::extract::State;
use axum::response::IntoResponse;
use http::HeaderMap;
use tieline_node::model::Event;

use super::Control;
use crate::events::{self, EventParams};
use crate::extract::Params;
use crate::problem::{Failure, ProblemSchema};

/// What changes, as server-sent events. Each is JSON `{seq, kind, ids}`; fetch what it names.
#[utoipa::path(
    get,
    operation_id = "followEvents",
    path = "/control/events",
    tag = "events",
    params(EventParams),
    responses(
        (status = 200, description = "The stream", body = Event, content_type = "text/event-stream"),
        (status = 400, body = ProblemSchema),
    )
)]
pub(super) async fn events(
    State(control): State<Control>,
    headers: HeaderMap,
    Params(params): Params<EventParams>,
) -> Result<impl IntoResponse, Failure> {
    Ok(events::stream(
        &control.node,
        &params,
        &headers,
        control.stop.clone().cancelled_owned(),
        |_| true,
    ))
}
