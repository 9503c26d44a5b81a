//! `kithkit.config.yaml`: what of it matters to a peer, read and changed in place.
//!
//! A KithKit daemon merges this file over its defaults; what is not in it is `None` here. Changes
//! touch nothing but what they are about: comments, order, quotes and unknown keys stay. A file
//! with a mistake is refused with the place of the mistake.

mod build;
mod edit;
mod lines;
mod literal;
mod settings;
mod tree;

use std::fmt;

use serde_json::{Map, Value};

use self::edit::{Edit, Step, apply};
use self::tree::Tree;
use super::Posture;
use crate::problem::{Code, Problem};

pub use self::settings::{ConfigPeer, LanListener, Settings};

/// The name of an agent whose file has none.
pub const DEFAULT_NAME: &str = "Assistant";
/// The port of a daemon whose file has none.
pub const DEFAULT_PORT: u16 = 3847;
/// The port of a daemon's second listener, for the local network.
pub const DEFAULT_LAN_PORT: u16 = 3848;

/// A line and a column of a file, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Why a text is not a usable configuration, or cannot be changed. It is to be left as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not YAML. Likely cause: an edit by hand: wrong indentation, a tab, an open quote.
    #[error("{message}, in {place}")]
    Syntax {
        /// Where.
        place: Place,
        /// What the parser says.
        message: String,
    },
    /// A key stands twice in one mapping, which the daemon refuses as well.
    #[error("the key \"{key}\" is there twice, the second time in {place}")]
    Repeated {
        /// Where it stands again.
        place: Place,
        /// The key.
        key: String,
    },
    /// A value is of another kind than it has to be.
    #[error("{path} is not {expected}, in {place}")]
    Value {
        /// Where.
        place: Place,
        /// Which, for example `agent-comms.peers[0].port`.
        path: String,
        /// What is expected, with its article.
        expected: &'static str,
    },
    /// A second document begins here.
    #[error("a second document begins in {0}")]
    Documents(Place),
    /// Over 64 levels deep.
    #[error("the nesting is too deep, in {0}")]
    TooDeep(Place),
    /// Over 1 MiB. Likely cause: another file.
    #[error("the file is too large to be a configuration")]
    TooLarge,
    /// This part cannot be changed without touching others: it has an anchor, a tag, or an
    /// unusual form. It has to be changed by hand.
    #[error("{0} is written in a way that only a person can change")]
    CannotEdit(String),
}

impl ConfigError {
    /// Where the mistake is, if it has a place.
    #[must_use]
    pub const fn place(&self) -> Option<Place> {
        match self {
            Self::Syntax { place, .. }
            | Self::Repeated { place, .. }
            | Self::Value { place, .. }
            | Self::Documents(place)
            | Self::TooDeep(place) => Some(*place),
            Self::TooLarge | Self::CannotEdit(_) => None,
        }
    }
}

/// A configuration file with everything in it.
#[derive(Debug)]
pub struct Config {
    mark: &'static str,
    text: String,
    tree: Tree,
    settings: Settings,
}

impl Config {
    /// Reads a file; an empty one is a configuration of nothing.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let (mark, text) = match text.strip_prefix('\u{feff}') {
            Some(rest) => ("\u{feff}", rest),
            None => ("", text),
        };
        let tree = Tree::parse(text)?;
        Ok(Self {
            mark,
            settings: settings::read(&tree)?,
            tree,
            text: text.to_owned(),
        })
    }

    /// What the file says.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The file's text, with all changes so far.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        format!("{}{}", self.mark, self.text)
    }

    /// Writes `agent.name`.
    ///
    /// # Errors
    /// [`ConfigError::CannotEdit`]; then nothing is changed, here as in the other changes.
    pub fn set_agent_name(&mut self, name: &str) -> Result<(), ConfigError> {
        self.put(&[Step::Key("agent"), Step::Key("name")], name.into())
    }

    /// Writes `daemon.port`.
    ///
    /// # Errors
    /// [`ConfigError::CannotEdit`].
    pub fn set_port(&mut self, port: u16) -> Result<(), ConfigError> {
        self.put(&[Step::Key("daemon"), Step::Key("port")], port.into())
    }

    /// Writes what is given of `daemon.lan`.
    ///
    /// # Errors
    /// [`ConfigError::CannotEdit`].
    pub fn set_lan(&mut self, lan: &LanListener) -> Result<(), ConfigError> {
        let path = |key| [Step::Key("daemon"), Step::Key("lan"), Step::Key(key)];
        let fields = [
            (path("enabled"), lan.enabled.map(Value::from)),
            (path("bind_host"), lan.bind_host.as_deref().map(Value::from)),
            (path("port"), lan.port.map(Value::from)),
        ];
        let given = fields
            .iter()
            .filter_map(|(path, value)| Some((path, value.clone()?)));
        let edits: Vec<_> = given.map(|(path, value)| Edit::Put(path, value)).collect();
        self.edit(&edits)
    }

    /// Writes `a2a.security.message`.
    ///
    /// # Errors
    /// [`ConfigError::CannotEdit`].
    pub fn set_message_posture(&mut self, posture: Posture) -> Result<(), ConfigError> {
        let path = [
            Step::Key("a2a"),
            Step::Key("security"),
            Step::Key("message"),
        ];
        let word = match posture {
            Posture::Enforce => "enforce",
            Posture::Permissive => "permissive",
        };
        self.put(&path, word.into())
    }

    /// Writes a peer: adds it at the end, or changes the one of this name. An `ip` of `None`
    /// leaves the one that is there.
    ///
    /// # Errors
    /// [`ConfigError::CannotEdit`].
    pub fn set_peer(&mut self, peer: &ConfigPeer) -> Result<(), ConfigError> {
        let mut fields = Map::new();
        fields.insert("name".to_owned(), peer.name.as_str().into());
        fields.insert("host".to_owned(), peer.host.as_str().into());
        fields.insert("port".to_owned(), peer.port.into());
        if let Some(ip) = &peer.ip {
            fields.insert("ip".to_owned(), ip.as_str().into());
        }
        let Some(at) = self.position(&peer.name) else {
            return self.edit(&[Edit::Append(&PEERS, Value::Object(fields))]);
        };
        let [comms, peers] = PEERS;
        let old = self.settings.peers.get(at);
        let unchanged = |name: &str| match (name, old) {
            // The spelling of the name is the owner's.
            ("name", _) => true,
            ("host", Some(old)) => old.host == peer.host,
            ("port", Some(old)) => old.port == peer.port,
            ("ip", Some(old)) => old.ip == peer.ip,
            _ => false,
        };
        let changes: Vec<_> = fields
            .into_iter()
            .filter(|(name, _)| !unchanged(name))
            .collect();
        let paths: Vec<_> = changes
            .iter()
            .map(|(name, _)| [comms, peers, Step::Item(at), Step::Key(name)])
            .collect();
        let edits: Vec<_> = paths
            .iter()
            .zip(&changes)
            .map(|(path, (_, value))| Edit::Put(path, value.clone()))
            .collect();
        self.edit(&edits)
    }

    /// Removes a peer; says whether it was there.
    ///
    /// # Errors
    /// [`ConfigError::CannotEdit`].
    pub fn remove_peer(&mut self, name: &str) -> Result<bool, ConfigError> {
        match self.position(name) {
            None => Ok(false),
            Some(at) => self.edit(&[Edit::Remove(&PEERS, at)]).map(|()| true),
        }
    }

    fn position(&self, name: &str) -> Option<usize> {
        let name = name.to_lowercase();
        let mut peers = self.settings.peers.iter();
        peers.position(|peer| peer.name.to_lowercase() == name)
    }

    fn put(&mut self, path: &[Step<'_>], value: Value) -> Result<(), ConfigError> {
        self.edit(&[Edit::Put(path, value)])
    }

    /// Makes all changes or none.
    fn edit(&mut self, edits: &[Edit<'_>]) -> Result<(), ConfigError> {
        let mut done: Option<(String, Tree)> = None;
        for edit in edits {
            let (text, tree) = match &done {
                Some((text, tree)) => (text.as_str(), tree),
                None => (self.text.as_str(), &self.tree),
            };
            done = Some(apply(text, tree, edit)?);
        }
        if let Some((text, tree)) = done {
            self.settings = settings::read(&tree)?;
            (self.text, self.tree) = (text, tree);
        }
        Ok(())
    }
}

const PEERS: [Step<'static>; 2] = [Step::Key("agent-comms"), Step::Key("peers")];

impl From<ConfigError> for Problem {
    fn from(error: ConfigError) -> Self {
        let problem = Self::new(Code::ConfigInvalid)
            .summary("The kithkit.config.yaml cannot be used.")
            .because(format!("In the file: {error}. It was left as it is."))
            .remedy("Correct the file, then try again.");
        match error.place() {
            Some(Place { line, column }) => problem.with("line", line).with("column", column),
            None => problem,
        }
    }
}
