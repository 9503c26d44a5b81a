//! The operating system's random source.

/// Fills an array with unpredictable bytes.
///
/// # Panics
/// When the operating system has no random source. Nothing a peer sends can cause that, and a
/// node that went on without one would make guessable keys.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut out = [0; N];
    if let Err(error) = getrandom::fill(&mut out) {
        panic!("the operating system's random source failed: {error}");
    }
    out
}
