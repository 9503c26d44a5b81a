//! Cards, as JSON and as PEM: what is read is consistent, and is written and read back as it is.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tieline_wire::card::Card;

fuzz_target!(|text: &str| {
    if let Ok(card) = Card::parse_any(text) {
        assert_eq!(card.fingerprint, card.certificate.fingerprint());
        assert_eq!(Card::parse(&card.to_json()).expect("our own card"), card);
    }
});
