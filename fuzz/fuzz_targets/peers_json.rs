//! `peers.json`: what is read is written again with the same meaning, and nothing is lost.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tieline_wire::abtars::peers_json::{PeersFile, parse_pasted};

fuzz_target!(|text: &str| {
    if let Ok(file) = PeersFile::parse(text) {
        let peers = file.peers();
        for peer in &peers {
            assert_eq!(file.peer(&peer.name).as_ref(), Some(peer));
            assert!(!peer.usable().current() || peer.verify_key.is_some());
            assert!(!peer.usable().legacy() || peer.fingerprint.is_some());
        }
        let _ = (file.signing_key(), file.tribe_token(), file.max_hops());
        let again = PeersFile::parse(&file.to_json()).expect("what was written");
        assert_eq!(again, file);
    }
    let _ = parse_pasted(text);
});
