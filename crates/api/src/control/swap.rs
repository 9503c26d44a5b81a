//! Pairing by swapped cards: what to give, and what to make of what was brought.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use tieline_node::Node;
use tieline_node::model::{PeerView, PresentedView, SwapOffer};
use utoipa::ToSchema;

use crate::extract::{Input, Segment};
use crate::problem::{Failure, ProblemSchema};

/// This node's card in every form that another machine takes.
#[utoipa::path(
    get,
    operation_id = "getSwapOffer",
    path = "/control/swap",
    tag = "node",
    responses((status = 200, body = SwapOffer), (status = "5XX", body = ProblemSchema))
)]
pub(super) async fn offer(State(node): State<Node>) -> Result<Json<SwapOffer>, Failure> {
    Ok(Json(node.swap_offer()?))
}

/// What a person brought of another machine.
#[derive(Deserialize, ToSchema)]
pub(super) struct PresentedInput {
    /// A card as JSON or PEM, an entry of a `peers.json`, or address, fingerprint and key.
    text: String,
}

/// Read what was brought of another machine. Nothing is stored or sent.
#[utoipa::path(
    post,
    operation_id = "readPresented",
    path = "/control/swap/read",
    tag = "peers",
    request_body = PresentedInput,
    responses((status = 200, body = PresentedView), (status = 400, body = ProblemSchema))
)]
pub(super) async fn read(
    State(node): State<Node>,
    Input(input): Input<PresentedInput>,
) -> Result<Json<PresentedView>, Failure> {
    Ok(Json(node.read_presented(&input.text).await?))
}

/// Give a peer the keys in what was brought: the person compared them. Its messages stay.
#[utoipa::path(
    post,
    operation_id = "renewPeerKeys",
    path = "/control/peers/{name}/renew",
    tag = "peers",
    params(("name" = String, Path, description = "The peer's name here")),
    request_body = PresentedInput,
    responses((status = 200, body = PeerView), (status = "4XX", body = ProblemSchema))
)]
pub(super) async fn renew(
    State(node): State<Node>,
    Segment(name): Segment,
    Input(input): Input<PresentedInput>,
) -> Result<Json<PeerView>, Failure> {
    Ok(Json(node.renew_keys(&name, &input.text).await?))
}
