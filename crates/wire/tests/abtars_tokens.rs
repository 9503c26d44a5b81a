//! The bearer tokens of abTARS peers under attack.

#![allow(clippy::unwrap_used)]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tieline_wire::abtars::request::Covered;
use tieline_wire::abtars::token::{self, TokenError};
use tieline_wire::abtars::{SharedToken, bearer};
use tieline_wire::key::SigningKey;
use tieline_wire::time::UnixMillis;
use tieline_wire::token::{Binding, TokenSigner, body_hash};

const NOW: UnixMillis = UnixMillis(1_767_225_600_000);
const ASK: Covered<'static> = Covered {
    method: "POST",
    target: "/v1/chat/completions",
    body: b"{}",
};

fn key() -> SigningKey {
    SigningKey::from_seed(&[3; 32])
}

fn at(seconds: i64) -> UnixMillis {
    UnixMillis(NOW.0 + seconds * 1000)
}

fn verify(token: &str, now: UnixMillis) -> Result<String, TokenError> {
    token::verify(token, &key().verify_key(), "kp", "molty", &ASK, now).map(|fresh| fresh.nonce)
}

fn signed(header: &Value, claims: &Value) -> String {
    let message = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let signature = key().sign(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.0))
}

fn claims() -> Value {
    json!({"iss": "kp", "aud": "molty", "iat": 1_767_225_600, "exp": 1_767_225_660, "jti": "j-1"})
}

fn eddsa() -> Value {
    json!({"alg": "EdDSA", "typ": "JWT"})
}

#[test]
fn a_token_written_from_the_published_page_is_accepted() {
    assert_eq!(
        verify(&signed(&eddsa(), &claims()), NOW),
        Ok("j-1".to_owned())
    );
    assert_eq!(
        verify(&signed(&json!({"alg": "EdDSA"}), &claims()), NOW),
        Ok("j-1".to_owned())
    );
}

#[test]
fn a_minted_token_is_good_for_its_request_only() {
    let token = token::mint(&key(), "kp", "molty", &ASK, NOW, "j-2");
    assert_eq!(verify(&token, NOW), Ok("j-2".to_owned()));
    assert_eq!(token::claimed_issuer(&token).as_deref(), Some("kp"));
    assert!(token::is_eddsa(&token));
    for other in [
        Covered {
            method: "GET",
            ..ASK
        },
        Covered {
            target: "/v1/models",
            ..ASK
        },
        Covered {
            body: b"{ }",
            ..ASK
        },
    ] {
        let refused = token::verify(&token, &key().verify_key(), "kp", "molty", &other, NOW);
        assert_eq!(refused.unwrap_err(), TokenError::Request);
    }
}

#[test]
fn only_the_right_names_keys_and_times_do() {
    let token = token::mint(&key(), "kp", "molty", &ASK, NOW, "j-3");
    let other = SigningKey::from_seed(&[4; 32]).verify_key();
    let with = |key, peer, own| {
        token::verify(&token, key, peer, own, &ASK, NOW)
            .map(|_| ())
            .unwrap_err()
    };
    let right = key().verify_key();
    assert_eq!(with(&other, "kp", "molty"), TokenError::Signature);
    assert_eq!(with(&right, "KP", "molty"), TokenError::Issuer);
    assert_eq!(with(&right, "kp", "Molty"), TokenError::Audience);
    assert!(verify(&token, at(-30)).is_ok());
    assert_eq!(verify(&token, at(-31)), Err(TokenError::Time));
    assert!(verify(&token, at(90)).is_ok());
    assert_eq!(verify(&token, at(91)), Err(TokenError::Time));
}

#[test]
fn a_jti_has_to_be_remembered_only_until_its_token_is_stale() {
    let token = token::mint(&key(), "kp", "molty", &ASK, NOW, "j-4");
    let fresh = token::verify(&token, &key().verify_key(), "kp", "molty", &ASK, NOW).unwrap();
    assert!(verify(&token, UnixMillis(fresh.stale_from.0 - 1)).is_ok());
    assert_eq!(verify(&token, fresh.stale_from), Err(TokenError::Time));
}

#[test]
fn headers_and_claims_of_another_shape_are_refused() {
    for header in [
        json!({"alg": "none"}),
        json!({"alg": "HS256", "typ": "JWT"}),
        json!({"alg": "EdDSA", "kid": "1"}),
        json!({"alg": "EdDSA", "jwk": {}}),
        json!([]),
    ] {
        let refused = verify(&signed(&header, &claims()), NOW);
        assert_eq!(refused, Err(TokenError::Header), "{header}");
    }
    for (name, value) in [
        ("iat", json!("1767225600")),
        ("exp", Value::Null),
        ("jti", json!("")),
        ("jti", json!("x".repeat(129))),
        ("jti", json!(7)),
        ("aud", json!(["molty"])),
        ("cb", json!("AAAA")),
    ] {
        let mut claims = claims();
        claims[name] = value;
        let refused = verify(&signed(&eddsa(), &claims), NOW);
        assert_eq!(refused, Err(TokenError::Claims), "{name}");
    }
    for (iat, exp) in [(0, 0), (0, 301), (31, 60), (60, 0), (i64::MIN, i64::MAX)] {
        let mut claims = claims();
        claims["iat"] = iat.saturating_add(1_767_225_600).into();
        claims["exp"] = exp.saturating_add(1_767_225_600).into();
        let refused = verify(&signed(&eddsa(), &claims), NOW);
        assert_eq!(refused, Err(TokenError::Time), "{iat} {exp}");
    }
    for text in ["", "a", "a.b", "a.b.c.d", &"x".repeat(9000)] {
        assert_eq!(verify(text, NOW), Err(TokenError::Malformed), "{text:.9}");
    }
}

#[test]
fn the_tokens_of_the_dialects_do_not_stand_in_for_one_another() {
    // A node's own token, signed with the very same key.
    let binding = Binding {
        method: ASK.method,
        path: ASK.target,
        body_hash: body_hash(ASK.body),
        channel: [0; 32],
    };
    let own = TokenSigner::new(&key(), key().key_id()).mint(&binding, NOW, 1);
    let name = key().key_id().to_string();
    let refused = token::verify(&own, &key().verify_key(), &name, &name, &ASK, NOW);
    assert_eq!(refused.unwrap_err(), TokenError::Claims);

    // The public key is no secret: a bearer made with its text must not pass for a signature.
    let public = SharedToken::new(key().verify_key().to_base64()).unwrap();
    let forged = bearer::mint(&public, "kp", "molty", NOW);
    assert_eq!(verify(&forged, NOW), Err(TokenError::Header));
    assert!(!token::is_eddsa(&forged));

    // And a signed token is nothing to whoever checks bearers with the secret.
    let secret = SharedToken::new("s").unwrap();
    let signed = token::mint(&key(), "kp", "molty", &ASK, NOW, "j-5");
    assert_eq!(
        bearer::verify(&signed, &secret, "kp", "molty", NOW),
        Err(bearer::BearerError::BadSignature)
    );
}
