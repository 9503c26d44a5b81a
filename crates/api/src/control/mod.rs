//! The control API: everything a front end can ask of the node.
//!
//! It has no guard and no token of its own: the window calls the router in-process, and the socket
//! in the home opens only to its user. Where a browser gets at it, [`crate::page`] stands in front,
//! and some routes refuse it (`caller.rs`). Errors are a `Problem` under its HTTP status.

mod abtars;
mod asks;
mod caller;
mod deliveries;
mod diagnostics;
mod events;
mod hooks;
mod invites;
mod join;
mod kithkit;
mod messages;
mod node;
mod openapi;
mod page_link;
mod peers;
mod preferences;
mod secrets;
mod swap;
mod trial;

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

use crate::page::Door;
use crate::problem::Failure;
use crate::{clock, serve, socket};
use caller::Caller;

pub use openapi::document;

/// What the routes work on.
#[derive(Clone)]
struct Control {
    node: Node,
    /// Cancelled when the listener stops: ends long polls and event streams.
    stop: CancellationToken,
    /// What the host takes orders for.
    orders: HostOrders,
    /// Who calls.
    caller: Caller,
}

/// What a host lets clients of its control socket order.
#[derive(Debug, Clone, Default)]
pub struct HostOrders {
    /// Cancelled by `POST /control/shutdown`; without it such orders are refused.
    pub quit: Option<CancellationToken>,
    /// Opens the page for browsers, where it is served.
    pub door: Option<Door>,
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
        orders: HostOrders::default(),
        caller: Caller::Trusted,
    })
}

/// The routes for a page in a browser. What they must not do for it, they refuse; who the page is,
/// the caller checks.
pub(crate) fn page_routes<S: Clone + Send + Sync + 'static>(
    node: Node,
    stop: CancellationToken,
) -> Router<S> {
    let (router, _) = routes().split_for_parts();
    router.with_state(Control {
        node,
        stop,
        orders: HostOrders::default(),
        caller: Caller::Page,
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

/// Serves the control API on the socket in `home`; `orders` says what clients may tell the host.
///
/// # Errors
/// `HOME_UNWRITABLE` when the socket cannot be made; `CONFIG_INVALID` when the home's path is too
/// long for one.
pub fn serve_control_socket(
    node: Node,
    home: &Path,
    orders: HostOrders,
) -> Result<ControlServer, Problem> {
    let listener = socket::bind(home)?;
    node.note_listening("control", socket::path(home).display().to_string());
    let stop = CancellationToken::new();
    let control = Control {
        node,
        stop: stop.clone(),
        orders,
        caller: Caller::Trusted,
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
        .routes(routes!(node::rotate_token))
        .routes(routes!(node::card))
        .routes(routes!(node::compare))
        .routes(routes!(node::rename))
        .routes(routes!(node::welcomed))
        .routes(routes!(node::shutdown))
        .routes(routes!(page_link::create))
        .routes(routes!(swap::offer))
        .routes(routes!(swap::read))
        .routes(routes!(invites::list, invites::create))
        .routes(routes!(invites::cancel))
        .routes(routes!(join::join))
        .routes(routes!(join::preview))
        .routes(routes!(peers::list, peers::add))
        .routes(routes!(peers::show, peers::change, peers::remove))
        .routes(routes!(peers::keep))
        .routes(routes!(peers::undo))
        .routes(routes!(peers::rename))
        .routes(routes!(swap::renew))
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
        .routes(routes!(diagnostics::show))
        .routes(routes!(diagnostics::report))
        .routes(routes!(diagnostics::log))
        .routes(routes!(asks::ask))
        .routes(routes!(asks::pending))
        .routes(routes!(asks::show))
        .routes(routes!(asks::reply))
        .routes(routes!(asks::brakes, asks::set_brake))
        .routes(routes!(asks::responder, asks::set_responder))
        .routes(routes!(hooks::list))
        .routes(routes!(hooks::show_default, hooks::set_default))
        .routes(routes!(hooks::show, hooks::set, hooks::remove))
        .routes(routes!(hooks::try_it))
        .routes(routes!(hooks::retry))
        .routes(routes!(preferences::show, preferences::change))
        .routes(routes!(secrets::list))
        .routes(routes!(secrets::set, secrets::delete))
        .routes(routes!(secrets::reveal))
        .routes(routes!(kithkit::show, kithkit::set))
        .routes(routes!(trial::show, trial::start, trial::end))
        .routes(routes!(trial::unplug))
        .routes(routes!(trial::plug))
        .routes(routes!(abtars::show, abtars::set))
        .routes(routes!(abtars::import))
        .routes(routes!(abtars::export))
        .routes(routes!(abtars::keys))
        .routes(routes!(abtars::entry, abtars::change))
        .routes(routes!(abtars::found))
        .routes(routes!(events::events))
        .routes(routes!(openapi::serve))
}

/// An unknown path, or a known one with another method.
pub(crate) async fn not_found() -> impl IntoResponse {
    Failure(Problem::new(Code::NotFound))
}
