//! Peers.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use tieline_node::Node;
use tieline_node::model::{AddPeer, PeerView, PingView};
use tieline_wire::address::Address;
use tieline_wire::problem::{Code, Problem};
use utoipa::ToSchema;

use crate::extract::{Confidential, Input, Segment};
use crate::problem::{Failure, PingError, ProblemSchema};

/// The peers, by name.
#[utoipa::path(
    get,
    operation_id = "listPeers",
    path = "/control/peers",
    tag = "peers",
    responses((status = 200, body = Vec<PeerView>), (status = "5XX", body = ProblemSchema))
)]
pub(super) async fn list(State(node): State<Node>) -> Result<Json<Vec<PeerView>>, Failure> {
    Ok(Json(node.peers().await?))
}

/// Add a peer from its card, or a KithKit machine on the LAN.
#[utoipa::path(
    post,
    operation_id = "addPeer",
    path = "/control/peers",
    tag = "peers",
    request_body = AddPeer,
    responses((status = 200, body = PeerView), (status = "4XX", body = ProblemSchema))
)]
pub(super) async fn add(
    State(node): State<Node>,
    // An abTARS machine's entry may hold a token.
    Confidential(input): Confidential<AddPeer>,
) -> Result<Json<PeerView>, Failure> {
    Ok(Json(node.add_peer(input).await?))
}

/// One peer.
#[utoipa::path(
    get,
    operation_id = "getPeer",
    path = "/control/peers/{name}",
    tag = "peers",
    params(("name" = String, Path, description = "The peer's name here")),
    responses((status = 200, body = PeerView), (status = 404, body = ProblemSchema))
)]
pub(super) async fn show(
    State(node): State<Node>,
    Segment(name): Segment,
) -> Result<Json<PeerView>, Failure> {
    Ok(Json(node.peer(&name).await?))
}

/// What to change about a peer; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PeerPatch {
    /// Whether notifications of its messages are held back.
    muted: Option<bool>,
}

/// Change what is kept about a peer.
#[utoipa::path(
    patch,
    operation_id = "changePeer",
    path = "/control/peers/{name}",
    tag = "peers",
    params(("name" = String, Path, description = "The peer's name here")),
    request_body = PeerPatch,
    responses((status = 200, body = PeerView), (status = "4XX", body = ProblemSchema))
)]
pub(super) async fn change(
    State(node): State<Node>,
    Segment(name): Segment,
    Input(patch): Input<PeerPatch>,
) -> Result<Json<PeerView>, Failure> {
    match patch.muted {
        Some(muted) => Ok(Json(node.set_muted(&name, muted).await?)),
        None => Ok(Json(node.peer(&name).await?)),
    }
}

/// Unpair. It holds at once, also on connections that are open.
#[utoipa::path(
    delete,
    operation_id = "removePeer",
    path = "/control/peers/{name}",
    tag = "peers",
    params(("name" = String, Path, description = "The peer's name here")),
    responses((status = 204, description = "Unpaired"), (status = 404, body = ProblemSchema))
)]
pub(super) async fn remove(
    State(node): State<Node>,
    Segment(name): Segment,
) -> Result<StatusCode, Failure> {
    node.remove(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Keep a peer that joined by link: from now on it may do what peers may.
#[utoipa::path(
    post,
    operation_id = "keepPeer",
    path = "/control/peers/{name}/keep",
    tag = "peers",
    params(("name" = String, Path, description = "The peer's name here")),
    responses((status = 200, body = PeerView), (status = 404, body = ProblemSchema))
)]
pub(super) async fn keep(
    State(node): State<Node>,
    Segment(name): Segment,
) -> Result<Json<PeerView>, Failure> {
    Ok(Json(node.keep(&name).await?))
}

/// Undo a joining: revokes, cuts and discards what the peer wrote.
#[utoipa::path(
    post,
    operation_id = "undoPeer",
    path = "/control/peers/{name}/undo",
    tag = "peers",
    params(("name" = String, Path, description = "The peer's name here")),
    responses((status = 204, description = "Undone"), (status = 404, body = ProblemSchema))
)]
pub(super) async fn undo(
    State(node): State<Node>,
    Segment(name): Segment,
) -> Result<StatusCode, Failure> {
    node.undo(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A name.
#[derive(Deserialize, ToSchema)]
pub(super) struct RenameInput {
    /// The new name: 1 to 64 of `a-z 0-9 . _ -`.
    name: String,
}

/// Call a peer something else here.
#[utoipa::path(
    post,
    operation_id = "renamePeer",
    path = "/control/peers/{name}/rename",
    tag = "peers",
    params(("name" = String, Path, description = "The peer's name here")),
    request_body = RenameInput,
    responses((status = 200, body = PeerView), (status = "4XX", body = ProblemSchema))
)]
pub(super) async fn rename(
    State(node): State<Node>,
    Segment(name): Segment,
    Input(input): Input<RenameInput>,
) -> Result<Json<PeerView>, Failure> {
    Ok(Json(node.rename(&name, &input.name).await?))
}

/// Addresses.
#[derive(Deserialize, ToSchema)]
pub(super) struct AddressesInput {
    /// Where the peer can be dialled, `host:port` each; replaces what was known.
    addresses: Vec<String>,
}

/// Set where a peer is dialled.
#[utoipa::path(
    post,
    operation_id = "setPeerAddresses",
    path = "/control/peers/{name}/addresses",
    tag = "peers",
    params(("name" = String, Path, description = "The peer's name here")),
    request_body = AddressesInput,
    responses((status = 200, body = PeerView), (status = "4XX", body = ProblemSchema))
)]
pub(super) async fn addresses(
    State(node): State<Node>,
    Segment(name): Segment,
    Input(input): Input<AddressesInput>,
) -> Result<Json<PeerView>, Failure> {
    let parsed: Result<Vec<Address>, Problem> = input
        .addresses
        .iter()
        .map(|text| {
            text.parse::<Address>().map_err(|error| {
                Problem::new(Code::InvalidRequest)
                    .summary(format!("{text:?} is not an address."))
                    .because(format!("{error}."))
            })
        })
        .collect();
    Ok(Json(node.set_addresses(&name, parsed?).await?))
}

/// Ping a peer: one authenticated request and its answer.
#[utoipa::path(
    post,
    operation_id = "pingPeer",
    path = "/control/peers/{name}/ping",
    tag = "peers",
    params(("name" = String, Path, description = "The peer's name here")),
    responses(
        (status = 200, body = PingView),
        (status = 404, description = "No such peer", body = PingError),
        (status = "5XX", description = "No answer", body = PingError),
    )
)]
pub(super) async fn ping(State(node): State<Node>, Segment(name): Segment) -> Response {
    match node.ping(&name).await {
        Ok(answered) => Json(answered).into_response(),
        Err(failure) => PingError::from(failure).into_response(),
    }
}

/// How far the person has read.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReadInput {
    /// The `seq` of the last message that was seen.
    up_to: i64,
}

/// Mark a peer's messages as read.
#[utoipa::path(
    post,
    operation_id = "markRead",
    path = "/control/peers/{name}/read",
    tag = "messages",
    params(("name" = String, Path, description = "The peer's name here")),
    request_body = ReadInput,
    responses((status = 204, description = "Marked"), (status = 404, body = ProblemSchema))
)]
pub(super) async fn read(
    State(node): State<Node>,
    Segment(name): Segment,
    Input(input): Input<ReadInput>,
) -> Result<StatusCode, Failure> {
    node.mark_read(&name, input.up_to).await?;
    Ok(StatusCode::NO_CONTENT)
}
