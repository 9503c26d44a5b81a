//! Events, for agents that hold the token.

use axum::Extension;
use axum::extract::State;
use axum::response::IntoResponse;
use http::HeaderMap;
use tieline_node::model::{Event, EventKind};
use tokio_util::sync::CancellationToken;

use super::{Local, LocalError};
use crate::events::{self, EventParams};
use crate::extract::Params;
use crate::guard::Admission;
use crate::problem::Failure;

/// Follow what happens to messages and peers, as server-sent events.
///
/// Each event is JSON `{seq, kind, ids}` and says only what changed; fetch the messages by id.
#[utoipa::path(
    get,
    operation_id = "followEvents",
    path = "/api/a2a/events",
    tag = "events",
    params(EventParams),
    responses(
        (status = 200, description = "The stream", body = Event, content_type = "text/event-stream"),
        (status = 401, description = "UNAUTHORIZED", body = LocalError),
    ),
    security(("token" = []))
)]
pub(super) async fn events(
    State(local): State<Local>,
    Extension(admission): Extension<Admission>,
    headers: HeaderMap,
    Params(params): Params<EventParams>,
) -> Result<impl IntoResponse, Failure> {
    // Agents see traffic; invites, secrets and settings are the person's.
    let wanted = |kind| {
        matches!(
            kind,
            EventKind::Messages | EventKind::Attempts | EventKind::Peers | EventKind::Resync
        )
    };
    Ok(events::stream(
        &local.node,
        &params,
        &headers,
        either(local.stop.clone(), admission),
        wanted,
    ))
}

/// Returns when the listener stops, or the token that opened the stream was replaced.
async fn either(stop: CancellationToken, admission: Admission) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = admission.ended() => {}
    }
}
