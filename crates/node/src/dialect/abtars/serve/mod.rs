//! What abTARS machines ask this node: four routes on the peer listener, with the statuses and
//! bodies of the real server.
//!
//! The order of the checks is the real server's too: the route, the name, the body's size, the
//! peer, its proof. No body is taken of a caller whose name is no peer's.

mod answer;
mod auth;
mod chat;
mod note;
mod stream;

use std::net::IpAddr;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::{Method, Request, Response};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tieline_wire::abtars::MAX_BODY;
use tieline_wire::abtars::probe::{AgentCard, model_body, models_body};
use tieline_wire::abtars::refusal::Refusal;
use tieline_wire::abtars::route::Route;
use tokio::sync::OwnedSemaphorePermit;

pub(crate) use answer::OutBody;
pub(super) use note::{Note, store_note};

use self::answer::{busy, json, refused};
use self::auth::{Claim, Proven};
use super::state::{BODY_UNIT, State};
use crate::clock::wall_now;
use crate::gate::Place;
use crate::limits::{BODY_TIMEOUT, MAX_STRANGER_REQUESTS};
use crate::model::{Direction, DirectionState};
use crate::node::Node;
use crate::protocol::Channel;

/// Sessions that an agent card names; nothing here depends on it.
const MAX_SESSIONS: u32 = 12;

/// Whether a request is for this dialect.
#[must_use]
pub(crate) fn is_route(target: &str) -> bool {
    target
        .strip_prefix("/v1")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}

/// Serves one request.
pub(crate) async fn serve(
    node: Node,
    channel: Arc<Channel>,
    place: &Place,
    request: Request<Incoming>,
    in_progress: usize,
) -> Response<OutBody> {
    // Whom a connection belongs to is not known before its first proof, so all are strangers here.
    if in_progress > MAX_STRANGER_REQUESTS {
        return busy();
    }
    match served(&node, &channel, place, request).await {
        Ok(response) => response,
        Err(Stopped::Refused(refusal)) => refused(&refusal),
        Err(Stopped::Busy) => busy(),
    }
}

/// Why a request is not served.
enum Stopped {
    Refused(Refusal),
    /// Other callers that nobody knows have as much under way as all of them may.
    Busy,
}

impl From<Refusal> for Stopped {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

async fn served(
    node: &Node,
    channel: &Channel,
    place: &Place,
    request: Request<Incoming>,
) -> Result<Response<OutBody>, Stopped> {
    let (head, body) = request.into_parts();
    let target = head.uri.path_and_query().map_or("/", |it| it.as_str());
    let target = target.to_owned();
    let route = Route::of(head.method.as_str(), &target)
        .filter(|route| *route != Route::Socket)
        .ok_or(Refusal::NoRoute)?;
    let claim = Claim::of(&head.headers)?;
    let body = take(node, &head, &claim, channel.remote.ip(), body).await?;
    let proven = auth::prove(node, claim, &head, &target, &body).await?;
    // These peers show no certificate: only now is the connection known to be one's.
    place.is_peers(proven.peer.id, proven.peer.is_kept());
    node.heard_from(&proven.peer);
    proven.peer.live.lock().dial_in = Direction {
        state: DirectionState::Ok,
        checked_at: Some(wall_now().to_string()),
        ..Direction::default()
    };
    Ok(route_to(node, channel, route, proven, &head, &body).await?)
}

async fn route_to(
    node: &Node,
    channel: &Channel,
    route: Route,
    proven: Proven,
    head: &Parts,
    body: &Bytes,
) -> Result<Response<OutBody>, Refusal> {
    let own_name = node.abtars_name();
    match route {
        Route::Chat => chat::serve(node, channel, proven, &head.headers, body).await,
        Route::AgentCard => {
            let card = AgentCard {
                name: own_name,
                version: node.version.to_owned(),
                max_sessions: MAX_SESSIONS,
                ..AgentCard::default()
            };
            Ok(json(card.to_json()))
        }
        Route::Models => Ok(json(models_body(&own_name, wall_now()))),
        Route::Model(id) => Ok(json(model_body(&id, &own_name, wall_now())?)),
        Route::Socket => Err(Refusal::NoRoute),
    }
}

/// The body, within bounds; none for anything but a chat.
async fn take(
    node: &Node,
    head: &Parts,
    claim: &Claim,
    from: IpAddr,
    body: Incoming,
) -> Result<Bytes, Stopped> {
    if head.method != Method::POST {
        return Ok(Bytes::new());
    }
    let declared = body.size_hint().exact();
    if declared.is_some_and(|length| length > MAX_BODY as u64) {
        return Err(Refusal::BodyTooLarge.into());
    }
    claim.check_known(node)?;
    let _counted = State::begin_body(node, from).ok_or(Stopped::Busy)?;
    match tokio::time::timeout(BODY_TIMEOUT, collect(node, body)).await {
        Ok(read) => read,
        Err(_) => Err(Refusal::Internal.into()),
    }
}

/// Room is taken for what arrives, not for what is announced.
async fn collect(node: &Node, mut body: Incoming) -> Result<Bytes, Stopped> {
    let mut whole = BytesMut::new();
    let mut rooms = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::Internal)?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if whole.len() + data.len() > MAX_BODY {
            return Err(Refusal::BodyTooLarge.into());
        }
        rooms.push(room(node, data.len())?);
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}

fn room(node: &Node, bytes: usize) -> Result<OwnedSemaphorePermit, Stopped> {
    let units = u32::try_from(bytes.div_ceil(BODY_UNIT)).unwrap_or(u32::MAX);
    let bodies = Arc::clone(&node.abtars.bodies);
    bodies
        .try_acquire_many_owned(units)
        .map_err(|_| Stopped::Busy)
}
