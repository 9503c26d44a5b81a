//! An answer while it comes into being.

use tokio::sync::watch;

/// Takes an answer's text as it is made; who watches sees it grow.
#[derive(Debug)]
pub(crate) struct Partial {
    text: watch::Sender<String>,
    /// Bytes that are not a whole character yet, or line ends that may turn out to be the last.
    held: Vec<u8>,
}

impl Partial {
    /// An answer of which nothing is there yet.
    pub(crate) fn new() -> (Self, watch::Receiver<String>) {
        let (text, watched) = watch::channel(String::new());
        let held = Vec::new();
        (Self { text, held }, watched)
    }

    /// More text.
    pub(crate) fn push(&mut self, text: &str) {
        if !text.is_empty() {
            self.text.send_modify(|whole| whole.push_str(text));
        }
    }

    /// More of what a program prints. Characters are passed on whole, and line ends only once
    /// something follows them: at the end of an answer they do not count.
    pub(crate) fn push_bytes(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.held) {
            Ok(text) => text,
            // Cut within a character, or no text at all: that is told when the program has ended.
            Err(error) => {
                let valid = self.held.get(..error.valid_up_to()).unwrap_or_default();
                std::str::from_utf8(valid).unwrap_or_default()
            }
        };
        let ready = whole.trim_end_matches(['\r', '\n']).to_owned();
        self.held.drain(..ready.len());
        self.push(&ready);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_stay_whole_and_last_line_ends_are_held_back() {
        let (mut partial, seen) = Partial::new();
        let mut steps = Vec::new();
        for bytes in [b"a\n".as_slice(), b"b\xc3", b"\xa9\r\n\n", b"\xff?"] {
            partial.push_bytes(bytes);
            steps.push(seen.borrow().clone());
        }
        assert_eq!(steps, ["a", "a\nb", "a\nbé", "a\nbé"]);
    }
}
