//! The matcher language of the case file: a subset match with placeholders.

use serde_json::{Map, Value};
use tieline_wire::time::UnixMillis;

/// What placeholders can refer to.
pub(super) struct Expectation<'a> {
    /// `messageId` of the answer, for `$same`.
    pub(super) message_id: &'a Value,
}

impl Expectation<'_> {
    /// Whether `given` is what `expected` describes; an absent `expected` describes anything.
    pub(super) fn check(&self, expected: &Value, given: &Value) -> Result<(), String> {
        let holds = match expected {
            Value::Null => true,
            Value::String(text) if text.starts_with('$') => self.placeholder(text, given),
            Value::Object(fields) => return self.object(fields, given),
            Value::Array(items) => return self.array(items, given),
            // JSON knows one kind of number: 0 and 0.0 are the same.
            Value::Number(number) => number.as_f64() == given.as_f64(),
            plain => plain == given,
        };
        if holds {
            Ok(())
        } else {
            Err(format!("{given} is not {expected}"))
        }
    }

    fn placeholder(&self, placeholder: &str, given: &Value) -> bool {
        let text = given.as_str();
        match placeholder.split_once(':') {
            Some(("$has", part)) => {
                text.is_some_and(|text| text.to_lowercase().contains(&part.to_lowercase()))
            }
            Some(_) => panic!("this matcher is not known: {placeholder}"),
            None => match placeholder {
                "$any" => true,
                "$absent" => given.is_null(),
                "$string" => text.is_some_and(|text| !text.is_empty()),
                "$number" => given.is_number(),
                "$bool" => given.is_boolean(),
                "$iso" => text
                    .is_some_and(|text| text.ends_with('Z') && text.parse::<UnixMillis>().is_ok()),
                "$uuid" => text.is_some_and(tieline_wire::kithkit::is_uuid_shaped),
                "$same" => given.is_string() && given == self.message_id,
                other => panic!("this matcher is not known: {other}"),
            },
        }
    }

    fn object(&self, fields: &Map<String, Value>, given: &Value) -> Result<(), String> {
        if let Some(choices) = fields.get("$oneOf").and_then(Value::as_array) {
            let fits = choices
                .iter()
                .any(|choice| self.check(choice, given).is_ok());
            return if fits {
                Ok(())
            } else {
                Err(format!("{given} is none of {choices:?}"))
            };
        }
        if let Some(wanted) = fields.get("$contains").and_then(Value::as_array) {
            let items = given
                .as_array()
                .ok_or_else(|| format!("{given} is not a list"))?;
            let missing = wanted
                .iter()
                .find(|wanted| items.iter().all(|item| self.check(wanted, item).is_err()));
            return missing.map_or(Ok(()), |missing| {
                Err(format!("{given} does not contain {missing}"))
            });
        }
        let object = given
            .as_object()
            .ok_or_else(|| format!("{given} is not an object"))?;
        for (name, expected) in fields {
            let value = object.get(name).unwrap_or(&Value::Null);
            self.check(expected, value)
                .map_err(|why| format!("{name}: {why}"))?;
        }
        Ok(())
    }

    fn array(&self, items: &[Value], given: &Value) -> Result<(), String> {
        let list = given
            .as_array()
            .ok_or_else(|| format!("{given} is not a list"))?;
        if list.len() != items.len() {
            return Err(format!(
                "{given} has {} items instead of {}",
                list.len(),
                items.len()
            ));
        }
        items
            .iter()
            .zip(list)
            .try_for_each(|(expected, item)| self.check(expected, item))
    }
}

/// A request body with its `{"$repeat": ["x", 3]}` written out.
pub(super) fn expand(body: &Value) -> Value {
    match body {
        Value::Object(fields) => match fields
            .get("$repeat")
            .and_then(Value::as_array)
            .map(Vec::as_slice)
        {
            Some([Value::String(text), count]) => {
                Value::from(text.repeat(count.as_u64().unwrap() as usize))
            }
            _ => fields
                .iter()
                .map(|(name, value)| (name.clone(), expand(value)))
                .collect(),
        },
        Value::Array(items) => items.iter().map(expand).collect(),
        plain => plain.clone(),
    }
}

#[test]
fn the_matcher_can_say_no() {
    use serde_json::json;
    let id = json!("x");
    let fits = |expected: Value, given: Value| {
        Expectation { message_id: &id }
            .check(&expected, &given)
            .is_ok()
    };
    assert!(fits(json!({"a": "$number"}), json!({"a": 1, "b": 2})));
    assert!(!fits(json!({"a": "$number"}), json!({"a": "1"})));
    assert!(!fits(json!({"a": "$absent"}), json!({"a": "1"})));
    assert!(!fits(json!([1]), json!([1, 2])));
    assert!(fits(json!({"$contains": [2]}), json!([1, 2])));
    assert!(!fits(json!({"$contains": [3]}), json!([1, 2])));
    assert!(fits(json!({"$oneOf": [1, "$string"]}), json!("s")));
    assert!(!fits(json!("$same"), json!("y")));
    assert!(!fits(json!("$iso"), json!("yesterday")));
    assert!(!fits(json!("$has:relay"), json!("lan")));
    assert_eq!(
        expand(&json!({"t": {"$repeat": ["ab", 2]}})),
        json!({"t": "abab"})
    );
}
