use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// Longest `type` of a payload, in bytes. It is kept with every message, also when its content is gone.
pub const MAX_TYPE: usize = 256;

/// A payload that cannot be sent or stored.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// Not JSON, a repeated key, nesting deeper than 127, a number out of range, or half of a
    /// surrogate pair. Two programs would read such a text differently, or one not at all.
    #[error("the payload cannot be read: {0}")]
    Malformed(serde_json::Error),
    /// Not an object.
    #[error("the payload is not a JSON object")]
    NotAnObject,
    /// No `type`, or not a string, or empty.
    #[error("the payload has no type: a non-empty string is needed")]
    NoType,
    /// The `type` is longer than [`MAX_TYPE`]. Likely cause: text that belongs beside it.
    #[error("the payload's type is longer than {MAX_TYPE} bytes")]
    LongType,
}

/// Checks that `json` is an object with a non-empty string `type` of at most [`MAX_TYPE`] bytes and no repeated key at any depth.
pub(super) fn check(json: &str) -> Result<(), PayloadError> {
    payload_type(json).map(drop)
}

/// The payload's `type`, checking the whole payload on the way.
///
/// # Errors
/// [`PayloadError`].
pub fn payload_type(json: &str) -> Result<String, PayloadError> {
    if !json.trim_start().starts_with('{') {
        return Err(PayloadError::NotAnObject);
    }
    let Object { type_ } = serde_json::from_str(json).map_err(PayloadError::Malformed)?;
    match type_ {
        Some(name) if name.len() > MAX_TYPE => Err(PayloadError::LongType),
        Some(name) if !name.is_empty() => Ok(name),
        _ => Err(PayloadError::NoType),
    }
}

/// The top level: any JSON object, whose `type` is kept if it is a string.
struct Object {
    type_: Option<String>,
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TopLevel;

        impl<'de> Visitor<'de> for TopLevel {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut seen = HashSet::new();
                let mut type_ = None;
                while let Some(Key(key)) = map.next_key()? {
                    if key == "type" {
                        type_ = map.next_value::<Value>()?.as_str().map(str::to_owned);
                    } else {
                        map.next_value::<Strict>()?;
                    }
                    insert_new(&mut seen, key)?;
                }
                Ok(Object { type_ })
            }
        }

        deserializer.deserialize_map(TopLevel)
    }
}

/// Any JSON value without repeated keys.
struct Strict;

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyValue;

        impl<'de> Visitor<'de> for AnyValue {
            type Value = Strict;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value")
            }

            fn visit_bool<E>(self, _: bool) -> Result<Strict, E> {
                Ok(Strict)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Strict, E> {
                Ok(Strict)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Strict, E> {
                Ok(Strict)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Strict, E> {
                Ok(Strict)
            }

            fn visit_unit<E>(self) -> Result<Strict, E> {
                Ok(Strict)
            }

            fn visit_str<E>(self, _: &str) -> Result<Strict, E> {
                Ok(Strict)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Strict, A::Error> {
                while items.next_element::<Strict>()?.is_some() {}
                Ok(Strict)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Strict, A::Error> {
                let mut seen = HashSet::new();
                while let Some(Key(key)) = map.next_key()? {
                    map.next_value::<Strict>()?;
                    insert_new(&mut seen, key)?;
                }
                Ok(Strict)
            }
        }

        deserializer.deserialize_any(AnyValue)
    }
}

/// An object key, borrowed from the text unless it has escapes.
#[derive(PartialEq, Eq, Hash)]
struct Key<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyText;

        impl<'de> Visitor<'de> for KeyText {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(KeyText)
    }
}

fn insert_new<'de, E: de::Error>(
    seen: &mut HashSet<Cow<'de, str>>,
    key: Cow<'de, str>,
) -> Result<(), E> {
    if seen.contains(&key) {
        return Err(E::custom(format_args!("the key {key:?} is repeated")));
    }
    seen.insert(key);
    Ok(())
}
