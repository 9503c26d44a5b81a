//! Headers and claims that a token may not have.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use tieline_wire::key::SigningKey;
use tieline_wire::token::TokenError;

use crate::{HEADER, pair};
#[test]
fn the_algorithm_is_never_taken_from_the_header() {
    let mut pair = pair();
    let claims = pair.claims().to_string();
    for header in [
        r#"{"typ":"JWT","alg":"none"}"#,
        r#"{"typ":"JWT","alg":"None"}"#,
        r#"{"typ":"JWT","alg":"HS256"}"#,
        r#"{"typ":"JWT","alg":"ES256"}"#,
        r#"{"typ":"JWT","alg":"eddsa"}"#,
        r#"{"typ":"JWT"}"#,
        r#"{"alg":["EdDSA"]}"#,
        r#"{"typ":"at+jwt","alg":"EdDSA"}"#,
        "[]",
    ] {
        let token = pair.signed(header, &claims);
        assert_eq!(pair.refused(&token), TokenError::Header, "{header}");
    }
    let unsigned = format!(
        "{}.{}.",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#),
        URL_SAFE_NO_PAD.encode(&claims)
    );
    assert_eq!(pair.refused(&unsigned), TokenError::Header);
    let empty_signature = format!(
        "{}.{}.",
        URL_SAFE_NO_PAD.encode(HEADER),
        URL_SAFE_NO_PAD.encode(&claims)
    );
    assert_eq!(pair.refused(&empty_signature), TokenError::Signature);
}

#[test]
fn the_public_key_is_no_hmac_secret() {
    let mut pair = pair();
    let public = pair.asker.verify_key();
    let claims = URL_SAFE_NO_PAD.encode(pair.claims().to_string());
    for header in [r#"{"typ":"JWT","alg":"HS256"}"#, HEADER] {
        for secret in [
            public.as_bytes().to_vec(),
            public.to_spki_der().to_vec(),
            public.to_pem().into_bytes(),
        ] {
            let message = format!("{}.{claims}", URL_SAFE_NO_PAD.encode(header));
            let mac = Hmac::<sha2::Sha256>::new_from_slice(&secret)
                .unwrap()
                .chain_update(&message)
                .finalize();
            let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac.into_bytes()));
            assert!(matches!(
                pair.refused(&token),
                TokenError::Header | TokenError::Signature
            ));
        }
    }
}

#[test]
fn header_parameters_that_choose_a_key_are_refused() {
    let mut pair = pair();
    let claims = pair.claims().to_string();
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(pair.asker.verify_key().as_bytes())});
    for (name, value) in [
        ("jwk", jwk),
        ("kid", json!("../../dev/null")),
        ("jku", json!("https://attacker.example/keys")),
        ("x5u", json!("https://attacker.example/cert")),
        ("x5c", json!([])),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("cty", json!("JWT")),
        ("zip", json!("DEF")),
        ("b64", json!(false)),
    ] {
        let mut header: Value = serde_json::from_str(HEADER).unwrap();
        header[name] = value;
        let token = pair.signed(&header.to_string(), &claims);
        assert_eq!(pair.refused(&token), TokenError::Header, "{name}");
    }
    for header in [
        r#"{"alg":"none","alg":"EdDSA"}"#,
        r#"{"alg":"EdDSA","alg":"EdDSA"}"#,
        r#"{"alg":"EdDSA"} x"#,
    ] {
        let token = pair.signed(header, &claims);
        assert_eq!(pair.refused(&token), TokenError::Header, "{header}");
    }
}

#[test]
fn claims_of_another_type_are_refused() {
    let mut pair = pair();
    for (name, value) in [
        ("exp", json!("1767225660")),
        ("exp", json!(1_767_225_660.0)),
        ("exp", json!(null)),
        ("exp", json!([1_767_225_660])),
        ("exp", json!(1e300)),
        ("iat", json!("1767225600")),
        ("iat", json!(true)),
        ("jti", json!(7)),
        ("jti", json!("")),
        ("jti", json!("07")),
        ("jti", json!("+7")),
        ("jti", json!(" 7")),
        ("jti", json!("7.0")),
        ("jti", json!("-1")),
        ("jti", json!("٧")),
        ("jti", json!("18446744073709551616")),
        ("iss", json!([pair.asker.key_id().to_string()])),
        ("iss", json!("")),
        (
            "aud",
            json!([SigningKey::from_seed(&[2; 32]).key_id().to_string()]),
        ),
        ("htm", json!(["POST"])),
        ("htu", json!(null)),
    ] {
        let mut claims = pair.claims();
        claims[name] = value.clone();
        let token = pair.signed(HEADER, &claims.to_string());
        assert_eq!(pair.refused(&token), TokenError::Claims, "{name} = {value}");
    }
}

#[test]
fn missing_extra_and_repeated_claims_are_refused() {
    let mut pair = pair();
    let right = pair.claims();
    for name in right.as_object().unwrap().keys() {
        let mut claims = right.clone();
        claims.as_object_mut().unwrap().remove(name);
        let token = pair.signed(HEADER, &claims.to_string());
        assert_eq!(pair.refused(&token), TokenError::Claims, "without {name}");

        let repeated =
            right
                .to_string()
                .replacen('{', &format!(r#"{{"{name}":{},"#, right[name]), 1);
        let token = pair.signed(HEADER, &repeated);
        assert_eq!(pair.refused(&token), TokenError::Claims, "{name} twice");
    }
    for extra in ["nbf", "sub", "admin", "ISS", "iss "] {
        let mut claims = right.clone();
        claims[extra] = json!("x");
        let token = pair.signed(HEADER, &claims.to_string());
        assert_eq!(pair.refused(&token), TokenError::Claims, "with {extra}");
    }
    for text in ["", "{}", "[]", "null", "{", "\"x\""] {
        let token = pair.signed(HEADER, text);
        assert_eq!(pair.refused(&token), TokenError::Claims, "{text}");
    }
    let trailing = pair.signed(HEADER, &format!("{right}{{}}"));
    assert_eq!(pair.refused(&trailing), TokenError::Claims);
}

#[test]
fn a_lifetime_must_be_at_most_a_minute() {
    let mut pair = pair();
    for (iat, exp) in [
        (0, 61),
        (0, 0),
        (60, 0),
        (i64::MIN, i64::MAX),
        (i64::MAX, i64::MIN),
    ] {
        let mut claims = pair.claims();
        claims["iat"] = json!(iat);
        claims["exp"] = json!(exp);
        let token = pair.signed(HEADER, &claims.to_string());
        assert_eq!(pair.refused(&token), TokenError::Lifetime, "{iat} to {exp}");
    }
}
