//! Frames of a held abTARS connection, and what is in them.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tieline_wire::abtars::frame::Frame;
use tieline_wire::abtars::help::{HelpAnswer, HelpEvent, HelpRequest};
use tieline_wire::abtars::inventory::Inventory;
use tieline_wire::key::SigningKey;
use tieline_wire::time::UnixMillis;

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_seed(&[1; 32]));

fuzz_target!(|text: &str| {
    match Frame::parse(text) {
        Frame::Request(request) => {
            assert_eq!(
                Frame::parse(&request.to_json()),
                Frame::Request(request.clone())
            );
            assert!(request.verify(&KEY.verify_key(), UnixMillis(0)).is_err());
            let _ = HelpRequest::parse(&request.body);
        }
        Frame::Refused { id, error } => {
            let answer = error.to_json(&id);
            assert!(matches!(
                Frame::parse(&answer),
                Frame::Response {
                    outcome: Err(_),
                    ..
                }
            ));
        }
        Frame::Push { payload, .. } => {
            let read = Inventory::read(payload, &KEY.verify_key(), "b", UnixMillis(0));
            assert!(read.is_err());
        }
        Frame::Response { .. } | Frame::Ignored => {}
    }
    let _ = HelpRequest::parse(text);
    let _ = HelpAnswer::parse(text);
    let _ = HelpEvent::parse(text, "b");
});
