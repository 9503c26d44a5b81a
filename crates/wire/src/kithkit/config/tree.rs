//! A YAML document as a tree that knows where each node stands in the text.

use std::ops::Range;

use saphyr_parser::{Event, Parser};
use serde_json::{Map, Value};

use super::build::{Builder, place};
use super::literal;
use super::{ConfigError, Place};

/// The largest file read, in bytes.
pub(super) const MAX_BYTES: usize = 1024 * 1024;

/// A node's number in its tree.
pub(super) type Id = usize;

#[derive(Debug)]
pub(super) enum Kind {
    /// `plain` is neither quoted nor a block, so that it may be a number, a truth value or null.
    Scalar {
        text: String,
        plain: bool,
        block: bool,
    },
    Sequence {
        items: Vec<Id>,
        flow: bool,
    },
    Mapping {
        entries: Vec<(Id, Id)>,
        flow: bool,
    },
    /// The same as the node with this anchor; no target for a node that contains this one.
    Alias {
        anchor: usize,
        target: Option<Id>,
    },
}

#[derive(Debug)]
pub(super) struct Node {
    pub kind: Kind,
    /// Bytes of the text; without trailing blanks and comments.
    pub range: Range<usize>,
    pub place: Place,
    /// Has an anchor or a tag, which a changed value would inherit.
    pub marked: bool,
}

/// One document. Holds nothing if the text has only comments.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub nodes: Vec<Node>,
    pub root: Option<Id>,
}

impl Tree {
    /// Parses a text of one document at most; repeated keys are refused, as by other readers.
    pub(super) fn parse(text: &str) -> Result<Self, ConfigError> {
        if text.len() > MAX_BYTES {
            return Err(ConfigError::TooLarge);
        }
        let mut builder = Builder::new(text);
        let mut documents = 0;
        for event in Parser::new_from_str(text) {
            let (event, span) = event.map_err(|error| ConfigError::Syntax {
                place: Place {
                    line: error.marker().line(),
                    column: error.marker().col() + 1,
                },
                message: error.info().to_owned(),
            })?;
            if matches!(event, Event::DocumentStart(_)) {
                documents += 1;
                if documents > 1 {
                    return Err(ConfigError::Documents(place(&span)));
                }
            }
            builder.take(event, &span)?;
        }
        Ok(builder.finish())
    }

    pub(super) fn root(&self) -> Option<Id> {
        self.root
    }

    pub(super) fn node(&self, id: Id) -> &Node {
        &self.nodes[id]
    }

    /// The node, or the one that it stands for.
    pub(super) fn resolve(&self, id: Id) -> Option<&Node> {
        match self.nodes[id].kind {
            Kind::Alias { target, .. } => target.map(|target| &self.nodes[target]),
            _ => Some(&self.nodes[id]),
        }
    }

    /// The key's node and the value's, in a mapping.
    pub(super) fn member(&self, id: Id, key: &str) -> Option<(Id, Id)> {
        let Kind::Mapping { entries, .. } = &self.resolve(id)?.kind else {
            return None;
        };
        let is_key =
            |id: Id| matches!(&self.nodes[id].kind, Kind::Scalar { text, .. } if text == key);
        entries.iter().copied().find(|(name, _)| is_key(*name))
    }

    /// What a node means, as JSON: `5` is a number and `"5"` a text. Aliases are kept apart.
    pub(super) fn meaning(&self, id: Id) -> Value {
        match &self.nodes[id].kind {
            Kind::Scalar { text, plain, .. } => literal::meaning(text, *plain),
            Kind::Sequence { items, .. } => items.iter().map(|item| self.meaning(*item)).collect(),
            Kind::Mapping { entries, .. } => {
                let entries = entries.iter().map(|(key, value)| {
                    let key = match self.meaning(*key) {
                        Value::String(text) => text,
                        other => other.to_string(),
                    };
                    (key, self.meaning(*value))
                });
                Value::Object(entries.collect())
            }
            Kind::Alias { anchor, .. } => {
                let mut alias = Map::new();
                alias.insert("*".to_owned(), Value::from(*anchor));
                Value::Object(alias)
            }
        }
    }
}
