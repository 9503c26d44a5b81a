//! The page's own files, and the headers that keep them to themselves.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderValue, Method, Uri};

use crate::control;

/// Looks a file of the page up by its path, such as `assets/index.js`.
pub type Files = fn(&str) -> Option<Cow<'static, [u8]>>;

/// Only the page's own files and its own listener: nothing inline, nothing of the network, no frame
/// around it. As in `tauri.conf.json`, for the window.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 6] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// Answers with the file that the address names.
pub(super) async fn serve(files: Files, method: Method, uri: Uri) -> Response {
    let path = match uri.path() {
        "/" => "index.html",
        other => other.trim_start_matches('/'),
    };
    if method != Method::GET && method != Method::HEAD {
        return control::not_found().await.into_response();
    }
    match (files(path), content_type(path)) {
        (Some(bytes), Some(kind)) => ([(CONTENT_TYPE, kind)], bytes.into_owned()).into_response(),
        _ => control::not_found().await.into_response(),
    }
}

/// The type of a file, for the kinds that the page's build makes.
fn content_type(path: &str) -> Option<&'static str> {
    let (_, extension) = path.rsplit_once('.')?;
    Some(match extension {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        _ => return None,
    })
}

/// Layer: what every answer of this listener carries.
pub(super) async fn protect(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // A later version has the same addresses, and answers are nobody's business afterwards.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
