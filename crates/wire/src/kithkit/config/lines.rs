//! Places in a text where something can be put or cut.

use std::ops::Range;

/// Where the value of a key may begin.
pub(super) fn after_colon(text: &str, key_end: usize) -> Option<usize> {
    let rest = text.get(key_end..)?;
    let colon = rest.find(|c: char| c != ' ')?;
    rest[colon..]
        .starts_with(':')
        .then_some(key_end + colon + 1)
}

/// The dash before an item, if nothing else is on its line before it: the line's start, and it.
pub(super) fn dash_before(text: &str, item: usize) -> Option<(usize, usize)> {
    let before = text.get(..item)?;
    let line = before.rfind('\n').map_or(0, |end| end + 1);
    let dash = line + before[line..].find(|c| c != ' ')?;
    let between = before[dash..].strip_prefix('-')?;
    between.chars().all(|c| c == ' ').then_some((line, dash))
}

/// Where the next line begins.
pub(super) fn line_after(text: &str, at: usize) -> usize {
    let starts_line = at == 0 || text[..at].ends_with('\n');
    match text[at..].find('\n') {
        _ if starts_line => at,
        Some(end) => at + end + 1,
        None => text.len(),
    }
}

/// Inserts lines after the one on which something ends.
pub(super) fn at_line_after(text: &str, end: usize, lines: &str) -> (Range<usize>, String) {
    let at = line_after(text, end);
    if at == 0 || text[..at].ends_with('\n') {
        (at..at, lines.to_owned())
    } else {
        (at..at, format!("{}{lines}", newline(text)))
    }
}

pub(super) fn newline(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}
