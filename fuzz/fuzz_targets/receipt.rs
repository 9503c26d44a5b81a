//! Receipts: none is accepted that the recipient did not sign.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tieline_wire::key::SigningKey;
use tieline_wire::receipt::Receipt;

fuzz_target!(|json: &[u8]| {
    if let Ok(receipt) = serde_json::from_slice::<Receipt>(json) {
        assert!(
            receipt
                .verify(&SigningKey::from_seed(&[3; 32]).verify_key())
                .is_err()
        );
    }
});
