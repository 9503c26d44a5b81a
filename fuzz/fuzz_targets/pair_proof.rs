//! Pairing proofs: none is accepted that the holder of link and key did not make.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tieline_wire::key::SigningKey;
use tieline_wire::pairing::{InviteSecret, PairProof, Role, Transcript, check};

fuzz_target!(|json: &[u8]| {
    if let Ok(proof) = serde_json::from_slice::<PairProof>(json) {
        let secret = InviteSecret::from_bytes([1; 16]);
        let transcript = Transcript::new(&secret.invite_id(), &[2; 32], b"a", b"b");
        let key = SigningKey::from_seed(&[3; 32]).verify_key();
        assert!(check(Role::Joiner, &secret, &key, &transcript, &proof).is_err());
    }
});
