//! Problems as another version of this program may send them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tieline_wire::problem::Problem;

fuzz_target!(|json: &[u8]| {
    if let Ok(problem) = serde_json::from_slice::<Problem>(json) {
        let again = serde_json::to_vec(&problem).expect("a problem is plain JSON");
        assert_eq!(
            serde_json::from_slice::<Problem>(&again).ok(),
            Some(problem)
        );
    }
});
