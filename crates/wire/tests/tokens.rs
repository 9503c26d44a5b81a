//! Request tokens under attack: everything but the one right token must be refused, and a refused
//! token must leave no trace.

#![allow(clippy::unwrap_used)]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use tieline_wire::key::SigningKey;
use tieline_wire::time::UnixMillis;
use tieline_wire::token::{
    Binding, JtiError, JtiWindow, PairToken, TokenError, TokenSigner, TokenVerifier, body_hash,
    check_pair_mac, pair_mac,
};

const NOW: UnixMillis = UnixMillis(1_767_225_600_123);
const HEADER: &str = r#"{"typ":"JWT","alg":"EdDSA"}"#;

struct Pair {
    asker: SigningKey,
    signer: TokenSigner,
    verifier: TokenVerifier,
    window: JtiWindow,
}

fn pair() -> Pair {
    let asker = SigningKey::from_seed(&[1; 32]);
    let asked = SigningKey::from_seed(&[2; 32]);
    Pair {
        signer: TokenSigner::new(&asker, asked.key_id()),
        verifier: TokenVerifier::new(&asker.verify_key(), asked.key_id()),
        window: JtiWindow::new(),
        asker,
    }
}

fn binding() -> Binding<'static> {
    Binding {
        method: "POST",
        path: "/tieline/v1/messages?x=1",
        body_hash: body_hash(b"{}"),
        channel: [9; 32],
    }
}

impl Pair {
    fn claims(&self) -> Value {
        let token = self.signer.mint(&binding(), NOW, 7);
        let claims = token.split('.').nth(1).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
    }

    /// A token with any header and claims, properly signed by the asker.
    fn signed(&self, header: &str, claims: &str) -> String {
        let message = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims)
        );
        let signature = self.asker.sign(message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.0))
    }

    fn refused(&mut self, token: &str) -> TokenError {
        let before = format!("{:?}", self.window);
        let error = self
            .verifier
            .verify(token, &binding(), &mut self.window)
            .unwrap_err();
        assert_eq!(
            format!("{:?}", self.window),
            before,
            "a refused token changed the window"
        );
        error
    }
}

#[test]
fn the_right_token_is_accepted_once_and_says_what_it_should() {
    let mut pair = pair();
    let token = pair.signer.mint(&binding(), NOW, 7);
    let claims = pair
        .verifier
        .verify(&token, &binding(), &mut pair.window)
        .unwrap();
    assert_eq!(
        (claims.iat, claims.exp, claims.jti.as_str()),
        (1_767_225_600, 1_767_225_660, "7")
    );
    assert_eq!(pair.refused(&token), TokenError::Replay(JtiError::Repeated));
}

#[test]
fn another_jwt_library_reads_and_verifies_our_tokens() {
    let pair = pair();
    let token = pair
        .signer
        .mint(&binding(), UnixMillis(i64::from(u32::MAX) * 1000), 1);
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::EdDSA);
    validation.set_audience(&[SigningKey::from_seed(&[2; 32]).key_id()]);
    let key = jsonwebtoken::DecodingKey::from_ed_der(pair.asker.verify_key().as_bytes());
    let read = jsonwebtoken::decode::<Value>(&token, &key, &validation).unwrap();
    assert_eq!(read.header.typ.as_deref(), Some("JWT"));
    assert_eq!(read.claims["htm"], "POST");
}

#[test]
fn a_token_made_by_another_jwt_library_is_accepted() {
    let mut pair = pair();
    let key = jsonwebtoken::EncodingKey::from_ed_der(&*pair.asker.to_pkcs8_der());
    let header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::EdDSA);
    let token = jsonwebtoken::encode(&header, &pair.claims(), &key).unwrap();
    pair.verifier
        .verify(&token, &binding(), &mut pair.window)
        .unwrap();
}

#[test]
fn clocks_do_not_matter() {
    let mut pair = pair();
    for (jti, hours_off) in [-100_000_i64, 0, 100_000].into_iter().enumerate() {
        let token = pair.signer.mint(
            &binding(),
            UnixMillis(NOW.0 + hours_off * 3_600_000),
            jti as u64,
        );
        pair.verifier
            .verify(&token, &binding(), &mut pair.window)
            .unwrap();
    }
}

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

#[test]
fn a_token_serves_only_its_own_request_and_connection() {
    let pair = pair();
    let token = pair.signer.mint(&binding(), NOW, 7);
    let right = binding();
    let cases = [
        (
            Binding {
                method: "GET",
                ..right
            },
            TokenError::Request,
        ),
        (
            Binding {
                method: "post",
                ..right
            },
            TokenError::Request,
        ),
        (
            Binding {
                path: "/tieline/v1/messages",
                ..right
            },
            TokenError::Request,
        ),
        (
            Binding {
                path: "/tieline/v1/messages?x=2",
                ..right
            },
            TokenError::Request,
        ),
        (
            Binding {
                path: "/tieline/v1/messages?x=1&",
                ..right
            },
            TokenError::Request,
        ),
        (
            Binding {
                path: "/tieline/v1/./messages?x=1",
                ..right
            },
            TokenError::Request,
        ),
        (
            Binding {
                body_hash: body_hash(b"{} "),
                ..right
            },
            TokenError::Body,
        ),
        (
            Binding {
                body_hash: body_hash(b""),
                ..right
            },
            TokenError::Body,
        ),
        (
            Binding {
                channel: [8; 32],
                ..right
            },
            TokenError::Channel,
        ),
    ];
    for (other, expected) in cases {
        assert_eq!(
            pair.verifier.check(&token, &other).unwrap_err(),
            expected,
            "{other:?}"
        );
    }
}

#[test]
fn a_token_for_another_node_or_from_another_key_is_refused() {
    let mut pair = pair();
    let (stranger, third) = (
        SigningKey::from_seed(&[3; 32]),
        SigningKey::from_seed(&[4; 32]),
    );
    let own = SigningKey::from_seed(&[2; 32]);

    let for_third = TokenSigner::new(&pair.asker, third.key_id()).mint(&binding(), NOW, 1);
    assert_eq!(pair.refused(&for_third), TokenError::Audience);

    let by_stranger = TokenSigner::new(&stranger, own.key_id()).mint(&binding(), NOW, 1);
    assert_eq!(pair.refused(&by_stranger), TokenError::Signature);

    // Signed by the right key, but in somebody else's name.
    let mut claims = pair.claims();
    claims["iss"] = json!(stranger.key_id().to_string());
    let renamed = pair.signed(HEADER, &claims.to_string());
    assert_eq!(pair.refused(&renamed), TokenError::Issuer);

    // Our own token sent back to us.
    let reflected = TokenSigner::new(&own, pair.asker.key_id()).mint(&binding(), NOW, 1);
    assert_eq!(pair.refused(&reflected), TokenError::Signature);
}

#[test]
fn any_altered_character_is_noticed() {
    let mut pair = pair();
    let token = pair.signer.mint(&binding(), NOW, 7);
    for at in 0..token.len() {
        for other in [b'A', b'-', b'.', b'=', b' '] {
            let mut altered = token.clone().into_bytes();
            if altered[at] != other {
                altered[at] = other;
                pair.refused(std::str::from_utf8(&altered).unwrap());
            }
        }
        pair.refused(&token[..at]);
    }
    for wrapped in [
        format!("{token}="),
        format!(" {token}"),
        format!("{token}\n"),
        format!("{token}.x"),
        format!("Bearer {token}"),
    ] {
        pair.refused(&wrapped);
    }
    assert_eq!(pair.refused(&"A".repeat(1 << 20)), TokenError::Malformed);
    pair.verifier
        .verify(&token, &binding(), &mut pair.window)
        .unwrap();
}

#[test]
fn numbers_may_overtake_one_another_but_never_repeat() {
    let mut window = JtiWindow::new();
    for number in [100, 101, 99, 5000, 4999, 905, 906] {
        assert_eq!(window.accept(number), Ok(()), "{number}");
        assert_eq!(window.accept(number), Err(JtiError::Repeated), "{number}");
    }
    assert_eq!(window.accept(904), Err(JtiError::TooOld));
    assert_eq!(window.accept(0), Err(JtiError::TooOld));
}

#[test]
fn the_window_agrees_with_a_plain_set_of_numbers() {
    let mut window = JtiWindow::new();
    let mut used = std::collections::HashSet::new();
    let (mut highest, mut state) = (None::<u64>, 1_u64);
    for _ in 0..200_000 {
        // Steps of a simple generator: mostly near the front, sometimes far ahead or behind.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let random = state >> 33;
        let base = highest.unwrap_or(10_000);
        let number = match random % 20 {
            0 => base + random % 9000,
            1 => base.saturating_sub(random % 9000),
            _ => (base + 8).saturating_sub(random % 64),
        };
        let too_old = highest.is_some_and(|highest| highest >= number + 4096);
        let expected = match (too_old, used.insert(number)) {
            (true, _) => Err(JtiError::TooOld),
            (false, false) => Err(JtiError::Repeated),
            (false, true) => Ok(()),
        };
        assert_eq!(
            window.accept(number),
            expected,
            "{number} after {highest:?}"
        );
        if expected.is_ok() {
            highest = highest.max(Some(number));
        }
    }
}

#[test]
fn the_last_number_of_all_works_and_ends_the_connection() {
    let mut window = JtiWindow::new();
    assert_eq!(window.accept(0), Ok(()));
    assert_eq!(window.accept(u64::MAX), Ok(()));
    assert_eq!(window.accept(u64::MAX), Err(JtiError::Repeated));
    assert_eq!(window.accept(u64::MAX - 4095), Ok(()));
    assert_eq!(window.accept(u64::MAX - 4096), Err(JtiError::TooOld));
}

#[test]
fn the_pair_mac_belongs_to_one_token_and_one_pair() {
    let secret = PairToken::from_bytes([5; 32]);
    let mac = pair_mac(&secret, "a.b.c");
    assert!(check_pair_mac(&secret, "a.b.c", &mac));
    assert!(!check_pair_mac(&secret, "a.b.d", &mac));
    assert!(!check_pair_mac(
        &PairToken::from_bytes([6; 32]),
        "a.b.c",
        &mac
    ));
    for wrong in ["", "x", &mac[1..], &format!("{mac}A"), &format!("{mac}=")] {
        assert!(!check_pair_mac(&secret, "a.b.c", wrong), "{wrong:?}");
    }
    // Not interchangeable with a JWT made with the pair token as HS256 key.
    let plain = Hmac::<sha2::Sha256>::new_from_slice(&[5; 32])
        .unwrap()
        .chain_update("a.b.c")
        .finalize();
    assert!(!check_pair_mac(
        &secret,
        "a.b.c",
        &URL_SAFE_NO_PAD.encode(plain.into_bytes())
    ));
}

#[test]
fn a_pair_token_survives_its_text_form_and_stays_out_of_debug() {
    let secret = PairToken::from_bytes([0xab; 32]);
    let text = secret.to_base64();
    assert_eq!(PairToken::parse(&text).unwrap(), secret);
    assert!(PairToken::parse(&text[..40]).is_err());
    assert_eq!(format!("{secret:?}"), "PairToken(secret)");
    let signer = format!("{:?}", pair().signer);
    assert!(
        !signer.contains(&*SigningKey::from_seed(&[1; 32]).to_base64()),
        "{signer}"
    );
}
