//! KithKit LAN messages.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tieline_wire::kithkit::LanMessage;

fuzz_target!(|body: &[u8]| {
    if let Ok(message) = LanMessage::parse(body) {
        assert!(
            !message.from.is_empty() && !message.type_.is_empty() && !message.message_id.is_empty()
        );
        assert!(!message.payload.contains_key("from"));
    }
});
