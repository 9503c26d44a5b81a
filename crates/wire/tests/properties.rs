//! Properties that hold for all inputs: no parser of outside bytes panics, what is written is read
//! back as it was, and what is read is within the promised bounds.

#![allow(clippy::unwrap_used)]

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value};
use tieline_wire::address::Address;
use tieline_wire::bytes::lp;
use tieline_wire::card::{self, Card, Dialect};
use tieline_wire::certificate::{Certificate, self_signed};
use tieline_wire::fingerprint::Fingerprint;
use tieline_wire::invite::{Invite, InviteError};
use tieline_wire::key::{KeyId, Signature, SigningKey, VerifyKey};
use tieline_wire::kithkit::{self, LanMessage, SendRequest};
use tieline_wire::message::{ContentHash, Envelope, MessageId};
use tieline_wire::name::{self, Alias};
use tieline_wire::pairing::{InviteSecret, PairProof};
use tieline_wire::problem::Problem;
use tieline_wire::receipt::{Receipt, Stage, StoreId};
use tieline_wire::time::UnixMillis;
use tieline_wire::token::{
    Binding, JtiWindow, PairToken, TokenSigner, TokenVerifier, check_pair_mac, pair_mac,
};

fn any_address() -> impl Strategy<Value = Address> {
    let host = prop_oneof![
        "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\\.[a-z][a-z0-9]{0,10}){0,3}",
        any::<std::net::Ipv4Addr>().prop_map(|ip| ip.to_string()),
        any::<std::net::Ipv6Addr>().prop_map(|ip| ip.to_string()),
    ];
    (host, 1..=u16::MAX).prop_filter_map("ends like a number", |(host, port)| {
        Address::new(&host, port).ok()
    })
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            vec((".{0,6}", inner), 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn any_payload() -> impl Strategy<Value = Map<String, Value>> {
    (vec((".{0,8}", any_json()), 0..6), ".{1,10}").prop_map(|(fields, kind)| {
        let mut payload: Map<String, Value> = fields.into_iter().collect();
        payload.insert("type".to_owned(), kind.into());
        payload
    })
}

/// Text that looks more like what the parsers expect than random characters do.
fn pasted() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[A-Za-z0-9+/=_-]{0,120}",
        "[0-9A-Fa-f: -]{0,100}",
        "(SHA256|sha256)[: =/]{0,3}[A-Za-z0-9+/:]{0,90}",
        "tieline://join/?#[A-Za-z0-9_-]{0,300}[.\"]?",
        "-----BEGIN (CERTIFICATE|PUBLIC KEY|PRIVATE KEY)-----\n[A-Za-z0-9+/=\n]{0,200}(-----END (CERTIFICATE|PUBLIC KEY)-----)?",
        "\\[?[0-9a-fA-F:.%]{0,40}\\]?:?[0-9]{0,6}",
        "(Name|Address|Fingerprint): .{0,40}\n-----BEGIN CERTIFICATE-----",
        "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{0,20}(Z|[+-][0-9:]{0,6})?",
    ]
}

proptest! {
    // A failure prints its smallest input, which then becomes a test of its own.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_a_parser_panic(text in pasted()) {
        let _ = VerifyKey::parse(&text);
        let _ = SigningKey::parse(&text);
        let _ = text.parse::<Signature>();
        let _ = text.parse::<KeyId>();
        let _ = Fingerprint::parse(&text);
        let _ = Certificate::from_pem(&text);
        let _ = Address::parse_or(&text, 3100);
        let _ = Card::parse_any(&text);
        let _ = Invite::parse(&text);
        let _ = text.parse::<UnixMillis>();
        let _ = PairToken::parse(&text);
        let _ = kithkit::split_qualified(&text);
    }

    #[test]
    fn no_bytes_make_a_parser_panic(bytes in vec(any::<u8>(), 0..400)) {
        let _ = VerifyKey::from_spki_der(&bytes);
        let _ = SigningKey::from_pkcs8_der(&bytes);
        let _ = Certificate::from_der(&bytes);
        let _ = Card::parse(&bytes);
        let _ = Envelope::parse(&bytes);
        let _ = SendRequest::parse(&bytes);
        let _ = LanMessage::parse(&bytes);
        let _ = serde_json::from_slice::<Receipt>(&bytes);
        let _ = serde_json::from_slice::<PairProof>(&bytes);
        let _ = serde_json::from_slice::<Problem>(&bytes);
    }

    #[test]
    fn no_json_makes_a_parser_panic(json in any_json()) {
        let text = json.to_string();
        let _ = Card::parse(text.as_bytes());
        let _ = Envelope::parse(text.as_bytes());
        let _ = SendRequest::parse(text.as_bytes());
        let _ = LanMessage::parse(text.as_bytes());
    }

    #[test]
    fn a_damaged_certificate_is_refused_or_read_but_never_a_panic(at in 0_usize..300, byte: u8) {
        let mut der = self_signed(&SigningKey::from_seed(&[1; 32]), "x").unwrap().der().to_vec();
        let at = at % der.len();
        der[at] = byte;
        if let Ok(read) = Certificate::from_der(&der) {
            prop_assert_eq!(read.der(), der);
        }
    }

    #[test]
    fn different_parts_never_join_to_the_same_bytes(a in vec(vec(any::<u8>(), 0..6), 0..5), b in vec(vec(any::<u8>(), 0..6), 0..5)) {
        let join = |parts: &[Vec<u8>]| lp(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>());
        prop_assert_eq!(join(&a) == join(&b), a == b);
    }

    #[test]
    fn keys_survive_every_text_form(seed: [u8; 32], message: Vec<u8>) {
        let key = SigningKey::from_seed(&seed);
        let public = key.verify_key();
        prop_assert_eq!(VerifyKey::parse(&public.to_base64()), Ok(public));
        prop_assert_eq!(VerifyKey::parse(&public.to_pem()), Ok(public));
        prop_assert_eq!(VerifyKey::from_bytes(public.as_bytes()), Ok(public));
        let read = SigningKey::parse(&key.to_pem()).unwrap();
        let signature = read.sign(&message);
        prop_assert!(public.verify(&message, &signature).is_ok());
        prop_assert_eq!(signature.to_string().parse(), Ok(signature));
        prop_assert_eq!(public.key_id().to_string().parse(), Ok(public.key_id()));
    }

    #[test]
    fn fingerprints_survive_every_spelling(bytes: [u8; 32]) {
        let print = Fingerprint(bytes);
        for text in [print.to_string(), print.bare(), print.groups().join(" "), print.words().join(" ")] {
            prop_assert_eq!(Fingerprint::parse(&text), Ok(print));
        }
    }

    #[test]
    fn times_survive_their_text(millis in -62_135_596_800_000_i64..253_402_300_800_000) {
        prop_assert_eq!(UnixMillis(millis).to_string().parse(), Ok(UnixMillis(millis)));
    }

    #[test]
    fn addresses_survive_their_text(address in any_address()) {
        prop_assert_eq!(address.to_string().parse(), Ok(address));
    }

    #[test]
    fn every_suggestion_is_an_alias(free in any::<String>()) {
        let suggested = Alias::suggest(&free);
        prop_assert_eq!(Alias::new(suggested.as_str()), Ok(suggested.clone()));
        prop_assert_eq!(Alias::suggest(suggested.as_str()), suggested);
    }

    #[test]
    fn conflicts_are_mutual(a in "[a-c]{1,4}1", b in "[a-c]{1,4}1") {
        let (a, b) = (Alias::new(&a).unwrap(), Alias::new(&b).unwrap());
        prop_assert_eq!(a.conflicts_with(&b), b.conflicts_with(&a));
        prop_assert!(a.conflicts_with(&a));
    }

    #[test]
    fn tidy_names_stay_as_they_are_on_one_short_line(free in any::<String>()) {
        let tidy = name::tidy(&free);
        prop_assert!(tidy.chars().count() <= name::MAX_SUGGESTED);
        prop_assert!(!tidy.chars().any(char::is_control));
        prop_assert_eq!(name::tidy(&tidy), tidy);
    }

    #[test]
    fn links_survive_the_trip(
        pin: [u8; 32], print: [u8; 32], secret: [u8; 16], addresses in vec(any_address(), 0..=8), free in any::<String>(),
    ) {
        let invite = Invite {
            pin: KeyId(pin),
            fingerprint: Fingerprint(print),
            secret: InviteSecret::from_bytes(secret),
            addresses,
            name: name::tidy(&free.chars().take(40).collect::<String>()),
        };
        let link = invite.to_link().unwrap();
        prop_assert_eq!(Invite::parse(link.expose()), Ok(invite));
    }

    #[test]
    fn an_altered_link_is_never_taken_for_another(at in 15_usize..200, other in "[A-Za-z0-9_-]") {
        let invite = Invite {
            pin: KeyId([1; 32]),
            fingerprint: Fingerprint([2; 32]),
            secret: InviteSecret::from_bytes([3; 16]),
            addresses: vec!["10.0.0.2:3100".parse().unwrap()],
            name: "mac".to_owned(),
        };
        let mut link = invite.to_link().unwrap().expose().to_owned();
        let at = at.min(link.len() - 1);
        link.replace_range(at..=at, &other);
        match Invite::parse(&link) {
            Ok(read) => prop_assert_eq!(read, invite),
            Err(error) => prop_assert!(matches!(error, InviteError::Damaged | InviteError::Truncated)),
        }
    }

    #[test]
    fn cards_survive_both_forms(seed: [u8; 32], addresses in vec(any_address(), 0..=card::MAX_ADDRESSES), free in any::<String>()) {
        let key = SigningKey::from_seed(&seed);
        let certificate = self_signed(&key, &free).unwrap();
        let card = Card::new(&free, addresses, key.verify_key(), certificate, vec![Dialect::Tieline]).unwrap();
        prop_assert_eq!(&Card::parse(&card.to_json()).unwrap(), &card);
        prop_assert_eq!(&Card::parse_any(&card.to_pem()).unwrap(), &card);
    }

    #[test]
    fn messages_survive_the_trip(payload in any_payload(), millis in 0_i64..253_402_300_800_000) {
        let text = Value::Object(payload.clone()).to_string();
        let key = SigningKey::from_seed(&[1; 32]).key_id();
        let sent = Envelope::new(MessageId::new_v4(), key, KeyId([2; 32]), UnixMillis(millis), &text).unwrap();
        let read = Envelope::parse(&sent.to_json()).unwrap();
        prop_assert_eq!(read.payload.get(), &text);
        prop_assert_eq!(read.content_hash(), sent.content_hash());
        prop_assert_eq!(Value::from(read.payload_type()), payload["type"].clone());
    }

    #[test]
    fn receipts_survive_the_trip(seed: [u8; 32], sender: [u8; 32], hash: [u8; 32], store: [u8; 16]) {
        let key = SigningKey::from_seed(&seed);
        let id = MessageId::new_v4();
        let receipt = Receipt::sign(&key, Stage::HandedOver, &id, KeyId(sender), ContentHash(hash), StoreId(store));
        let read: Receipt = serde_json::from_str(&serde_json::to_string(&receipt).unwrap()).unwrap();
        prop_assert_eq!(&read, &receipt);
        prop_assert!(read.verify(&key.verify_key()).is_ok());
    }

    #[test]
    fn tokens_are_accepted_for_any_request_and_only_for_it(
        method in "[A-Z]{1,8}", path in "/.{0,60}", other in "/.{0,60}", body: [u8; 32], channel: [u8; 32], jti: u64, seconds: i64,
    ) {
        let (asker, asked) = (SigningKey::from_seed(&[1; 32]), SigningKey::from_seed(&[2; 32]).key_id());
        let binding = Binding { method: &method, path: &path, body_hash: body, channel };
        let token = TokenSigner::new(&asker, asked).mint(&binding, UnixMillis(seconds / 2), jti);
        let verifier = TokenVerifier::new(&asker.verify_key(), asked);
        let mut window = JtiWindow::new();
        prop_assert!(verifier.verify(&token, &binding, &mut window).is_ok());
        prop_assert!(verifier.verify(&token, &binding, &mut window).is_err());
        if other != path {
            let elsewhere = Binding { path: &other, ..binding };
            prop_assert!(verifier.check(&token, &elsewhere).is_err());
        }
    }

    #[test]
    fn no_token_makes_the_verifier_panic(header in any::<String>(), claims in any::<String>(), signature in any::<String>(), raw in any::<String>()) {
        use base64::Engine;
        let encode = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
        let key = SigningKey::from_seed(&[1; 32]);
        let verifier = TokenVerifier::new(&key.verify_key(), KeyId([2; 32]));
        let binding = Binding { method: "GET", path: "/", body_hash: [0; 32], channel: [0; 32] };
        for token in [raw.clone(), format!("{}.{}.{}", encode(&header), encode(&claims), encode(&signature))] {
            prop_assert!(verifier.check(&token, &binding).is_err());
        }
        // The same claims under a good signature reach the claims' own checks.
        let message = format!("eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSJ9.{}", encode(&claims));
        let signed = format!("{message}.{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()).0));
        prop_assert!(verifier.check(&signed, &binding).is_err());
        prop_assert!(!check_pair_mac(&PairToken::from_bytes([1; 32]), &raw, &header));
        prop_assert!(check_pair_mac(&PairToken::from_bytes([1; 32]), &raw, &pair_mac(&PairToken::from_bytes([1; 32]), &raw)));
    }

    #[test]
    fn an_accepted_send_request_keeps_its_promises(payload in any_payload(), to in ".{1,20}") {
        let body = serde_json::json!({"to": to, "payload": payload}).to_string();
        match SendRequest::parse(body.as_bytes()) {
            Ok(request) => {
                prop_assert!(kithkit::measured_length(&request.payload) <= kithkit::MAX_LENGTH);
                let mut again = request.payload.clone();
                kithkit::normalise(&mut again);
                let text = again.get("text").is_some_and(Value::is_object);
                prop_assert!(text || again == request.payload, "normalising twice changes nothing");
                prop_assert!(Envelope::new(MessageId::new_v4(), KeyId([1; 32]), KeyId([2; 32]), UnixMillis(0), &request.payload_json()).is_ok());
            }
            Err(refusal) => prop_assert!(to.trim().is_empty() || refusal.actual_length.is_some(), "{refusal}"),
        }
    }

    #[test]
    fn lan_bodies_are_read_back(payload in any_payload(), own in ".{1,12}") {
        let id = MessageId::new_v4();
        let body = kithkit::lan_body(&own, &payload, &id, UnixMillis(0));
        let read = LanMessage::parse(&body).unwrap();
        prop_assert_eq!(read.from, own.to_lowercase());
        prop_assert_eq!(read.message_id.as_str(), id.as_str());
        for (key, value) in &read.payload {
            prop_assert_eq!(payload.get(key), Some(value));
        }
        let secret = own.as_bytes();
        prop_assert!(kithkit::check(secret, &body, &kithkit::sign(secret, &body)));
    }
}
