use std::fmt;
use std::str::FromStr;

use super::{Code, Phase};

/// What the table says about a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The code in `SCREAMING_SNAKE_CASE`.
    pub name: &'static str,
    /// The HTTP status that goes with it.
    pub status: u16,
    /// How far the exchange with a peer had come.
    pub phase: Option<Phase>,
    /// What failed, in one sentence.
    pub summary: &'static str,
    /// The likely cause.
    pub cause: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

/// Defines [`Code`] and its table in one place, so that no code can lack its texts.
macro_rules! codes {
    ($($code:ident $name:literal $status:literal $phase:expr, $summary:literal, $cause:literal, $remedy:literal;)*) => {
        /// Names a kind of failure. Stable: programs match it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        #[allow(missing_docs, reason = "each variant is explained by its entry")]
        pub enum Code {
            $(#[doc = $summary] $code,)*
        }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$code),*];

            /// The code's row of the table.
            #[must_use]
            pub const fn entry(self) -> &'static Entry {
                match self {
                    $(Self::$code => &Entry {
                        name: $name, status: $status, phase: $phase, summary: $summary, cause: $cause, remedy: $remedy,
                    },)*
                }
            }
        }
    };
}

/// The text is not a code of this version. Likely cause: a peer of a newer version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a problem code known to this version")]
pub struct UnknownCode;

impl Code {
    /// The code in `SCREAMING_SNAKE_CASE`, as on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.entry().name
    }

    /// The HTTP status that goes with it.
    #[must_use]
    pub const fn status(self) -> u16 {
        self.entry().status
    }

    /// How far the exchange with a peer had come, for failures on the way to one.
    #[must_use]
    pub const fn phase(self) -> Option<Phase> {
        self.entry().phase
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.as_str() == text)
            .ok_or(UnknownCode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_spelling_everywhere() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
            assert_eq!(code.as_str().parse(), Ok(*code));
        }
    }

    #[test]
    fn every_text_is_plain_and_complete() {
        for code in Code::ALL {
            let Entry {
                status,
                summary,
                cause,
                remedy,
                ..
            } = code.entry();
            assert!((400..600).contains(status), "{code}");
            for text in [summary, cause, remedy] {
                assert!(text.ends_with('.') && text.len() > 12, "{code}: {text}");
                assert!(
                    !text.contains("Oops") && !text.contains('!'),
                    "{code}: {text}"
                );
            }
            assert!(
                !summary.trim_end_matches('.').contains(". "),
                "{code}: the summary is one sentence"
            );
            assert!(!cause.eq(summary) && !remedy.eq(cause), "{code}");
        }
    }
}
