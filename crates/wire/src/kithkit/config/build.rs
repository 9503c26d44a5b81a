//! From the parser's events to a tree.

use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, ScalarStyle, Span};

use super::tree::{Id, Kind, Node, Tree};
use super::{ConfigError, Place};

/// The deepest nesting read.
const MAX_DEPTH: usize = 64;

/// A collection whose end has not been seen.
struct Open {
    id: Id,
    anchor: usize,
    children: Vec<Id>,
    keys: HashSet<String>,
}

/// Puts a tree together from the parser's events.
pub(super) struct Builder {
    tree: Tree,
    /// Byte of each character, because the parser counts characters.
    offsets: Vec<usize>,
    length: usize,
    open: Vec<Open>,
    anchors: HashMap<usize, Id>,
}

impl Builder {
    pub(super) fn new(text: &str) -> Self {
        Self {
            tree: Tree::default(),
            offsets: text.char_indices().map(|(at, _)| at).collect(),
            length: text.len(),
            open: Vec::new(),
            anchors: HashMap::new(),
        }
    }

    pub(super) fn finish(self) -> Tree {
        self.tree
    }

    pub(super) fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), ConfigError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let kind = Kind::Scalar {
                    text: text.into_owned(),
                    plain: style == ScalarStyle::Plain,
                    block: matches!(style, ScalarStyle::Literal | ScalarStyle::Folded),
                };
                let id = self.push(kind, span, anchor > 0 || tag.is_some())?;
                self.name(anchor, id);
                self.attach(id)
            }
            Event::Alias(anchor) => {
                let target = self.anchors.get(&anchor).copied();
                let id = self.push(Kind::Alias { anchor, target }, span, true)?;
                self.attach(id)
            }
            Event::SequenceStart(anchor, tag) => {
                let kind = Kind::Sequence {
                    items: Vec::new(),
                    flow: false,
                };
                self.begin(kind, span, anchor, tag.is_some())
            }
            Event::MappingStart(anchor, tag) => {
                let kind = Kind::Mapping {
                    entries: Vec::new(),
                    flow: false,
                };
                self.begin(kind, span, anchor, tag.is_some())
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            _ => Ok(()),
        }
    }

    fn push(&mut self, kind: Kind, span: &Span, marked: bool) -> Result<Id, ConfigError> {
        if self.open.len() > MAX_DEPTH {
            return Err(ConfigError::TooDeep(place(span)));
        }
        self.tree.nodes.push(Node {
            kind,
            range: self.offset(span.start.index())..self.offset(span.end.index()),
            place: place(span),
            marked,
        });
        Ok(self.tree.nodes.len() - 1)
    }

    fn begin(
        &mut self,
        kind: Kind,
        span: &Span,
        anchor: usize,
        tagged: bool,
    ) -> Result<(), ConfigError> {
        let id = self.push(kind, span, anchor > 0 || tagged)?;
        self.open.push(Open {
            id,
            anchor,
            children: Vec::new(),
            keys: HashSet::new(),
        });
        Ok(())
    }

    fn end(&mut self, span: &Span) -> Result<(), ConfigError> {
        let Some(Open {
            id,
            anchor,
            children,
            ..
        }) = self.open.pop()
        else {
            return Ok(());
        };
        // The parser counts a comment behind a closing bracket to it.
        let (closed_at, is_flow) = (self.offset(span.start.index() + 1), !span.is_empty());
        // A block ends where its last part does, not where the next thing begins.
        let content_end = children.last().map(|last| self.tree.nodes[*last].range.end);
        let node = &mut self.tree.nodes[id];
        node.range.end = match content_end {
            _ if is_flow => closed_at,
            Some(end) => end,
            None => node.range.end,
        };
        match &mut node.kind {
            Kind::Sequence { items, flow } => (*items, *flow) = (children, is_flow),
            Kind::Mapping { entries, flow } => {
                *entries = children
                    .chunks_exact(2)
                    .map(|pair| (pair[0], pair[1]))
                    .collect();
                *flow = is_flow;
            }
            Kind::Scalar { .. } | Kind::Alias { .. } => {}
        }
        self.name(anchor, id);
        self.attach(id)
    }

    /// Puts a finished node where it belongs.
    fn attach(&mut self, id: Id) -> Result<(), ConfigError> {
        let Some(open) = self.open.last_mut() else {
            self.tree.root = Some(id);
            return Ok(());
        };
        let is_key = matches!(self.tree.nodes[open.id].kind, Kind::Mapping { .. })
            && open.children.len().is_multiple_of(2);
        if is_key
            && let Kind::Scalar { text, .. } = &self.tree.nodes[id].kind
            && !open.keys.insert(text.clone())
        {
            return Err(ConfigError::Repeated {
                place: self.tree.nodes[id].place,
                key: text.clone(),
            });
        }
        open.children.push(id);
        Ok(())
    }

    fn name(&mut self, anchor: usize, id: Id) {
        if anchor > 0 {
            self.anchors.insert(anchor, id);
        }
    }

    fn offset(&self, index: usize) -> usize {
        self.offsets.get(index).copied().unwrap_or(self.length)
    }
}

pub(super) fn place(span: &Span) -> Place {
    Place {
        line: span.start.line(),
        column: span.start.col() + 1,
    }
}
