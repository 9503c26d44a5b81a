//! Names of agents: the identity that both generations put on the wire.
//!
//! A peer is what the other side calls it: `self.name` there is the key of its entry here, with
//! the same capitals. There are no aliases.

/// Labels of an agent's own sessions; with each goes its first letter.
const SESSIONS: [&str; 10] = [
    "Main", "Browse", "Code", "Task", "Peer", "System", "Worker", "Dreamy", "Healer", "Skill",
];
/// The letters that go with them.
const LETTERS: [&str; 10] = ["A", "B", "C", "T", "P", "S", "W", "D", "H", "K"];
/// What abTARS refuses besides.
const RESERVED: [&str; 6] = ["self", "master", "O", "Orc", "orc", "ORC"];

/// The longest name, in bytes; what frames on a held connection allow.
pub const MAX_NAME: usize = 128;

/// Why an agent cannot have a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was given.
    #[error("the name is empty")]
    Empty,
    /// Longer than 128 bytes.
    #[error("the name is longer than 128 characters")]
    TooLong,
    /// A character outside `A` to `Z`, `a` to `z`, `0` to `9`, `.`, `_`, `:` and `-`.
    #[error("the name may hold only letters, digits, dot, underscore, colon and dash")]
    Characters,
    /// abTARS does not take a peer of this name: it means something there.
    #[error("abTARS uses this name for itself and refuses it for a peer")]
    Refused,
}

/// Whether abTARS refuses a peer of this name. Its own name it refuses as well.
#[must_use]
pub fn is_refused(name: &str) -> bool {
    let labels = SESSIONS.iter().chain(&LETTERS);
    RESERVED.contains(&name)
        || labels
            .into_iter()
            .any(|label| *label == name || label.to_ascii_lowercase() == name)
}

/// Checks a name that this machine wants to be known by, or that a peer claims while enrolling.
///
/// # Errors
/// [`NameError`].
pub fn check(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        Err(NameError::Empty)
    } else if name.len() > MAX_NAME {
        Err(NameError::TooLong)
    } else if !name.bytes().all(is_name_byte) {
        Err(NameError::Characters)
    } else if is_refused(name) {
        Err(NameError::Refused)
    } else {
        Ok(())
    }
}

pub(super) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_sessions_are_refused_in_their_own_and_in_lower_case() {
        for refused in [
            "self", "master", "O", "ORC", "orc", "B", "b", "Browse", "browse", "k", "skill",
        ] {
            assert_eq!(check(refused), Err(NameError::Refused), "{refused}");
        }
        for fine in ["kp", "BROWSE", "Self", "o", "default", "peer-b", "Peers"] {
            assert_eq!(check(fine), Ok(()), "{fine}");
        }
    }

    #[test]
    fn a_name_has_a_shape() {
        assert_eq!(check(""), Err(NameError::Empty));
        assert_eq!(check(&"x".repeat(129)), Err(NameError::TooLong));
        for odd in ["a b", "a|b", "a\n", "é"] {
            assert_eq!(check(odd), Err(NameError::Characters), "{odd:?}");
        }
    }
}
