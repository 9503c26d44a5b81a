//! Message tags: a text survives its own tag, and a tag never stays on.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tieline_wire::abtars::tag::{self, Verdict};
use tieline_wire::key::SigningKey;
use tieline_wire::time::UnixMillis;

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_seed(&[1; 32]));

fuzz_target!(|input: (String, String)| {
    let (text, sender) = input;
    let key = KEY.verify_key();
    let read = tag::untag(&text, &key, &sender, "beta", UnixMillis(0));
    assert!(text.starts_with(read.text));
    assert_ne!(read.verdict, Verdict::Valid, "valid without being signed");

    let content = tag::tagged(&KEY, &sender, "beta", &text, UnixMillis(0));
    let read = tag::untag(&content, &key, &sender, "beta", UnixMillis(0));
    assert_eq!(read.verdict, Verdict::Valid);
    assert!(text.starts_with(read.text));
});
