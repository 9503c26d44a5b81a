//! Enrolment: whatever frame is altered, no key is taken that was not proved.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tieline_wire::abtars::enrol::{Initiator, Responder, TribeToken};
use tieline_wire::abtars::request::Nonce;
use tieline_wire::key::SigningKey;
use tieline_wire::time::UnixMillis;

const NOW: UnixMillis = UnixMillis(0);

// Which frame, which of its bytes become others, and the name.
fuzz_target!(|input: (u8, Vec<(u16, u8)>, String)| {
    let (which, edits, name) = input;
    let (alpha, beta) = (
        SigningKey::from_seed(&[1; 32]),
        SigningKey::from_seed(&[2; 32]),
    );
    let tribe = TribeToken::parse("AAECAwQFBgcICQoLDA0ODw==").expect("16 bytes");
    let alter = |at: u8, frame: String| {
        let mut bytes = frame.clone().into_bytes();
        for (place, byte) in edits.iter().filter(|_| which % 4 == at) {
            let place = usize::from(*place) % bytes.len();
            bytes[place] = *byte;
        }
        String::from_utf8(bytes).unwrap_or(frame)
    };

    let (initiator, knock) = Initiator::begin(
        tribe.clone(),
        alpha.clone(),
        &name,
        Nonce::from_bytes([3; 16]),
        NOW,
    );
    let nonce = Nonce::from_bytes([4; 16]);
    let own = beta.verify_key();
    let Ok((responder, challenge)) =
        Responder::challenge(tribe, &own, &alter(0, knock), nonce, NOW)
    else {
        return;
    };
    let Ok((waiting, proof)) = initiator.answer(&alter(1, challenge), &own, NOW) else {
        return;
    };
    let Ok(candidate) = responder.check(&alter(2, proof), NOW) else {
        return;
    };
    assert_eq!(
        (candidate.key, &candidate.name),
        (alpha.verify_key(), &name)
    );
    if let Ok(known) = waiting.finish(&alter(3, candidate.accept(&beta, "beta"))) {
        assert_eq!(known, ("beta".to_owned(), own));
    }
});
