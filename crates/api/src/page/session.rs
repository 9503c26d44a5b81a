//! Exchanging a link's code for a bearer, and demanding that bearer.

use axum::Json;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::WWW_AUTHENTICATE;
use serde::{Deserialize, Serialize};
use tieline_wire::problem::{Code, Problem};

use super::Door;
use crate::extract::Confidential;
use crate::guard;
use crate::problem::Failure;

/// What a page sends when it was opened by a link.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Knock {
    /// The code from the link.
    code: String,
}

/// What it gets for the code.
#[derive(Serialize)]
pub(super) struct Welcome {
    /// To be sent as `Authorization: Bearer …` with every request.
    bearer: String,
}

/// `POST /session`: takes the code, gives the bearer.
pub(super) async fn open(
    State(door): State<Door>,
    Confidential(knock): Confidential<Knock>,
) -> Result<Json<Welcome>, Failure> {
    let bearer = door.exchange(&knock.code)?;
    tracing::info!("a browser opened the page");
    Ok(Json(Welcome { bearer }))
}

/// The middleware that demands the bearer of an open page.
pub(super) async fn required(State(door): State<Door>, request: Request, next: Next) -> Response {
    if guard::bearer_of(request.headers()).is_some_and(|given| door.admits(given)) {
        return next.run(request).await;
    }
    let mut refusal = Failure(Problem::new(Code::PageSessionEnded)).into_response();
    refusal
        .headers_mut()
        .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    refusal
}
