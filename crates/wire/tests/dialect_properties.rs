//! Properties of the abTARS and KithKit formats that hold for all inputs.

#![allow(clippy::unwrap_used)]

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use tieline_wire::abtars::chat::{self, Answer, ChatRequest, Special};
use tieline_wire::abtars::doorbell::{Ack, Query};
use tieline_wire::abtars::enrol::{Initiator, Responder, TribeToken};
use tieline_wire::abtars::frame::{Frame, Request};
use tieline_wire::abtars::help::{HelpAnswer, HelpEvent, HelpRequest};
use tieline_wire::abtars::inventory::Inventory;
use tieline_wire::abtars::peers_json::{EntryValues, PeersFile, parse_pasted};
use tieline_wire::abtars::probe::AgentCard;
use tieline_wire::abtars::request::{self, Covered, Nonce, Received};
use tieline_wire::abtars::route::Route;
use tieline_wire::abtars::tag::{self, Verdict};
use tieline_wire::abtars::{Generation, SharedToken, ask, bearer, names, token};
use tieline_wire::address::Address;
use tieline_wire::key::SigningKey;
use tieline_wire::kithkit::config::{Config, ConfigPeer};
use tieline_wire::kithkit::find_peer;
use tieline_wire::time::UnixMillis;

const NOW: UnixMillis = UnixMillis(1_767_225_600_000);
const ASK: Covered<'static> = Covered {
    method: "POST",
    target: chat::PATH,
    body: b"{}",
};

fn key() -> SigningKey {
    SigningKey::from_seed(&[5; 32])
}

/// Text that looks more like what the parsers expect than random characters do.
fn likely() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        ".{0,20} ?\\[sig:[0-9]{0,11}:[A-Za-z0-9+/=]{0,90}\\]",
        "[A-Za-z0-9_-]{0,60}\\.[A-Za-z0-9_-]{0,60}(\\.[A-Za-z0-9_-]{0,90})?",
        "/v1/(models|chat/completions|agent-card|ws)[/?%a-f0-9]{0,8}",
        r#"\{("(peers|self|host|port|verifyKey|certPem|token)": ?(\{|"x"|[0-9]{1,3}|\[\]|null),? ?){0,6}\}{0,4}"#,
    ]
}

/// Pieces that make YAML of the kind at hand, and much that is not.
fn yamlish() -> impl Strategy<Value = String> {
    let pieces = [
        "agent-comms:\n",
        "agent-comms: {",
        "  peers:\n",
        "peers: [",
        "  peers: []",
        "  - name: a\n",
        "    host: h\n",
        "    port: 1\n",
        "    ip: 'x'\n",
        "{name: b, host: h, port: 2}",
        ", ",
        "]",
        "}",
        "agent:\n",
        "  name: n",
        " # c\n",
        "# d\n",
        "\n",
        "\r\n",
        "é: \"ü\"\n",
        "x: |\n",
        "  text\n",
        "&a ",
        "*a",
        "!t ",
        "- ",
        "? ",
        "---\n",
        "...\n",
        "\t",
        "'",
        "~",
        "  enabled: true\n",
        ": ",
    ];
    vec(proptest::sample::select(pieces.to_vec()), 0..14).prop_map(|pieces| pieces.concat())
}

/// A configuration with what a person may have put into it.
fn config() -> impl Strategy<Value = String> {
    let comment = proptest::sample::select(vec!["", "  # c", " # peers: []"]);
    let line = proptest::sample::select(vec!["", "# by hand\n", "\n", "other: [1, {a: b}]\n"]);
    let peer = ("[a-z]{3,6}", 1..=u16::MAX, any::<bool>(), comment.clone());
    (line, vec(peer, 0..4), 0..3_usize, comment, any::<bool>()).prop_map(
        |(line, mut peers, indent, comment, more)| {
            peers.sort_by(|a, b| a.0.cmp(&b.0));
            peers.dedup_by(|a, b| a.0 == b.0);
            let margin = " ".repeat(indent + 1);
            let mut text = format!("{line}agent-comms:{comment}\n{margin}peers:{comment}\n");
            for (name, port, flow, comment) in &peers {
                text += &if *flow {
                    format!("{margin}- {{name: {name}, host: h, port: {port}}}{comment}\n")
                } else {
                    format!("{margin}- host: h{comment}\n{margin}  port: {port}\n{margin}  extra: {{x: [1]}}\n{margin}  name: \"{name}\"{comment}\n")
                };
            }
            if more {
                text += &format!("{margin}enabled: true{comment}\nlast: 1");
            }
            text
        },
    )
}

fn frame_key() -> impl Strategy<Value = String> {
    let keys = [
        "type",
        "version",
        "id",
        "method",
        "body",
        "payload",
        "error",
        "auth",
        "peerId",
        "ts",
        "nonce",
        "sig",
        "peer_id",
        "peer_ts",
        "peer_nonce",
        "signature",
        "request_id",
        "goal",
        "kind",
        "projection",
        "required_capabilities",
        "decision",
        "pubKey_i",
        "nonce_i",
        "pubKey_r",
        "nonce_r",
        "mac_r",
    ];
    proptest::sample::select(keys.to_vec()).prop_map(str::to_owned)
}

fn frame_value() -> impl Strategy<Value = Value> {
    let known = [
        json!("request"),
        json!("response"),
        json!("push"),
        json!(1),
        json!("x"),
        json!({}),
        json!([]),
        json!("1767225600"),
        json!(1_767_225_600),
        json!("00".repeat(16)),
        json!("A".repeat(86) + "=="),
        json!("completed"),
        json!("b"),
        Value::Null,
        json!(key().verify_key().to_base64()),
    ];
    prop_oneof![
        proptest::sample::select(known.to_vec()),
        ".{0,9}".prop_map(Value::from)
    ]
}

fn is_subsequence(part: &str, whole: &str) -> bool {
    let mut rest = whole.chars();
    part.chars().all(|c| rest.any(|other| other == c))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_a_parser_panic(text in likely(), other in likely()) {
        let secret = SharedToken::new("s").unwrap();
        let public = key().verify_key();
        let _ = bearer::verify(&text, &secret, "kp", "molty", NOW);
        let _ = token::verify(&text, &public, "kp", "molty", &ASK, NOW);
        let _ = (token::claimed_issuer(&text), token::is_eddsa(&text));
        let _ = tag::strip(&text);
        let _ = tag::untag(&text, &public, &other, "molty", NOW);
        let _ = chat::hops(Some(&text));
        let _ = Special::of(&text);
        let _ = Route::of("GET", &text);
        let _ = names::check(&text);
        let _ = PeersFile::parse(&text).map(|file| file.peers());
        let _ = parse_pasted(&text);
        let _ = Config::parse(&text);
        let received = Received { ts: Some(&other), nonce: Some(&text), sig: Some(&other) };
        prop_assert!(request::verify(&public, &ASK, received, NOW).is_err());
    }

    #[test]
    fn no_bytes_make_a_parser_panic(bytes in vec(any::<u8>(), 0..300), status in 100..600_u16) {
        for generation in [Generation::Current, Generation::Legacy] {
            let _ = ChatRequest::parse(&bytes, generation);
        }
        let _ = Answer::parse(&bytes);
        let _ = AgentCard::parse(&bytes);
        let _ = ask::read_answer(status, Some("x"), &bytes);
        let _ = Query::parse(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        let _ = (Frame::parse(&text), HelpRequest::parse(&text), HelpAnswer::parse(&text), HelpEvent::parse(&text, "b"));
    }

    #[test]
    fn no_frame_of_enough_likeness_makes_a_reader_panic(fields in vec((frame_key(), frame_value()), 0..9), auth in vec((frame_key(), frame_value()), 0..6)) {
        let mut frame: serde_json::Map<String, Value> = fields.into_iter().collect();
        frame.insert("auth".to_owned(), auth.into_iter().collect::<serde_json::Map<_, _>>().into());
        let frame = Value::Object(frame);
        let text = frame.to_string();
        if let Frame::Request(request) = Frame::parse(&text) {
            prop_assert!(request.verify(&key().verify_key(), NOW).is_err());
        }
        let _ = Inventory::read(frame, &key().verify_key(), "b", NOW);
        let _ = (HelpRequest::parse(&text), HelpAnswer::parse(&text), HelpEvent::parse(&text, "b"));
        let tribe = TribeToken::parse("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
        let challenged = Responder::challenge(tribe.clone(), &key().verify_key(), &text, Nonce::from_bytes([0; 16]), NOW);
        prop_assert!(challenged.is_err());
        let (initiator, _) = Initiator::begin(tribe, key(), "a", Nonce::from_bytes([0; 16]), NOW);
        prop_assert!(initiator.answer(&text, &key().verify_key(), NOW).is_err());
    }

    #[test]
    fn frames_and_doorbells_are_read_back(id in "[A-Za-z0-9._:-]{1,64}", body: String, nonce: [u8; 16], number: u16, at in 0..4_000_000_000_i64) {
        let now = UnixMillis(at * 1000);
        let request = Request::sign(&key(), "a", (&id, "help.status.v1"), &body, now, Nonce::from_bytes(nonce));
        prop_assert_eq!(Frame::parse(&request.to_json()), Frame::Request(request.clone()));
        prop_assert!(request.verify(&key().verify_key(), now).is_ok());

        let other = SigningKey::from_seed(&[6; 32]);
        let query = Query::sign(&key(), &other.verify_key(), number, nonce, now);
        prop_assert_eq!(Query::parse(&query.to_packet()), Some(query));
        prop_assert!(query.verify(&key().verify_key(), &other.verify_key(), now));
        let ack = Ack::sign(&other, &query, now);
        prop_assert_eq!(Ack::parse(&ack.to_packet(&query), &query), Some(ack));
        prop_assert!(ack.verify(&query, &other.verify_key(), now));
    }

    #[test]
    fn a_signed_request_is_good_for_itself_only(
        method in "[A-Z]{3,6}", target in "/[a-z0-9/?=&%]{0,30}", body: Vec<u8>, nonce: [u8; 16],
        at in 0..4_000_000_000_i64, other in "/[a-z]{0,9}",
    ) {
        let covered = Covered { method: &method, target: &target, body: &body };
        let now = UnixMillis(at * 1000);
        let proof = request::sign(&key(), &covered, now, Nonce::from_bytes(nonce));
        let public = key().verify_key();
        prop_assert!(request::verify(&public, &covered, proof.received(), now).is_ok());
        for altered in [Covered { target: &other, ..covered }, Covered { method: &other, ..covered }, Covered { body: other.as_bytes(), ..covered }] {
            if altered != covered {
                prop_assert!(request::verify(&public, &altered, proof.received(), now).is_err());
            }
        }
    }

    #[test]
    fn a_tagged_text_comes_back_without_its_tag(text: String, sender in ".{0,9}", context in ".{0,9}") {
        let content = tag::tagged(&key(), &sender, &context, &text, NOW);
        let read = tag::untag(&content, &key().verify_key(), &sender, &context, NOW);
        prop_assert_eq!(read.verdict, Verdict::Valid);
        prop_assert!(text.starts_with(read.text));
        let dropped = &text[read.text.len()..];
        let all_blank = dropped.chars().all(|c| c.is_whitespace() || c == '\u{feff}');
        prop_assert!(all_blank, "{dropped:?}");
        prop_assert!(text.starts_with(tag::strip(&content)));
    }

    #[test]
    fn bearers_are_read_back(secret in ".{1,20}", iss in ".{0,9}", aud in ".{0,9}", other in ".{1,20}") {
        let (own, other) = (SharedToken::new(secret).unwrap(), SharedToken::new(other).unwrap());
        let minted = bearer::mint(&own, &iss, &aud, NOW);
        prop_assert!(bearer::verify(&minted, &own, &iss, &aud, NOW).is_ok());
        prop_assert_eq!(bearer::verify(&minted, &other, &iss, &aud, NOW).is_ok(), own == other);
        let signed = token::mint(&key(), &iss, &aud, &ASK, NOW, "j");
        prop_assert!(token::verify(&signed, &key().verify_key(), &iss, &aud, &ASK, NOW).is_ok());
    }

    #[test]
    fn chats_are_read_back(text in ".{1,200}") {
        let request = ChatRequest::parse(ChatRequest::body(&text).as_bytes(), Generation::Current).unwrap();
        prop_assert_eq!(&request.content, &text);
        let answer = Answer::parse(chat::completion_body("id", "m", &text, NOW).as_bytes()).unwrap();
        prop_assert_eq!(answer.text, text);
    }

    #[test]
    fn a_peers_file_keeps_what_it_is_not_told_to_change(
        root in vec(("[a-z]{1,6}", "[a-z\"\\\\é]{0,6}"), 0..4), peers in vec(("[a-z]{1,4}", "[a-z]{1,8}", any::<i64>()), 0..5),
    ) {
        let mut fields: Value = root.into_iter().map(|(key, text)| (key, Value::from(text))).collect::<serde_json::Map<String, Value>>().into();
        prop_assume!(fields.get("self").is_none());
        let entries: Value = peers.iter().map(|(name, key, value)| (name.clone(), json!({ key.clone(): value }))).collect::<serde_json::Map<String, Value>>().into();
        fields["peers"] = entries.clone();
        let mut file = PeersFile::parse(&fields.to_string()).unwrap();
        prop_assert_eq!(serde_json::from_str::<Value>(&file.to_json()).unwrap().to_string(), fields.to_string());

        let values = EntryValues { address: Address::new("h", 1).unwrap(), token: None, verify_key: key().verify_key(), certificate: None };
        file.set_peer("new one", &values);
        prop_assert!(file.remove_peer("new one"));
        prop_assert_eq!(serde_json::from_str::<Value>(&file.to_json()).unwrap().to_string(), fields.to_string());
    }

    #[test]
    fn no_yaml_is_changed_by_mistake(text in yamlish(), name in "[a-z]{1,4}", port in 1..=u16::MAX) {
        let Ok(mut config) = Config::parse(&text) else { return Ok(()) };
        prop_assert_eq!(config.to_yaml(), text.as_str());
        let before = config.settings().clone();
        let peer = ConfigPeer { name: name.clone(), host: "new".to_owned(), port, ip: None };
        match config.set_peer(&peer) {
            Err(_) => {
                prop_assert_eq!(config.to_yaml(), text);
                prop_assert_eq!(config.settings(), &before);
            }
            Ok(()) => {
                let read = Config::parse(&config.to_yaml()).unwrap();
                let found = find_peer(&name, &read.settings().peers, |peer| &peer.name).unwrap();
                prop_assert_eq!((found.host.as_str(), found.port), ("new", port));
            }
        }
    }

    #[test]
    fn a_peer_can_be_added_to_and_taken_from_any_ordinary_configuration(text in config()) {
        let mut config = Config::parse(&text).unwrap();
        let before = config.settings().clone();
        let peer = ConfigPeer { name: "zz-new".to_owned(), host: "10.0.0.1".to_owned(), port: 7, ip: Some("fd00::1".to_owned()) };
        config.set_peer(&peer).unwrap();
        prop_assert!(is_subsequence(&text, &config.to_yaml()), "{}", config.to_yaml());
        prop_assert_eq!(config.settings().peers.last(), Some(&peer));
        prop_assert!(config.remove_peer("ZZ-new").unwrap());
        prop_assert_eq!(config.settings(), &before);
        if !before.peers.is_empty() && text.ends_with('\n') {
            prop_assert_eq!(config.to_yaml(), text.as_str());
        }
        for old in &before.peers {
            config.set_peer(&ConfigPeer { port: 9, ..old.clone() }).unwrap();
        }
        prop_assert!(config.settings().peers.iter().all(|peer| peer.port == 9));
        for old in &before.peers {
            prop_assert!(config.remove_peer(&old.name).unwrap());
        }
        prop_assert!(config.settings().peers.is_empty());
        let comments = text.matches("# by hand").count();
        prop_assert_eq!(config.to_yaml().matches("# by hand").count(), comments);
    }
}
