//! What an abTARS server answers when it does not serve, to the byte, over HTTP and in frames.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use tieline_wire::abtars::frame::{self, Frame, FrameError, RemoteError, Request};
use tieline_wire::abtars::refusal::Refusal;
use tieline_wire::abtars::request::Nonce;
use tieline_wire::key::SigningKey;
use tieline_wire::time::UnixMillis;

const NOW: UnixMillis = UnixMillis(1_767_225_600_000);

#[test]
fn every_refusal_has_the_documented_status_and_body() {
    let auth = |message: &str, code: &str| {
        format!(
            r#"{{"error":{{"message":"{message}","type":"authentication_error","code":"{code}"}}}}"#
        )
    };
    let other = |message: &str, kind: &str, code: &str| {
        format!(r#"{{"error":{{"message":"{message}","type":"{kind}","code":"{code}"}}}}"#)
    };
    let limited = Refusal::RateLimited {
        caller: "kp".to_owned(),
        retry_after: 1800,
    };
    let internal = r#"{"error":{"message":"Internal server error","type":"server_error"}}"#;
    for (refusal, status, body) in [
        (
            Refusal::MissingPeerId,
            401,
            auth("Missing X-Peer-Id header", "invalid_api_key"),
        ),
        (
            Refusal::BodyTooLarge,
            413,
            other(
                "Request body too large",
                "invalid_request_error",
                "body_too_large",
            ),
        ),
        (
            Refusal::UnknownPeer,
            401,
            auth("Unknown peer", "invalid_api_key"),
        ),
        (
            Refusal::InvalidSignature,
            401,
            auth("Invalid request signature", "sig_invalid"),
        ),
        (
            Refusal::MissingBearer,
            401,
            auth("Missing bearer token", "invalid_api_key"),
        ),
        (
            Refusal::InvalidBearer,
            401,
            auth("Invalid bearer token", "invalid_api_key"),
        ),
        (
            Refusal::Bucket,
            429,
            other(
                "Rate limit: max 1 request per 10s per peer",
                "rate_limit_error",
                "rate_limited",
            ),
        ),
        (
            Refusal::HopExceeded,
            429,
            other("Peer hop limit reached", "loop_detected", "hop_exceeded"),
        ),
        (
            limited.clone(),
            429,
            other(
                "Rate limit exceeded for kp",
                "rate_limit_error",
                "rate_limit",
            ),
        ),
        (
            Refusal::InvalidJson,
            400,
            other("Invalid JSON body", "invalid_request_error", "invalid_body"),
        ),
        (
            Refusal::EmptyPrompt,
            400,
            other(
                "No user message content",
                "invalid_request_error",
                "empty_prompt",
            ),
        ),
        (
            Refusal::SignatureRequired,
            403,
            auth("Signature required", "signature_missing"),
        ),
        (
            Refusal::SignatureInvalid,
            403,
            auth("Invalid signature", "signature_invalid"),
        ),
        (
            Refusal::InjectionDetected,
            400,
            other(
                "Message rejected by injection scanner",
                "security_error",
                "injection_detected",
            ),
        ),
        (
            Refusal::AdapterUnavailable,
            503,
            other(
                "A2A adapter not initialized",
                "server_error",
                "adapter_unavailable",
            ),
        ),
        (
            Refusal::ModelNotFound("gpt".to_owned()),
            404,
            other(
                "Model 'gpt' not found",
                "invalid_request_error",
                "model_not_found",
            ),
        ),
        (
            Refusal::NoSuchTask,
            404,
            other("No matching local card", "not_found_error", "not_found"),
        ),
        (
            Refusal::LoopbackOnly,
            401,
            r#"{"ok":false,"error":"loopback only"}"#.to_owned(),
        ),
        (Refusal::Internal, 500, internal.to_owned()),
    ] {
        assert_eq!(
            (refusal.status(), refusal.body()),
            (status, Some(body)),
            "{refusal:?}"
        );
    }
    assert_eq!(
        (Refusal::NoRoute.status(), Refusal::NoRoute.body()),
        (404, None)
    );
    assert_eq!(Refusal::Bucket.retry_after(), Some(10));
    assert_eq!(limited.retry_after(), Some(1800));
    assert_eq!(Refusal::HopExceeded.retry_after(), None);
    // The texts of routes whose messages are not documented: status and code are.
    assert_eq!(Refusal::HelpUnavailable.status(), 503);
    let missing = Refusal::MissingField("message");
    assert_eq!(
        (missing.status(), missing.code()),
        (400, Some("missing_field"))
    );
}

#[test]
fn a_callers_name_and_id_stay_text_in_the_body() {
    let odd = "\"},{\"x\":\"\u{1}é";
    for refusal in [
        Refusal::ModelNotFound(odd.to_owned()),
        Refusal::RateLimited {
            caller: odd.to_owned(),
            retry_after: 1,
        },
    ] {
        let body: Value = serde_json::from_str(&refusal.body().unwrap()).unwrap();
        assert_eq!(body.as_object().unwrap().len(), 1);
        assert!(body["error"]["message"].as_str().unwrap().contains(odd));
    }
}

fn request() -> Value {
    let key = SigningKey::from_seed(&[1; 32]);
    let call = ("req-1", "help.status.v1");
    let made = Request::sign(&key, "alpha", call, "{}", NOW, Nonce::from_bytes([1; 16]));
    serde_json::from_str(&made.to_json()).unwrap()
}

#[test]
fn a_frame_out_of_form_is_answered_with_its_mistake() {
    for (pointer, value, message) in [
        ("/version", json!(2), "Invalid request version"),
        ("/version", json!("1"), "Invalid request version"),
        ("/method", json!(""), "Invalid request method"),
        ("/method", json!("x".repeat(49)), "Invalid request method"),
        ("/body", json!({}), "Invalid request body"),
        (
            "/body",
            json!("x".repeat(frame::MAX_BODY + 1)),
            "Invalid request body",
        ),
        ("/auth", Value::Null, "Invalid request authentication"),
        ("/auth/peerId", json!("a b"), "Invalid request peer"),
        (
            "/auth/ts",
            json!(1_767_225_600),
            "Invalid request timestamp",
        ),
        (
            "/auth/ts",
            json!("12345678901234567"),
            "Invalid request timestamp",
        ),
        ("/auth/nonce", json!("00"), "Invalid request nonce"),
        ("/auth/sig", json!("AA=="), "Invalid request signature"),
    ] {
        let mut bad = request();
        *bad.pointer_mut(pointer).unwrap() = value;
        let Frame::Refused { id, error } = Frame::parse(&bad.to_string()) else {
            unreachable!("{pointer}")
        };
        assert_eq!(
            error.to_json(&id),
            format!(
                r#"{{"type":"response","id":"req-1","error":{{"code":"invalid_frame","message":"{message}","retryable":false}}}}"#
            ),
        );
    }
    for (error, code, message) in [
        (FrameError::MalformedBody, "invalid_frame", "Malformed body"),
        (
            FrameError::UnsupportedMethod,
            "unsupported_method",
            "Unsupported request method",
        ),
        (
            FrameError::IdentityMismatch,
            "auth_failed",
            "Peer identity mismatch",
        ),
        (FrameError::NotEnrolled, "auth_failed", "Peer not enrolled"),
        (
            FrameError::BadSig,
            "auth_failed",
            "Request auth failed: bad_sig",
        ),
        (
            FrameError::StaleTs,
            "auth_failed",
            "Request auth failed: stale_ts",
        ),
        (FrameError::NonceReplay, "auth_failed", "Nonce replay"),
        (FrameError::Store, "auth_failed", "Store error"),
    ] {
        assert_eq!((error.code(), error.to_string().as_str()), (code, message));
    }
}

#[test]
fn a_frame_that_cannot_be_answered_is_passed_over() {
    let with_id = |id: Value| {
        let mut frame = request();
        frame["id"] = id;
        frame.to_string()
    };
    for text in [
        String::new(),
        "[]".to_owned(),
        r#"{"type":"hello"}"#.to_owned(),
        r#"{"type":"push"}"#.to_owned(),
        with_id(json!("")),
        with_id(json!("x".repeat(65))),
        with_id(json!("a b")),
        with_id(json!(7)),
        format!("{}{}", request(), " ".repeat(frame::MAX_FRAME)),
    ] {
        assert_eq!(Frame::parse(&text), Frame::Ignored, "{text:.60}");
    }
}

#[test]
fn responses_are_read_with_their_error_or_without() {
    let read = |text: &str| match Frame::parse(text) {
        Frame::Response { id, outcome } => (id, outcome),
        other => unreachable!("{other:?}"),
    };
    let payload = json!({"ok": true});
    assert_eq!(
        read(&frame::response("r", &payload)),
        ("r".to_owned(), Ok(payload))
    );
    assert_eq!(read(r#"{"type":"response","id":"r"}"#).1, Ok(Value::Null));
    let error = RemoteError {
        code: "auth_failed".to_owned(),
        message: "Nonce replay".to_owned(),
        retryable: false,
    };
    assert_eq!(read(&FrameError::NonceReplay.to_json("r")).1, Err(error));
    // Some error of a shape that is not known is an error all the same.
    assert_eq!(
        read(r#"{"type":"response","id":"r","error":"no","payload":{}}"#).1,
        Err(RemoteError::default())
    );
}
