//! Request tokens: none is accepted that was not minted, and signed claims only if they are exact.

#![no_main]

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;
use tieline_wire::key::{KeyId, SigningKey};
use tieline_wire::time::UnixMillis;
use tieline_wire::token::{Binding, TokenSigner, TokenVerifier};

const OWN: KeyId = KeyId([2; 32]);
const BINDING: Binding<'static> = Binding {
    method: "GET",
    path: "/",
    body_hash: [0; 32],
    channel: [0; 32],
};

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_seed(&[1; 32]));
static VERIFIER: LazyLock<TokenVerifier> =
    LazyLock::new(|| TokenVerifier::new(&KEY.verify_key(), OWN));
/// Header and claims of a token that is accepted, to be altered.
static MESSAGE: LazyLock<String> = LazyLock::new(|| {
    let token = TokenSigner::new(&KEY, OWN).mint(&BINDING, UnixMillis(0), 7);
    token.rsplit_once('.').expect("three parts").0.to_owned()
});

fuzz_target!(|input: (String, Vec<(u16, u8)>)| {
    let (free, edits) = input;
    assert!(
        VERIFIER.check(&free, &BINDING).is_err(),
        "accepted without a signature"
    );

    let mut message = MESSAGE.clone().into_bytes();
    for (at, byte) in edits {
        let at = usize::from(at) % message.len();
        message[at] = byte & 0x7f;
    }
    let message = String::from_utf8(message).expect("ASCII only");
    let signed = format!(
        "{message}.{}",
        URL_SAFE_NO_PAD.encode(KEY.sign(message.as_bytes()).0)
    );
    if let Ok((claims, _)) = VERIFIER.check(&signed, &BINDING) {
        assert_eq!((claims.iss, claims.aud), (KEY.key_id(), OWN));
        assert_eq!((claims.htm.as_str(), claims.htu.as_str()), ("GET", "/"));
        assert!((1..=60).contains(&(claims.exp - claims.iat)));
    }
});
