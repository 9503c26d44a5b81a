//! What this node runs or calls on its own machine because the person chose it: a [`program`], or
//! an address on the [`loopback`] interface. Responders and hooks share it, with its limits.

pub(crate) mod loopback;
pub(crate) mod program;

/// An id that a peer chose, for an environment or a header: itself where it begins with a letter or
/// digit and goes on with those and `._:-`, otherwise empty. `..`, `-rf` and spaces reach no script.
pub(crate) fn plain_id(id: &str) -> &str {
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'-');
    let begins_well = id.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric);
    if begins_well && id.len() <= 128 && id.bytes().all(inner) {
        id
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::plain_id;

    #[test]
    fn an_id_is_no_path_and_no_option() {
        for good in ["m-1", "2f6c.a:b_c", &"x".repeat(128)] {
            assert_eq!(plain_id(good), good);
        }
        for bad in [
            "",
            "..",
            ".",
            "-rf",
            "_x",
            ":",
            "a b",
            "a/b",
            "a\n",
            "a\0",
            "é",
            &"x".repeat(129),
        ] {
            assert_eq!(plain_id(bad), "", "{bad:?}");
        }
    }
}
