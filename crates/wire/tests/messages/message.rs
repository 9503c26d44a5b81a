//! Messages: bytes, hash, strictness, ids.

use serde_json::json;
use sha2::{Digest, Sha256};
use tieline_wire::bytes::lp;
use tieline_wire::message::{Envelope, EnvelopeError, MAX_TYPE, MessageId, PayloadError};
use tieline_wire::time::UnixMillis;

use crate::{envelope, keys};
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

#[test]
fn a_payloads_type_has_a_bounded_length() {
    let of = |length: usize| json!({"type": "x".repeat(length)}).to_string();
    envelope(&of(MAX_TYPE));
    let (from, to) = keys();
    let id = MessageId::new("m-1").unwrap();
    let refused = Envelope::new(
        id,
        from.key_id(),
        to.key_id(),
        UnixMillis(0),
        &of(MAX_TYPE + 1),
    );
    assert!(matches!(refused, Err(PayloadError::LongType)));
    let long = text(&envelope(&of(MAX_TYPE))).replace("xx", "xxx");
    let refused = Envelope::parse(long.as_bytes());
    assert!(matches!(
        refused,
        Err(EnvelopeError::Payload(PayloadError::LongType))
    ));
}
