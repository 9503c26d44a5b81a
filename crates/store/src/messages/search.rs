//! From what a person types to a full-text query.

/// Most words of a query that count.
const WORDS: usize = 16;

/// Builds an FTS5 expression in which everything between blanks of `input` has to occur, as words in that order of
/// which the last may go on. Operators and punctuation of the query language lose their meaning. `None` when there is
/// nothing to search for.
pub(super) fn expression(input: &str) -> Option<String> {
    let has_word = |term: &&str| term.contains(char::is_alphanumeric);
    let terms = input
        .split(|c: char| c.is_whitespace() || c == '\0')
        .filter(has_word)
        .take(WORDS);
    // Blanks between terms are FTS5's implicit AND, which passes over terms that its tokenizer finds empty.
    let terms: Vec<String> = terms
        .map(|term| format!("\"{}\"*", term.replace('"', "\"\"")))
        .collect();
    (!terms.is_empty()).then(|| terms.join(" "))
}

#[cfg(test)]
mod tests {
    use super::expression;

    #[test]
    fn terms_become_quoted_prefixes() {
        assert_eq!(
            expression("  build-log OK? "),
            Some("\"build-log\"* \"OK?\"*".into())
        );
        assert_eq!(
            expression("NEAR(a b) \"x"),
            Some("\"NEAR(a\"* \"b)\"* \"\"\"x\"*".into())
        );
        assert_eq!(expression("*:^\"\0'"), None);
        assert_eq!(
            expression(&"w ".repeat(1000)).map(|text| text.matches('w').count()),
            Some(16)
        );
    }
}
