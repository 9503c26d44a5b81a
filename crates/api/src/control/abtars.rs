//! The abTARS dialect: this machine in it, files of peers, and what differs per peer.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use tieline_node::Node;
use tieline_node::model::{
    AbtarsExport, AbtarsImport, AbtarsImportView, AbtarsKeys, AbtarsOrder, AbtarsPaste,
    AbtarsPeerChange, AbtarsView, FoundConfig, PeerView,
};
use utoipa::IntoParams;

use super::caller::Trusted;
use crate::extract::{Confidential, Input, Params, Segment};
use crate::problem::{Failure, ProblemSchema};

/// This machine as abTARS machines know it.
#[utoipa::path(
    get,
    operation_id = "getAbtars",
    path = "/control/abtars",
    tag = "abtars",
    responses((status = 200, body = AbtarsView))
)]
pub(super) async fn show(State(node): State<Node>) -> Json<AbtarsView> {
    Json(node.abtars())
}

/// Change what this machine calls itself among abTARS machines, or the hops of its questions.
#[utoipa::path(
    patch,
    operation_id = "setAbtars",
    path = "/control/abtars",
    tag = "abtars",
    request_body = AbtarsOrder,
    responses((status = 200, body = AbtarsView), (status = "4XX", body = ProblemSchema))
)]
pub(super) async fn set(
    _: Trusted,
    State(node): State<Node>,
    Input(order): Input<AbtarsOrder>,
) -> Result<Json<AbtarsView>, Failure> {
    Ok(Json(node.set_abtars(order).await?))
}

/// Bring in the peers of a `peers.json`. Those that are here stay as they are.
#[utoipa::path(
    post,
    operation_id = "importAbtars",
    path = "/control/abtars/import",
    tag = "abtars",
    request_body = AbtarsImport,
    responses(
        (status = 200, body = AbtarsImportView),
        (status = "4XX", body = ProblemSchema),
        (status = 500, description = "CONFIG_INVALID, with `line` and `column`; nothing was changed", body = ProblemSchema),
    )
)]
pub(super) async fn import(
    _: Trusted,
    State(node): State<Node>,
    Confidential(import): Confidential<AbtarsImport>,
) -> Result<Json<AbtarsImportView>, Failure> {
    Ok(Json(node.import_abtars(import).await?))
}

/// What may stand in a file that is written.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ExportChoice {
    /// With this machine's private key and the shared tokens.
    #[serde(default)]
    secrets: bool,
}

/// This node's abTARS peers as a `peers.json`, with every field that was imported.
#[utoipa::path(
    get,
    operation_id = "exportAbtars",
    path = "/control/abtars/export",
    tag = "abtars",
    params(ExportChoice),
    responses((status = 200, body = AbtarsExport), (status = "5XX", body = ProblemSchema))
)]
pub(super) async fn export(
    _: Trusted,
    State(node): State<Node>,
    Params(choice): Params<ExportChoice>,
) -> Result<Json<AbtarsExport>, Failure> {
    Ok(Json(node.export_abtars(choice.secrets)?))
}

/// Use keys that were made for abTARS in the place of this node's own, from its next start on.
#[utoipa::path(
    post,
    operation_id = "importAbtarsKeys",
    path = "/control/abtars/keys",
    tag = "abtars",
    request_body = AbtarsKeys,
    responses((status = 204, description = "Ready"), (status = "4XX", body = ProblemSchema))
)]
pub(super) async fn keys(
    _: Trusted,
    State(node): State<Node>,
    Confidential(keys): Confidential<AbtarsKeys>,
) -> Result<StatusCode, Failure> {
    node.import_abtars_keys(keys).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The entry for an abTARS peer's `peers.json` that describes this machine. Holds the shared token.
#[utoipa::path(
    get,
    operation_id = "getAbtarsEntry",
    path = "/control/peers/{name}/abtars",
    tag = "abtars",
    params(("name" = String, Path, description = "The peer's name here")),
    responses((status = 200, body = AbtarsPaste), (status = "4XX", body = ProblemSchema))
)]
pub(super) async fn entry(
    _: Trusted,
    State(node): State<Node>,
    Segment(name): Segment,
) -> Result<Json<AbtarsPaste>, Failure> {
    Ok(Json(node.abtars_entry_for(&name)?))
}

/// Change what is chosen for an abTARS peer.
#[utoipa::path(
    patch,
    operation_id = "changeAbtarsPeer",
    path = "/control/peers/{name}/abtars",
    tag = "abtars",
    params(("name" = String, Path, description = "The peer's name here")),
    request_body = AbtarsPeerChange,
    responses((status = 200, body = PeerView), (status = "4XX", body = ProblemSchema))
)]
pub(super) async fn change(
    _: Trusted,
    State(node): State<Node>,
    Segment(name): Segment,
    Input(change): Input<AbtarsPeerChange>,
) -> Result<Json<PeerView>, Failure> {
    Ok(Json(node.change_abtars_peer(&name, change).await?))
}

/// Configurations of other systems on this machine that could be imported.
#[utoipa::path(
    get,
    operation_id = "listFound",
    path = "/control/found",
    tag = "abtars",
    responses((status = 200, body = Vec<FoundConfig>))
)]
pub(super) async fn found(State(node): State<Node>) -> Json<Vec<FoundConfig>> {
    Json(node.found_configs())
}
