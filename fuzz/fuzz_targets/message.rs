//! Messages between Tieline nodes: what is read keeps its bytes and its hash.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tieline_wire::message::Envelope;

fuzz_target!(|body: &[u8]| {
    if let Ok(envelope) = Envelope::parse(body) {
        let again = Envelope::parse(&envelope.to_json()).expect("our own message");
        assert_eq!(again.payload.get(), envelope.payload.get());
        assert_eq!(again.content_hash(), envelope.content_hash());
    }
});
