//! Public keys, as DER and as text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tieline_wire::key::VerifyKey;

fuzz_target!(|bytes: &[u8]| {
    let from_text = std::str::from_utf8(bytes)
        .ok()
        .and_then(|text| VerifyKey::parse(text).ok());
    let raw = bytes
        .try_into()
        .ok()
        .and_then(|raw| VerifyKey::from_bytes(raw).ok());
    for key in [VerifyKey::from_spki_der(bytes).ok(), from_text, raw]
        .into_iter()
        .flatten()
    {
        assert_eq!(VerifyKey::parse(&key.to_base64()), Ok(key));
    }
});
