//! Length-prefixed concatenation, the one way this project feeds several fields to a hash or signature.

/// Concatenates `parts`, each preceded by its length as a big-endian `u32`.
///
/// Because every length is written, no two different lists of parts give the same bytes, so a
/// signature over the result covers the borders between the fields as well as their contents.
/// A part longer than `u32::MAX` bytes cannot occur: every caller bounds its input far below.
#[must_use]
pub fn lp(parts: &[&[u8]]) -> Vec<u8> {
    let total = parts.iter().map(|part| 4 + part.len()).sum();
    let mut out = Vec::with_capacity(total);
    for part in parts {
        debug_assert!(
            u32::try_from(part.len()).is_ok(),
            "part too long for its prefix"
        );
        out.extend_from_slice(&(part.len() as u32).to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::lp;

    #[test]
    fn each_part_is_preceded_by_its_length() {
        assert_eq!(lp(&[b"ab", b"", b"c"]), b"\0\0\0\x02ab\0\0\0\0\0\0\0\x01c");
        assert!(lp(&[]).is_empty());
    }

    #[test]
    fn moving_a_border_changes_the_bytes() {
        assert_ne!(lp(&[b"ab", b"c"]), lp(&[b"a", b"bc"]));
        assert_ne!(lp(&[b"ab"]), lp(&[b"ab", b""]));
    }
}
