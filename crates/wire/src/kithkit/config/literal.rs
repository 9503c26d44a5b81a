//! Values in YAML's core schema, read and written.

use serde_json::{Map, Value};

/// What a scalar means. Plain ones may be null, truth values and numbers; numbers of which JSON
/// has no like stay text.
pub(super) fn meaning(text: &str, plain: bool) -> Value {
    if !plain {
        return Value::from(text);
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ if looks_like_number(text) => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        _ => Value::from(text),
    }
}

fn looks_like_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
}

/// A value on one line, as JSON, which is YAML as well; simple words without quotes.
pub(super) fn inline(value: &Value) -> String {
    match value {
        Value::String(text) if is_simple(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether every reader takes this word for text without quotes.
fn is_simple(text: &str) -> bool {
    let address = text.parse::<std::net::Ipv4Addr>().is_ok();
    let word = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    // Words that some version of YAML takes for something else.
    const SPECIAL: [&str; 12] = [
        "null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf", "infinity",
    ];
    address || (word && !SPECIAL.contains(&text.to_ascii_lowercase().as_str()))
}

/// Lines of a block for a value, each indented by `indent` blanks and ended by `newline`.
pub(super) fn block(value: &Value, indent: usize, newline: &str) -> String {
    let margin = " ".repeat(indent);
    match value {
        Value::Object(fields) if !fields.is_empty() => members(fields, indent, newline),
        Value::Array(items) if !items.is_empty() => items
            .iter()
            .map(|item| {
                let lines = block(item, indent + 2, newline);
                // The dash takes the place of the first line's margin.
                format!("{margin}- {}", lines.get(indent + 2..).unwrap_or_default())
            })
            .collect(),
        scalar => format!("{margin}{}{newline}", inline(scalar)),
    }
}

fn members(fields: &Map<String, Value>, indent: usize, newline: &str) -> String {
    let margin = " ".repeat(indent);
    fields
        .iter()
        .map(|(key, value)| {
            let key = inline(&Value::from(key.as_str()));
            let nested = match value {
                Value::Object(fields) => !fields.is_empty(),
                Value::Array(items) => !items.is_empty(),
                _ => false,
            };
            if nested {
                format!(
                    "{margin}{key}:{newline}{}",
                    block(value, indent + 2, newline)
                )
            } else {
                format!("{margin}{key}: {}{newline}", inline(value))
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_that_mean_something_else_are_quoted() {
        for (text, shown) in [
            ("bmo", "bmo"),
            ("davids-mac-mini.lan", "davids-mac-mini.lan"),
            ("192.168.1.4", "192.168.1.4"),
            ("no", "\"no\""),
            ("Null", "\"Null\""),
            ("1.5", "\"1.5\""),
            ("5", "\"5\""),
            ("a: b", "\"a: b\""),
            ("", "\"\""),
            ("#x", "\"#x\""),
            ("fd00::1", "\"fd00::1\""),
        ] {
            assert_eq!(inline(&text.into()), shown);
        }
    }

    #[test]
    fn blocks_are_indented() {
        let value = json!({"a": {"peers": [{"name": "x", "port": 1}, {"name": "z"}], "e": []}});
        assert_eq!(
            block(&value, 2, "\n"),
            "  a:\n    peers:\n      - name: x\n        port: 1\n      - name: z\n    e: []\n"
        );
    }
}
