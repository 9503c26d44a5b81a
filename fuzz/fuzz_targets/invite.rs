//! Pairing links.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tieline_wire::invite::Invite;

fuzz_target!(|text: &str| {
    if let Ok(invite) = Invite::parse(text) {
        let link = invite.to_link().expect("what was in a link fits one");
        assert_eq!(Invite::parse(link.expose()), Ok(invite));
    }
});
