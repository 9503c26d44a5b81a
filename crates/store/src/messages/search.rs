//! From what a person types to a full-text query.

/// Most words of a query that count.
const WORDS: usize = 16;

/// Builds an FTS5 expression in which every word of `input` has to occur, as a word or its beginning. Operators and
/// punctuation of the query language lose their meaning. `None` when there is no word to search for.
pub(super) fn expression(input: &str) -> Option<String> {
    let words = input
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let terms: Vec<String> = words
        .take(WORDS)
        .map(|word| format!("\"{word}\"*"))
        .collect();
    (!terms.is_empty()).then(|| terms.join(" "))
}

#[cfg(test)]
mod tests {
    use super::expression;

    #[test]
    fn words_become_quoted_prefixes() {
        assert_eq!(
            expression("  build-log OK? "),
            Some("\"build\"* \"log\"* \"OK\"*".into())
        );
        assert_eq!(
            expression("NEAR(a b) AND \"x"),
            Some("\"NEAR\"* \"a\"* \"b\"* \"AND\"* \"x\"*".into())
        );
        assert_eq!(expression("*:^\"\0'"), None);
        assert_eq!(
            expression(&"w ".repeat(1000)).map(|text| text.matches('w').count()),
            Some(16)
        );
    }
}
