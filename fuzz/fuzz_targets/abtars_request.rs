//! Signed requests and bearers of abTARS peers: nothing is accepted that was not signed.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tieline_wire::abtars::request::{self, Covered, Received};
use tieline_wire::abtars::{SharedToken, bearer, token};
use tieline_wire::key::SigningKey;
use tieline_wire::time::UnixMillis;

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_seed(&[1; 32]));
static SECRET: LazyLock<SharedToken> =
    LazyLock::new(|| SharedToken::new("a secret of some length").expect("not empty"));

fuzz_target!(|input: (String, String, String, i64)| {
    let (ts, nonce, text, now) = input;
    let covered = Covered {
        method: "POST",
        target: "/v1/chat/completions",
        body: b"{}",
    };
    let (key, now) = (KEY.verify_key(), UnixMillis(now));
    let received = Received {
        ts: Some(&ts),
        nonce: Some(&nonce),
        sig: Some(&text),
    };
    assert!(request::verify(&key, &covered, received, now).is_err());
    assert!(token::verify(&text, &key, "kp", "molty", &covered, now).is_err());
    assert!(bearer::verify(&text, &SECRET, "kp", "molty", now).is_err());
    let _ = (token::claimed_issuer(&text), token::is_eddsa(&text));

    // The claims of whoever holds the secret may be anything; the names still have to be right.
    let minted = bearer::mint(&SECRET, &ts, &nonce, now);
    let good = bearer::verify(&minted, &SECRET, &ts, &nonce, now);
    assert!(good.is_ok());
});
