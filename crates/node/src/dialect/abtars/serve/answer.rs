//! Answers as the real server gives them.

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use tieline_wire::abtars::refusal::Refusal;

/// The body of any answer of the peer listener.
pub(crate) type OutBody = UnsyncBoxBody<Bytes, Infallible>;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A success.
pub(super) fn json(body: String) -> Response<OutBody> {
    with_type(StatusCode::OK, body)
}

/// A refusal.
pub(super) fn refused(refusal: &Refusal) -> Response<OutBody> {
    let status = StatusCode::from_u16(refusal.status());
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = match refusal.body() {
        Some(body) => with_type(status, body),
        None => {
            let mut response = Response::new(Full::default().boxed_unsync());
            *response.status_mut() = status;
            response
        }
    };
    if let Some(seconds) = refusal.retry_after() {
        let headers = response.headers_mut();
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// Too much is under way; the real server has no such bound, and no words for it.
pub(super) fn busy() -> Response<OutBody> {
    let body = serde_json::json!({
        "error": {"message": "Too much under way, try again", "type": "server_error"},
    });
    with_type(StatusCode::SERVICE_UNAVAILABLE, body.to_string())
}

fn with_type(status: StatusCode, body: String) -> Response<OutBody> {
    let mut response = Response::new(Full::from(body).boxed_unsync());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}
