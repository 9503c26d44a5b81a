//! Values as JavaScript turns them into text (ECMA-262, 7.1.17 and 25.5.2).

use std::fmt::Write;

use serde_json::{Number, Value};

/// `String(value)`.
pub(super) fn to_string(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number_text(number),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(array_item).collect::<Vec<_>>().join(","),
        Value::Object(_) => "[object Object]".to_owned(),
    }
}

fn array_item(item: &Value) -> String {
    if item.is_null() {
        String::new()
    } else {
        to_string(item)
    }
}

/// Appends `JSON.stringify(value)`, but for the order of keys that look like integers.
pub(super) fn stringify(value: &Value, out: &mut String) {
    match value {
        Value::Number(number) => out.push_str(&number_text(number)),
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                stringify(item, out);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            out.push('{');
            for (i, (key, value)) in fields.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                let _ = write!(out, "{}:", Value::from(key.as_str()));
                stringify(value, out);
            }
            out.push('}');
        }
        // Both write these alike; the formatter of a value never fails.
        Value::Null | Value::Bool(_) | Value::String(_) => {
            let _ = write!(out, "{value}");
        }
    }
}

/// A number as JavaScript shows it: all are doubles, and exponents begin at 1e21 and below 1e-6.
fn number_text(number: &Number) -> String {
    let value = number.as_f64().unwrap_or(f64::NAN);
    if value == 0.0 {
        return "0".to_owned();
    }
    // The shortest digits that read back as this double, as "d.ddde±x".
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-6..21).contains(&exponent) {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{}", exponent.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(json: &str) -> String {
        let mut out = String::new();
        stringify(&serde_json::from_str(json).unwrap(), &mut out);
        out
    }

    #[test]
    fn numbers_look_as_in_javascript() {
        let cases = [
            ("1.0", "1"),
            ("-0.0", "0"),
            ("0.1", "0.1"),
            ("1e20", "100000000000000000000"),
            ("1e21", "1e+21"),
            ("1.5e300", "1.5e+300"),
            ("0.000001", "0.000001"),
            ("0.00000012", "1.2e-7"),
            ("9007199254740993", "9007199254740992"),
            ("18446744073709551615", "18446744073709552000"),
            ("-12.5", "-12.5"),
        ];
        for (json, expected) in cases {
            assert_eq!(shown(json), expected, "{json}");
        }
    }

    #[test]
    fn structures_are_compact() {
        assert_eq!(
            shown(r#"{ "a" : [1.0, "x\n\u0001\"", null, {"b": true}] }"#),
            r#"{"a":[1,"x\n\u0001\"",null,{"b":true}]}"#
        );
    }

    #[test]
    fn values_become_strings_as_in_javascript() {
        assert_eq!(to_string(&json!([1, null, "a", [2, 3]])), "1,,a,2,3");
        assert_eq!(to_string(&json!({"a": 1})), "[object Object]");
        assert_eq!(to_string(&json!(null)), "null");
        assert_eq!(to_string(&json!(true)), "true");
    }
}
