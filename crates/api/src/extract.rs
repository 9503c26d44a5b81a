//! Extractors whose refusals are problems.

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use bytes::{Bytes, BytesMut};
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use tieline_wire::problem::{Code, Problem};

use crate::limits::{BODY_TIMEOUT, MAX_BODY_BYTES, MAX_DRAINED_BYTES};
use crate::problem::Failure;

/// The body of a request, bounded in size and time.
pub(crate) struct Raw(pub(crate) Bytes);

impl<S: Sync> FromRequest<S> for Raw {
    type Rejection = Failure;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Failure> {
        let announced = request
            .headers()
            .get(CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.parse::<u64>().ok());
        match tokio::time::timeout(BODY_TIMEOUT, read(request.into_body(), announced)).await {
            Ok(read) => read.map(Raw).map_err(Failure),
            Err(_) => Err(Failure(
                Problem::new(Code::InvalidRequest)
                    .summary("The request's body did not arrive in time.")
                    .with("timeoutMs", BODY_TIMEOUT.as_millis().to_string()),
            )),
        }
    }
}

async fn read(mut body: Body, announced: Option<u64>) -> Result<Bytes, Problem> {
    let max = MAX_BODY_BYTES as u64;
    let drain = MAX_DRAINED_BYTES as u64;
    if announced.is_some_and(|length| length > drain) {
        return Err(too_large(announced));
    }
    let mut kept = BytesMut::with_capacity(announced.unwrap_or(0).min(64 * 1024) as usize);
    let mut seen = 0_u64;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            Problem::new(Code::InvalidRequest)
                .summary("The request's body broke off.")
                .because(error.to_string())
        })?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        seen += data.len() as u64;
        if seen > drain {
            return Err(too_large(announced));
        }
        if seen > max {
            kept = BytesMut::new();
        } else {
            kept.extend_from_slice(&data);
        }
    }
    if seen > max {
        Err(too_large(Some(seen)))
    } else {
        Ok(kept.freeze())
    }
}

fn too_large(length: Option<u64>) -> Problem {
    let problem = Problem::new(Code::PayloadTooLarge).with("maxLength", MAX_BODY_BYTES);
    match length {
        Some(length) => problem
            .summary(format!(
                "The request has {length} bytes; at most {MAX_BODY_BYTES} are taken."
            ))
            .with("actualLength", length),
        None => problem.summary(format!("The request has more than {MAX_BODY_BYTES} bytes.")),
    }
}

/// A JSON body.
pub(crate) struct Input<T>(pub(crate) T);

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for Input<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let Raw(bytes) = Raw::from_request(request, state).await?;
        // No body at all means no fields.
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        serde_json::from_slice(text).map(Input).map_err(|error| {
            Failure(
                Problem::new(Code::InvalidRequest)
                    .summary("The request's body is not what this route takes.")
                    .because(error.to_string()),
            )
        })
    }
}

/// A JSON body that holds a secret: the refusal of one that cannot be read does not quote it.
pub(crate) struct Confidential<T>(pub(crate) T);

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for Confidential<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let Raw(bytes) = Raw::from_request(request, state).await?;
        serde_json::from_slice(&bytes)
            .map(Confidential)
            .map_err(|_| {
                Failure(
                    Problem::new(Code::InvalidRequest)
                        .summary("The request's body is not what this route takes."),
                )
            })
    }
}

/// A query string.
pub(crate) struct Params<T>(pub(crate) T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        Query::<T>::try_from_uri(&parts.uri)
            .map(|Query(params)| Params(params))
            .map_err(|error| {
                Failure(
                    Problem::new(Code::InvalidRequest)
                        .summary("The query of this address is not what the route takes.")
                        .because(error.body_text()),
                )
            })
    }
}

/// The one variable segment of a path.
pub(crate) struct Segment(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.map(|Path(segment)| Segment(segment)).map_err(|error| {
            Failure(
                Problem::new(Code::InvalidRequest)
                    .summary("The address of this request is not valid UTF-8.")
                    .because(error.body_text()),
            )
        })
    }
}
