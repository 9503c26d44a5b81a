//! What people paste of another machine: what is read does not contradict itself.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tieline_wire::presented::Presented;

fuzz_target!(|text: &str| {
    if let Ok(found) = Presented::read(text) {
        if let Some(certificate) = &found.certificate {
            assert_eq!(certificate.fingerprint(), found.fingerprint);
        }
        if let Some(card) = found.card() {
            assert_eq!(Presented::read(&card.to_pem()).expect("our own card").card(), Some(card));
        }
    }
});
