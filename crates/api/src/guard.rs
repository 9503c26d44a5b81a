//! The one guard in front of every route of the local TCP listeners.
//!
//! Any web page can make the user's browser send requests to `127.0.0.1`. Four checks stop all of
//! them, for every route and for paths that do not exist:
//!
//! - `Host` must name this listener: a page that points its own domain name at the loopback
//!   address (DNS rebinding) still sends its own name here.
//! - `Origin`, when there is one, must be this listener's own.
//! - `Sec-Fetch-Site`, which browsers add and pages cannot change, must be absent, `none` or
//!   `same-origin`. This catches the requests for which browsers send no `Origin`.
//! - A request that carries a body must declare it as JSON. A page can only send that after asking
//!   (a preflight), and nobody answers here.
//!
//! Requests that read messages or act for the user need the bearer token as well: [`bearer`].

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, ORIGIN, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, Uri};
use subtle::ConstantTimeEq;
use tieline_node::Node;
use tieline_wire::problem::{Code, Problem};
use tokio_util::sync::CancellationToken;

use crate::problem::Failure;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Refuses requests that a web page could have caused.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    /// `host:port` spellings of this listener, in lower case.
    hosts: Arc<[String]>,
    /// Whether a person may come to `/` by a link from anywhere.
    has_front_door: bool,
}

impl Guard {
    /// The guard of a listener bound to `bound`.
    pub(crate) fn new(bound: SocketAddr) -> Self {
        let port = bound.port();
        let mut names = vec![
            "localhost".to_owned(),
            Ipv4Addr::LOCALHOST.to_string(),
            format!("[{}]", Ipv6Addr::LOCALHOST),
        ];
        let own = match bound {
            SocketAddr::V4(v4) => v4.ip().to_string(),
            SocketAddr::V6(v6) => format!("[{}]", v6.ip()),
        };
        if !names.contains(&own) {
            names.push(own);
        }
        let mut hosts: Vec<String> = names.iter().map(|name| format!("{name}:{port}")).collect();
        if port == 80 {
            // Clients leave out the default port.
            hosts.extend(names);
        }
        Self {
            hosts: hosts.into(),
            has_front_door: false,
        }
    }

    /// The guard of a listener whose `/` is a page for people.
    ///
    /// Links to it are clicked in terminals that are pages themselves, and in a file on this
    /// machine; browsers call both foreign. So it can be *navigated to* from anywhere, as a page of
    /// its own: it is the same for everybody, and what it is opened from can neither read it nor
    /// put it into a frame. Everything that the page then fetches it fetches as itself.
    pub(crate) fn of_page(bound: SocketAddr) -> Self {
        Self {
            has_front_door: true,
            ..Self::new(bound)
        }
    }

    fn check(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        self.check_host(uri, headers)?;
        self.check_origin(headers)?;
        if !(self.has_front_door && is_navigation(method, uri, headers)) {
            check_fetch_site(headers)?;
        }
        check_content_type(method, headers)
    }

    fn check_host(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        let mut given = headers.get_all(HOST).iter();
        let only = match (given.next(), given.next()) {
            (Some(only), None) => only,
            _ => return Err(Problem::new(Code::ForbiddenHost)),
        };
        // A request line with a full URL names the host a second time.
        let in_line_too = uri
            .authority()
            .is_none_or(|authority| self.names_us(authority.as_str()));
        if in_line_too && only.to_str().is_ok_and(|host| self.names_us(host)) {
            Ok(())
        } else {
            Err(Problem::new(Code::ForbiddenHost))
        }
    }

    fn check_origin(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let own = |origin: &HeaderValue| {
            origin
                .to_str()
                .ok()
                .and_then(|origin| origin.strip_prefix("http://"))
                .is_some_and(|host| self.names_us(host))
        };
        if headers.get_all(ORIGIN).iter().all(own) {
            Ok(())
        } else {
            Err(Problem::new(Code::ForbiddenOrigin))
        }
    }

    fn names_us(&self, host: &str) -> bool {
        self.hosts.iter().any(|own| own.eq_ignore_ascii_case(host))
    }
}

/// Whether a browser is about to show `/` in a tab of its own.
fn is_navigation(method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
    let only = |name: HeaderName, wanted: &str| {
        let mut given = headers.get_all(name).iter();
        given
            .next()
            .is_some_and(|value| value.as_bytes() == wanted.as_bytes())
            && given.next().is_none()
    };
    method == Method::GET
        && uri.path() == "/"
        && only(SEC_FETCH_MODE, "navigate")
        && only(SEC_FETCH_DEST, "document")
}

fn check_fetch_site(headers: &HeaderMap) -> Result<(), Problem> {
    let harmless = |site: &HeaderValue| matches!(site.as_bytes(), b"none" | b"same-origin");
    if headers.get_all(SEC_FETCH_SITE).iter().all(harmless) {
        Ok(())
    } else {
        Err(Problem::new(Code::ForbiddenOrigin))
    }
}

fn check_content_type(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    if ![Method::POST, Method::PUT, Method::PATCH].contains(method) {
        return Ok(());
    }
    let mut given = headers.get_all(CONTENT_TYPE).iter();
    let is_json = match (given.next(), given.next()) {
        (Some(only), None) => only.to_str().is_ok_and(|value| {
            let essence = value.split(';').next().unwrap_or_default().trim();
            essence.eq_ignore_ascii_case("application/json")
        }),
        _ => false,
    };
    if is_json {
        Ok(())
    } else {
        Err(Problem::new(Code::UnsupportedMediaType))
    }
}

/// The middleware form of [`Guard`].
pub(crate) async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    match guard.check(request.method(), request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => {
            // Not louder: a page could fill the log with it.
            tracing::debug!(code = ?problem.code, path = request.uri().path(), "refused a local request");
            Failure(problem).into_response()
        }
    }
}

/// The middleware that demands the token which `tieline token` prints.
pub(crate) async fn bearer(State(node): State<Node>, mut request: Request, next: Next) -> Response {
    // Before the token is looked at: one that is replaced in between must not outlive that.
    let admission = Admission(node.api_admission());
    if presents(request.headers(), &node.api_token()) {
        request.extensions_mut().insert(admission);
        return next.run(request).await;
    }
    let mut refusal = Failure(Problem::new(Code::Unauthorized)).into_response();
    refusal
        .headers_mut()
        .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    refusal
}

/// How long what a token opened may stay open.
#[derive(Debug, Clone)]
pub(crate) struct Admission(CancellationToken);

impl Admission {
    /// Returns when the token was replaced since.
    pub(crate) async fn ended(self) {
        self.0.cancelled_owned().await;
    }
}

/// The same for every route, where the person's preferences demand the token on all of them.
pub(crate) async fn bearer_where_required(
    State(node): State<Node>,
    request: Request,
    next: Next,
) -> Response {
    if node.requires_token() {
        bearer(State(node), request, next).await
    } else {
        next.run(request).await
    }
}

/// Whether the request presents `token`; how long this takes does not depend on where they differ.
fn presents(headers: &HeaderMap, token: &str) -> bool {
    bearer_of(headers)
        .is_some_and(|presented| bool::from(presented.as_bytes().ct_eq(token.as_bytes())))
}

/// The bearer that a request presents, if it presents exactly one.
pub(crate) fn bearer_of(headers: &HeaderMap) -> Option<&str> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let (Some(only), None) = (given.next(), given.next()) else {
        return None;
    };
    let (scheme, presented) = only.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(presented.trim())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        map
    }

    fn verdict(method: Method, target: &str, pairs: &[(&'static str, &str)]) -> Option<Code> {
        let guard = Guard::new("127.0.0.1:3847".parse().unwrap());
        guard
            .check(&method, &target.parse().unwrap(), &headers(pairs))
            .err()
            .map(|problem| problem.code)
    }

    #[test]
    fn lets_plain_programs_and_its_own_pages_in() {
        for host in [
            "127.0.0.1:3847",
            "localhost:3847",
            "LOCALHOST:3847",
            "[::1]:3847",
        ] {
            assert_eq!(
                verdict(Method::GET, "/health", &[("host", host)]),
                None,
                "{host}"
            );
        }
        let own = [
            ("host", "localhost:3847"),
            ("origin", "http://localhost:3847"),
            ("sec-fetch-site", "same-origin"),
        ];
        assert_eq!(verdict(Method::GET, "/status", &own), None);
        let json = [
            ("host", "localhost:3847"),
            ("content-type", "Application/JSON; charset=utf-8"),
        ];
        assert_eq!(verdict(Method::POST, "/api/a2a/send", &json), None);
    }

    #[test]
    fn refuses_every_host_that_is_not_this_listener() {
        for host in [
            "evil.example",
            "evil.example:3847",
            "localhost",
            "localhost:3848",
            "localhost.:3847",
            "localhost.evil.example:3847",
            "127.0.0.1:3847.evil.example",
            "user@127.0.0.1:3847",
            "127.1:3847",
            "0.0.0.0:3847",
            "",
        ] {
            assert_eq!(
                verdict(Method::GET, "/", &[("host", host)]),
                Some(Code::ForbiddenHost),
                "{host:?}"
            );
        }
        assert_eq!(verdict(Method::GET, "/", &[]), Some(Code::ForbiddenHost));
        let two = [("host", "127.0.0.1:3847"), ("host", "evil.example")];
        assert_eq!(verdict(Method::GET, "/", &two), Some(Code::ForbiddenHost));
        let absolute = verdict(
            Method::GET,
            "http://evil.example/health",
            &[("host", "127.0.0.1:3847")],
        );
        assert_eq!(absolute, Some(Code::ForbiddenHost));
    }

    #[test]
    fn refuses_foreign_origins_and_cross_site_requests() {
        for origin in [
            "null",
            "http://evil.example",
            "https://127.0.0.1:3847",
            "http://127.0.0.1:3000",
            "file://",
            "",
        ] {
            let pairs = [("host", "127.0.0.1:3847"), ("origin", origin)];
            assert_eq!(
                verdict(Method::GET, "/", &pairs),
                Some(Code::ForbiddenOrigin),
                "{origin:?}"
            );
        }
        for site in ["cross-site", "same-site", "", "none, cross-site"] {
            let pairs = [("host", "127.0.0.1:3847"), ("sec-fetch-site", site)];
            assert_eq!(
                verdict(Method::GET, "/", &pairs),
                Some(Code::ForbiddenOrigin),
                "{site:?}"
            );
        }
    }

    #[test]
    fn a_page_can_be_navigated_to_from_anywhere_and_nothing_else() {
        let guard = Guard::of_page("127.0.0.1:3849".parse().unwrap());
        let verdict = |method: Method, target: &str, mode: &str, dest: &str| {
            let pairs = [
                ("host", "127.0.0.1:3849"),
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", mode),
                ("sec-fetch-dest", dest),
            ];
            guard
                .check(&method, &target.parse().unwrap(), &headers(&pairs))
                .err()
                .map(|problem| problem.code)
        };
        assert_eq!(verdict(Method::GET, "/", "navigate", "document"), None);
        for (method, target, mode, dest) in [
            (Method::GET, "/assets/index.js", "navigate", "document"),
            (Method::GET, "/control/status", "navigate", "document"),
            (Method::HEAD, "/", "navigate", "document"),
            (Method::GET, "/", "navigate", "iframe"),
            (Method::GET, "/", "no-cors", "script"),
            (Method::GET, "/", "cors", "empty"),
            (Method::GET, "/", "no-cors", "document"),
        ] {
            assert_eq!(
                verdict(method.clone(), target, mode, dest),
                Some(Code::ForbiddenOrigin),
                "{method} {target} {mode} {dest}"
            );
        }
        let elsewhere = Guard::new("127.0.0.1:3849".parse().unwrap());
        let pairs = headers(&[
            ("host", "127.0.0.1:3849"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ]);
        assert!(
            elsewhere
                .check(&Method::GET, &"/".parse().unwrap(), &pairs)
                .is_err()
        );
    }

    #[test]
    fn takes_only_json_bodies() {
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "application/jsonx",
            "",
        ] {
            for method in [Method::POST, Method::PUT] {
                let pairs = [("host", "127.0.0.1:3847"), ("content-type", kind)];
                assert_eq!(
                    verdict(method, "/", &pairs),
                    Some(Code::UnsupportedMediaType),
                    "{kind:?}"
                );
            }
        }
        assert_eq!(
            verdict(Method::POST, "/", &[("host", "127.0.0.1:3847")]),
            Some(Code::UnsupportedMediaType)
        );
        let two = [
            ("host", "127.0.0.1:3847"),
            ("content-type", "application/json"),
            ("content-type", "text/plain"),
        ];
        assert_eq!(
            verdict(Method::POST, "/", &two),
            Some(Code::UnsupportedMediaType)
        );
    }

    #[test]
    fn a_token_must_be_whole_and_alone() {
        let sent = |value: &str| presents(&headers(&[("authorization", value)]), "secret-token");
        assert!(sent("Bearer secret-token"));
        assert!(sent("bearer secret-token"));
        for wrong in [
            "Bearer secret-toke",
            "Bearer secret-token2",
            "Basic secret-token",
            "secret-token",
            "Bearer",
            "",
        ] {
            assert!(!sent(wrong), "{wrong:?}");
        }
        let twice = headers(&[
            ("authorization", "Bearer secret-token"),
            ("authorization", "Bearer x"),
        ]);
        assert!(!presents(&twice, "secret-token"));
    }
}
