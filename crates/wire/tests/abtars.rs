//! The abTARS dialect against vectors that its own programs made.

#![allow(clippy::unwrap_used)]

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tieline_wire::abtars::doorbell::{self, Ack, Query};
use tieline_wire::abtars::frame::{Frame, FrameError, Request};
use tieline_wire::abtars::inventory::{self, Inventory, InventoryError};
use tieline_wire::abtars::request::{self, Covered, Nonce, Received};
use tieline_wire::abtars::tag::{self, Tag, Verdict};
use tieline_wire::abtars::{Generation, SharedToken, WINDOW, bearer, chat};
use tieline_wire::certificate::Certificate;
use tieline_wire::key::{SigningKey, VerifyKey};
use tieline_wire::time::UnixMillis;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../tests/vectors/abtars-vectors.json")).unwrap()
}

fn seconds(value: &Value) -> UnixMillis {
    UnixMillis(value.as_i64().unwrap() * 1000)
}

fn signing_key(vectors: &Value, name: &str) -> SigningKey {
    let text = &vectors["current"]["keys"][name]["signingKey_pkcs8_b64"];
    SigningKey::parse(text.as_str().unwrap()).unwrap()
}

/// The key a check asks to verify with: alpha's, unless it says another.
fn verifier(vectors: &Value, check: &Value) -> VerifyKey {
    let name = match check["verify_with"].as_str() {
        None => "alpha",
        Some("other key") => "mallory",
        Some(other) => unreachable!("{other}"),
    };
    signing_key(vectors, name).verify_key()
}

#[test]
fn requests_are_signed_byte_for_byte() {
    let vectors = vectors();
    let alpha = signing_key(&vectors, "alpha");
    let cases = vectors["current"]["http_request"].as_array().unwrap();
    assert_eq!(cases.len(), 15);
    for case in cases {
        let field = |name: &str| case[name].as_str().unwrap();
        let covered = Covered {
            method: field("method"),
            target: field("path"),
            body: field("body").as_bytes(),
        };
        let header = |name: &str| case["headers"][name].as_str().unwrap();
        let (ts, nonce) = (header("X-Peer-Ts"), header("X-Peer-Nonce"));
        assert_eq!(request::canonical(&covered, ts, nonce), field("canonical"));

        let now = UnixMillis(ts.parse::<i64>().unwrap() * 1000 + 999);
        let nonce = Nonce::parse(nonce).unwrap();
        let proof = request::sign(&alpha, &covered, now, nonce);
        for (name, value) in proof.headers("alpha") {
            let (_, theirs) = case["headers"]
                .as_object()
                .unwrap()
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .unwrap();
            assert_eq!(theirs, value, "{name}");
        }
    }
}

#[test]
fn requests_are_checked_as_the_real_server_checks_them() {
    let vectors = vectors();
    let clock = &vectors["current"]["clock"];
    let mut seen = HashSet::new();
    let mut checked = 0;
    for case in vectors["current"]["http_request"].as_array().unwrap() {
        for check in case["checks"].as_array().unwrap() {
            // What arrived is what was sent, but for what the check replaces.
            let arrived = |name: &str| {
                check["received"][name]
                    .as_str()
                    .unwrap_or_else(|| case[name].as_str().unwrap())
            };
            let headers = match &check["received"]["headers"] {
                Value::Object(replaced) if replaced.is_empty() => json!({}),
                Value::Object(replaced) => {
                    let mut headers = case["headers"].clone();
                    for (name, value) in replaced {
                        headers[name] = value.clone();
                    }
                    headers
                }
                _ => case["headers"].clone(),
            };
            let covered = Covered {
                method: arrived("method"),
                target: arrived("path"),
                body: arrived("body").as_bytes(),
            };
            let received = Received {
                ts: headers["X-Peer-Ts"].as_str(),
                nonce: headers["X-Peer-Nonce"].as_str(),
                sig: headers["X-Peer-Sig"].as_str(),
            };
            let now = match &check["verify_at"] {
                Value::Null => seconds(clock),
                at => seconds(at),
            };
            let key = verifier(&vectors, check);
            let outcome = match request::verify(&key, &covered, received, now) {
                Ok(fresh) if seen.insert(fresh.nonce.to_owned()) => None,
                Ok(_) => Some("nonce_replay"),
                Err(error) => Some(error.reason()),
            };
            let label = &case["label"];
            assert_eq!(
                outcome,
                check["expect"]["reason"].as_str(),
                "{label} {check}"
            );
            assert_eq!(outcome.is_none(), check["expect"]["ok"], "{label}");
            checked += 1;
        }
    }
    assert_eq!(checked, 19);
    assert_eq!(WINDOW, 30);
}

#[test]
fn message_tags_are_made_and_checked() {
    let vectors = vectors();
    let alpha = signing_key(&vectors, "alpha");
    let clock = &vectors["current"]["clock"];
    let cases = vectors["current"]["message_tag"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let content = case["content"].as_str().unwrap();
        let trailing = case["label"]
            .as_str()
            .unwrap()
            .starts_with("trailing blank");
        if let Some(text) = case["text"].as_str() {
            let (sender, context) = (
                case["sender"].as_str().unwrap(),
                case["context"].as_str().unwrap(),
            );
            let made = Tag::sign(&alpha, sender, context, text, seconds(clock));
            assert_eq!(format!("{text} {made}"), content);
            if !trailing {
                let tagged = tag::tagged(&alpha, sender, context, text, seconds(clock));
                assert_eq!(tagged, content);
            }
        }
        for check in case["checks"].as_array().unwrap() {
            let now = match &check["verify_at"] {
                Value::Null => seconds(clock),
                at => seconds(at),
            };
            let context = check["context"].as_str().unwrap_or("beta");
            let read = tag::untag(content, &alpha.verify_key(), "alpha", context, now);
            if trailing && check["context"].is_null() && now == seconds(clock) {
                // Where abTARS rejects what its own signer made, this reads what was signed.
                assert_eq!(check["expect"]["reason"], "bad-signature");
                assert_eq!(
                    (read.verdict, read.text),
                    (Verdict::Valid, "ends with a space ")
                );
                continue;
            }
            assert_eq!(read.verdict.reason(), check["expect"]["reason"].as_str());
            assert_eq!(read.verdict == Verdict::Valid, check["expect"]["valid"]);
            assert_eq!(read.text, check["expect"]["text"].as_str().unwrap());
        }
    }
}

#[test]
fn legacy_bearers_are_minted_and_checked() {
    let vectors = vectors();
    let legacy = &vectors["legacy_jwt"];
    let secret = SharedToken::new(legacy["token_utf8"].as_str().unwrap()).unwrap();
    let claims = &legacy["claims"];
    let (iss, aud) = (
        claims["iss"].as_str().unwrap(),
        claims["aud"].as_str().unwrap(),
    );
    let minted = bearer::mint(&secret, iss, aud, seconds(&legacy["clock"]));
    assert_eq!(minted, legacy["jwt"][0]["jwt"].as_str().unwrap());

    let mut checked = 0;
    for case in legacy["jwt"].as_array().unwrap() {
        for check in case["checks"].as_array().unwrap() {
            let secret = match check["secret"].as_str() {
                Some(other) => SharedToken::new(other).unwrap(),
                None => secret.clone(),
            };
            let own_name = check["self"].as_str().unwrap_or(aud);
            let now = seconds(&check["verify_at"]);
            let jwt = case["jwt"].as_str().unwrap();
            let outcome = bearer::verify(jwt, &secret, iss, own_name, now).map_err(|e| e.reason());
            let label = &case["label"];
            assert_eq!(
                outcome.err(),
                check["expect"]["reason"].as_str(),
                "{label} {check}"
            );
            assert_eq!(outcome.is_ok(), check["expect"]["ok"], "{label}");
            checked += 1;
        }
    }
    assert_eq!(checked, 16);
}

#[test]
fn a_legacy_ask_is_built_byte_for_byte_and_read_back() {
    let vectors = vectors();
    let legacy = &vectors["legacy_jwt"];
    let ask = &legacy["chat_request"];
    let now = seconds(&legacy["clock"]);
    let key = SigningKey::parse(legacy["signingKey_pkcs8_b64"].as_str().unwrap()).unwrap();
    let secret = SharedToken::new(legacy["token_utf8"].as_str().unwrap()).unwrap();

    let text = ask["message_tag_valid"]["text"].as_str().unwrap();
    let body = chat::ChatRequest::body(&tag::tagged(&key, "kp", "molty", text, now));
    assert_eq!(body, ask["body"].as_str().unwrap());
    assert_eq!(chat::PATH, ask["path"]);
    let bearer = format!("Bearer {}", bearer::mint(&secret, "kp", "molty", now));
    assert_eq!(ask["headers"]["Authorization"], bearer);
    assert_eq!(ask["headers"]["X-Peer-Hops"], chat::MAX_HOPS.to_string());

    let request = chat::ChatRequest::parse(body.as_bytes(), Generation::Legacy).unwrap();
    let read = tag::untag(&request.content, &key.verify_key(), "kp", "molty", now);
    assert_eq!((read.text, read.verdict), (text, Verdict::Valid));
}

#[test]
fn a_current_ask_is_built_byte_for_byte() {
    let vectors = vectors();
    let now = seconds(&vectors["current"]["clock"]);
    let alpha = signing_key(&vectors, "alpha");
    let case = &vectors["current"]["http_request"][0];
    let text = vectors["current"]["message_tag"][0]["text"]
        .as_str()
        .unwrap();
    let content = tag::tagged(&alpha, "alpha", "beta", text, now);
    assert_eq!(case["body"], chat::ChatRequest::body(&content));
}

#[test]
fn other_legacy_bodies_carry_their_tag_inside() {
    let vectors = vectors();
    let legacy = &vectors["legacy_jwt"];
    let key = SigningKey::parse(legacy["signingKey_pkcs8_b64"].as_str().unwrap()).unwrap();
    let Value::Object(fields) = json!({"goal": "x", "priority": "MEDIUM"}) else {
        unreachable!()
    };
    let body = tag::tagged_body(&key, "kp", "molty", fields, seconds(&legacy["clock"]));
    assert_eq!(legacy["delegated_body_with_sig"], body);
}

#[test]
fn certificates_are_pinned_by_their_key_or_whole() {
    let vectors = vectors();
    let pins = &vectors["current"]["tls_pin"];
    let certificate = |name: &str| {
        let pem = pins[format!("{name}_cert_pem")].as_str().unwrap();
        Certificate::from_pem(pem).unwrap()
    };
    for check in pins["checks"].as_array().unwrap() {
        let shown = certificate(check["cert"].as_str().unwrap());
        let pin = match check["pin"].as_str().unwrap() {
            "raw 32-byte key base64" => {
                let raw = signing_key(&vectors, "beta").verify_key();
                VerifyKey::parse(&STANDARD.encode(raw.as_bytes()))
            }
            name => VerifyKey::parse(&signing_key(&vectors, name).verify_key().to_base64()),
        };
        assert_eq!(pin == Ok(shown.verify_key()), check["expect"], "{check}");
    }
    for name in ["alpha", "beta"] {
        let fingerprint = pins[format!("{name}_fingerprint256")].as_str().unwrap();
        assert_eq!(certificate(name).fingerprint().bare(), fingerprint);
    }
}

#[test]
fn frames_are_signed_byte_for_byte_and_checked() {
    let vectors = vectors();
    let alpha = signing_key(&vectors, "alpha");
    let clock = &vectors["current"]["clock"];
    let case = &vectors["current"]["ws_request"][0];
    let frame = &case["frame"];
    let field = |name: &str| frame[name].as_str().unwrap();
    let made = Request::sign(
        &alpha,
        "alpha",
        (field("id"), field("method")),
        field("body"),
        seconds(clock),
        Nonce::parse(frame["auth"]["nonce"].as_str().unwrap()).unwrap(),
    );
    assert_eq!(made.canonical(), case["canonical"].as_str().unwrap());
    assert_eq!(made.to_json(), frame.to_string());

    let mut checked = 0;
    for check in case["checks"].as_array().unwrap() {
        let mut received = frame.clone();
        for (name, value) in check["received"].as_object().into_iter().flatten() {
            match name.as_str() {
                "peerId" | "ts" | "nonce" => received["auth"][name] = value.clone(),
                _ => received[name] = value.clone(),
            }
        }
        let now = match &check["verify_at"] {
            Value::Null => seconds(clock),
            at => seconds(at),
        };
        let outcome = match Frame::parse(&received.to_string()) {
            Frame::Request(request) => request.verify(&verifier(&vectors, check), now).map(|_| ()),
            Frame::Refused { error, .. } => Err(error),
            other => unreachable!("{other:?}"),
        };
        let reason = outcome.err().map(|error| match error {
            FrameError::BadSig => "bad_sig",
            FrameError::StaleTs => "stale_ts",
            FrameError::Nonce => "invalid_nonce",
            FrameError::Timestamp => "invalid_ts",
            other => unreachable!("{other}"),
        });
        assert_eq!(reason, check["expect"]["reason"].as_str(), "{check}");
        checked += 1;
    }
    assert_eq!(checked, 9);
}

#[test]
fn the_inventory_is_pushed_byte_for_byte_and_read() {
    let vectors = vectors();
    let alpha = signing_key(&vectors, "alpha");
    let case = &vectors["current"]["inventory"];
    let now = seconds(&vectors["current"]["clock"]);
    let list = |name: &str| -> Vec<&str> {
        let entries = case["input"][name].as_array().unwrap();
        entries
            .iter()
            .map(|entry| entry.as_str().unwrap())
            .collect()
    };
    let inventory = Inventory::new(
        "alpha",
        "0.4.1",
        &list("protocols"),
        &list("capabilities"),
        now,
    );
    let push = &case["push"];
    let nonce = Nonce::parse(push["payload"]["peer_nonce"].as_str().unwrap()).unwrap();
    assert_eq!(inventory.to_push(&alpha, now, nonce), push.to_string());

    let Frame::Push { method, payload } = Frame::parse(&push.to_string()) else {
        unreachable!()
    };
    assert_eq!(method, inventory::METHOD);
    let read = |payload: &Value, peer: &str, key: &SigningKey, now| {
        Inventory::read(payload.clone(), &key.verify_key(), peer, now)
    };
    let (read_back, fresh) = read(&payload, "alpha", &alpha, now).unwrap();
    assert_eq!(read_back, inventory);
    assert_eq!(fresh.nonce, nonce.to_string());

    let beta = signing_key(&vectors, "beta");
    assert_eq!(
        read(&payload, "beta", &alpha, now),
        Err(InventoryError::OtherPeer)
    );
    let refused = |result: Result<_, InventoryError>| match result {
        Err(InventoryError::Proof(error)) => error.reason(),
        other => unreachable!("{other:?}"),
    };
    assert_eq!(refused(read(&payload, "alpha", &beta, now)), "bad_sig");
    let late = UnixMillis(now.0 + 31_000);
    assert_eq!(refused(read(&payload, "alpha", &alpha, late)), "stale_ts");
    let mut altered = payload;
    altered["payload"] = altered["payload"]
        .as_str()
        .unwrap()
        .replace("bash", "root")
        .into();
    assert_eq!(refused(read(&altered, "alpha", &alpha, now)), "bad_sig");
}

#[test]
fn doorbells_ring_and_are_answered_byte_for_byte() {
    let vectors = vectors();
    let (alpha, beta) = (
        signing_key(&vectors, "alpha"),
        signing_key(&vectors, "beta"),
    );
    let now = seconds(&vectors["current"]["clock"]);
    let case = &vectors["current"]["doorbell"];
    let bytes = |name: &str| -> Vec<u8> {
        let hex = case[name].as_str().unwrap();
        (0..hex.len() / 2)
            .map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
            .collect()
    };
    let (own, peer) = (alpha.verify_key(), beta.verify_key());
    assert_eq!(
        doorbell::selector(&own).to_vec(),
        bytes("selector_alpha_hex")
    );
    assert_eq!(
        doorbell::selector(&peer).to_vec(),
        bytes("selector_beta_hex")
    );

    let nonce = bytes("query_nonce_hex").try_into().unwrap();
    let query = Query::sign(&alpha, &peer, 0x1234, nonce, now);
    assert_eq!(query.to_packet(), bytes("query_packet_hex"));
    let received = Query::parse(&bytes("query_packet_hex")).unwrap();
    assert_eq!(received, query);
    assert!(received.verify(&own, &peer, now));
    assert!(!received.verify(&peer, &peer, now) && !received.verify(&own, &own, now));
    assert!(received.verify(&own, &peer, UnixMillis(now.0 + 60_000)));
    assert!(!received.verify(&own, &peer, UnixMillis(now.0 + 61_000)));

    let ack = Ack::sign(&beta, &received, now);
    assert_eq!(ack.to_packet(&received), bytes("ack_packet_hex"));
    let answered = Ack::parse(&bytes("ack_packet_hex"), &query).unwrap();
    assert!(answered.verify(&query, &peer, now));
    let other = Query::sign(&alpha, &peer, 0x1234, [0; 16], now);
    assert_eq!(Ack::parse(&bytes("ack_packet_hex"), &other), None);
    assert!(!answered.verify(&other, &peer, now) && !answered.verify(&query, &own, now));

    // A changed byte is another packet, or a signature that does not hold.
    for at in 2..bytes("query_packet_hex").len() {
        let mut packet = bytes("query_packet_hex");
        packet[at] ^= 1;
        let holds = Query::parse(&packet).is_some_and(|query| query.verify(&own, &peer, now));
        assert!(!holds, "{at}");
    }
}
