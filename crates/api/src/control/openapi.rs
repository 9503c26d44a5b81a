//! The OpenAPI document of the control API, from which the UI's types are made.

use axum::Json;
use utoipa::OpenApi;

use crate::problem::ProblemSchema;

/// Title and words; the routes add themselves.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tieline control API",
        description = "Everything a front end can ask of a node. Served in-process to the window, on a \
                       socket in the node's home, and with `--ui` to a page in a browser, which some routes \
                       refuse (NOT_FROM_BROWSER).",
    ),
    components(schemas(ProblemSchema))
)]
pub(super) struct Frame;

/// The document, made from the very routes that are served.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    super::routes().into_openapi()
}

/// This document.
#[utoipa::path(
    get,
    operation_id = "getDocument",
    path = "/control/openapi.json",
    tag = "node",
    responses((status = 200, description = "OpenAPI document of this API", body = Object))
)]
pub(super) async fn serve() -> Json<utoipa::openapi::OpenApi> {
    Json(document())
}
