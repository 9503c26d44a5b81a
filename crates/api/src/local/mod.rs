//! The documented API for local agents, on a loopback TCP port.
//!
//! Sending and health need no token, as agents expect; reading, events and acknowledgements need
//! the one that `tieline token` prints, and a preference demands it everywhere. Every route stands
//! behind one guard that keeps web pages out.

mod asks;
mod deprecated;
mod events;
mod health;
mod messages;
mod network;
mod openapi;
mod peers;
mod send;

use std::net::SocketAddr;

use axum::Router;
use axum::extract::FromRef;
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::IntoResponse;
use axum::routing::any;
use tieline_node::Node;
use tieline_wire::problem::{Code, Problem};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::problem::{Failure, LocalError, documented_errors};
use crate::{clock, guard, ports, serve};

pub use openapi::document;

/// What the routes work on.
#[derive(Clone)]
struct Local {
    node: Node,
    /// Cancelled when the listener stops: ends long polls and event streams.
    stop: CancellationToken,
    started: Instant,
}

impl FromRef<Local> for Node {
    fn from_ref(local: &Local) -> Self {
        local.node.clone()
    }
}

/// The running local API.
#[derive(Debug)]
pub struct LocalServer {
    addr: SocketAddr,
    running: serve::Running,
}

impl LocalServer {
    /// The address bound, with the real port.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Takes no more requests, gives those in flight a few seconds, then returns.
    pub async fn shutdown(self) {
        self.running.shutdown().await;
    }
}

/// Serves the local API on `addr` (port 0 picks a free one) and tells the node its address.
///
/// # Errors
/// `CONFIG_INVALID` for an address that other machines can reach, because sending needs no token
/// here; `PORT_IN_USE` or `PORT_DENIED` when it cannot be bound.
pub async fn serve_local(node: Node, addr: SocketAddr) -> Result<LocalServer, Problem> {
    const OPTION: &str = "--api-addr";
    if !addr.ip().is_loopback() {
        return Err(Problem::new(Code::ConfigInvalid)
            .summary(format!("The local API cannot listen on {addr}."))
            .because("Other machines could reach it there, and it lets every caller send messages.")
            .remedy(format!(
                "Give a loopback address, such as {OPTION} 127.0.0.1:{}.",
                addr.port()
            )));
    }
    let listener = tokio::net::TcpListener::bind(addr)
        .await
        .map_err(|error| ports::bind_problem(addr, &error, OPTION))?;
    let bound = listener
        .local_addr()
        .map_err(|error| ports::bind_problem(addr, &error, OPTION))?;
    let stop = CancellationToken::new();
    let local = Local {
        node: node.clone(),
        stop: stop.clone(),
        started: Instant::now(),
    };
    let running = serve::Running::start(listener, router(local, bound), stop);
    node.set_api_addr(bound);
    Ok(LocalServer {
        addr: bound,
        running,
    })
}

fn router(local: Local, bound: SocketAddr) -> Router {
    let (router, _) = routes(&local).split_for_parts();
    let node = local.node.clone();
    router
        .fallback(not_found)
        .method_not_allowed_fallback(not_found)
        .layer(from_fn_with_state(node, guard::bearer_where_required))
        .layer(from_fn_with_state(guard::Guard::new(bound), guard::guard))
        .layer(map_response(documented_errors))
        .layer(map_response(clock::stamp))
        .with_state(local)
}

/// Every route. Handlers are added here and nowhere else, so the document lists all of them.
fn routes(local: &Local) -> OpenApiRouter<Local> {
    open_routes()
        .merge(token_routes().route_layer(from_fn_with_state(local.node.clone(), guard::bearer)))
}

#[allow(deprecated, reason = "the mark is for the document")]
fn open_routes() -> OpenApiRouter<Local> {
    let deprecated = OpenApiRouter::new()
        .routes(routes!(deprecated::agent_send))
        .routes(routes!(deprecated::network_send))
        .routes(routes!(deprecated::network_message))
        .routes(routes!(deprecated::group_send))
        .routes(routes!(deprecated::group_message))
        .layer(map_response(deprecated::mark));
    OpenApiRouter::with_openapi(openapi::Frame::openapi())
        .merge(deprecated)
        .routes(routes!(network::peers))
        .routes(routes!(network::status))
        // Everything else there is a relay's, and answers the same.
        .route("/api/network/{*rest}", any(network::absent))
        .routes(routes!(send::send))
        .routes(routes!(health::health))
        .routes(routes!(health::agent_status))
        .routes(routes!(health::status))
        .routes(routes!(openapi::serve))
}

fn token_routes() -> OpenApiRouter<Local> {
    OpenApiRouter::new()
        .routes(routes!(messages::list))
        .routes(routes!(messages::show))
        .routes(routes!(messages::acknowledge))
        .routes(routes!(asks::ask))
        .routes(routes!(asks::show))
        .routes(routes!(peers::list))
        .routes(routes!(events::events))
}

/// An unknown path, or a known one with another method.
async fn not_found() -> impl IntoResponse {
    Failure(Problem::new(Code::NotFound).summary("Not found"))
}
