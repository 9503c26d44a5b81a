//! The OpenAPI document of the local API.

use axum::Json;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::problem::LocalError;

/// Title, words and the token; the routes add themselves.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tieline local API",
        description = "Send to and hear from the agents of paired machines. Sending and health need no token; \
                       everything else needs the one that `tieline token` prints. A preference of the node demands \
                       it on every route.",
    ),
    components(schemas(LocalError)),
    modifiers(&Token),
)]
pub(super) struct Frame;

struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("token", scheme);
    }
}

/// The document, made from the very routes that are served.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    super::open_routes()
        .merge(super::token_routes())
        .into_openapi()
}

/// This document.
#[utoipa::path(
    get,
    operation_id = "getDocument",
    path = "/api/openapi.json",
    tag = "health",
    responses((status = 200, description = "OpenAPI document of this API", body = Object))
)]
pub(super) async fn serve() -> Json<utoipa::openapi::OpenApi> {
    Json(document())
}
