//! Names as the KithKit relay and its clients read them.

/// Splits `user@host` at the first `@`. Without a name before it or a host behind it, the whole
/// text is the name.
#[must_use]
pub fn split_qualified(name: &str) -> (&str, Option<&str>) {
    match name.split_once('@') {
        Some((user, host)) if !user.is_empty() && !host.is_empty() => (user, Some(host)),
        _ => (name, None),
    }
}

/// Finds a peer by name: an exact match ignoring case, else the only one whose name begins with
/// `wanted`, ignoring case. Nothing if that is nobody or several; never a guess.
pub fn find_peer<'a, T>(wanted: &str, peers: &'a [T], name: impl Fn(&T) -> &str) -> Option<&'a T> {
    if wanted.is_empty() {
        return None;
    }
    let wanted = wanted.to_lowercase();
    if let Some(exact) = peers
        .iter()
        .find(|peer| name(peer).to_lowercase() == wanted)
    {
        return Some(exact);
    }
    let mut beginning = peers
        .iter()
        .filter(|peer| name(peer).to_lowercase().starts_with(&wanted));
    beginning.next().filter(|_| beginning.next().is_none())
}

/// Whether a text has the shape of a UUID, of any version and case; such a group is meant by id.
#[must_use]
pub fn is_uuid_shaped(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(i, byte)| match i {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEERS: [&str; 4] = ["alice", "alex", "Mixed-Case", "al"];

    fn find(wanted: &str) -> Option<&'static str> {
        static FOUND: [&str; 4] = PEERS;
        find_peer(wanted, &FOUND, |name| name).copied()
    }

    #[test]
    fn exact_names_win_over_beginnings() {
        assert_eq!(find("AL"), Some("al"));
        assert_eq!(find("mixed"), Some("Mixed-Case"));
        assert_eq!(find("ali"), Some("alice"));
    }

    #[test]
    fn ambiguous_unknown_and_empty_names_find_nobody() {
        for wanted in ["a", "bob", ""] {
            assert_eq!(find(wanted), None, "{wanted:?}");
        }
    }

    #[test]
    fn ids_are_told_from_names_by_shape() {
        assert!(is_uuid_shaped("C006DFCE-37b6-434a-8407-1d227f485a81"));
        assert!(!is_uuid_shaped("c006dfce-37b6-434a-8407-1d227f485a8"));
        assert!(!is_uuid_shaped("c006dfce037b6-434a-8407-1d227f485a81"));
    }
}
