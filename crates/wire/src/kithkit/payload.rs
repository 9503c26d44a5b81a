use serde_json::{Map, Value};

use super::javascript;

/// The longest message, in UTF-16 code units. Receivers paste at most 4000 into a terminal, less
/// what they put before it, and cut the rest off without a word; so it is refused here.
pub const MAX_LENGTH: usize = 3500;

/// Brings the spellings of a payload's text to one: `message` becomes `text`, and an object with
/// a `content` becomes that content. Everything else stays as it is.
pub fn normalise(payload: &mut Map<String, Value>) {
    if !payload.contains_key("text")
        && let Some(message) = payload.shift_remove("message")
    {
        payload.insert("text".to_owned(), message);
    }
    for key in ["text", "message"] {
        if let Some(value) = payload.get_mut(key)
            && let Some(content) = value.get("content")
        {
            *value = Value::String(javascript::to_string(content));
        }
    }
}

/// The length that [`MAX_LENGTH`] limits: of `text`, or of the whole payload as compact JSON if it
/// has no text; in UTF-16 code units.
#[must_use]
pub fn measured_length(payload: &Map<String, Value>) -> usize {
    let utf16_length = |text: &str| text.chars().map(char::len_utf16).sum();
    match payload.get("text") {
        Some(Value::String(text)) => utf16_length(text),
        None | Some(Value::Null) => {
            let mut json = String::new();
            javascript::stringify(&Value::Object(payload.clone()), &mut json);
            utf16_length(&json)
        }
        Some(other) => utf16_length(&javascript::to_string(other)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            other => panic!("not an object: {other}"),
        }
    }

    fn normalised(value: Value) -> Value {
        let mut payload = map(value);
        normalise(&mut payload);
        Value::Object(payload)
    }

    #[test]
    fn message_becomes_text_unless_text_is_there() {
        assert_eq!(
            normalised(json!({"type": "t", "message": "hi", "x": 1})),
            json!({"type": "t", "x": 1, "text": "hi"})
        );
        assert_eq!(
            normalised(json!({"text": "a", "message": "b"})),
            json!({"text": "a", "message": "b"})
        );
        assert_eq!(
            normalised(json!({"text": null, "message": "b"})),
            json!({"text": null, "message": "b"})
        );
        assert_eq!(normalised(json!({"message": null})), json!({"text": null}));
    }

    #[test]
    fn content_is_lifted_out_of_objects() {
        assert_eq!(
            normalised(json!({"message": {"content": "hi"}})),
            json!({"text": "hi"})
        );
        assert_eq!(
            normalised(json!({"text": {"content": 1.0}, "message": {"content": null}})),
            json!({"text": "1", "message": "null"})
        );
        assert_eq!(
            normalised(json!({"text": {"other": 1}})),
            json!({"text": {"other": 1}})
        );
        assert_eq!(
            normalised(json!({"text": ["content"]})),
            json!({"text": ["content"]})
        );
    }

    #[test]
    fn length_counts_utf16_units() {
        assert_eq!(measured_length(&map(json!({"text": "a😀ß"}))), 4);
        assert_eq!(measured_length(&map(json!({"text": 12.0}))), 2);
        assert_eq!(
            measured_length(&map(json!({"text": null, "n": 1.0}))),
            r#"{"text":null,"n":1}"#.len()
        );
        assert_eq!(
            measured_length(&map(json!({"text": {"a": 1}}))),
            "[object Object]".len()
        );
        // Large extra fields beside a short text are not limited.
        assert_eq!(
            measured_length(&map(json!({"text": "x", "blob": "y".repeat(9000)}))),
            1
        );
    }
}
