//! Changes to a text that leave everything else in it as it is, comments included.
//!
//! A change replaces the least of the text that it can. Then the result is parsed and compared
//! with what was meant: a change that would touch anything else is refused.

use std::ops::Range;

use serde_json::{Map, Value, json};

use super::ConfigError;
use super::lines::{after_colon, at_line_after, dash_before, line_after, newline};
use super::literal::{block, inline};
use super::tree::{Id, Kind, Node, Tree};

/// One step from a node to a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step<'a> {
    Key(&'a str),
    Item(usize),
}

/// What is to be different.
pub(super) enum Edit<'a> {
    /// The value at a path, made if it is missing.
    Put(&'a [Step<'a>], Value),
    /// One more item at the end of the list at a path, which is made if it is missing.
    Append(&'a [Step<'a>], Value),
    /// No more such item in the list at a path.
    Remove(&'a [Step<'a>], usize),
}

/// Applies a change; gives the new text and its tree.
pub(super) fn apply(
    text: &str,
    tree: &Tree,
    edit: &Edit<'_>,
) -> Result<(String, Tree), ConfigError> {
    let (path, cuts) = match edit {
        Edit::Put(path, value) => (*path, put(text, tree, path, value)?),
        Edit::Append(path, value) => (*path, append(text, tree, path, value)?),
        Edit::Remove(path, item) => (*path, remove(text, tree, path, *item)?),
    };
    let mut changed = text.to_owned();
    for (range, replacement) in cuts {
        if text.get(range.clone()).is_none() {
            return Err(ConfigError::CannotEdit(path_text(path)));
        }
        changed.replace_range(range, &replacement);
    }
    let meaning = |tree: &Tree| tree.root().map_or(Value::Null, |root| tree.meaning(root));
    let new = Tree::parse(&changed).map_err(|_| ConfigError::CannotEdit(path_text(path)))?;
    let mut wanted = meaning(tree);
    change(&mut wanted, path, edit);
    if meaning(&new) != wanted {
        return Err(ConfigError::CannotEdit(path_text(path)));
    }
    Ok((changed, new))
}

/// A path as people write it.
pub(super) fn path_text(path: &[Step<'_>]) -> String {
    path.iter().fold(String::new(), |mut text, step| {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => text = format!("{text}.{key}"),
            Step::Item(item) => text = format!("{text}[{item}]"),
        }
        text
    })
}

/// Ranges and what to put there; from the end of the text to its beginning.
type Cuts = Vec<(Range<usize>, String)>;

/// How far a path leads into a tree.
struct Walk<'a> {
    /// The node at the end of the way.
    id: Id,
    /// The node of the key that leads to it.
    key: Option<Id>,
    /// Column of the mapping that it is a member of, from 1.
    column: usize,
    /// Whether a parent is written in brackets, so that lines do not matter.
    in_flow: bool,
    /// What is missing.
    rest: &'a [Step<'a>],
}

fn walk<'a>(tree: &Tree, root: Id, path: &'a [Step<'a>]) -> Result<Walk<'a>, ConfigError> {
    let mut way = Walk {
        id: root,
        key: None,
        column: 1,
        in_flow: false,
        rest: path,
    };
    while let Some((step, rest)) = way.rest.split_first() {
        let node = tree.node(way.id);
        // What has an anchor stands in other places as well.
        if node.marked {
            return Err(ConfigError::CannotEdit(path_text(path)));
        }
        let (next, flow) = match (&node.kind, step) {
            (Kind::Mapping { flow, .. }, Step::Key(key)) => (tree.member(way.id, key), *flow),
            (Kind::Sequence { items, flow }, Step::Item(item)) => {
                (items.get(*item).map(|id| (way.id, *id)), *flow)
            }
            _ => break,
        };
        let Some((key, value)) = next else { break };
        way = Walk {
            id: value,
            key: matches!(step, Step::Key(_)).then_some(key),
            column: node.place.column,
            in_flow: way.in_flow || flow,
            rest,
        };
    }
    if tree.node(way.id).marked {
        return Err(ConfigError::CannotEdit(path_text(path)));
    }
    Ok(way)
}

fn put(text: &str, tree: &Tree, path: &[Step<'_>], value: &Value) -> Result<Cuts, ConfigError> {
    let refused = || ConfigError::CannotEdit(path_text(path));
    // A document that is there but has nothing in it, as behind "---", takes no more room.
    let has_root = |id: &Id| !tree.node(*id).range.is_empty();
    let Some(root) = tree.root().filter(has_root) else {
        let value = nested(path, value).ok_or_else(refused)?;
        return Ok(vec![at_line_after(
            text,
            text.len(),
            &block(&value, 0, newline(text)),
        )]);
    };
    let way = walk(tree, root, path)?;
    let node = tree.node(way.id);
    let new = nested(way.rest, value).ok_or_else(refused)?;
    match &node.kind {
        _ if is_empty(node) => fill(text, tree, &way, &new).ok_or_else(refused),
        Kind::Scalar { block: false, .. } if way.rest.is_empty() => {
            Ok(vec![(node.range.clone(), inline(&new))])
        }
        Kind::Mapping { entries, flow } if !way.rest.is_empty() => {
            let end = entries
                .last()
                .map_or(node.range.end, |(_, last)| tree.node(*last).range.end);
            let Value::Object(fields) = &new else {
                return Err(refused());
            };
            if *flow {
                let members = fields
                    .iter()
                    .map(|(key, value)| format!(", {}: {value}", json!(key)));
                return Ok(vec![(end..end, members.collect())]);
            }
            let lines = block(&new, node.place.column - 1, newline(text));
            Ok(vec![at_line_after(text, end, &lines)])
        }
        _ => Err(refused()),
    }
}

fn append(text: &str, tree: &Tree, path: &[Step<'_>], value: &Value) -> Result<Cuts, ConfigError> {
    let as_list = || put(text, tree, path, &json!([value]));
    let Some(root) = tree.root() else {
        return as_list();
    };
    let way = walk(tree, root, path)?;
    let node = tree.node(way.id);
    match &node.kind {
        _ if !way.rest.is_empty() || is_empty(node) => as_list(),
        Kind::Sequence { items, flow: true } => {
            let end = items
                .last()
                .map_or(node.range.end, |last| tree.node(*last).range.end);
            Ok(vec![(end..end, format!(", {value}"))])
        }
        Kind::Sequence { items, flow: false } => {
            let first = items.first().map(|first| tree.node(*first).range.start);
            let (line, dash) = first
                .and_then(|first| dash_before(text, first))
                .ok_or_else(|| ConfigError::CannotEdit(path_text(path)))?;
            let lines = block(&json!([value]), dash - line, newline(text));
            Ok(vec![at_line_after(text, node.range.end, &lines)])
        }
        _ => Err(ConfigError::CannotEdit(path_text(path))),
    }
}

fn remove(text: &str, tree: &Tree, path: &[Step<'_>], item: usize) -> Result<Cuts, ConfigError> {
    let refused = || ConfigError::CannotEdit(path_text(path));
    let way = walk(tree, tree.root().ok_or_else(refused)?, path)?;
    let node = tree.node(way.id);
    let Kind::Sequence { items, flow } = &node.kind else {
        return Err(refused());
    };
    let range = |at: usize| items.get(at).map(|id| tree.node(*id).range.clone());
    let gone = range(item)
        .filter(|_| way.rest.is_empty())
        .ok_or_else(refused)?;
    if items.len() == 1 {
        let start = match way.key {
            Some(key) if !flow => {
                after_colon(text, tree.node(key).range.end).ok_or_else(refused)?
            }
            _ => node.range.start,
        };
        let empty = if *flow { "[]" } else { " []" };
        return Ok(vec![(start..node.range.end, empty.to_owned())]);
    }
    if *flow {
        let cut = match (item.checked_sub(1).and_then(range), range(item + 1)) {
            (_, Some(next)) => gone.start..next.start,
            (Some(before), None) => before.end..gone.end,
            (None, None) => gone,
        };
        return Ok(vec![(cut, String::new())]);
    }
    let (line, _) = dash_before(text, gone.start).ok_or_else(refused)?;
    Ok(vec![(line..line_after(text, gone.end), String::new())])
}

/// Gives a key that has no value, or an empty one, a value.
fn fill(text: &str, tree: &Tree, way: &Walk<'_>, new: &Value) -> Option<Cuts> {
    let node = tree.node(way.id);
    let colon = after_colon(text, tree.node(way.key?).range.end)?;
    let is_block = match new {
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    if way.in_flow || !is_block {
        let value = if is_block {
            new.to_string()
        } else {
            inline(new)
        };
        return Some(vec![if node.range.is_empty() {
            (colon..colon, format!(" {value}"))
        } else {
            (node.range.clone(), value)
        }]);
    }
    let lines = block(new, way.column + 1, newline(text));
    let end = node.range.end.max(colon);
    let mut cuts = vec![at_line_after(text, end, &lines)];
    if !node.range.is_empty() {
        cuts.push((colon..node.range.end, String::new()));
    }
    Some(cuts)
}

/// The missing part of a path around a value.
fn nested(path: &[Step<'_>], value: &Value) -> Option<Value> {
    path.iter()
        .rev()
        .try_fold(value.clone(), |inner, step| match step {
            Step::Key(key) => Some(json!({ *key: inner })),
            Step::Item(_) => None,
        })
}

/// The change, made to what the text means.
fn change(root: &mut Value, path: &[Step<'_>], edit: &Edit<'_>) {
    let mut place = root;
    for step in path {
        if place.is_null() {
            *place = Map::new().into();
        }
        let next = match (place, step) {
            (Value::Object(fields), Step::Key(key)) => fields.entry(*key).or_insert(Value::Null),
            (Value::Array(items), Step::Item(item)) if *item < items.len() => &mut items[*item],
            _ => return,
        };
        place = next;
    }
    match (edit, place) {
        (Edit::Put(_, value), place) => *place = value.clone(),
        (Edit::Append(_, value), Value::Array(items)) => items.push(value.clone()),
        (Edit::Append(_, value), place) => *place = json!([value]),
        (Edit::Remove(_, item), Value::Array(items)) if *item < items.len() => {
            items.remove(*item);
        }
        (Edit::Remove(..), _) => {}
    }
}

/// Null, or a collection of nothing.
fn is_empty(node: &Node) -> bool {
    match &node.kind {
        Kind::Scalar { text, plain, .. } => super::literal::meaning(text, *plain).is_null(),
        Kind::Sequence { items, .. } => items.is_empty(),
        Kind::Mapping { entries, .. } => entries.is_empty(),
        Kind::Alias { .. } => false,
    }
}
