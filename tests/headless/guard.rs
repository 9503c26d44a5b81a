//! No web page and no program without the token gets where it should not: every route of the
//! local API under every attack. The routes are read from the OpenAPI document that is served,
//! which is made from the routes themselves.

use serde_json::{Value, json};

use crate::harness::Machine;
use crate::harness::http::{Request, Response};

/// One route, as the document has it.
pub(crate) struct Route {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) wants_token: bool,
}

pub(crate) fn routes(document: &Value) -> Vec<Route> {
    let mut routes = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            routes.push(Route {
                method: method.to_uppercase(),
                path: path
                    .replace("{id}", "no-such-message")
                    .replace("{name}", "nobody"),
                wants_token: operation["security"]
                    .as_array()
                    .is_some_and(|schemes| !schemes.is_empty()),
            });
        }
    }
    routes
}

/// A request that a well-behaved agent would make.
fn honest(node: &Machine, route: &Route, token: &str) -> Request {
    let mut request = node.request(&route.method, &route.path);
    if route.method != "GET" {
        request = request.json(&json!({"to": "nobody", "payload": {"type": "text", "text": "hi"}}));
    }
    if route.wants_token {
        request = request.header("Authorization", &format!("Bearer {token}"));
    }
    request
}

/// What a page could make a browser send, or a program could try.
pub(crate) fn attacks(honest: &Request, port: u16) -> Vec<(String, u16, Request)> {
    let mut attacks = Vec::new();
    let hosts = [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
        format!("127.0.0.1:{}", port ^ 1),
        format!("127.0.0.1.evil.example:{port}"),
        format!("127.0.0.1:{port}.evil.example"),
        format!("localhost.:{port}"),
        format!("0.0.0.0:{port}"),
        format!("[::]:{port}"),
    ];
    for host in hosts {
        attacks.push((
            format!("Host {host}"),
            403,
            honest.clone().replace("Host", Some(&host)),
        ));
    }
    let second = honest.clone().header("Host", "evil.example");
    attacks.push(("a second Host".to_owned(), 403, second));
    let full = honest.clone().target("http://evil.example/health");
    attacks.push(("a full URL of another host".to_owned(), 403, full));
    for origin in [
        "http://evil.example",
        "null",
        "https://localhost",
        "http://127.0.0.1:1",
        "chrome-extension://abc",
    ] {
        attacks.push((
            format!("Origin {origin}"),
            403,
            honest.clone().header("Origin", origin),
        ));
    }
    for site in ["cross-site", "same-site"] {
        attacks.push((
            format!("Sec-Fetch-Site {site}"),
            403,
            honest.clone().header("Sec-Fetch-Site", site),
        ));
    }
    attacks
}

pub(crate) fn body_attacks(honest: &Request) -> Vec<(String, u16, Request)> {
    let kinds = [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/json",
    ];
    let mut attacks: Vec<_> = kinds
        .into_iter()
        .map(|kind| {
            (
                format!("Content-Type {kind}"),
                415,
                honest.clone().replace("Content-Type", Some(kind)),
            )
        })
        .collect();
    attacks.push((
        "no Content-Type".to_owned(),
        415,
        honest.clone().replace("Content-Type", None),
    ));
    attacks
}

pub(crate) fn token_attacks(
    honest: &Request,
    path: &str,
    token: &str,
) -> Vec<(String, u16, Request)> {
    let longer = format!("Bearer {token}x");
    let cut = format!("Bearer {}", &token[..token.len() - 1]);
    let basic = format!("Basic {token}");
    let mut attacks: Vec<_> = [
        longer.as_str(),
        &cut,
        &basic,
        token,
        "Bearer ",
        "Bearer null",
        "",
    ]
    .into_iter()
    .map(|value| {
        (
            format!("Authorization {value:?}"),
            401,
            honest.clone().replace("Authorization", Some(value)),
        )
    })
    .collect();
    attacks.push((
        "no token".to_owned(),
        401,
        honest.clone().replace("Authorization", None),
    ));
    let query = honest
        .clone()
        .replace("Authorization", None)
        .target(&format!("{path}?token={token}&access_token={token}"));
    attacks.push(("the token in the address".to_owned(), 401, query));
    attacks
}

#[test]
fn every_local_route_withstands_every_attack() {
    let node = Machine::start("guarded");
    let token = node.tieline(["token"]).success().line();
    let document = node.request("GET", "/api/openapi.json").send().json();
    let routes = routes(&document);
    assert!(routes.len() >= 10, "the document lists the routes");

    let mut tried = 0;
    for route in &routes {
        let honest = honest(&node, route, &token);
        if !route.path.ends_with("/events") {
            let answer = honest.clone().send();
            assert!(
                ![401, 403, 415].contains(&answer.status),
                "{} {}: {answer:?}",
                route.method,
                route.path
            );
            assert_ne!(
                answer.code(),
                "NOT_FOUND",
                "{} {} is documented and not there",
                route.method,
                route.path
            );
            assert!(
                answer.header("x-timestamp").is_some(),
                "{} {}",
                route.method,
                route.path
            );
        }
        let mut attacks = attacks(&honest, node.api_addr().port());
        if route.method != "GET" {
            attacks.extend(body_attacks(&honest));
        }
        if route.wants_token {
            attacks.extend(token_attacks(&honest, &route.path, &token));
        }
        for (attack, status, request) in attacks {
            let answer = request.send();
            assert_eq!(
                answer.status, status,
                "{} {} with {attack}: {answer:?}",
                route.method, route.path
            );
            refused_in_the_documented_shape(&answer, &attack);
            assert!(
                !answer
                    .headers
                    .iter()
                    .any(|(name, _)| name.starts_with("access-control-")),
                "no page is ever let in: {attack}"
            );
            tried += 1;
        }
    }
    println!("{tried} attacks on {} routes", routes.len());
    let messages = node
        .authorized("GET", "/api/a2a/messages?direction=out")
        .send()
        .json();
    assert_eq!(messages["messages"], json!([]), "an attack had an effect");
}

#[cfg(unix)]
#[test]
fn a_preference_demands_the_token_on_every_route() {
    let node = Machine::start("guarded");
    let token = node.tieline(["token"]).success().line();
    let document = node.request("GET", "/api/openapi.json").send().json();
    let require = |required: bool| {
        let changed = node
            .control("PATCH", "/control/preferences")
            .json(&json!({"requireToken": required}))
            .send();
        assert_eq!(changed.status, 200, "{changed:?}");
        assert_eq!(changed.json()["requireToken"], required);
    };

    require(true);
    let mut open = 0;
    for route in &routes(&document) {
        let bare = honest(&node, route, &token).replace("Authorization", None);
        for (attack, status, request) in token_attacks(&bare, &route.path, &token) {
            let answer = request.send();
            let shown = format!("{} {} with {attack}", route.method, route.path);
            assert_eq!(answer.status, status, "{shown}: {answer:?}");
            refused_in_the_documented_shape(&answer, &shown);
        }
        if !route.path.ends_with("/events") {
            let bearer = format!("Bearer {token}");
            let allowed = bare.header("Authorization", &bearer).send();
            assert_ne!(allowed.status, 401, "{} {}", route.method, route.path);
        }
        open += usize::from(!route.wants_token);
    }
    assert!(
        open >= 5,
        "the document lists routes that need no token otherwise"
    );
    assert_eq!(node.request("GET", "/nowhere").send().status, 401);
    let messages = node.control("GET", "/control/messages").send().json();
    assert_eq!(messages["messages"], json!([]), "an attack had an effect");

    require(false);
    assert_eq!(node.request("GET", "/health").send().status, 200);
}

fn refused_in_the_documented_shape(answer: &Response, attack: &str) {
    let body = answer.json();
    assert_eq!(body["ok"], false, "{attack}");
    for field in ["error", "code", "cause", "remedy", "timestamp"] {
        assert!(
            body[field].as_str().is_some_and(|text| !text.is_empty()),
            "{attack}: {field} in {body}"
        );
    }
}

#[test]
fn what_does_not_exist_is_guarded_too() {
    let node = Machine::start("guarded");
    for (method, path) in [
        ("GET", "/nowhere"),
        ("DELETE", "/health"),
        ("OPTIONS", "/api/a2a/send"),
        ("GET", "/api/a2a/send"),
    ] {
        let honest = node.request(method, path);
        let answer = honest.clone().send();
        assert_eq!(answer.status, 404, "{method} {path}: {answer:?}");
        assert_eq!(answer.json()["error"], "Not found");
        for (attack, status, request) in attacks(&honest, node.api_addr().port()) {
            assert_eq!(
                request.send().status,
                status,
                "{method} {path} with {attack}"
            );
        }
    }
}

#[test]
fn a_preflight_is_refused() {
    let node = Machine::start("guarded");
    let answer = node
        .request("OPTIONS", "/api/a2a/send")
        .header("Origin", "http://evil.example")
        .header("Access-Control-Request-Method", "POST")
        .header("Access-Control-Request-Headers", "content-type")
        .send();
    assert_eq!(answer.status, 403);
    assert!(answer.header("access-control-allow-origin").is_none());
}

#[test]
fn the_control_api_is_not_on_any_port() {
    let node = Machine::start("guarded");
    let token = node.tieline(["token"]).success().line();
    let document = node.tieline(["openapi", "control"]).success().json();
    for route in routes(&document) {
        let answer = node
            .request(&route.method, &route.path)
            .header("Authorization", &format!("Bearer {token}"))
            .json(&json!({}))
            .send();
        assert_eq!(answer.status, 404, "{} {}", route.method, route.path);
    }
}

#[cfg(unix)]
#[test]
fn only_the_user_can_open_the_home_and_its_socket() {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt};
    let node = Machine::start("guarded");
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let socket = node.home().join("control.sock");
    assert!(std::fs::metadata(&socket).unwrap().file_type().is_socket());
    assert_eq!(mode(&socket), 0o600);
    assert_eq!(mode(node.home()), 0o700);
}
