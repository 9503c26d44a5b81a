//! Addresses: what is read is written and read back as the same place.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tieline_wire::address::Address;

fuzz_target!(|text: &str| {
    if let Ok(address) = Address::parse_or(text, 3100) {
        assert_eq!(address.to_string().parse(), Ok(address));
    }
});
