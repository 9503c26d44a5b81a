//! Private keys, as DER and as text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tieline_wire::key::SigningKey;

fuzz_target!(|bytes: &[u8]| {
    let from_text = std::str::from_utf8(bytes)
        .ok()
        .and_then(|text| SigningKey::parse(text).ok());
    for key in [SigningKey::from_pkcs8_der(bytes).ok(), from_text]
        .into_iter()
        .flatten()
    {
        let again = SigningKey::parse(&key.to_base64()).expect("our own key");
        assert_eq!(again.to_seed(), key.to_seed());
    }
});
