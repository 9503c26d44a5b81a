//! Names: every free name leads to a fit one.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tieline_wire::name::{Alias, tidy};

fuzz_target!(|text: &str| {
    let suggested = Alias::suggest(text);
    assert_eq!(Alias::new(suggested.as_str()), Ok(suggested));
    let tidied = tidy(text);
    assert_eq!(tidy(&tidied), tidied);
});
