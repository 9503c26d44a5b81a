//! Hooks: what takes the messages of peers on this machine. A page in a browser may look, and try
//! again what was given up; what runs here it neither chooses nor starts.

use axum::Json;
use axum::extract::State;
use tieline_node::Node;
use tieline_node::model::{Hook, HookTrial, HookView};

use super::caller::Trusted;
use crate::extract::{Input, Segment};
use crate::problem::{Failure, ProblemSchema};

/// The default, then every peer's hook.
#[utoipa::path(
    get,
    operation_id = "listHooks",
    path = "/control/hooks",
    tag = "hooks",
    responses((status = 200, body = Vec<HookView>), (status = "5XX", body = ProblemSchema))
)]
pub(super) async fn list(State(node): State<Node>) -> Result<Json<Vec<HookView>>, Failure> {
    Ok(Json(node.hooks().await?))
}

/// What takes the messages of peers that have no hook of their own.
#[utoipa::path(
    get,
    operation_id = "getDefaultHook",
    path = "/control/hook",
    tag = "hooks",
    responses((status = 200, body = HookView), (status = "5XX", body = ProblemSchema))
)]
pub(super) async fn show_default(State(node): State<Node>) -> Result<Json<HookView>, Failure> {
    Ok(Json(node.hook(None).await?))
}

/// Choose what takes the messages of peers that have no hook of their own.
#[utoipa::path(
    put,
    operation_id = "setDefaultHook",
    path = "/control/hook",
    tag = "hooks",
    request_body = Hook,
    responses((status = 200, body = HookView), (status = "4XX", description = "403 from a browser", body = ProblemSchema))
)]
pub(super) async fn set_default(
    _: Trusted,
    State(node): State<Node>,
    Input(hook): Input<Hook>,
) -> Result<Json<HookView>, Failure> {
    Ok(Json(node.set_hook(None, hook).await?))
}

/// What takes a peer's messages.
#[utoipa::path(
    get,
    operation_id = "getHook",
    path = "/control/peers/{name}/hook",
    tag = "hooks",
    params(("name" = String, Path, description = "The peer's name here")),
    responses((status = 200, body = HookView), (status = 404, body = ProblemSchema))
)]
pub(super) async fn show(
    State(node): State<Node>,
    Segment(name): Segment,
) -> Result<Json<HookView>, Failure> {
    Ok(Json(node.hook(Some(&name)).await?))
}

/// Choose what takes a peer's messages: those that come from now on, once the peer is kept.
#[utoipa::path(
    put,
    operation_id = "setHook",
    path = "/control/peers/{name}/hook",
    tag = "hooks",
    params(("name" = String, Path, description = "The peer's name here")),
    request_body = Hook,
    responses((status = 200, body = HookView), (status = "4XX", description = "403 from a browser", body = ProblemSchema))
)]
pub(super) async fn set(
    _: Trusted,
    State(node): State<Node>,
    Segment(name): Segment,
    Input(hook): Input<Hook>,
) -> Result<Json<HookView>, Failure> {
    Ok(Json(node.set_hook(Some(&name), hook).await?))
}

/// Let the default take a peer's messages again.
#[utoipa::path(
    delete,
    operation_id = "removeHook",
    path = "/control/peers/{name}/hook",
    tag = "hooks",
    params(("name" = String, Path, description = "The peer's name here")),
    responses((status = 200, body = HookView), (status = 404, body = ProblemSchema))
)]
pub(super) async fn remove(
    _: Trusted,
    State(node): State<Node>,
    Segment(name): Segment,
) -> Result<Json<HookView>, Failure> {
    Ok(Json(node.remove_hook(&name).await?))
}

/// A hook to try.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TrialBody {
    /// One that is not set yet; the one in force otherwise.
    hook: Option<Hook>,
}

/// Give a hook a message made up for it, and see what it does.
#[utoipa::path(
    post,
    operation_id = "tryHook",
    path = "/control/peers/{name}/hook/try",
    tag = "hooks",
    params(("name" = String, Path, description = "The peer's name here")),
    request_body = TrialBody,
    responses((status = 200, body = HookTrial), (status = "4XX", body = ProblemSchema))
)]
pub(super) async fn try_it(
    _: Trusted,
    State(node): State<Node>,
    Segment(name): Segment,
    Input(body): Input<TrialBody>,
) -> Result<Json<HookTrial>, Failure> {
    Ok(Json(node.try_hook(&name, body.hook).await?))
}

/// Try again at once what waits, and what was given up.
#[utoipa::path(
    post,
    operation_id = "retryHook",
    path = "/control/peers/{name}/hook/retry",
    tag = "hooks",
    params(("name" = String, Path, description = "The peer's name here")),
    responses((status = 200, body = HookView), (status = 404, body = ProblemSchema))
)]
pub(super) async fn retry(
    State(node): State<Node>,
    Segment(name): Segment,
) -> Result<Json<HookView>, Failure> {
    Ok(Json(node.retry_hook(&name).await?))
}
