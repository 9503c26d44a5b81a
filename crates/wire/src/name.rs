//! Names: the local alias of a peer, and the free name a node suggests for itself.

use std::fmt;
use std::str::FromStr;

/// What this node calls a peer: 1 to 64 of `[a-z0-9._-]`, beginning with a letter or digit, and
/// not a reserved word.
///
/// Local to this node; the peer never learns it and cannot choose it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Alias(Box<str>);

/// A text that cannot be an alias.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AliasError {
    /// Nothing was given.
    #[error("the name is empty")]
    Empty,
    /// Longer than 64 characters.
    #[error("the name is longer than 64 characters")]
    TooLong,
    /// A character outside `a` to `z`, `0` to `9`, `.`, `_` and `-`. Likely cause: capitals or blanks.
    #[error("the name may hold only a to z, 0 to 9, dot, underscore and dash")]
    Characters,
    /// Begins with `.`, `_` or `-`, which paths and command lines would misread.
    #[error("the name must begin with a letter or digit")]
    Start,
    /// A word that means something else here or to a peer's program.
    #[error("the name is a reserved word")]
    Reserved,
}

/// Words with a meaning of their own: ours, then the names abTARS refuses for peers.
const RESERVED: [&str; 26] = [
    "self", "master", "all", "me", // ours
    "o", "orc", "a", "main", "b", "browse", "c", "code", "t", "task", "p", "peer", "s", "system",
    "w", "worker", "d", "dreamy", "h", "healer", "k", "skill",
];

const MAX_ALIAS: usize = 64;

impl Alias {
    /// Checks `text` as it is; nothing is folded or trimmed.
    ///
    /// # Errors
    /// [`AliasError`].
    pub fn new(text: &str) -> Result<Self, AliasError> {
        if text.is_empty() {
            return Err(AliasError::Empty);
        }
        if !text.bytes().all(is_alias_byte) {
            return Err(AliasError::Characters);
        }
        if text.len() > MAX_ALIAS {
            return Err(AliasError::TooLong);
        }
        if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return Err(AliasError::Start);
        }
        if RESERVED.contains(&text) {
            return Err(AliasError::Reserved);
        }
        Ok(Self(text.into()))
    }

    /// The nearest alias to a free name: lower case, other characters as single dashes, a reserved
    /// word with `-1` behind it, and `machine` when nothing usable is left.
    ///
    /// Whether it collides with an existing peer is for the caller to see.
    #[must_use]
    pub fn suggest(name: &str) -> Self {
        let mut text = String::with_capacity(name.len().min(MAX_ALIAS));
        for c in name.trim().chars() {
            let c = c.to_ascii_lowercase();
            if u8::try_from(c).is_ok_and(is_alias_byte) {
                text.push(c);
            } else if !text.ends_with('-') {
                text.push('-');
            }
            if text.len() >= MAX_ALIAS {
                break;
            }
        }
        let text = text.trim_matches(['.', '_', '-']);
        match text {
            "" => Self("machine".into()),
            reserved if RESERVED.contains(&reserved) => Self(format!("{reserved}-1").into()),
            fine => Self(fine.into()),
        }
    }

    /// The alias as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the two may not exist beside each other: equal, or one the beginning of the other,
    /// because names may be abbreviated when sending.
    #[must_use]
    pub fn conflicts_with(&self, other: &Self) -> bool {
        self.0.starts_with(&*other.0) || other.0.starts_with(&*self.0)
    }
}

fn is_alias_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-')
}

impl fmt::Display for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Alias {
    type Err = AliasError;

    fn from_str(text: &str) -> Result<Self, AliasError> {
        Self::new(text)
    }
}

impl AsRef<str> for Alias {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl serde::Serialize for Alias {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Alias {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::encoding::deserialize_str(deserializer)
    }
}

/// The longest suggested name, in characters.
pub const MAX_SUGGESTED: usize = 64;

/// Makes a free name fit to be shown and sent: control and text-direction characters are dropped,
/// runs of white space become one blank, and it is cut after [`MAX_SUGGESTED`] characters.
///
/// A name from a card or a link is somebody else's text; this is what keeps it on one line and
/// from rearranging the words around it.
#[must_use]
pub fn tidy(name: &str) -> String {
    let mut tidy = String::new();
    for word in name.split_whitespace() {
        let word: String = word.chars().filter(|c| !is_disruptive(*c)).collect();
        if word.is_empty() {
            continue;
        }
        if !tidy.is_empty() {
            tidy.push(' ');
        }
        tidy.push_str(&word);
    }
    match tidy.char_indices().nth(MAX_SUGGESTED) {
        Some((end, _)) => tidy[..end].trim_end().to_owned(),
        None => tidy,
    }
}

/// Whether a character makes a text read otherwise than it is: control characters, invisible
/// joiners, and the marks that turn the reading direction round. Wherever somebody else's text is
/// shown in a line of ours, these stay out.
#[must_use]
pub fn is_disruptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{00ad}' | '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alias(text: &str) -> Alias {
        Alias::new(text).unwrap()
    }

    #[test]
    fn what_cannot_be_an_alias_is_told_why() {
        for (text, expected) in [
            ("", AliasError::Empty),
            ("Mac", AliasError::Characters),
            ("my mac", AliasError::Characters),
            ("mäc", AliasError::Characters),
            ("a/b", AliasError::Characters),
            ("..", AliasError::Start),
            ("-rf", AliasError::Start),
            ("_x", AliasError::Start),
            ("self", AliasError::Reserved),
            ("me", AliasError::Reserved),
            ("orc", AliasError::Reserved),
            ("k", AliasError::Reserved),
        ] {
            assert_eq!(Alias::new(text), Err(expected), "{text:?}");
        }
        assert_eq!(Alias::new(&"x".repeat(65)), Err(AliasError::TooLong));
        assert!(Alias::new(&"x".repeat(64)).is_ok());
        assert!(Alias::new("wsl-box_2.home").is_ok());
    }

    #[test]
    fn free_names_become_aliases() {
        for (free, expected) in [
            ("WSL box", "wsl-box"),
            ("  Küche: Mac mini  ", "k-che-mac-mini"),
            ("...Mac", "mac"),
            ("main", "main-1"),
            ("日本語", "machine"),
            ("", "machine"),
            ("a--b", "a--b"),
        ] {
            assert_eq!(Alias::suggest(free).as_str(), expected, "{free:?}");
        }
        assert_eq!(Alias::suggest(&"x".repeat(200)).as_str().len(), 64);
    }

    #[test]
    fn equal_names_and_beginnings_conflict() {
        assert!(alias("mac").conflicts_with(&alias("mac")));
        assert!(alias("mac").conflicts_with(&alias("mac-mini")));
        assert!(alias("mac-mini").conflicts_with(&alias("mac")));
        assert!(!alias("mac-mini").conflicts_with(&alias("mac-book")));
    }

    #[test]
    fn an_alias_in_json_is_checked() {
        assert_eq!(
            serde_json::from_str::<Alias>("\"mac\"").unwrap(),
            alias("mac")
        );
        assert!(serde_json::from_str::<Alias>("\"Mac\"").is_err());
    }
}
