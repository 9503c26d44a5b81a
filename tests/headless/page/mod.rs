//! The page for browsers, over HTTP: who gets in, and what it may do. What it looks like and how it
//! works in a real browser is in `browser`.

#[cfg(target_os = "linux")]
pub(crate) mod opening;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::guard::{Route, attacks, body_attacks, routes, token_attacks};
use crate::harness::http::{Request, Response};
use crate::harness::{Launch, Machine, skip};

/// A node that serves the page; none where the page was not built.
pub(crate) fn serving(launch: Launch) -> Option<Machine> {
    if !std::path::Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../ui/dist/index.html"
    ))
    .exists()
    {
        skip("the page is not built; `cargo xtask ui` does that");
        return None;
    }
    Some(launch.start())
}

/// The code in a link.
fn code_of(link: &str) -> &str {
    link.split_once("/#code=")
        .expect("a code in the fragment")
        .1
}

fn knock(node: &Machine, code: &str) -> Response {
    Request::new(node.page_addr(), "POST", "/session")
        .json(&json!({ "code": code }))
        .send()
}

/// Opens the page, as a browser would.
fn bearer(node: &Machine) -> String {
    let answer = knock(node, code_of(&node.page_link()));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["bearer"].as_str().unwrap().to_owned()
}

fn as_page(node: &Machine, bearer: &str, method: &str, path: &str) -> Request {
    let request = Request::new(node.page_addr(), method, path)
        .header("Authorization", &format!("Bearer {bearer}"));
    if ["POST", "PUT", "PATCH"].contains(&method) {
        request.json(&json!({ "to": "nobody", "name": "x" }))
    } else {
        request
    }
}

fn refused_in_words(answer: &Response, attack: &str) {
    let body = answer.json();
    for field in ["code", "summary", "cause", "remedy"] {
        let text = body[field].as_str().unwrap_or_default();
        assert!(!text.is_empty(), "{attack}: {field} in {body}");
    }
}

#[test]
fn every_route_and_file_of_the_page_withstands_every_attack() {
    let Some(node) = serving(Launch::new("guarded").page()) else {
        return;
    };
    let bearer = bearer(&node);
    let document = node.tieline(["openapi", "control"]).success().json();
    let mut all = routes(&document);
    assert!(all.len() >= 30, "the document lists the routes");
    let control = all.len();
    let index = Request::new(node.page_addr(), "GET", "/").send();
    let index = String::from_utf8(index.body).unwrap();
    let script = index.split('"').find(|part| part.ends_with(".js")).unwrap();
    for (method, path) in [
        ("GET", "/"),
        ("GET", script.trim_start_matches('.')),
        ("POST", "/session"),
        ("GET", "/nowhere"),
        ("GET", "/control/nowhere"),
    ] {
        let [method, path] = [method, path].map(str::to_owned);
        all.push(Route {
            method,
            path,
            wants_token: false,
        });
    }

    let mut tried = 0;
    for (place, Route { method, path, .. }) in all.iter().enumerate() {
        let honest = as_page(&node, &bearer, method, path);
        let mut attacks = attacks(&honest, node.page_addr().port());
        if ["POST", "PUT", "PATCH"].contains(&method.as_str()) {
            attacks.extend(body_attacks(&honest));
        }
        if place < control {
            attacks.extend(token_attacks(&honest, path, &bearer));
            let local = node.tieline(["token"]).success().line();
            let local = honest
                .clone()
                .replace("Authorization", Some(&format!("Bearer {local}")));
            attacks.push(("the local API's token".to_owned(), 401, local));
        }
        for (attack, status, request) in attacks {
            let answer = request.send();
            let shown = format!("{method} {path} with {attack}");
            assert_eq!(answer.status, status, "{shown}: {answer:?}");
            refused_in_words(&answer, &shown);
            let allows = |(name, _): &(String, String)| name.starts_with("access-control-");
            assert!(!answer.headers.iter().any(allows), "{shown}");
            tried += 1;
        }
        if !path.ends_with("/events") {
            let answer = honest.send();
            assert!(
                ![401, 415].contains(&answer.status),
                "{method} {path}: {answer:?}"
            );
            assert_ne!(answer.code(), "FORBIDDEN_ORIGIN", "{method} {path}");
            protected(&answer, path);
        }
    }
    println!("{tried} attacks on {} routes and files", all.len());
    assert_eq!(
        node.tieline(["peers", "list", "--json"]).success().stdout,
        ""
    );
}

/// The headers that keep the page out of other pages, and other pages out of it.
fn protected(answer: &Response, path: &str) {
    let policy = answer.header("content-security-policy").unwrap_or_default();
    assert!(
        policy.starts_with("default-src 'none'; "),
        "{path}: {policy}"
    );
    assert!(
        !policy.contains("unsafe") && !policy.contains("http"),
        "{path}: {policy}"
    );
    assert!(
        policy.contains("frame-ancestors 'none'"),
        "{path}: {policy}"
    );
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{path}: {name}");
    }
    assert_eq!(answer.header("set-cookie"), None, "{path}");
}

#[test]
fn people_may_come_to_the_page_from_anywhere_and_pages_may_not_use_it() {
    let Some(node) = serving(Launch::new("guarded").page()) else {
        return;
    };
    let coming = |path: &str, mode: &str, dest: &str| {
        Request::new(node.page_addr(), "GET", path)
            .header("Sec-Fetch-Site", "cross-site")
            .header("Sec-Fetch-Mode", mode)
            .header("Sec-Fetch-Dest", dest)
            .send()
            .status
    };
    assert_eq!(coming("/", "navigate", "document"), 200);
    assert_eq!(coming("/", "navigate", "iframe"), 403);
    assert_eq!(coming("/", "cors", "empty"), 403);
    assert_eq!(coming("/control/status", "navigate", "document"), 403);
}

#[test]
fn a_link_opens_the_page_once() {
    let Some(node) = serving(Launch::new("once").page()) else {
        return;
    };
    let link = node.page_link();
    let place = format!("http://{}/#code=", node.page_addr());
    assert!(link.starts_with(&place), "{link}");
    let first = knock(&node, code_of(&link));
    assert_eq!(first.status, 200, "{first:?}");
    let second = knock(&node, code_of(&link));
    assert_eq!(
        (second.status, second.code().as_str()),
        (401, "PAGE_CODE_INVALID")
    );

    let bearer = first.json()["bearer"].as_str().unwrap().to_owned();
    let status = as_page(&node, &bearer, "GET", "/control/status")
        .send()
        .json();
    assert_eq!(status["name"], "once");
    let by_code = as_page(&node, code_of(&link), "GET", "/control/status").send();
    assert_eq!(
        (by_code.status, by_code.code().as_str()),
        (401, "PAGE_SESSION_ENDED")
    );
}

#[test]
fn a_restart_ends_every_page() {
    let Some(mut node) = serving(Launch::new("restarted").page()) else {
        return;
    };
    let open = bearer(&node);
    assert_eq!(
        as_page(&node, &open, "GET", "/control/peers").send().status,
        200
    );

    node.restart();
    let later = as_page(&node, &open, "GET", "/control/peers").send();
    assert_eq!(
        (later.status, later.code().as_str()),
        (401, "PAGE_SESSION_ENDED")
    );
}

#[test]
fn wrong_codes_neither_close_the_door_nor_fill_the_log() {
    let Some(node) = serving(Launch::new("knocked").page()) else {
        return;
    };
    let link = node.page_link();
    for _ in 0..100 {
        assert_eq!(knock(&node, "guess").code(), "PAGE_CODE_INVALID");
    }
    assert_eq!(knock(&node, code_of(&link)).status, 200);
    let told = node.log().matches("a code that opens nothing").count();
    assert!((1..20).contains(&told), "{told}");
}

#[test]
fn the_page_follows_events_with_its_bearer() {
    let Some(node) = serving(Launch::new("watched").page()) else {
        return;
    };
    let mut lines = as_page(&node, &bearer(&node), "GET", "/control/events?after=0").stream();
    node.tieline(["invite"]).success();
    let event = lines.find(|line| line.starts_with("data:")).unwrap();
    let event: Value = serde_json::from_str(event.trim_start_matches("data:")).unwrap();
    assert!(
        event["seq"].is_u64() && event["kind"].is_string(),
        "{event}"
    );
}

/// Whether a schema of the document has a property of one of these names, anywhere in it.
fn mentions(document: &Value, schema: &Value, names: &[&str], seen: &mut BTreeSet<String>) -> bool {
    match schema {
        Value::Object(fields) => fields.iter().any(|(name, value)| match value {
            Value::String(target) if name == "$ref" => {
                let place = target.trim_start_matches('#');
                seen.insert(place.to_owned())
                    && mentions(document, document.pointer(place).unwrap(), names, seen)
            }
            Value::Object(properties) if name == "properties" => {
                properties
                    .keys()
                    .any(|property| names.contains(&property.as_str()))
                    || properties
                        .values()
                        .any(|value| mentions(document, value, names, seen))
            }
            other => mentions(document, other, names, seen),
        }),
        Value::Array(items) => items
            .iter()
            .any(|item| mentions(document, item, names, seen)),
        _ => false,
    }
}

#[cfg(unix)]
#[test]
fn the_page_sees_no_secret_and_chooses_no_command() {
    let Some(node) = serving(Launch::new("careful").page()) else {
        return;
    };
    let bearer = bearer(&node);
    let page = |method: &str, path: &str| as_page(&node, &bearer, method, path);
    let refused = |answer: Response, what: &str| {
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (403, "NOT_FROM_BROWSER"),
            "{what}"
        );
        refused_in_words(&answer, what);
    };

    // Every route that takes a command, by the document: a new one has to be listed here.
    let document = node.tieline(["openapi", "control"]).success().json();
    let command = json!({"kind": "command", "argv": ["/bin/true"], "timeoutSeconds": 5});
    let taking = [
        ("put", "/control/hook", command.clone()),
        ("put", "/control/peers/{name}/hook", command.clone()),
        (
            "post",
            "/control/peers/{name}/hook/try",
            json!({"hook": command}),
        ),
        ("put", "/control/responder", command),
    ];
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let names = ["argv", "command", "program", "shell"];
            if mentions(
                &document,
                &operation["requestBody"],
                &names,
                &mut BTreeSet::new(),
            ) {
                found.push((method.clone(), path.clone()));
            }
        }
    }
    let listed = taking
        .iter()
        .map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned()));
    assert_eq!(
        found,
        listed.collect::<Vec<_>>(),
        "routes that take a command"
    );
    // Keys, tokens and weaker proofs of abTARS are nothing for a page either.
    for (method, path, body) in [
        ("GET", "/control/abtars/export?secrets=true", json!({})),
        ("POST", "/control/abtars/import", json!({"text": "{}"})),
        ("POST", "/control/abtars/keys", json!({"signingKey": "x"})),
        ("PATCH", "/control/abtars", json!({"name": "x"})),
        ("GET", "/control/peers/nobody/abtars", json!({})),
        (
            "PATCH",
            "/control/peers/nobody/abtars",
            json!({"bearerAllowed": true}),
        ),
    ] {
        refused(page(method, path).json(&body).send(), path);
    }
    for (method, path, body) in &taking {
        let method = method.to_uppercase();
        let real = path.replace("{name}", "nobody");
        refused(page(&method, &real).json(body).send(), path);
        let trusted = node.control(&method, &real).json(body).send();
        // There is no peer of that name, which a page does not even learn.
        let wanted: &[u16] = if real == *path { &[200, 204] } else { &[404] };
        assert!(wanted.contains(&trusted.status), "{path}: {trusted:?}");
    }
    let endpoint = json!({
        "kind": "endpoint", "url": "http://127.0.0.1:9/v1", "model": "m", "timeoutSeconds": 5
    });
    let elsewhere = page("PUT", "/control/responder").json(&endpoint).send();
    refused(elsewhere, "an endpoint");
    let person = json!({"kind": "person", "deadlineSeconds": 60});
    let harmless = page("PUT", "/control/responder").json(&person).send();
    assert_eq!(harmless.status, 204, "{harmless:?}");

    let kept = json!({"value": "kept for agents"});
    let put = page("PUT", "/control/secrets/agent-key").json(&kept).send();
    assert_eq!(put.status, 204, "{put:?}");
    for (method, path) in [
        ("GET", "/control/token"),
        ("POST", "/control/token/rotate"),
        ("POST", "/control/secrets/agent-key/reveal"),
        ("POST", "/control/page-link"),
    ] {
        refused(page(method, path).send(), path);
        assert_eq!(
            node.control(method, path).json(&json!({})).send().status,
            200,
            "{path}"
        );
    }
    assert_eq!(page("POST", "/control/shutdown").send().status, 404);
    assert_eq!(
        page("GET", "/control/status").send().status,
        200,
        "it goes on"
    );
}

#[test]
fn the_page_is_on_this_machine_only_and_only_where_it_was_asked_for() {
    let plain = Machine::start("plain");
    let run = plain.tieline(["ui", "--no-open"]).failure(1);
    assert!(run.stderr.contains("serve --ui"), "{run}");

    let home = plain.directory().join("another");
    let mut command = Launch::new("open").command(&home);
    let output = command
        .args([
            "serve",
            "--ui",
            "--ui-addr",
            "0.0.0.0:0",
            "--peer-addr",
            "127.0.0.1:0",
        ])
        .args(["--api-addr", "127.0.0.1:0", "--no-open", "--json"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("CONFIG_INVALID"), "{said}");
}
