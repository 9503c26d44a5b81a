//! What is inside a file vault: names and secrets.
//!
//! Encoded as a count and, for each entry, name and value, each preceded by its length; all numbers
//! are 32 bits, big endian. A text format would leave copies of secrets in buffers that its library
//! does not clear.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use crate::secret::Secret;

/// The secrets by name.
#[derive(Debug, Default)]
pub(super) struct Entries(BTreeMap<String, Secret>);

impl Entries {
    pub(super) fn insert(&mut self, name: &str, secret: Secret) {
        self.0.insert(name.to_owned(), secret);
    }

    pub(super) fn remove(&mut self, name: &str) -> Option<Secret> {
        self.0.remove(name)
    }

    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let parts = || {
            self.0
                .iter()
                .flat_map(|(name, secret)| [name.as_bytes(), secret.expose()])
        };
        // Exactly enough, so that the buffer never grows and leaves a copy behind.
        let length = 4 + parts().map(|part| 4 + part.len()).sum::<usize>();
        let mut bytes = Zeroizing::new(Vec::with_capacity(length));
        bytes.extend_from_slice(&length_prefix(self.0.len()));
        for part in parts() {
            bytes.extend_from_slice(&length_prefix(part.len()));
            bytes.extend_from_slice(part);
        }
        bytes
    }

    /// `None` if the bytes are anything but what [`Entries::encode`] writes.
    pub(super) fn decode(mut bytes: &[u8]) -> Option<Self> {
        let mut entries = BTreeMap::new();
        let count = take_length(&mut bytes)?;
        for _ in 0..count {
            let name = std::str::from_utf8(take_part(&mut bytes)?).ok()?.to_owned();
            let secret = Secret::from(take_part(&mut bytes)?);
            if entries.insert(name, secret).is_some() {
                return None;
            }
        }
        bytes.is_empty().then_some(Self(entries))
    }
}

/// Lengths fit: secrets and their number are limited far below 4 GiB.
fn length_prefix(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
}

fn take_length(bytes: &mut &[u8]) -> Option<usize> {
    let (head, rest) = bytes.split_first_chunk::<4>()?;
    *bytes = rest;
    usize::try_from(u32::from_be_bytes(*head)).ok()
}

fn take_part<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = take_length(bytes)?;
    let (part, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Entries {
        let mut entries = Entries::default();
        entries.insert("keys", Secret::from(&[0, 255, 10][..]));
        entries.insert("empty", Secret::from(""));
        entries
    }

    #[test]
    fn entries_come_back_as_they_were() {
        let mut back = Entries::decode(&sample().encode()).unwrap();
        assert_eq!(back.remove("keys").unwrap().expose(), [0, 255, 10]);
        assert_eq!(back.remove("empty").unwrap().expose(), b"");
        assert!(back.remove("other").is_none());
    }

    #[test]
    fn anything_cut_or_added_is_refused() {
        let bytes = sample().encode();
        for end in 0..bytes.len() {
            assert!(Entries::decode(&bytes[..end]).is_none(), "{end} bytes");
        }
        assert!(Entries::decode(&[&bytes[..], &[0]].concat()).is_none());
        assert!(Entries::decode(&[255; 12]).is_none());
    }

    #[test]
    fn debug_shows_names_only() {
        let mut entries = Entries::default();
        entries.insert("name", Secret::from("hunter2"));
        let shown = format!("{entries:?}");
        assert!(
            shown.contains("name") && !shown.contains("hunter2"),
            "{shown}"
        );
    }
}
