//! Links that open the page in a browser.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tieline_wire::problem::{Code, Problem};
use utoipa::ToSchema;

use super::Control;
use super::caller::Trusted;
use crate::page::CODE_LIFE;
use crate::problem::{Failure, ProblemSchema};

/// A link that opens the page once.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageLink {
    /// `http://127.0.0.1:PORT/#code=…`. Whoever opens it first controls the node.
    url: String,
    /// How long it opens anything, in seconds.
    valid_seconds: u64,
}

/// Make a link that opens the page in a browser, once, within 60 seconds.
#[utoipa::path(
    post,
    operation_id = "createPageLink",
    path = "/control/page-link",
    tag = "node",
    responses(
        (status = 200, body = PageLink),
        (status = 403, body = ProblemSchema),
        (status = 404, description = "PAGE_NOT_SERVED: the host was started without --ui", body = ProblemSchema),
    )
)]
pub(super) async fn create(
    _: Trusted,
    State(control): State<Control>,
) -> Result<Json<PageLink>, Failure> {
    let door = control.orders.door.as_ref();
    let door = door.ok_or_else(|| Problem::new(Code::PageNotServed))?;
    Ok(Json(PageLink {
        url: door.link()?,
        valid_seconds: CODE_LIFE.as_secs(),
    }))
}
