//! The last lines of the log, kept in memory for *Diagnostics*.
//!
//! The log is the process's, so this is too: a host adds [`layer`] to its subscriber, beside what it
//! prints. Secrets are never logged; what looks like one is struck out all the same.

use std::collections::VecDeque;
use std::fmt::{self, Write};

use parking_lot::Mutex;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::clock::wall_now;
use crate::diagnostics::redact::strike_secrets;
use crate::model::LogLine;

/// Lines kept.
const LINES: usize = 500;
/// Longest line kept, in bytes.
const LONGEST: usize = 2_000;

static KEPT: Mutex<VecDeque<LogLine>> = Mutex::new(VecDeque::new());

/// Keeps the last lines of what passes the subscriber's filter.
#[must_use]
pub fn layer<S: Subscriber>() -> impl Layer<S> {
    Keeper
}

/// The last lines, the oldest first.
#[must_use]
pub fn tail(most: usize) -> Vec<LogLine> {
    let kept = KEPT.lock();
    kept.iter()
        .skip(kept.len().saturating_sub(most))
        .cloned()
        .collect()
}

struct Keeper;

impl<S: Subscriber> Layer<S> for Keeper {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut words = Words::default();
        event.record(&mut words);
        let mut text = strike_secrets(&format!("{}{}", words.message, words.fields));
        text.truncate(text.floor_char_boundary(LONGEST));
        let line = LogLine {
            at: wall_now().to_string(),
            level: event.metadata().level().as_str().to_lowercase(),
            target: event.metadata().target().to_owned(),
            text,
        };
        let mut kept = KEPT.lock();
        if kept.len() == LINES {
            kept.pop_front();
        }
        kept.push_back(line);
    }
}

/// An event's message, and its other fields behind it.
#[derive(Default)]
struct Words {
    message: String,
    fields: String,
}

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string does not fail.
        let _ = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            write!(self.fields, " {}={value:?}", field.name())
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[test]
    fn the_last_lines_are_kept_with_their_fields_and_without_secrets() {
        let subscriber = tracing_subscriber::registry().with(layer());
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(peer = "box", count = 2, "messages wait");
            tracing::info!("a link tieline://join#AbCdEf was given");
        });
        let lines = tail(LINES);
        let line = lines
            .iter()
            .find(|line| line.text.contains("messages wait"));
        let line = line.expect("it was kept");
        assert_eq!(line.text, "messages wait peer=box count=2");
        assert_eq!(line.level, "warn");
        assert!(lines.iter().all(|line| !line.text.contains("AbCdEf")));
        assert_eq!(tail(1).len(), 1);

        let subscriber = tracing_subscriber::registry().with(layer());
        tracing::subscriber::with_default(subscriber, || {
            for _ in 0..(2 * LINES) {
                tracing::info!("{}", "é".repeat(LONGEST));
            }
        });
        let lines = tail(usize::MAX);
        assert_eq!(lines.len(), LINES);
        assert!(lines.iter().all(|line| line.text.len() <= LONGEST));
    }
}
