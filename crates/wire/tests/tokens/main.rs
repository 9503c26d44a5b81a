//! Request tokens under attack: everything but the one right token must be refused, and a refused
//! token must leave no trace.

#![allow(clippy::unwrap_used)]

mod binding;
mod claims;
mod numbers;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use tieline_wire::key::SigningKey;
use tieline_wire::time::UnixMillis;
use tieline_wire::token::{
    Binding, JtiError, JtiWindow, TokenError, TokenSigner, TokenVerifier, body_hash,
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
