//! Standard output carries data, standard error everything else.

use std::fmt::Display;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use tieline_wire::problem::Problem;

use crate::show::printable;

/// Where a command writes.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    json: bool,
    /// Whoever read standard output, such as `head`, has seen enough.
    reader_gone: Arc<AtomicBool>,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self {
            json,
            reader_gone: Arc::default(),
        }
    }

    /// Whether data is wanted as JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether writing more data makes sense.
    pub(crate) fn is_read(&self) -> bool {
        !self.reader_gone.load(Ordering::Relaxed)
    }

    /// One line of data.
    pub(crate) fn line(&self, text: impl Display) {
        if write_line(io::stdout().lock(), &text.to_string()).is_err() {
            self.reader_gone.store(true, Ordering::Relaxed);
        }
    }

    /// A part of a line of data, shown at once.
    pub(crate) fn part(&self, text: impl Display) {
        let mut stdout = io::stdout().lock();
        if write!(stdout, "{text}")
            .and_then(|()| stdout.flush())
            .is_err()
        {
            self.reader_gone.store(true, Ordering::Relaxed);
        }
    }

    /// One JSON object on a line of its own.
    pub(crate) fn object(&self, value: &impl Serialize) {
        match serde_json::to_string(value) {
            Ok(text) => self.line(text),
            Err(error) => self.note(format!("this cannot be written as JSON: {error}")),
        }
    }

    /// A word to the person, which scripts that read the data do not see.
    pub(crate) fn note(&self, text: impl Display) {
        // Nobody is left to hear of it if this fails.
        let _ = write_line(io::stderr().lock(), &text.to_string());
    }

    /// A failure, with cause and remedy.
    pub(crate) fn problem(&self, problem: &Problem) {
        if self.json
            && let Ok(text) = serde_json::to_string(problem)
        {
            return self.note(text);
        }
        self.note(format!("error: {}", printable(&problem.summary)));
        for (label, text) in [("cause", &problem.cause), ("do", &problem.remedy)] {
            if !text.is_empty() {
                self.note(format!("  {label:<6} {}", printable(text)));
            }
        }
    }
}

fn write_line(mut stream: impl Write, text: &str) -> io::Result<()> {
    writeln!(stream, "{text}")?;
    stream.flush()
}
