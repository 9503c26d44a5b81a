//! The message tag `[sig:<unix seconds>:<base64>]` at the end of a text.
//!
//! It signs `sender|context|ts|text`, where the context is the receiver's name as the sender
//! knows it. So it is the one part of a request that says whom it is meant for.

use std::fmt;

use serde_json::{Map, Value};

use super::clock;
use crate::key::{Signature, SigningKey, VerifyKey};
use crate::time::UnixMillis;

/// A tag that was made for, or found behind, a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag<'a> {
    /// Unix seconds, as the digits that were signed.
    ts: std::borrow::Cow<'a, str>,
    signature: std::borrow::Cow<'a, str>,
}

impl<'a> Tag<'a> {
    /// Signs a text exactly as it is. See [`tagged`] for the form that every receiver accepts.
    #[must_use]
    pub fn sign(
        key: &SigningKey,
        sender: &str,
        context: &str,
        text: &str,
        now: UnixMillis,
    ) -> Tag<'static> {
        let ts = now.as_seconds().to_string();
        let signature = key
            .sign(payload(sender, context, &ts, text).as_bytes())
            .to_string();
        Tag {
            ts: ts.into(),
            signature: signature.into(),
        }
    }

    /// Splits a content at its tag: what is before the bracket, and the tag.
    #[must_use]
    pub fn find(content: &'a str) -> Option<(&'a str, Self)> {
        let inner = content.strip_suffix(']')?;
        let (before, inner) = inner.rsplit_once("[sig:")?;
        let (ts, signature) = inner.split_once(':')?;
        let is_base64 = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
        let well_formed = !ts.is_empty()
            && ts.bytes().all(|b| b.is_ascii_digit())
            && !signature.is_empty()
            && signature.bytes().all(is_base64);
        well_formed.then_some((
            before,
            Self {
                ts: ts.into(),
                signature: signature.into(),
            },
        ))
    }

    fn signs(&self, key: &VerifyKey, sender: &str, context: &str, text: &str) -> bool {
        self.signature.parse().is_ok_and(|signature: Signature| {
            key.verify(
                payload(sender, context, &self.ts, text).as_bytes(),
                &signature,
            )
            .is_ok()
        })
    }
}

impl fmt::Display for Tag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[sig:{}:{}]", self.ts, self.signature)
    }
}

/// What a tag turned out to be worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The sender wrote this text, for this machine, just now.
    Valid,
    /// There is no tag.
    Absent,
    /// More than 30 seconds off. Likely cause: one of the two clocks is wrong, or a replay.
    Expired,
    /// It does not match. Likely cause: the two sides disagree on a name, the text was changed,
    /// or it was meant for somebody else.
    BadSignature,
}

impl Verdict {
    /// The reason in abTARS's spelling; nothing for a valid tag.
    #[must_use]
    pub const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Valid => None,
            Self::Absent => Some("no-signature"),
            Self::Expired => Some("expired"),
            Self::BadSignature => Some("bad-signature"),
        }
    }
}

/// A content without its tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Untagged<'a> {
    /// The text; never with a tag, whatever that was worth.
    pub text: &'a str,
    /// What the tag says.
    pub verdict: Verdict,
}

/// A text with its tag, as it is sent: trailing blanks are dropped, because abTARS drops them
/// before it checks.
#[must_use]
pub fn tagged(
    key: &SigningKey,
    sender: &str,
    context: &str,
    text: &str,
    now: UnixMillis,
) -> String {
    let text = trim_end(text);
    format!("{text} {}", Tag::sign(key, sender, context, text, now))
}

/// Takes the tag off a content and checks it. `context` is this machine's `self.name`.
///
/// The text that was signed is taken to be what is before the tag without exactly one blank, or
/// without any blanks at its end: senders differ in that.
#[must_use]
pub fn untag<'a>(
    content: &'a str,
    key: &VerifyKey,
    sender: &str,
    context: &str,
    now: UnixMillis,
) -> Untagged<'a> {
    let Some((before, tag)) = Tag::find(content) else {
        return Untagged {
            text: content,
            verdict: Verdict::Absent,
        };
    };
    let trimmed = trim_end(before);
    if !clock::lenient_integer(&tag.ts).is_some_and(|ts| clock::is_fresh(ts, now)) {
        return Untagged {
            text: trimmed,
            verdict: Verdict::Expired,
        };
    }
    let exact = before.strip_suffix(' ').unwrap_or(before);
    for text in [exact, trimmed] {
        if tag.signs(key, sender, context, text) {
            return Untagged {
                text,
                verdict: Verdict::Valid,
            };
        }
    }
    Untagged {
        text: trimmed,
        verdict: Verdict::BadSignature,
    }
}

/// A content without its tag, for peers whose key is not known.
#[must_use]
pub fn strip(content: &str) -> &str {
    Tag::find(content).map_or(content, |(before, _)| trim_end(before))
}

/// A body of a legacy request other than a chat: the fields, and behind them `_sig`, a tag over
/// their JSON. Receivers never check it.
#[must_use]
pub fn tagged_body(
    key: &SigningKey,
    sender: &str,
    context: &str,
    mut fields: Map<String, Value>,
    now: UnixMillis,
) -> String {
    let plain = Value::Object(fields.clone()).to_string();
    let tag = Tag::sign(key, sender, context, &plain, now).to_string();
    fields.insert("_sig".to_owned(), tag.into());
    Value::Object(fields).to_string()
}

fn payload(sender: &str, context: &str, ts: &str, text: &str) -> String {
    format!("{sender}|{context}|{ts}|{text}")
}

/// Without the blanks that JavaScript's `trimEnd` takes off.
fn trim_end(text: &str) -> &str {
    text.trim_end_matches(|c: char| c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_767_225_600_000);

    fn key() -> SigningKey {
        SigningKey::from_seed(&[9; 32])
    }

    fn check(content: &str) -> Untagged<'_> {
        untag(content, &key().verify_key(), "alpha", "beta", NOW)
    }

    #[test]
    fn every_text_survives_its_own_tag() {
        for text in [
            "",
            "hi",
            "hi \n",
            "a [sig:1:AA==]",
            "[sig:",
            "x]",
            "\u{feff}",
        ] {
            let content = tagged(&key(), "alpha", "beta", text, NOW);
            assert_eq!(
                check(&content),
                Untagged {
                    text: trim_end(text),
                    verdict: Verdict::Valid
                },
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_sender_that_does_not_trim_is_understood() {
        let text = "ends with a newline\n";
        let tag = Tag::sign(&key(), "alpha", "beta", text, NOW);
        let content = format!("{text} {tag}");
        assert_eq!(
            check(&content),
            Untagged {
                text,
                verdict: Verdict::Valid
            }
        );
    }

    #[test]
    fn what_only_looks_like_a_tag_stays_text() {
        for content in [
            "hello [sig:x:AA==]",
            "hello [sig::AA==]",
            "hello [sig:1:]",
            "hello [sig:1:A*]",
            "hello [sig:1:AA==] ",
            "hello [sig:\u{663}:AA==]",
            "[sig:1]",
            "]",
        ] {
            assert_eq!(
                check(content),
                Untagged {
                    text: content,
                    verdict: Verdict::Absent
                },
                "{content:?}"
            );
            assert_eq!(strip(content), content);
        }
    }

    #[test]
    fn a_worthless_tag_is_taken_off_all_the_same() {
        assert_eq!(
            check("hello  [sig:1767225600:AA==]"),
            Untagged {
                text: "hello",
                verdict: Verdict::BadSignature
            }
        );
        assert_eq!(
            check("hello [sig:99999999999999999999999:AA==]").verdict,
            Verdict::Expired
        );
        assert_eq!(strip("hello [sig:1:AA==]"), "hello");
    }

    #[test]
    fn the_names_are_part_of_what_is_signed() {
        let content = tagged(&key(), "alpha", "beta", "hi", NOW);
        for (sender, context) in [("alpha", "Beta"), ("gamma", "beta")] {
            let read = untag(&content, &key().verify_key(), sender, context, NOW);
            assert_eq!(read.verdict, Verdict::BadSignature, "{sender} {context}");
        }
    }
}
