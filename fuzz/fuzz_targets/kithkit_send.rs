//! Documented send requests: what is accepted fits, and can be sent on.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tieline_wire::kithkit::{MAX_LENGTH, SendRequest, measured_length};
use tieline_wire::message::payload_type;

fuzz_target!(|body: &[u8]| {
    if let Ok(request) = SendRequest::parse(body) {
        assert!(measured_length(&request.payload) <= MAX_LENGTH);
        assert_eq!(
            payload_type(&request.payload_json()).ok().as_deref(),
            request.payload["type"].as_str()
        );
    }
});
