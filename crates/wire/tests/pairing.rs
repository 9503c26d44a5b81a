//! Pairing proofs: nothing but the same secret, keys, cards and connection may pair.

#![allow(clippy::unwrap_used)]

use tieline_wire::key::{Signature, SigningKey};
use tieline_wire::pairing::{
    InviteSecret, PairProof, ProofError, ProofMac, Role, Transcript, check, prove,
};

const EXPORTER: [u8; 32] = [4; 32];
const INVITER_CARD: &[u8] = br#"{"name":"mac"}"#;
const JOINER_CARD: &[u8] = br#"{"name":"wsl-box"}"#;

fn secret() -> InviteSecret {
    InviteSecret::from_bytes([3; 16])
}

fn keys() -> (SigningKey, SigningKey) {
    (
        SigningKey::from_seed(&[1; 32]),
        SigningKey::from_seed(&[2; 32]),
    )
}

fn transcript() -> Transcript {
    Transcript::new(&secret().invite_id(), &EXPORTER, INVITER_CARD, JOINER_CARD)
}

#[test]
fn both_sides_accept_each_other() {
    let (inviter, joiner) = keys();
    let theirs = prove(Role::Joiner, &secret(), &joiner, &transcript());
    check(
        Role::Joiner,
        &secret(),
        &joiner.verify_key(),
        &transcript(),
        &theirs,
    )
    .unwrap();
    let ours = prove(Role::Inviter, &secret(), &inviter, &transcript());
    check(
        Role::Inviter,
        &secret(),
        &inviter.verify_key(),
        &transcript(),
        &ours,
    )
    .unwrap();
}

#[test]
fn a_change_to_any_part_of_the_exchange_breaks_the_proof() {
    let (_, joiner) = keys();
    let proof = prove(Role::Joiner, &secret(), &joiner, &transcript());
    let id = secret().invite_id();
    let other_id = InviteSecret::from_bytes([9; 16]).invite_id();
    let moved = [INVITER_CARD, &JOINER_CARD[..1]].concat();
    let others = [
        (
            "invite id",
            Transcript::new(&other_id, &EXPORTER, INVITER_CARD, JOINER_CARD),
        ),
        (
            "connection",
            Transcript::new(&id, &[5; 32], INVITER_CARD, JOINER_CARD),
        ),
        (
            "inviter card",
            Transcript::new(&id, &EXPORTER, br#"{"name":"mac" }"#, JOINER_CARD),
        ),
        (
            "joiner card",
            Transcript::new(&id, &EXPORTER, INVITER_CARD, b"{}"),
        ),
        (
            "cards swapped",
            Transcript::new(&id, &EXPORTER, JOINER_CARD, INVITER_CARD),
        ),
        (
            "border moved",
            Transcript::new(&id, &EXPORTER, &moved, &JOINER_CARD[1..]),
        ),
        (
            "card left out",
            Transcript::new(&id, &EXPORTER, INVITER_CARD, b""),
        ),
    ];
    for (what, other) in others {
        assert_ne!(other, transcript(), "{what}");
        let result = check(
            Role::Joiner,
            &secret(),
            &joiner.verify_key(),
            &other,
            &proof,
        );
        assert_eq!(result, Err(ProofError::Mac), "{what}");
    }
}

#[test]
fn a_proof_cannot_be_reflected_in_the_other_role() {
    let (inviter, joiner) = keys();
    let joiners = prove(Role::Joiner, &secret(), &joiner, &transcript());
    for key in [inviter.verify_key(), joiner.verify_key()] {
        assert_eq!(
            check(Role::Inviter, &secret(), &key, &transcript(), &joiners),
            Err(ProofError::Mac)
        );
    }
    // Even with the right MAC, which only a holder of the secret can make, the signature names the role.
    let inviters = prove(Role::Inviter, &secret(), &joiner, &transcript());
    let mixed = PairProof {
        mac: inviters.mac,
        signature: joiners.signature,
    };
    let result = check(
        Role::Inviter,
        &secret(),
        &joiner.verify_key(),
        &transcript(),
        &mixed,
    );
    assert_eq!(result, Err(ProofError::Signature));
}

#[test]
fn neither_the_link_alone_nor_the_key_alone_suffices() {
    let (_, joiner) = keys();
    let thief = SigningKey::from_seed(&[8; 32]);
    // Holds the link, claims the joiner's card.
    let with_link = prove(Role::Joiner, &secret(), &thief, &transcript());
    let result = check(
        Role::Joiner,
        &secret(),
        &joiner.verify_key(),
        &transcript(),
        &with_link,
    );
    assert_eq!(result, Err(ProofError::Signature));
    // Holds the key, guesses the link.
    let guessed = prove(
        Role::Joiner,
        &InviteSecret::from_bytes([0; 16]),
        &joiner,
        &transcript(),
    );
    let result = check(
        Role::Joiner,
        &secret(),
        &joiner.verify_key(),
        &transcript(),
        &guessed,
    );
    assert_eq!(result, Err(ProofError::Mac));
}

#[test]
fn every_bit_of_a_proof_counts() {
    let (_, joiner) = keys();
    let good = prove(Role::Joiner, &secret(), &joiner, &transcript());
    let refused = |proof: &PairProof| {
        check(
            Role::Joiner,
            &secret(),
            &joiner.verify_key(),
            &transcript(),
            proof,
        )
        .is_err()
    };
    for at in 0..32 {
        let ProofMac(mut mac) = good.mac;
        mac[at] ^= 0x10;
        assert!(
            refused(&PairProof {
                mac: ProofMac(mac),
                ..good.clone()
            }),
            "mac byte {at}"
        );
    }
    for at in 0..64 {
        let Signature(mut signature) = good.signature;
        signature[at] ^= 0x10;
        assert!(
            refused(&PairProof {
                signature: Signature(signature),
                ..good.clone()
            }),
            "signature byte {at}"
        );
    }
}

#[test]
fn the_invite_id_does_not_give_the_secret_or_the_macs_away() {
    let id = secret().invite_id();
    assert_ne!(id.as_bytes(), secret().expose());
    let joiners = prove(Role::Joiner, &secret(), &keys().1, &transcript()).mac;
    let inviters = prove(Role::Inviter, &secret(), &keys().0, &transcript()).mac;
    assert_ne!(joiners, inviters);
    assert_ne!(&joiners.as_bytes()[..16], id.as_bytes());
}

#[test]
fn derivations_are_fixed_so_that_versions_can_pair() {
    // From an independent implementation of HKDF and HMAC; changing these breaks pairing.
    assert_eq!(secret().invite_id().to_string(), "Q7uNZgu7mPYdaeZiTf2IwA");
    let proof = prove(Role::Joiner, &secret(), &keys().1, &transcript());
    assert_eq!(
        proof.mac.to_string(),
        "4-9AsB6Ad9ldpNWm9yC_y_mIdsYnbJeCNFpyq1S8OA4"
    );
}

#[test]
fn a_proof_travels_as_strict_json() {
    let proof = prove(Role::Joiner, &secret(), &keys().1, &transcript());
    let json = serde_json::to_string(&proof).unwrap();
    assert_eq!(serde_json::from_str::<PairProof>(&json).unwrap(), proof);
    for bad in [
        json.replace("mac", "MAC"),
        json.replacen('{', r#"{"extra":1,"#, 1),
        json.replacen(r#""mac":""#, r#""mac":"A"#, 1),
    ] {
        assert!(serde_json::from_str::<PairProof>(&bad).is_err(), "{bad}");
    }
}
