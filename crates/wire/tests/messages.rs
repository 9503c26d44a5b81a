//! Messages, receipts and cards: what is covered, and what is refused.

#![allow(clippy::unwrap_used)]

use serde_json::json;
use sha2::{Digest, Sha256};
use tieline_wire::bytes::lp;
use tieline_wire::card::{Card, CardError, Dialect};
use tieline_wire::certificate::self_signed;
use tieline_wire::key::{KeyId, SigningKey};
use tieline_wire::message::{ContentHash, Envelope, EnvelopeError, MessageId, PayloadError};
use tieline_wire::receipt::{Receipt, ReceiptError, Stage, StoreId};
use tieline_wire::time::UnixMillis;

fn keys() -> (SigningKey, SigningKey) {
    (
        SigningKey::from_seed(&[1; 32]),
        SigningKey::from_seed(&[2; 32]),
    )
}

fn envelope(payload: &str) -> Envelope {
    let (from, to) = keys();
    let id = MessageId::new("m-1").unwrap();
    Envelope::new(
        id,
        from.key_id(),
        to.key_id(),
        UnixMillis(1_767_225_600_123),
        payload,
    )
    .unwrap()
}

fn text(json: &Envelope) -> String {
    String::from_utf8(json.to_json()).unwrap()
}

#[test]
fn a_payload_travels_byte_for_byte() {
    let payload = r#"{ "type" : "text","n":1.0,	"big":12345678901234567890123, "u":"\u00e9é" }"#;
    let sent = envelope(payload);
    let received = Envelope::parse(&sent.to_json()).unwrap();
    assert_eq!(received.payload.get(), payload);
    assert_eq!(received.content_hash(), sent.content_hash());
    assert_eq!(received.payload_type(), "text");
    assert_eq!(
        (received.id, received.from, received.to, received.sent_at),
        (sent.id, sent.from, sent.to, sent.sent_at)
    );
}

#[test]
fn both_ways_of_writing_a_message_agree() {
    let sent = envelope(r#"{"type":"text"}"#);
    assert_eq!(serde_json::to_vec(&sent).unwrap(), sent.to_json());
    let (from, to) = keys();
    let expected = format!(
        r#"{{"v":1,"id":"m-1","from":"{}","to":"{}","sentAt":"2026-01-01T00:00:00.123Z","payload":{{"type":"text"}}}}"#,
        from.key_id(),
        to.key_id()
    );
    assert_eq!(text(&sent), expected);
}

#[test]
fn the_content_hash_is_what_the_protocol_says() {
    let payload = r#"{"type":"text","text":"hi"}"#;
    let (from, to) = keys();
    let canonical = lp(&[
        b"tieline-message-v1",
        b"m-1",
        from.key_id().as_bytes(),
        to.key_id().as_bytes(),
        &1_767_225_600_123_i64.to_be_bytes(),
        payload.as_bytes(),
    ]);
    assert_eq!(
        envelope(payload).content_hash().0,
        <[u8; 32]>::from(Sha256::digest(canonical))
    );
}

#[test]
fn the_content_hash_covers_every_field() {
    let base = envelope(r#"{"type":"text"}"#);
    let changed = [
        Envelope {
            id: MessageId::new("m-2").unwrap(),
            ..base.clone()
        },
        Envelope {
            from: base.to,
            ..base.clone()
        },
        Envelope {
            to: base.from,
            ..base.clone()
        },
        Envelope {
            sent_at: UnixMillis(base.sent_at.0 + 1),
            ..base.clone()
        },
        envelope(r#"{"type":"text" }"#),
    ];
    for other in changed {
        assert_ne!(other.content_hash(), base.content_hash(), "{other:?}");
    }
}

#[test]
fn ambiguous_messages_are_refused() {
    let good = text(&envelope(r#"{"type":"text"}"#));
    assert!(Envelope::parse(good.as_bytes()).is_ok());
    for bad in [
        format!("{good}{{}}"),
        format!("{good} x"),
        good.replacen('{', r#"{"id":"m-2","#, 1),
        good.replacen('{', r#"{"extra":1,"#, 1),
        good.replacen(r#""v":1"#, r#""v":"1""#, 1),
        good.replacen(r#""v":1,"#, "", 1),
        good.replacen(r#""id":"m-1""#, r#""id":"m 1""#, 1),
        good.replacen(r#""id":"m-1""#, r#""id":"""#, 1),
        good.replacen("00.123Z", "00.123", 1),
        good.replacen(r#""from":""#, r#""from":"A"#, 1),
        good[..good.len() - 1].to_owned(),
        String::new(),
        "[]".to_owned(),
    ] {
        assert!(
            matches!(
                Envelope::parse(bad.as_bytes()),
                Err(EnvelopeError::Malformed(_))
            ),
            "{bad}"
        );
    }
    assert!(matches!(
        Envelope::parse(b"\xff\xfe"),
        Err(EnvelopeError::Malformed(_))
    ));
    let newer = good.replacen(r#""v":1"#, r#""v":2"#, 1);
    assert!(matches!(
        Envelope::parse(newer.as_bytes()),
        Err(EnvelopeError::Version(2))
    ));
}

#[test]
fn payloads_that_two_programs_would_read_differently_are_refused() {
    let (from, to) = keys();
    let new = |payload: &str| {
        Envelope::new(
            MessageId::new_v4(),
            from.key_id(),
            to.key_id(),
            UnixMillis(0),
            payload,
        )
    };
    for bad in [
        r#"{"type":"a","type":"b"}"#,
        r#"{"type":"a","typ\u0065":"b"}"#,
        r#"{"type":"a","deep":[{"x":{"y":1,"y":2}}]}"#,
        r#"{"type":"a","x":"\ud800"}"#,
        r#"{"type":"a","\udc00":1}"#,
        r#"{"type":"a","x":1e999}"#,
        r#"{"type":"a","x":01}"#,
        r#"{"type":"a",}"#,
        r#"{"type":"a"} {}"#,
        "{\"type\":\"a\n\"}",
        &format!(
            r#"{{"type":"a","x":{}{}}}"#,
            "[".repeat(500),
            "]".repeat(500)
        ),
    ] {
        assert!(
            matches!(new(bad), Err(PayloadError::Malformed(_))),
            "{bad:.80}"
        );
    }
    for not_object in ["[]", "\"x\"", "null", "1", r#"["type"]"#] {
        assert!(
            matches!(new(not_object), Err(PayloadError::NotAnObject)),
            "{not_object}"
        );
    }
    for no_type in [
        "{}",
        r#"{"type":""}"#,
        r#"{"type":null}"#,
        r#"{"type":1}"#,
        r#"{"type":{"type":"x"}}"#,
        r#"{"Type":"x"}"#,
    ] {
        assert!(
            matches!(new(no_type), Err(PayloadError::NoType)),
            "{no_type}"
        );
    }
    // The same checks on the way in.
    let sneaked = text(&envelope(r#"{"type":"text"}"#))
        .replace(r#"{"type":"text"}"#, r#"{"type":"a","type":"b"}"#);
    assert!(matches!(
        Envelope::parse(sneaked.as_bytes()),
        Err(EnvelopeError::Payload(_))
    ));
}

#[test]
fn message_ids_have_their_alphabet_and_length() {
    for good in [
        "a",
        "A.b_c:d-9",
        &"x".repeat(128),
        MessageId::new_v4().as_str(),
    ] {
        assert_eq!(good.parse::<MessageId>().unwrap().as_str(), good);
    }
    for bad in ["", &"x".repeat(129), "a b", "a/b", "é", "a\n", "a\"b"] {
        assert!(bad.parse::<MessageId>().is_err(), "{bad:?}");
    }
    assert_ne!(MessageId::new_v4(), MessageId::new_v4());
    assert_eq!(MessageId::new_v4().as_str().as_bytes()[14], b'4');
}

fn receipt() -> Receipt {
    let (sender, recipient) = keys();
    let id = MessageId::new("m-1").unwrap();
    Receipt::sign(
        &recipient,
        Stage::Stored,
        &id,
        sender.key_id(),
        ContentHash([5; 32]),
        StoreId([6; 16]),
    )
}

#[test]
fn a_receipt_is_good_for_one_stage_of_one_message_in_one_store() {
    let (sender, recipient) = keys();
    let key = recipient.verify_key();
    let good = receipt();
    good.verify(&key).unwrap();
    good.verify_for(&key, &good.message_id, sender.key_id(), good.content_hash)
        .unwrap();

    let changed = [
        Receipt {
            stage: Stage::Acknowledged,
            ..good.clone()
        },
        Receipt {
            stage: Stage::Refused,
            ..good.clone()
        },
        Receipt {
            message_id: MessageId::new("m-2").unwrap(),
            ..good.clone()
        },
        Receipt {
            sender: KeyId([0; 32]),
            ..good.clone()
        },
        Receipt {
            content_hash: ContentHash([0; 32]),
            ..good.clone()
        },
        Receipt {
            store_id: StoreId([0; 16]),
            ..good.clone()
        },
    ];
    for other in changed {
        assert_eq!(
            other.verify(&key),
            Err(ReceiptError::Signature),
            "{other:?}"
        );
    }
    let renamed = Receipt {
        recipient: sender.key_id(),
        ..good.clone()
    };
    assert_eq!(renamed.verify(&key), Err(ReceiptError::OtherKey));
    assert_eq!(
        renamed.verify(&sender.verify_key()),
        Err(ReceiptError::Signature)
    );
    assert_eq!(
        good.verify(&sender.verify_key()),
        Err(ReceiptError::OtherKey)
    );
}

#[test]
fn a_genuine_receipt_of_another_message_confirms_nothing() {
    let (sender, recipient) = keys();
    let (good, key) = (receipt(), recipient.verify_key());
    let (id, hash) = (good.message_id.clone(), good.content_hash);
    let other_id = MessageId::new("m-2").unwrap();
    for result in [
        good.verify_for(&key, &other_id, sender.key_id(), hash),
        good.verify_for(&key, &id, recipient.key_id(), hash),
        good.verify_for(&key, &id, sender.key_id(), ContentHash([0; 32])),
    ] {
        assert_eq!(result, Err(ReceiptError::OtherMessage));
    }
}

#[test]
fn a_receipt_signs_what_the_protocol_says() {
    let (sender, recipient) = keys();
    let signed = lp(&[
        b"tieline-receipt-v1",
        b"stored",
        b"m-1",
        sender.key_id().as_bytes(),
        recipient.key_id().as_bytes(),
        &[5; 32],
        &[6; 16],
    ]);
    assert_eq!(receipt().signature, recipient.sign(&signed));
}

#[test]
fn a_receipt_travels_as_strict_json() {
    let good = receipt();
    let json = serde_json::to_string(&good).unwrap();
    assert_eq!(serde_json::from_str::<Receipt>(&json).unwrap(), good);
    for stage in [
        Stage::Stored,
        Stage::HandedOver,
        Stage::Acknowledged,
        Stage::Refused,
    ] {
        assert_eq!(serde_json::to_value(stage).unwrap(), stage.as_str());
    }
    for bad in [
        json.replacen('{', r#"{"extra":1,"#, 1),
        json.replacen('{', r#"{"stage":"stored","#, 1),
        json.replace("stored", "Stored"),
        json.replace("stored", "read"),
    ] {
        assert!(serde_json::from_str::<Receipt>(&bad).is_err(), "{bad}");
    }
}

fn card() -> Card {
    let (tls, signing) = keys();
    let addresses = ["192.168.1.20:3100", "[fe80::1]:3100"]
        .map(|text| text.parse().unwrap())
        .to_vec();
    let certificate = self_signed(&tls, "wsl-box").unwrap();
    Card::new(
        "WSL box",
        addresses,
        signing.verify_key(),
        certificate,
        vec![Dialect::Tieline, Dialect::Abtars],
    )
    .unwrap()
}

#[test]
fn a_card_survives_both_of_its_forms() {
    assert_eq!(Card::parse(&card().to_json()).unwrap(), card());
    let json = String::from_utf8(card().to_json()).unwrap();
    assert_eq!(
        Card::parse_any(&format!("\u{feff} {json}\n")).unwrap(),
        card()
    );
    let from_pem = Card::parse_any(&card().to_pem()).unwrap();
    assert_eq!(
        from_pem,
        Card {
            dialects: vec![Dialect::Tieline],
            ..card()
        }
    );
    assert_eq!(
        Card::parse_any(&card().to_pem().replace('\n', "\r\n")).unwrap(),
        from_pem
    );
    assert_eq!(
        serde_json::from_slice::<Card>(&card().to_json()).unwrap(),
        card()
    );
}

#[test]
fn a_card_names_its_fields_as_documented() {
    let value: serde_json::Value = serde_json::from_slice(&card().to_json()).unwrap();
    let names: Vec<_> = value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        names,
        [
            "version",
            "name",
            "addresses",
            "verifyKey",
            "certificate",
            "fingerprint",
            "dialects"
        ]
    );
    assert_eq!(value["version"], 1);
    assert_eq!(value["dialects"], json!(["tieline", "abtars"]));
    assert_eq!(value["addresses"][1], "[fe80::1]:3100");
    assert!(
        value["fingerprint"]
            .as_str()
            .unwrap()
            .starts_with("SHA256:")
    );
}

#[test]
fn a_card_of_a_later_minor_kind_is_read() {
    let mut value: serde_json::Value = serde_json::from_slice(&card().to_json()).unwrap();
    value["colour"] = json!("copper");
    value["dialects"] = json!(["tieline", "morse", "abtars"]);
    assert_eq!(Card::parse(value.to_string().as_bytes()).unwrap(), card());
}

#[test]
fn an_inconsistent_card_is_refused() {
    let (tls, _) = keys();
    let edit = |name: &str, to: serde_json::Value| {
        let mut value: serde_json::Value = serde_json::from_slice(&card().to_json()).unwrap();
        value[name] = to;
        Card::parse(value.to_string().as_bytes()).unwrap_err()
    };
    let other = self_signed(&tls, "other").unwrap();
    assert!(matches!(
        edit("fingerprint", json!(other.fingerprint())),
        CardError::FingerprintMismatch
    ));
    assert!(matches!(
        edit("certificate", json!(other.to_pem())),
        CardError::FingerprintMismatch
    ));
    assert!(matches!(edit("version", json!(2)), CardError::Version(2)));
    assert!(matches!(
        edit("addresses", json!(vec!["h:1"; 17])),
        CardError::TooManyAddresses
    ));
    assert!(matches!(
        edit("addresses", json!(["h"])),
        CardError::Malformed(_)
    ));
    assert!(matches!(
        edit("verifyKey", json!("")),
        CardError::Malformed(_)
    ));
    assert!(matches!(
        edit("verifyKey", json!(&*tls.to_base64())),
        CardError::Malformed(_)
    ));
    let repeated = String::from_utf8(card().to_json())
        .unwrap()
        .replacen('{', r#"{"name":"x","#, 1);
    assert!(matches!(
        Card::parse(repeated.as_bytes()),
        Err(CardError::Malformed(_))
    ));
    let huge = format!("{{\"x\":\"{}\"", "y".repeat(70_000));
    assert!(matches!(
        Card::parse(huge.as_bytes()),
        Err(CardError::TooLarge)
    ));
    assert!(matches!(
        Card::parse_any(&"y".repeat(70_000)),
        Err(CardError::TooLarge)
    ));
}

#[test]
fn a_pem_card_with_a_mistake_is_told_what_it_is() {
    let (tls, _) = keys();
    let pem = card().to_pem();
    let wrong_print = pem.replace(
        &card().fingerprint.to_string(),
        &format!("SHA256:{}", "00".repeat(32)),
    );
    assert!(matches!(
        Card::parse_any(&wrong_print),
        Err(CardError::FingerprintMismatch)
    ));
    let wrong_address = pem.replace("192.168.1.20:3100", "192.168.1.20");
    assert!(
        matches!(Card::parse_any(&wrong_address), Err(CardError::Address(text)) if text == "192.168.1.20")
    );
    let with_secret = format!("{pem}{}", &*tls.to_pem());
    assert!(matches!(
        Card::parse_any(&with_secret),
        Err(CardError::Private)
    ));
    let without_key = &pem[..pem.find("-----BEGIN PUBLIC").unwrap()];
    assert!(matches!(
        Card::parse_any(without_key),
        Err(CardError::Key(_))
    ));
    assert!(matches!(
        Card::parse_any("hello"),
        Err(CardError::Certificate(_))
    ));
    assert!(matches!(
        Card::parse_any(""),
        Err(CardError::Certificate(_))
    ));
}

#[test]
fn a_cards_name_is_made_fit_to_show() {
    let (tls, signing) = keys();
    let certificate = self_signed(&tls, "x").unwrap();
    let name = |name: &str| {
        Card::new(
            name,
            Vec::new(),
            signing.verify_key(),
            certificate.clone(),
            Vec::new(),
        )
        .unwrap()
        .name
    };
    assert_eq!(name("  wsl \n box\t"), "wsl box");
    assert_eq!(name("a\u{202e}gpj.exe\u{2066}\u{200b}"), "agpj.exe");
    assert_eq!(name("\u{1b}[31mred"), "[31mred");
    assert_eq!(name(&"é".repeat(100)).chars().count(), 64);
    assert_eq!(name(""), "");
}
