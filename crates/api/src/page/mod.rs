//! The page for a browser on this machine (`tieline serve --ui`): the same page as in the app's
//! window, with the control API behind it, on a loopback port of its own.
//!
//! Whoever gets in here controls the node, so three things stand in the way. The guard
//! in front of everything, files included, keeps other web pages out. A [`Door`] opens only to a code
//! that a terminal printed, once, within a minute; the page exchanges it for a bearer that every route
//! of the control API wants. And what a page must never do, the routes refuse
//! (`NOT_FROM_BROWSER`): its bearer is in reach of the browser's extensions.
//!
//! The bearer travels in a header, never in a cookie, so that no browser attaches it by itself, and
//! never in an address, so that it is in no history. The code is in the link's fragment, which
//! browsers send to nobody.

mod door;
mod files;
mod session;

use std::net::SocketAddr;

use axum::Router;
use axum::middleware::{from_fn_with_state, map_response};
use axum::routing::post;
use tieline_node::Node;
use tieline_wire::problem::{Code, Problem};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::guard::{self, Guard};
use crate::{clock, control, ports, serve};

pub use door::{CODE_LIFE, Door};
pub use files::Files;

/// Where the page is served unless told otherwise.
pub const DEFAULT_PAGE_ADDR: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 3849);

/// The page's port, bound but not served yet: its [`Door`] is needed for the control socket.
#[derive(Debug)]
pub struct PageListener {
    listener: TcpListener,
    addr: SocketAddr,
    door: Door,
}

impl PageListener {
    /// Binds `addr` (port 0 picks a free one). `host` is the name for it in links, such as
    /// `localhost`; without it they carry the address itself.
    ///
    /// # Errors
    /// `CONFIG_INVALID` for an address that other machines can reach; `PORT_IN_USE` or `PORT_DENIED`
    /// when it cannot be bound.
    pub async fn bind(addr: SocketAddr, host: Option<&str>) -> Result<Self, Problem> {
        const OPTION: &str = "--ui-addr";
        if !addr.ip().is_loopback() {
            return Err(Problem::new(Code::ConfigInvalid)
                .summary(format!("The page cannot be served on {addr}."))
                .because("Other machines could reach it there, and it controls this node over plain HTTP.")
                .remedy(format!(
                    "Give a loopback address, such as {OPTION} 127.0.0.1:{}; from elsewhere reach it through `ssh -L`.",
                    addr.port()
                )));
        }
        let failed = |error| ports::bind_problem(addr, &error, OPTION);
        let listener = TcpListener::bind(addr).await.map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        let place = match host {
            Some(host) => format!("{host}:{}", addr.port()),
            None => addr.to_string(),
        };
        Ok(Self {
            listener,
            addr,
            door: Door::new(&place),
        })
    }

    /// The address bound, with the real port.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What makes the links that open the page.
    #[must_use]
    pub fn door(&self) -> Door {
        self.door.clone()
    }

    /// Serves the page and the control API of `node`.
    #[must_use]
    pub fn serve(self, node: Node, files: Files) -> PageServer {
        let stop = CancellationToken::new();
        node.note_listening("page", self.addr.to_string());
        let router = router(node, self.door, files, self.addr, stop.clone());
        PageServer {
            running: serve::Running::start(self.listener, router, stop),
        }
    }
}

/// The running listener of the page.
#[derive(Debug)]
pub struct PageServer {
    running: serve::Running,
}

impl PageServer {
    /// Takes no more requests, gives those in flight a few seconds, then returns.
    pub async fn shutdown(self) {
        self.running.shutdown().await;
    }
}

fn router(
    node: Node,
    door: Door,
    files: Files,
    bound: SocketAddr,
    stop: CancellationToken,
) -> Router {
    let session = from_fn_with_state(door.clone(), session::required);
    control::page_routes(node, stop)
        .route_layer(session)
        .route("/session", post(session::open))
        .with_state(door)
        .fallback(move |method, uri| files::serve(files, method, uri))
        .method_not_allowed_fallback(control::not_found)
        .layer(from_fn_with_state(Guard::of_page(bound), guard::guard))
        .layer(map_response(files::protect))
        .layer(map_response(clock::stamp))
}
