//! Request tokens with tricks in them: each is signed by the right key and sealed with the pair's
//! HMAC, so that nothing but the trick is wrong.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::actor::{Actor, HEADER, MESSAGES, Paired, Proof};
use crate::tunnel::Http;
use crate::world::World;

struct Case {
    world: World,
    peer: Paired,
    http: Http,
    body: Vec<u8>,
}

impl Case {
    async fn new() -> Self {
        let world = World::new("mac").await;
        let peer = Actor::new("friend").join(&world.node, &[]).await;
        let http = peer.dial().await;
        let body = peer.message("m-1", "forged");
        Self {
            world,
            peer,
            http,
            body,
        }
    }

    fn claims(&self) -> Value {
        self.peer.claims(&self.http, "POST", MESSAGES, &self.body)
    }

    async fn refused(&self, what: &str, proof: &Proof) {
        let answer = self.http.post_with(MESSAGES, &self.body, proof).await;
        assert_eq!(
            (answer.code(), answer.status),
            ("TOKEN_INVALID", 401),
            "{what}: {answer:?}"
        );
    }

    /// The same request with nothing wrong is served: the refusals had no other reason.
    async fn end(self) {
        assert!(self.world.inbox().await.is_empty());
        let proof = self.peer.sign(&self.claims());
        let answer = self.http.post_with(MESSAGES, &self.body, &proof).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[tokio::test]
async fn a_token_without_signature_is_refused_whatever_its_header_says() {
    let case = Case::new().await;
    let encoded = |text: &str| URL_SAFE_NO_PAD.encode(text);
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"typ":"JWT","alg":"none"}"#,
        r#"{"alg":"None"}"#,
        r#"{"alg":"nOnE"}"#,
        HEADER,
    ] {
        let message = format!(
            "{}.{}",
            encoded(header),
            encoded(&case.claims().to_string())
        );
        for token in [
            format!("{message}."),
            message.clone(),
            format!("{message}.AA"),
        ] {
            case.refused(header, &case.peer.seal(token)).await;
        }
    }
    case.end().await;
}

#[tokio::test]
async fn no_public_value_and_no_shared_secret_works_as_an_hmac_key() {
    let case = Case::new().await;
    let verify_key = case.peer.actor.signing.verify_key();
    let spki = verify_key.to_spki_der();
    let keys: Vec<Vec<u8>> = vec![
        spki.to_vec(),
        verify_key.as_bytes().to_vec(),
        verify_key.to_pem().into_bytes(),
        STANDARD.encode(spki).into_bytes(),
        case.peer.pair.expose().to_vec(),
        case.peer.pair.to_base64().as_bytes().to_vec(),
        Vec::new(),
    ];
    for key in keys {
        for header in [
            r#"{"typ":"JWT","alg":"HS256"}"#,
            r#"{"alg":"HS256"}"#,
            HEADER,
        ] {
            let message = format!(
                "{}.{}",
                URL_SAFE_NO_PAD.encode(header),
                URL_SAFE_NO_PAD.encode(case.claims().to_string())
            );
            let mac = Hmac::<Sha256>::new_from_slice(&key)
                .unwrap()
                .chain_update(message.as_bytes())
                .finalize()
                .into_bytes();
            let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac));
            case.refused(header, &case.peer.seal(token)).await;
        }
    }
    case.end().await;
}

#[tokio::test]
async fn a_header_that_names_a_key_an_extension_or_another_algorithm_is_refused() {
    let case = Case::new().await;
    let key = case.peer.actor.signing.verify_key().to_base64();
    let headers = [
        format!(r#"{{"alg":"EdDSA","kid":"{}"}}"#, case.peer.key_id()),
        format!(r#"{{"alg":"EdDSA","jwk":{{"kty":"OKP","crv":"Ed25519","x":"{key}"}}}}"#),
        r#"{"alg":"EdDSA","jku":"http://127.0.0.1:1/keys"}"#.into(),
        r#"{"alg":"EdDSA","x5u":"http://127.0.0.1:1/keys"}"#.into(),
        r#"{"alg":"EdDSA","x5c":["AAAA"]}"#.into(),
        r#"{"alg":"EdDSA","crit":["exp"]}"#.into(),
        r#"{"alg":"EdDSA","crit":[]}"#.into(),
        r#"{"alg":"EdDSA","b64":false,"crit":["b64"]}"#.into(),
        r#"{"alg":"EdDSA","zip":"DEF"}"#.into(),
        r#"{"alg":"EdDSA","cty":"JWT"}"#.into(),
        r#"{"alg":"EdDSA","alg":"EdDSA"}"#.into(),
        r#"{"alg":"none","alg":"EdDSA"}"#.into(),
        r#"{"typ":"at+jwt","alg":"EdDSA"}"#.into(),
        r#"{"alg":"eddsa"}"#.into(),
        r#"{"alg":"Ed25519"}"#.into(),
        r#"{"alg":["EdDSA"]}"#.into(),
        r#"{"typ":"JWT"}"#.into(),
        "{}".into(),
        "null".into(),
        r#"{"typ":"JWT","alg":"EdDSA"} x"#.into(),
        String::new(),
    ];
    for header in headers {
        let proof = case.peer.sign_text(&header, &case.claims().to_string());
        case.refused(&header, &proof).await;
    }
    case.end().await;
}

#[tokio::test]
async fn claims_of_the_wrong_type_missing_repeated_or_added_are_refused() {
    let case = Case::new().await;
    let spoil = |key: &str, value: Value| {
        let mut claims = case.claims();
        claims[key] = value;
        claims.to_string()
    };
    let now = case.claims()["iat"].as_i64().unwrap();
    let mut spoilt = vec![
        spoil("exp", json!((now + 60).to_string())),
        spoil("exp", json!((now + 60) as f64 + 0.5)),
        spoil("exp", json!(now + 61)),
        spoil("exp", json!(now)),
        spoil("exp", json!(now - 1)),
        spoil("exp", json!(i64::MAX)),
        spoil("exp", Value::Null),
        spoil("iat", json!(now.to_string())),
        spoil("iat", json!(i64::MIN)),
        spoil("iat", json!(true)),
        spoil("jti", json!(7)),
        spoil("jti", json!("+7")),
        spoil("jti", json!("07")),
        spoil("jti", json!(" 7")),
        spoil("jti", json!("0x7")),
        spoil("jti", json!("")),
        spoil("jti", json!("99999999999999999999")),
        spoil("aud", json!([case.peer.node_key.key_id().to_string()])),
        spoil("aud", json!("*")),
        spoil("htm", json!("post")),
        spoil("nbf", json!(now)),
        spoil("sub", json!("admin")),
    ];
    let whole = case.claims();
    for key in whole.as_object().unwrap().keys() {
        let mut less = case.claims();
        less.as_object_mut().unwrap().remove(key);
        spoilt.push(less.to_string());
        // The same claim twice, the second time as it should be, and the other way round.
        let text = case.claims().to_string();
        let wrong = format!(r#""{key}":"x""#);
        spoilt.push(format!("{{{wrong},{}", &text[1..]));
        spoilt.push(format!("{},{wrong}}}", &text[..text.len() - 1]));
        let again = json!({key: case.claims()[key]}).to_string();
        spoilt.push(format!("{},{}", &text[..text.len() - 1], &again[1..]));
    }
    for claims in spoilt {
        case.refused(&claims, &case.peer.sign_text(HEADER, &claims))
            .await;
    }
    case.end().await;
}

#[tokio::test]
async fn another_spelling_of_a_token_is_another_token() {
    let case = Case::new().await;
    let honest = case.peer.sign(&case.claims()).token;
    let parts: Vec<&str> = honest.split('.').collect();
    let mut loose = honest.clone().into_bytes();
    // The last character of 64 bytes in base64 has four bits that mean nothing.
    let last = loose.last_mut().unwrap();
    *last = if *last == b'A' { b'B' } else { *last + 1 };
    let spoilt = [
        format!("{honest}="),
        format!("{honest}=="),
        format!("{honest}."),
        format!(".{honest}"),
        format!("{honest}.{}", parts[2]),
        format!(
            "{}.{}.{}.{}.{}",
            parts[0], parts[1], parts[2], parts[1], parts[2]
        ),
        format!("{}.{}", parts[1], parts[2]),
        honest.replace('.', ".."),
        String::from_utf8(loose).unwrap(),
        "a".repeat(9_000),
        "..".into(),
    ];
    for token in spoilt {
        case.refused(&token.clone(), &case.peer.seal(token)).await;
    }
    case.end().await;
}
