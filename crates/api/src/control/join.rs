//! Joining with somebody's invite.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use tieline_node::Node;
use tieline_node::model::{JoinView, LinkPreview};
use utoipa::ToSchema;

use crate::extract::Confidential;
use crate::problem::{Failure, ProblemSchema};

/// An invite's link.
#[derive(Deserialize, ToSchema)]
pub(super) struct LinkInput {
    /// `tieline://join#…`; white space and quotes around it do not matter.
    link: String,
}

/// What a link says: whose it is and their fingerprint. Sends nothing.
#[utoipa::path(
    post,
    operation_id = "previewLink",
    path = "/control/join/preview",
    tag = "pairing",
    request_body = LinkInput,
    responses((status = 200, body = LinkPreview), (status = "4XX", body = ProblemSchema))
)]
pub(super) async fn preview(
    State(node): State<Node>,
    Confidential(input): Confidential<LinkInput>,
) -> Result<Json<LinkPreview>, Failure> {
    Ok(Json(node.preview_link(&input.link)?))
}

/// Pair with the machine that made the link, then ping both ways.
#[utoipa::path(
    post,
    operation_id = "join",
    path = "/control/join",
    tag = "pairing",
    request_body = LinkInput,
    responses(
        (status = 200, body = JoinView),
        (status = "4XX", description = "The link or the inviter refused", body = ProblemSchema),
        (status = "5XX", description = "The inviter could not be reached", body = ProblemSchema),
    )
)]
pub(super) async fn join(
    State(node): State<Node>,
    Confidential(input): Confidential<LinkInput>,
) -> Result<Json<JoinView>, Failure> {
    Ok(Json(node.join(&input.link).await?))
}
