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

/// A number as JavaScript shows it (ECMA-262, 6.1.6.1.20): all are doubles, in the fewest digits
/// that read back as the same one, with an exponent from 1e21 on and below 1e-6.
fn number_text(number: &Number) -> String {
    let value = number.as_f64().unwrap_or(f64::NAN);
    if value == 0.0 {
        return "0".to_owned();
    }
    // The digits come from serde_json, which breaks ties as JavaScript does and Rust's own
    // formatting does not; only their layout differs.
    let shortest =
        Number::from_f64(value.abs()).map_or_else(|| "NaN".to_owned(), |n| n.to_string());
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0');
    let leading_zeros = all.len() - significant.len();
    let digits = significant.trim_end_matches('0');

    // The value is 0.DIGITS times ten to the power of `point`.
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let point = exponent + whole.len() as i32 - leading_zeros as i32;
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{}", laid_out(digits, point))
}

fn laid_out(digits: &str, point: i32) -> String {
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    let length = digits.len() as i32;
    match point {
        _ if (length..=21).contains(&point) => format!("{digits}{}", zeros(point - length)),
        1..=21 => {
            let (whole, fraction) = digits.split_at(point as usize);
            format!("{whole}.{fraction}")
        }
        -5..=0 => format!("0.{}{digits}", zeros(-point)),
        _ => {
            let (first, rest) = digits.split_at(digits.len().min(1));
            let dot = if rest.is_empty() { "" } else { "." };
            let sign = if point > 0 { '+' } else { '-' };
            format!("{first}{dot}{rest}e{sign}{}", (point - 1).unsigned_abs())
        }
    }
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
            ("1e-6", "0.000001"),
            ("123456789012345680000", "123456789012345680000"),
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
            ("5e-324", "5e-324"),
            // Halfway between two shortest forms: the even one.
            ("245010723912258.125", "245010723912258.12"),
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
