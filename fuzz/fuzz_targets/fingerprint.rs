//! Fingerprints in any spelling.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tieline_wire::fingerprint::Fingerprint;

fuzz_target!(|text: &str| {
    if let Ok(print) = Fingerprint::parse(text) {
        assert_eq!(Fingerprint::parse(&print.to_string()), Ok(print));
        assert_eq!(Fingerprint::parse(&print.words().join(" ")), Ok(print));
    }
});
