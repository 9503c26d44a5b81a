//! The time, as answers carry it.

use std::time::SystemTime;

use axum::response::Response;
use http::{HeaderName, HeaderValue};
use tieline_wire::time::UnixMillis;

const X_TIMESTAMP: HeaderName = HeaderName::from_static("x-timestamp");

/// Now, RFC 3339 in UTC with milliseconds.
pub(crate) fn now() -> String {
    UnixMillis::from_system_time(SystemTime::now()).to_string()
}

/// Layer: every answer says when it was made.
pub(crate) async fn stamp(mut response: Response) -> Response {
    if let Ok(value) = HeaderValue::from_str(&now()) {
        response.headers_mut().insert(X_TIMESTAMP, value);
    }
    response
}
