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

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

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
pub const DEFAULT_PAGE_ADDR: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3849);

/// The page's port, bound but not served yet: its [`Door`] is needed for the control socket.
#[derive(Debug)]
pub struct PageListener {
    listener: TcpListener,
    /// The same port of the other loopback address, where links name both.
    twin: Option<TcpListener>,
    addr: SocketAddr,
    door: Door,
}

impl PageListener {
    /// Binds `addr` (port 0 picks a free one). Links carry the address itself, or `localhost` where
    /// that is wanted and leads there. A browser takes that name for either of the two loopback
    /// addresses, so the port is then taken on both: another user's program at the other one
    /// would get the codes.
    ///
    /// # Errors
    /// `CONFIG_INVALID` for an address that other machines can reach; `PORT_IN_USE` or `PORT_DENIED`
    /// when it, or its twin, cannot be bound.
    pub async fn bind(addr: SocketAddr, as_localhost: bool) -> Result<Self, Problem> {
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
        let other = twin_of(addr).filter(|_| as_localhost);
        let place = match other {
            Some(_) => format!("localhost:{}", addr.port()),
            None => addr.to_string(),
        };
        let twin = match other {
            Some(other) => bind_twin(other)
                .await
                .map_err(|error| ports::bind_problem(other, &error, OPTION))?,
            None => None,
        };
        Ok(Self {
            listener,
            twin,
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
        let twin = self
            .twin
            .map(|twin| serve::Running::start(twin, router.clone(), stop.clone()));
        PageServer {
            running: serve::Running::start(self.listener, router, stop),
            twin,
        }
    }
}

/// The running listener of the page.
#[derive(Debug)]
pub struct PageServer {
    running: serve::Running,
    twin: Option<serve::Running>,
}

impl PageServer {
    /// Takes no more requests, gives those in flight a few seconds, then returns.
    pub async fn shutdown(self) {
        let twin = async {
            if let Some(twin) = self.twin {
                twin.shutdown().await;
            }
        };
        tokio::join!(self.running.shutdown(), twin);
    }
}

/// The other address that `localhost` may be, if this is one of the two.
fn twin_of(addr: SocketAddr) -> Option<SocketAddr> {
    let other: IpAddr = match addr.ip() {
        IpAddr::V4(Ipv4Addr::LOCALHOST) => Ipv6Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::LOCALHOST) => Ipv4Addr::LOCALHOST.into(),
        _ => return None,
    };
    Some(SocketAddr::new(other, addr.port()))
}

/// Binds it; none where this machine has no such address, so that nobody can.
async fn bind_twin(addr: SocketAddr) -> io::Result<Option<TcpListener>> {
    match TcpListener::bind(addr).await {
        Ok(twin) => Ok(Some(twin)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a machine without IPv6 (or IPv4) answers so.
fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported
    )
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

#[cfg(test)]
#[path = "../../../../tests/harness/skip.rs"]
#[allow(clippy::expect_used, clippy::print_stderr, unreachable_pub)]
mod skip;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const ANY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

    fn place(page: &PageListener) -> String {
        let link = page.door().link().unwrap();
        link.split_once("/#").unwrap().0.to_owned()
    }

    #[tokio::test]
    async fn where_links_say_localhost_nobody_else_listens_under_that_name() {
        if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await.is_err() {
            skip::skip("this machine has no IPv6");
            return;
        }
        let page = PageListener::bind(ANY, true).await.unwrap();
        let port = page.addr().port();
        assert_eq!(place(&page), format!("http://localhost:{port}"));
        let taken = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await;
        assert_eq!(taken.unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(page);

        let squatter = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await.unwrap();
        let addr = SocketAddr::new(ANY.ip(), squatter.local_addr().unwrap().port());
        let refused = PageListener::bind(addr, true).await.unwrap_err();
        assert_eq!(refused.code, Code::PortInUse);
        // Under its address alone it has nothing to do with the other one.
        let page = PageListener::bind(addr, false).await.unwrap();
        assert_eq!(place(&page), format!("http://{addr}"));
    }

    #[tokio::test]
    async fn links_say_localhost_only_where_that_leads_there() {
        let other = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)), 0);
        let Ok(page) = PageListener::bind(other, true).await else {
            skip::skip("this machine has only one loopback address");
            return;
        };
        assert_eq!(place(&page), format!("http://{}", page.addr()));
    }
}
