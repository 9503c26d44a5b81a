//! The conformance cases of the documented send endpoint, against a real node whose KithKit peers
//! are stubs in this process.

mod matcher;
mod stub;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::http::{Request, Response};
use crate::harness::{Launch, Machine};
use matcher::{Expectation, expand};
use stub::Stub;

const SECRET_NAME: &str = "credential-agent-comms-secret";

/// Cases that this version does not have to answer yet, and why. Every other case runs.
const SKIPPED: [(&str, &[&str]); 2] = [
    (
        "needs a relay, which this version does not speak to",
        &[
            "R01", "R02", "R03", "R04", "R05", "R06", "R07", "R11", "R12", "R14", "R15", "R16",
            "R17", "G01", "G06", "G07", "D10", "D11", "D15", "D16", "Q06", "Q08", "Q09", "Q10",
            "Q12", "Q13", "Q15", "Q16", "Q17", "Q18", "Q19", "Q21", "Q22", "I22", "I23", "I26",
            "I27", "I28",
        ],
    ),
    (
        "receives a relay's envelopes, which come with the relay",
        &["I19", "I20"],
    ),
];
#[test]
fn the_documented_send_endpoint_answers_every_applicable_case() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/kithkit-send-cases.json");
    let vectors: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let skipped: BTreeSet<&str> = SKIPPED
        .iter()
        .flat_map(|(_, ids)| ids.iter().copied())
        .collect();
    let cases = vectors["cases"].as_array().unwrap();
    let (skip, run): (Vec<_>, Vec<_>) = cases.iter().partition(|case| skipped.contains(id(case)));
    assert_eq!(
        skip.len(),
        skipped.len(),
        "a skipped case is not in the file"
    );

    let mut fixtures = Fixtures::new(&vectors["fixtures"]["common"]);
    let failures: Vec<String> = run
        .iter()
        .filter_map(|case| {
            let outcome = fixtures.of(case["fixture"].as_str().unwrap()).run(case);
            outcome
                .err()
                .map(|why| format!("{} {}: {why}", id(case), case["title"]))
        })
        .collect();

    for (why, ids) in SKIPPED {
        println!("skipped {}: {why}: {}", ids.len(), ids.join(" "));
    }
    println!(
        "ran {} of {} cases, {} failed",
        run.len(),
        cases.len(),
        failures.len()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn id(case: &Value) -> &str {
    case["id"].as_str().unwrap()
}

/// The nodes that cases run against, started when first needed.
struct Fixtures<'a> {
    common: &'a Value,
    running: BTreeMap<&'static str, Fixture>,
}

impl<'a> Fixtures<'a> {
    fn new(common: &'a Value) -> Self {
        Self {
            common,
            running: BTreeMap::new(),
        }
    }

    fn of(&mut self, name: &str) -> &Fixture {
        let (name, secret) = match name {
            "base" => ("base", self.common["secret"].as_str()),
            "nosecret" => ("nosecret", None),
            other => panic!("no such fixture here: {other}"),
        };
        self.running
            .entry(name)
            .or_insert_with(|| Fixture::start(self.common, secret))
    }
}

/// A node with the KithKit peers of the file, each a stub on a port of its own.
struct Fixture {
    node: Machine,
    stubs: BTreeMap<String, Stub>,
    /// Its listener for KithKit machines.
    lan: SocketAddr,
    secret: String,
}

impl Fixture {
    fn start(common: &Value, secret: Option<&str>) -> Self {
        let node = Launch::new(common["agent.name"].as_str().unwrap()).start();
        if let Some(secret) = secret {
            node.tieline_with_stdin(["secrets", "set", SECRET_NAME], secret)
                .success();
        }
        let mut stubs = BTreeMap::new();
        for peer in common["peers"].as_array().unwrap() {
            let (name, host) = (
                peer["name"].as_str().unwrap(),
                peer["host"].as_str().unwrap(),
            );
            let stub = Stub::start(peer, common["secret"].as_str().unwrap());
            let port = stub.port().to_string();
            match peer["ip"].as_str() {
                Some(ip) => node.tieline([
                    "peers",
                    "add",
                    "--kithkit",
                    name,
                    "--host",
                    host,
                    "--port",
                    &port,
                    "--ip",
                    ip,
                ]),
                None => node.tieline([
                    "peers",
                    "add",
                    "--kithkit",
                    name,
                    "--host",
                    host,
                    "--port",
                    &port,
                ]),
            }
            .success();
            stubs.insert(name.to_owned(), stub);
        }
        let shown = node
            .tieline([
                "--json",
                "kithkit",
                "lan",
                "on",
                "--bind",
                "127.0.0.1",
                "--port",
                "0",
                "--permissive",
            ])
            .success()
            .json();
        Self {
            node,
            stubs,
            lan: shown["address"].as_str().unwrap().parse().unwrap(),
            secret: common["secret"].as_str().unwrap().to_owned(),
        }
    }

    fn run(&self, case: &Value) -> Result<(), String> {
        self.stubs.values().for_each(Stub::forget);
        let response = self.request(case).send();
        let answer = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
        check_answer(case, &response, &answer)?;
        self.check_effects(case, &answer)
    }

    fn request(&self, case: &Value) -> Request {
        let (method, path) = (
            case["method"].as_str().unwrap(),
            case["path"].as_str().unwrap(),
        );
        let mut request = match path {
            "/agent/message" => Request::new(self.lan, method, path),
            _ => self.node.request(method, path),
        };
        if method == "POST" {
            request = request.header("Content-Type", "application/json");
        }
        for (name, value) in case["headers"].as_object().into_iter().flatten() {
            request = request.header(name, value.as_str().unwrap());
        }
        let body = match (&case["raw"], &case["body"]) {
            (Value::String(raw), _) => raw.clone(),
            (_, Value::Null) => return request,
            (_, body) => expand(body).to_string(),
        };
        if case["sign"] == true {
            let signature = tieline_wire::kithkit::sign(self.secret.as_bytes(), body.as_bytes());
            request = request.header("X-Signature", &signature);
        }
        request.body(body)
    }

    fn check_effects(&self, case: &Value, answer: &Value) -> Result<(), String> {
        let Some(expected) = case["effects"]["lan"].as_object() else {
            return Ok(());
        };
        for (peer, expected) in expected {
            let received = self.stubs[peer].received();
            if let Some(count) = expected["count"].as_u64()
                && received.len() as u64 != count
            {
                return Err(format!(
                    "{peer} received {} instead of {count}",
                    received.len()
                ));
            }
            for message in &received {
                let expectation = Expectation {
                    message_id: &answer["messageId"],
                };
                expectation
                    .check(&expected["body"], &message.json())
                    .map_err(|why| format!("{peer} received {why}"))?;
                if !message.is_signed() {
                    return Err(format!(
                        "{peer} received a message without a valid signature"
                    ));
                }
                expectation.check(&json!("$same"), &message.json()["messageId"])?;
            }
        }
        Ok(())
    }
}

fn check_answer(case: &Value, response: &Response, answer: &Value) -> Result<(), String> {
    let expected = &case["expect"];
    let expectation = Expectation {
        message_id: &answer["messageId"],
    };
    let shown = || {
        format!(
            "in {} {}",
            response.status,
            String::from_utf8_lossy(&response.body)
        )
    };
    expectation
        .check(&expected["status"], &json!(response.status))
        .map_err(|why| format!("status {why} {}", shown()))?;
    expectation
        .check(&expected["json"], answer)
        .map_err(|why| format!("{why} {}", shown()))?;
    for (name, value) in expected["headers"].as_object().into_iter().flatten() {
        let given = response.header(name).map_or(Value::Null, Value::from);
        expectation
            .check(value, &given)
            .map_err(|why| format!("header {name}: {why}"))?;
    }
    match response.header("x-timestamp") {
        Some(timestamp) => expectation.check(&json!("$iso"), &json!(timestamp)),
        None => Err("no X-Timestamp".to_owned()),
    }
}
