//! Doorbells: packets have one spelling, and none rings that was not signed.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tieline_wire::abtars::doorbell::{Ack, Query};
use tieline_wire::key::SigningKey;
use tieline_wire::time::UnixMillis;

fuzz_target!(|packet: &[u8]| {
    let (alpha, beta) = (
        SigningKey::from_seed(&[1; 32]),
        SigningKey::from_seed(&[2; 32]),
    );
    let now = UnixMillis(0);
    if let Some(query) = Query::parse(packet) {
        assert_eq!(query.to_packet(), packet);
        assert!(!query.verify(&alpha.verify_key(), &beta.verify_key(), now));
    }
    let query = Query::sign(&alpha, &beta.verify_key(), 1, [0; 16], now);
    if let Some(ack) = Ack::parse(packet, &query) {
        assert_eq!(ack.to_packet(&query), packet);
        assert!(!ack.verify(&query, &beta.verify_key(), now));
    }
});
