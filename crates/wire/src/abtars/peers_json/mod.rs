//! `peers.json`: the file in which an abTARS machine keeps its own name and key and its peers.
//!
//! Every documented field is read, in every spelling seen in the field; what a field is worth
//! depends on the [generation](super::Generation) and is told per peer. Unknown fields and the
//! order of all of them survive a rewrite. A file with a mistake is refused with the place of the
//! mistake, and nothing is ever made up in its stead: abTARS itself replaces such a file with an
//! empty one.

mod entry;
mod field;
mod values;

use std::fmt;

use serde_json::{Map, Value};
use zeroize::{Zeroize, Zeroizing};

use crate::address::Address;
use crate::key::{KeyError, SigningKey};
use crate::problem::{Code, Problem};

pub use entry::{PeerEntry, parse_pasted};
pub use field::{Field, FieldUse, Live, Remark};
pub use values::EntryValues;

/// The largest file read, in bytes.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;
/// What an abTARS machine calls itself when its file has no name.
pub const DEFAULT_NAME: &str = "default";

/// A `peers.json`, with everything that was in it. Holds secrets: wiped when dropped, and `Debug`
/// shows names only.
#[derive(Clone, PartialEq, Default)]
pub struct PeersFile {
    root: Map<String, Value>,
}

/// Why a text is not a `peers.json`. The file is to be left as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeersFileError {
    /// Not JSON. Likely cause: an edit by hand: a comma too many, a quote or bracket too few.
    #[error("{message}, in line {line}, column {column}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What the parser says, without any of the file's contents.
        message: String,
    },
    /// JSON, but this part of it is not an object.
    #[error("{0} is not a JSON object")]
    Shape(&'static str),
    /// Over 4 MiB. Likely cause: another file.
    #[error("the file is too large to be a peers.json")]
    TooLarge,
}

impl PeersFile {
    /// Reads a file. A byte order mark before it is dropped, though abTARS would refuse the file
    /// for it.
    ///
    /// # Errors
    /// [`PeersFileError`].
    pub fn parse(text: &str) -> Result<Self, PeersFileError> {
        match parse_value(text)? {
            Value::Object(root) => Self::from_root(root),
            _ => Err(PeersFileError::Shape("the file")),
        }
    }

    fn from_root(root: Map<String, Value>) -> Result<Self, PeersFileError> {
        let file = Self { root };
        for (section, name) in [("self", "\"self\""), ("peers", "\"peers\"")] {
            if file
                .root
                .get(section)
                .is_some_and(|value| !value.is_object())
            {
                return Err(PeersFileError::Shape(name));
            }
        }
        Ok(file)
    }

    /// `self.name`, or what abTARS takes in its place.
    #[must_use]
    pub fn own_name(&self) -> &str {
        self.own("name").unwrap_or(DEFAULT_NAME)
    }

    /// `self.signingKey`, if there is one.
    ///
    /// # Errors
    /// [`KeyError`] if it cannot be used.
    pub fn signing_key(&self) -> Result<Option<SigningKey>, KeyError> {
        self.own("signingKey").map(SigningKey::parse).transpose()
    }

    /// `self.tribeToken`, if there is one: what enrols any machine that holds it.
    #[must_use]
    pub fn tribe_token(&self) -> Option<Zeroizing<String>> {
        self.own("tribeToken")
            .map(|text| Zeroizing::new(text.to_owned()))
    }

    /// `maxHops`: hops an ask starts with.
    #[must_use]
    pub fn max_hops(&self) -> u32 {
        self.number("maxHops").unwrap_or(super::chat::MAX_HOPS)
    }

    /// `timeoutMs`: how long to wait for an answer, in milliseconds.
    #[must_use]
    pub fn timeout_millis(&self) -> u64 {
        self.number("timeoutMs")
            .map_or(super::ask::TIMEOUT_MILLIS, u64::from)
    }

    /// The peers, in the order of the file.
    #[must_use]
    pub fn peers(&self) -> Vec<PeerEntry> {
        let peers = self.root.get("peers").and_then(Value::as_object);
        peers
            .into_iter()
            .flatten()
            .map(|(name, value)| PeerEntry::read(name, value))
            .collect()
    }

    /// One peer; capitals matter, as in abTARS.
    #[must_use]
    pub fn peer(&self, name: &str) -> Option<PeerEntry> {
        let value = self.root.get("peers")?.get(name)?;
        Some(PeerEntry::read(name, value))
    }

    /// Writes `self.name`.
    pub fn set_own_name(&mut self, name: &str) {
        self.section("self").insert("name".to_owned(), name.into());
    }

    /// Writes `self.signingKey` in the one form that every release can read.
    pub fn set_signing_key(&mut self, key: &SigningKey) {
        let text = key.to_base64().as_str().into();
        self.section("self").insert("signingKey".to_owned(), text);
    }

    /// Writes a peer: adds it at the end, or replaces the documented fields of the one that is
    /// there. Its other fields stay, and so does everything else in the file.
    pub fn set_peer(&mut self, name: &str, values: &EntryValues) {
        let peers = self.section("peers");
        let entry = peers.entry(name).or_insert_with(|| Map::new().into());
        if !entry.is_object() {
            *entry = Map::new().into();
        }
        if let Some(fields) = entry.as_object_mut() {
            values.write(fields);
        }
    }

    /// Writes where a peer is, and nothing else of it.
    pub fn set_address(&mut self, name: &str, address: &Address) {
        let entry = self.section("peers").get_mut(name);
        if let Some(fields) = entry.and_then(Value::as_object_mut) {
            fields.insert(Field::Host.key().to_owned(), address.host().into());
            fields.insert(Field::Port.key().to_owned(), address.port().into());
        }
    }

    /// The file with this peer alone: its entry as it stands, and nothing of the rest.
    #[must_use]
    pub fn only(&self, name: &str) -> Option<Self> {
        let entry = self.root.get("peers")?.get(name)?.clone();
        let peers = Map::from_iter([(name.to_owned(), entry)]);
        let root = Map::from_iter([("peers".to_owned(), peers.into())]);
        Some(Self { root })
    }

    /// The file without its peers and without this machine's private key.
    #[must_use]
    pub fn frame(&self) -> Self {
        let mut frame = self.clone();
        let peers = frame.root.shift_remove("peers");
        let own = frame.root.get_mut("self").and_then(Value::as_object_mut);
        let key = own.and_then(|own| own.shift_remove("signingKey"));
        for mut secret in peers.into_iter().chain(key) {
            wipe(&mut secret);
        }
        frame
    }

    /// Takes over the entries of another file as they stand; those of the same name are replaced.
    pub fn take_over(&mut self, other: &Self) {
        let theirs = other.root.get("peers").and_then(Value::as_object);
        for (name, entry) in theirs.into_iter().flatten() {
            self.section("peers").insert(name.clone(), entry.clone());
        }
    }

    /// Takes out every secret that a field known here may hold. Says whether there was one.
    pub fn redact(&mut self) -> bool {
        let mut found = false;
        let mut take = |fields: &mut Map<String, Value>, keys: &[&str]| {
            for key in keys {
                if let Some(mut secret) = fields.shift_remove(*key) {
                    wipe(&mut secret);
                    found = true;
                }
            }
        };
        let entry = ["token", "pskSecret", "gossipSecret"];
        take(&mut self.root, &entry);
        take(self.section("self"), &["signingKey", "tribeToken"]);
        for peer in self.section("peers").values_mut() {
            if let Some(fields) = peer.as_object_mut() {
                take(fields, &entry);
            }
        }
        found
    }

    /// Removes a peer; says whether it was there.
    pub fn remove_peer(&mut self, name: &str) -> bool {
        self.section("peers").shift_remove(name).is_some()
    }

    /// The file, indented as abTARS indents it. Holds secrets.
    #[must_use]
    pub fn to_json(&self) -> Zeroizing<String> {
        // Maps with text keys always serialise; an empty file is not what an error may become.
        let Ok(mut text) = serde_json::to_string_pretty(&self.root) else {
            unreachable!("a JSON value has a JSON text");
        };
        text.push('\n');
        Zeroizing::new(text)
    }

    fn own(&self, field: &str) -> Option<&str> {
        let text = self.root.get("self")?.get(field)?.as_str()?;
        (!text.is_empty()).then_some(text)
    }

    fn number(&self, field: &str) -> Option<u32> {
        let number = self.root.get(field)?.as_f64()?;
        // Comparisons fail for what is not a number at all.
        (number >= 1.0 && number <= f64::from(u32::MAX)).then_some(number as u32)
    }

    /// A section to write in, made if it is missing. Parsing saw to it that it is an object.
    fn section(&mut self, name: &str) -> &mut Map<String, Value> {
        let value = self.root.entry(name).or_insert(Value::Null);
        if !value.is_object() {
            *value = Map::new().into();
        }
        match value {
            Value::Object(fields) => fields,
            _ => unreachable!("it was made an object above"),
        }
    }
}

/// Parses JSON of bounded size, and says where it is wrong.
fn parse_value(text: &str) -> Result<Value, PeersFileError> {
    if text.len() > MAX_BYTES {
        return Err(PeersFileError::TooLarge);
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str(text).map_err(|error| {
        let (line, mut message) = (error.line(), error.to_string());
        if let Some(place) = message.rfind(" at line ") {
            message.truncate(place);
        }
        PeersFileError::Syntax {
            line,
            column: error.column(),
            message,
        }
    })
}

impl fmt::Debug for PeersFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let peers: Vec<String> = self.peers().into_iter().map(|peer| peer.name).collect();
        write!(f, "PeersFile({:?} with peers {peers:?})", self.own_name())
    }
}

impl Drop for PeersFile {
    fn drop(&mut self) {
        self.root.values_mut().for_each(wipe);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

impl From<PeersFileError> for Problem {
    fn from(error: PeersFileError) -> Self {
        let problem = Self::new(Code::ConfigInvalid)
            .summary("The peers.json cannot be read.")
            .because(format!("In the file: {error}. It was left as it is."))
            .remedy("Correct the file, then try again.");
        match error {
            PeersFileError::Syntax { line, column, .. } => {
                problem.with("line", line).with("column", column)
            }
            PeersFileError::Shape(_) | PeersFileError::TooLarge => problem,
        }
    }
}
