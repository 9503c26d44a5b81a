//! What changes, as server-sent events.

use std::convert::Infallible;
use std::future::ready;

use axum::response::Sse;
use axum::response::sse::{Event as SseEvent, KeepAlive};
use futures_util::{Stream, StreamExt};
use http::HeaderMap;
use serde::Deserialize;
use tieline_node::Node;
use tieline_node::model::EventKind;
use utoipa::IntoParams;

/// Where to resume.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventParams {
    /// The last `seq` that was seen; events after it are sent first. If they are gone, an event
    /// of kind `resync` says so.
    after: Option<u64>,
}

impl EventParams {
    /// The place to resume at, from the query or from the header that browsers send by themselves.
    fn resume_at(&self, headers: &HeaderMap) -> Option<u64> {
        let header = || headers.get("last-event-id")?.to_str().ok()?.parse().ok();
        self.after.or_else(header)
    }
}

/// The node's events of the kinds that `wanted` lets through, until the end.
pub(crate) fn stream<End>(
    node: &Node,
    params: &EventParams,
    headers: &HeaderMap,
    end: End,
    wanted: fn(EventKind) -> bool,
) -> Sse<impl Stream<Item = Result<SseEvent, Infallible>> + use<End>>
where
    End: Future<Output = ()> + Send + 'static,
{
    let events = node
        .events()
        .subscribe(params.resume_at(headers))
        .boxed()
        .filter(move |event| ready(wanted(event.kind)))
        .filter_map(|event| {
            let written = SseEvent::default()
                .id(event.seq.to_string())
                .json_data(&event);
            ready(written.ok().map(Ok))
        })
        .take_until(end);
    Sse::new(events).keep_alive(KeepAlive::default())
}
