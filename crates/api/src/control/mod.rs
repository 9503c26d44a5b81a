//! The control API: everything a front end can ask of the node.
//!
//! It has no guard and no token because it has no TCP listener: the window calls the router
//! in-process, and the socket in the home opens only to its user. Errors are a `Problem` under
//! its HTTP status.

mod asks;
mod deliveries;
mod events;
mod invites;
mod join;
mod kithkit;
mod messages;
mod node;
mod openapi;
mod peers;
mod preferences;
mod secrets;

use std::path::Path;

use axum::Router;
use axum::extract::FromRef;
use axum::middleware::map_response;
use axum::response::IntoResponse;
use tieline_node::Node;
use tieline_wire::problem::{Code, Problem};
use tokio_util::sync::CancellationToken;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::problem::Failure;
use crate::{clock, serve, socket};

pub use openapi::document;

/// What the routes work on.
#[derive(Clone)]
struct Control {
    node: Node,
    /// Cancelled when the listener stops: ends long polls and event streams.
    stop: CancellationToken,
    /// Cancelled by `POST /control/shutdown`; `None` where the host does not take that order.
    quit: Option<CancellationToken>,
}

impl FromRef<Control> for Node {
    fn from_ref(control: &Control) -> Self {
        control.node.clone()
    }
}

/// The control API for callers in this process.
///
/// The caller decides who may use it; the window's bridge lets only the main window.
pub fn control_router(node: Node) -> Router {
    router(Control {
        node,
        stop: CancellationToken::new(),
        quit: None,
    })
}

/// The running control socket.
#[derive(Debug)]
pub struct ControlServer {
    running: serve::Running,
}

impl ControlServer {
    /// Takes no more requests, gives those in flight a few seconds, then removes the socket.
    pub async fn shutdown(self) {
        self.running.shutdown().await;
    }
}

/// Serves the control API on the socket in `home`. `quit` is cancelled when a client orders the
/// host to stop; without it, such orders are refused.
///
/// # Errors
/// `HOME_UNWRITABLE` when the socket cannot be made; `CONFIG_INVALID` when the home's path is too
/// long for one.
pub fn serve_control_socket(
    node: Node,
    home: &Path,
    quit: Option<CancellationToken>,
) -> Result<ControlServer, Problem> {
    let listener = socket::bind(home)?;
    let stop = CancellationToken::new();
    let control = Control {
        node,
        stop: stop.clone(),
        quit,
    };
    Ok(ControlServer {
        running: serve::Running::start(listener, router(control), stop),
    })
}

fn router(control: Control) -> Router {
    let (router, _) = routes().split_for_parts();
    router
        .fallback(not_found)
        .method_not_allowed_fallback(not_found)
        .layer(map_response(clock::stamp))
        .with_state(control)
}

/// Every route. Handlers are added here and nowhere else, so the document lists all of them.
fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::with_openapi(openapi::Frame::openapi())
        .routes(routes!(node::status))
        .routes(routes!(node::token))
        .routes(routes!(node::card))
        .routes(routes!(node::compare))
        .routes(routes!(node::shutdown))
        .routes(routes!(invites::list, invites::create))
        .routes(routes!(invites::cancel))
        .routes(routes!(join::join))
        .routes(routes!(join::preview))
        .routes(routes!(peers::list, peers::add))
        .routes(routes!(peers::show, peers::change, peers::remove))
        .routes(routes!(peers::keep))
        .routes(routes!(peers::undo))
        .routes(routes!(peers::rename))
        .routes(routes!(peers::addresses))
        .routes(routes!(peers::ping))
        .routes(routes!(peers::read))
        .routes(routes!(messages::send))
        .routes(routes!(messages::list))
        .routes(routes!(messages::show))
        .routes(routes!(messages::acknowledge))
        .routes(routes!(messages::conversations))
        .routes(routes!(deliveries::list))
        .routes(routes!(deliveries::try_now))
        .routes(routes!(deliveries::cancel))
        .routes(routes!(deliveries::again))
        .routes(routes!(asks::ask))
        .routes(routes!(asks::pending))
        .routes(routes!(asks::show))
        .routes(routes!(asks::reply))
        .routes(routes!(asks::responder, asks::set_responder))
        .routes(routes!(asks::brakes, asks::set_brake))
        .routes(routes!(preferences::show, preferences::change))
        .routes(routes!(secrets::list))
        .routes(routes!(secrets::set, secrets::delete))
        .routes(routes!(kithkit::show, kithkit::set))
        .routes(routes!(events::events))
        .routes(routes!(openapi::serve))
}

/// An unknown path, or a known one with another method.
async fn not_found() -> impl IntoResponse {
    Failure(Problem::new(Code::NotFound))
}
