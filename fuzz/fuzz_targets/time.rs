//! Times: what is read is shown and read back as the same instant.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tieline_wire::time::UnixMillis;

fuzz_target!(|text: &str| {
    if let Ok(time) = text.parse::<UnixMillis>() {
        assert_eq!(time.to_string().parse(), Ok(time));
    }
});
