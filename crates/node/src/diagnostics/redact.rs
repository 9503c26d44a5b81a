//! Striking out of text what is secret, and what says who and where somebody is.

use std::net::IpAddr;

/// Characters in a row that look like a key, a token or a fingerprint.
const KEY_LENGTH: usize = 32;

/// Strikes out pairing links, tokens and whatever looks like a key.
#[must_use]
pub(crate) fn strike_secrets(text: &str) -> String {
    by_word(text, |word| secret(word).map(str::to_owned))
}

/// Strikes out names and places too, so that the text can be shown to strangers.
#[derive(Debug, Default)]
pub(crate) struct Redactor {
    /// What is replaced wherever it stands, and by what; the longest first.
    known: Vec<(String, String)>,
}

impl Redactor {
    /// Replaces `what` wherever it stands as a word or a part of a path. Nothing happens for less
    /// than two characters, which would make the rest unreadable.
    pub(crate) fn replace(&mut self, what: impl Into<String>, by: impl Into<String>) {
        let what = what.into();
        if what.chars().count() >= 2 {
            self.known.push((what, by.into()));
            self.known
                .sort_by_key(|(what, _)| std::cmp::Reverse(what.len()));
        }
    }

    /// The text without secrets, known names and addresses.
    #[must_use]
    pub(crate) fn redact(&self, text: &str) -> String {
        let named = self.known.iter().fold(text.to_owned(), |text, (what, by)| {
            replace_word(&text, what, by)
        });
        by_word(&named, |word| {
            secret(word).map(str::to_owned).or_else(|| address(word))
        })
    }
}

/// Replaces `what` where no letter or digit goes on before or behind it.
fn replace_word(text: &str, what: &str, by: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(what) {
        let (before, found) = rest.split_at(at);
        let behind = &found[what.len()..];
        let whole =
            !before.ends_with(char::is_alphanumeric) && !behind.starts_with(char::is_alphanumeric);
        out.push_str(before);
        out.push_str(if whole { by } else { what });
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// Gives every word to `change`; blanks, quotes and brackets stay as they are.
fn by_word(text: &str, change: impl Fn(&str) -> Option<String>) -> String {
    let splits = |c: char| c.is_whitespace() || "\"'`()<>{},;=".contains(c);
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(splits) {
        let word = piece.trim_end_matches(splits);
        let bare = word.trim_end_matches(['.', ':', '!', '?']);
        match change(bare) {
            Some(struck) => {
                out.push_str(&struck);
                out.push_str(&piece[bare.len()..]);
            }
            None => out.push_str(piece),
        }
    }
    out
}

fn secret(word: &str) -> Option<&'static str> {
    if word.contains("tieline://") {
        return Some("[link]");
    }
    if word.starts_with("tl_") || word.starts_with("eyJ") {
        return Some("[token]");
    }
    let of_key = |c: char| c.is_ascii_alphanumeric() || "+/_-:".contains(c);
    // A path or a sentence with hyphens has few digits and capitals in it; keys have many.
    let looks_random = |run: &str| {
        run.len() >= KEY_LENGTH
            && !is_uuid(run)
            && run.chars().filter(char::is_ascii_digit).count() >= 3
            && (run.matches('/').count() < 3)
    };
    word.split(|c| !of_key(c))
        .any(looks_random)
        .then_some("[key]")
}

/// Message ids are named in the log, and say nothing by themselves.
fn is_uuid(word: &str) -> bool {
    word.len() == 36
        && word.char_indices().all(|(at, c)| {
            if matches!(at, 8 | 13 | 18 | 23) {
                c == '-'
            } else {
                c.is_ascii_hexdigit()
            }
        })
}

/// An address of a machine, without what names the machine. Loopback and "all interfaces" stay.
fn address(word: &str) -> Option<String> {
    let (host, port) = match word.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() && !host.is_empty() => (host, Some(port)),
        _ => (word, None),
    };
    let whole: Option<IpAddr> = word.parse().ok();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let ip: Option<IpAddr> = whole.or_else(|| bare.parse().ok());
    if let Some(ip) = ip {
        let open = ip.is_loopback() || ip.is_unspecified();
        let port = if whole.is_some() { None } else { port };
        return (!open).then(|| with_port("[address]", port));
    }
    // `name:port` of a machine; a path of the program such as `tieline_node::outbox` has no port.
    let named = port.is_some()
        && host.chars().any(char::is_alphabetic)
        && host
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    (named && host != "localhost" && !host.ends_with(".rs")).then(|| with_port("[host]", port))
}

fn with_port(what: &str, port: Option<&str>) -> String {
    port.map_or_else(|| what.to_owned(), |port| format!("{what}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_struck_out_and_words_are_not() {
        let key = "kX2n0mS8gJ1qv4C5b7Yt3pLrWzE9uHoAeDfIi6OQxTc";
        for (text, left) in [
            ("open tieline://join#AbC-12_3 now", "open [link] now"),
            (
                "Authorization=Bearer tl_abc-DEF_1.",
                "Authorization=Bearer [token].",
            ),
            ("sent eyJhbGciOi.J9.x", "sent [token]"),
            (key, "[key]"),
            (
                "SHA256:9F:3A:11:C4:07:D2:E8:B0:42:AA:5C:19 changed",
                "[key] changed",
            ),
            (
                "message 9f3a11c4-07d2-48b0-a2aa-5c19d00f7b61 waits",
                "message 9f3a11c4-07d2-48b0-a2aa-5c19d00f7b61 waits",
            ),
            (
                "tieline_node::outbox::lane: messages wait",
                "tieline_node::outbox::lane: messages wait",
            ),
            (
                "a-sentence-with-many-hyphens-and-no-digits-in-it",
                "a-sentence-with-many-hyphens-and-no-digits-in-it",
            ),
        ] {
            assert_eq!(strike_secrets(text), left);
        }
    }

    #[test]
    fn names_and_places_are_struck_out_of_a_report() {
        let mut redactor = Redactor::default();
        redactor.replace("mac", "peer-1");
        redactor.replace("mac-studio", "peer-2");
        redactor.replace("/home/ann", "~");
        redactor.replace("x", "never");
        for (text, left) in [
            (
                "mac and mac-studio, not machine",
                "peer-1 and peer-2, not machine",
            ),
            ("peer=mac count=2 x", "peer=peer-1 count=2 x"),
            ("/home/ann/.local/share/tieline", "~/.local/share/tieline"),
            (
                "dial 192.168.1.20:3100 failed",
                "dial [address]:3100 failed",
            ),
            (
                "dial [fd00::20]:3100, fd00::20.",
                "dial [address]:3100, [address].",
            ),
            (
                "on 127.0.0.1:3847 and 0.0.0.0:3100",
                "on 127.0.0.1:3847 and 0.0.0.0:3100",
            ),
            ("studio.local:3100 refused", "[host]:3100 refused"),
            ("at 14:02 in lane.rs:20", "at 14:02 in lane.rs:20"),
        ] {
            assert_eq!(redactor.redact(text), left);
        }
    }
}
