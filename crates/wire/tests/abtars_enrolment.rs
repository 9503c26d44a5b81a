//! Enrolment with a tribe token: as the real program does it, and what it lets through.

#![allow(clippy::unwrap_used)]

use serde_json::Value;
use tieline_wire::abtars::enrol::{EnrolError, Initiator, Responder, TribeToken};
use tieline_wire::abtars::names::NameError;
use tieline_wire::abtars::request::Nonce;
use tieline_wire::key::{SigningKey, VerifyKey};
use tieline_wire::time::UnixMillis;

const NOW: UnixMillis = UnixMillis(1_767_225_600_000);

fn vectors() -> Value {
    let text = include_str!("../../../tests/vectors/abtars-vectors.json");
    serde_json::from_str::<Value>(text).unwrap()["current"].take()
}

fn key(name: &str) -> SigningKey {
    let keys = &vectors()["keys"];
    SigningKey::parse(keys[name]["signingKey_pkcs8_b64"].as_str().unwrap()).unwrap()
}

fn tribe() -> TribeToken {
    TribeToken::parse(vectors()["keys"]["tribeToken_b64"].as_str().unwrap()).unwrap()
}

fn other_tribe() -> TribeToken {
    TribeToken::parse("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap()
}

fn nonce(first: u8) -> Nonce {
    Nonce::from_bytes(std::array::from_fn(|i| first + i as u8))
}

fn begin(tribe: TribeToken, name: &str) -> (Initiator, String) {
    Initiator::begin(tribe, key("alpha"), name, nonce(0x80), NOW)
}

fn challenge(tribe: TribeToken, knock: &str) -> Result<(Responder, String), EnrolError> {
    Responder::challenge(tribe, &key("beta").verify_key(), knock, nonce(0x90), NOW)
}

fn beta() -> VerifyKey {
    key("beta").verify_key()
}

/// A frame with one field changed.
fn with(frame: &str, field: &str, value: impl Into<Value>) -> String {
    let mut frame: Value = serde_json::from_str(frame).unwrap();
    frame[field] = value.into();
    frame.to_string()
}

#[test]
fn the_four_frames_are_those_of_the_real_program() {
    let vectors = vectors();
    let frame = |at: usize| vectors["enrolment"]["frames"][at]["frame"].to_string();
    let (initiator, knock) = begin(tribe(), "alpha");
    assert_eq!(knock, frame(0));
    let (responder, challenge) = challenge(tribe(), &knock).unwrap();
    assert_eq!(challenge, frame(1));
    let (waiting, proof) = initiator.answer(&challenge, &beta(), NOW).unwrap();
    assert_eq!(proof, frame(2));
    let candidate = responder.check(&proof, NOW).unwrap();
    assert_eq!(
        (candidate.name.as_str(), candidate.key),
        ("alpha", key("alpha").verify_key())
    );
    let ack = candidate.accept(&key("beta"), "beta");
    assert_eq!(ack, frame(3));
    assert_eq!(waiting.finish(&ack), Ok(("beta".to_owned(), beta())));
}

#[test]
fn another_tribe_is_found_out_by_either_side() {
    let (initiator, knock) = begin(tribe(), "alpha");
    let (_, foreign) = challenge(other_tribe(), &knock).unwrap();
    let refused = initiator.answer(&foreign, &beta(), NOW).unwrap_err();
    assert_eq!(refused, EnrolError::MacMismatch);

    let (responder, honest) = challenge(tribe(), &knock).unwrap();
    let (initiator, _) = begin(tribe(), "alpha");
    let (_, proof) = initiator.answer(&honest, &beta(), NOW).unwrap();
    let forged = with(&proof, "mac_i", "00".repeat(32));
    let refused = responder.check(&forged, NOW).unwrap_err();
    assert_eq!(
        (refused, refused.close()),
        (EnrolError::MacMismatch, (1008, "mac mismatch"))
    );
}

#[test]
fn a_key_swapped_on_the_way_is_not_taken() {
    let mallory = key("mallory");
    let run = || {
        let (initiator, knock) = begin(tribe(), "alpha");
        let (responder, honest) = challenge(tribe(), &knock).unwrap();
        (initiator, responder, honest)
    };
    // In the last frame, correctly signed by the other key: what abTARS pins.
    let (initiator, responder, honest) = run();
    let (waiting, proof) = initiator.answer(&honest, &beta(), NOW).unwrap();
    let candidate = responder.check(&proof, NOW).unwrap();
    let swapped = candidate.accept(&mallory, "beta");
    assert_eq!(waiting.finish(&swapped), Err(EnrolError::KeyMismatch));

    // Through a relay, whose certificate is the one that the initiator sees.
    let (initiator, _, honest) = run();
    let refused = initiator.answer(&honest, &mallory.verify_key(), NOW);
    assert_eq!(refused.unwrap_err(), EnrolError::KeyMismatch);

    // Under the name of a machine that is known already.
    let known = mallory.verify_key();
    assert_eq!(
        candidate.check_known(Some(&known)),
        Err(EnrolError::KeyChanged)
    );
    assert_eq!(candidate.check_known(Some(&candidate.key)), Ok(()));
    assert_eq!(candidate.check_known(None), Ok(()));
}

#[test]
fn every_part_of_a_frame_counts() {
    let (_, knock) = begin(tribe(), "alpha");
    for (frame, error) in [
        ("{".to_owned(), EnrolError::InvalidKnock),
        (with(&knock, "pubKey_i", "AAAA"), EnrolError::InvalidKnock),
        (
            with(&knock, "pubKey_i", beta().to_base64()),
            EnrolError::InvalidKnock,
        ),
        (with(&knock, "nonce_i", "short"), EnrolError::InvalidKnock),
        (with(&knock, "ts", 1_767_225_631), EnrolError::StaleTs),
        (with(&knock, "ts", "1767225600"), EnrolError::InvalidKnock),
        (
            with(&knock, "x", "y".repeat(9000)),
            EnrolError::InvalidKnock,
        ),
    ] {
        assert_eq!(
            challenge(tribe(), &frame).unwrap_err(),
            error,
            "{frame:.80}"
        );
    }

    let honest = challenge(tribe(), &knock).unwrap().1;
    for (frame, error) in [
        (with(&honest, "mac_r", "zz"), EnrolError::MacMismatch),
        (
            with(&honest, "nonce_r", "A".repeat(32)),
            EnrolError::InvalidMessage,
        ),
        (with(&honest, "ts", 1_767_225_569), EnrolError::StaleTs),
        (
            with(&honest, "pubKey_r", key("mallory").verify_key().to_base64()),
            EnrolError::MacMismatch,
        ),
        (
            with(&honest, "pubKey_r", key("alpha").verify_key().to_base64()),
            EnrolError::InvalidMessage,
        ),
    ] {
        let refused = begin(tribe(), "alpha").0.answer(&frame, &beta(), NOW);
        assert_eq!(refused.unwrap_err(), error, "{frame}");
    }

    let (_, proof) = begin(tribe(), "alpha")
        .0
        .answer(&honest, &beta(), NOW)
        .unwrap();
    for (frame, error) in [
        (
            with(&proof, "nonce_r", nonce(0x80).to_string()),
            EnrolError::NonceMismatch,
        ),
        (with(&proof, "name", "someone-else"), EnrolError::BadSelfSig),
        (with(&proof, "selfSig", "AA=="), EnrolError::BadSelfSig),
        (with(&proof, "ts", 0), EnrolError::StaleTs),
        (with(&proof, "name", 7), EnrolError::InvalidMessage),
    ] {
        let responder = challenge(tribe(), &knock).unwrap().0;
        assert_eq!(responder.check(&frame, NOW).unwrap_err(), error, "{frame}");
    }

    let candidate = challenge(tribe(), &knock)
        .unwrap()
        .0
        .check(&proof, NOW)
        .unwrap();
    let ack = candidate.accept(&key("beta"), "beta");
    for (frame, error) in [
        (with(&ack, "name_r", "gamma"), EnrolError::BadAckSig),
        (with(&ack, "ackSig", ""), EnrolError::BadAckSig),
        ("[]".to_owned(), EnrolError::InvalidMessage),
    ] {
        let (waiting, _) = begin(tribe(), "alpha")
            .0
            .answer(&honest, &beta(), NOW)
            .unwrap();
        assert_eq!(waiting.finish(&frame).unwrap_err(), error, "{frame}");
    }
}

#[test]
fn names_without_form_are_not_taken() {
    for (name, error) in [
        ("", NameError::Empty),
        ("<b>x</b>", NameError::Characters),
        ("self", NameError::Refused),
        (&"x".repeat(200), NameError::TooLong),
    ] {
        let (initiator, knock) = begin(tribe(), name);
        let (responder, honest) = challenge(tribe(), &knock).unwrap();
        let (_, proof) = initiator.answer(&honest, &beta(), NOW).unwrap();
        let refused = responder.check(&proof, NOW).unwrap_err();
        assert_eq!(refused, EnrolError::Name(error), "{name}");
    }
}

#[test]
fn a_tribe_token_is_long_enough_and_never_shown() {
    assert!(TribeToken::parse("").is_none() && TribeToken::parse("c2hvcnQ=").is_none());
    let token = TribeToken::generate();
    let text = token.to_base64();
    assert!(!format!("{token:?}").contains(text.as_str()));
    assert_eq!(TribeToken::parse(&text).unwrap().to_base64(), text);
}
