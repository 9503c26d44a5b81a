//! Problems: how every failure is told to a person, an agent and a log.
//!
//! A [`Code`] is stable and what programs match. Its texts are in one table, so that the window,
//! the command line and the API say the same. What is known about the case at hand replaces the
//! general cause, and goes into `detail`; secrets go nowhere.

#[macro_use]
mod code;
mod from;
mod table;

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use code::{Entry, UnknownCode};
pub use table::Code;

/// How far an exchange with a peer had come when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Finding the address behind a name.
    Resolve,
    /// Opening the connection.
    Connect,
    /// The TLS handshake.
    Tls,
    /// Comparing the peer's key with the pinned one.
    Pin,
    /// Showing who we are, and being accepted.
    Auth,
    /// Rates and sizes.
    Limit,
    /// Storing the message, here or there.
    Store,
    /// Whatever answers at the peer.
    Responder,
}

impl Phase {
    /// The name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Pin => "pin",
            Self::Auth => "auth",
            Self::Limit => "limit",
            Self::Store => "store",
            Self::Responder => "responder",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One failure: what failed, the likely cause, and what to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// What programs match.
    pub code: Code,
    /// What failed, in one sentence.
    pub summary: Cow<'static, str>,
    /// The likely cause.
    pub cause: Cow<'static, str>,
    /// What to do about it.
    pub remedy: Cow<'static, str>,
    /// How far it had come, for failures on the way to a peer.
    pub phase: Option<Phase>,
    /// Facts of this case, such as an address or a length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Box<Map<String, Value>>>,
}

impl Problem {
    /// The problem as the table words it.
    #[must_use]
    pub fn new(code: Code) -> Self {
        let Entry {
            summary,
            cause,
            remedy,
            phase,
            ..
        } = *code.entry();
        Self {
            code,
            summary: Cow::Borrowed(summary),
            cause: Cow::Borrowed(cause),
            remedy: Cow::Borrowed(remedy),
            phase,
            detail: None,
        }
    }

    /// Says the cause that is known in this case.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Cow<'static, str>>) -> Self {
        self.cause = cause.into();
        self
    }

    /// Says what failed in this case, in one sentence.
    #[must_use]
    pub fn summary(mut self, summary: impl Into<Cow<'static, str>>) -> Self {
        self.summary = summary.into();
        self
    }

    /// Says what helps in this case.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<Cow<'static, str>>) -> Self {
        self.remedy = remedy.into();
        self
    }

    /// Says at which phase it failed, where that differs from the table.
    #[must_use]
    pub fn at(mut self, phase: Phase) -> Self {
        self.phase = Some(phase);
        self
    }

    /// Adds a fact. Never a secret.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.detail
            .get_or_insert_default()
            .insert(key.to_owned(), value.into());
        self
    }

    /// The HTTP status that goes with the code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.code.status()
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.summary, self.cause, self.code)
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_the_documented_fields() {
        let problem = Problem::new(Code::PinMismatch)
            .because("It shows another key.")
            .with("address", "10.0.0.2:3100");
        let json = serde_json::to_value(&problem).unwrap();
        assert_eq!(json["code"], "PIN_MISMATCH");
        assert_eq!(json["phase"], "pin");
        assert_eq!(json["cause"], "It shows another key.");
        assert_eq!(json["detail"]["address"], "10.0.0.2:3100");
        assert_eq!(serde_json::from_value::<Problem>(json).unwrap(), problem);
    }

    #[test]
    fn a_problem_without_phase_says_so_and_leaves_detail_out() {
        let json = serde_json::to_string(&Problem::new(Code::AliasTaken)).unwrap();
        assert!(json.contains(r#""phase":null"#), "{json}");
        assert!(!json.contains("detail"), "{json}");
    }

    #[test]
    fn results_with_a_problem_stay_small() {
        assert!(size_of::<Problem>() <= 96);
    }
}
