//! How this crate's errors are told to people.

use super::{Code, Problem};
use crate::address::AddressError;
use crate::card::CardError;
use crate::certificate::CertificateError;
use crate::fingerprint::FingerprintError;
use crate::invite::InviteError;
use crate::key::KeyError;
use crate::message::{EnvelopeError, NotAMessageId, PayloadError};
use crate::name::AliasError;
use crate::pairing::ProofError;
use crate::presented::PresentedError;
use crate::receipt::ReceiptError;
use crate::token::TokenError;

/// An error's own words as a sentence, to stand as a cause.
fn sentence(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let mut chars = text.chars();
    let first = chars
        .next()
        .map(|c| c.to_uppercase().to_string())
        .unwrap_or_default();
    format!("{first}{}.", chars.as_str().trim_end_matches('.'))
}

macro_rules! as_cause_of {
    ($($error:ty => $code:ident),* $(,)?) => {$(
        impl From<$error> for Problem {
            fn from(error: $error) -> Self {
                Self::new(Code::$code).because(sentence(&error))
            }
        }
    )*};
}

as_cause_of!(
    AddressError => InvalidRequest,
    AliasError => AliasInvalid,
    CardError => CardInvalid,
    CertificateError => CardInvalid,
    EnvelopeError => InvalidRequest,
    FingerprintError => InvalidRequest,
    KeyError => InvalidRequest,
    NotAMessageId => InvalidRequest,
    PayloadError => InvalidRequest,
    ReceiptError => ReceiptInvalid,
    TokenError => TokenInvalid,
);

impl From<InviteError> for Problem {
    fn from(error: InviteError) -> Self {
        match error {
            InviteError::NotALink => Self::new(Code::LinkInvalid),
            InviteError::UnsupportedVersion(_) => Self::new(Code::LinkInvalid)
                .because(sentence(&error))
                .remedy("Update Tieline on this machine."),
            InviteError::Truncated | InviteError::Damaged => {
                Self::new(Code::LinkDamaged).because(sentence(&error))
            }
            InviteError::TooLong => Self::new(Code::InvalidRequest).because(sentence(&error)),
        }
    }
}

impl From<PresentedError> for Problem {
    fn from(error: PresentedError) -> Self {
        const AGAIN: &str = "Copy its card there again (`tieline card --json`), or paste its address, its fingerprint and its key.";
        let cause = sentence(&error);
        let (summary, remedy) = match error {
            PresentedError::Card(error) => return error.into(),
            PresentedError::Nothing => ("This says nothing of another machine.", AGAIN),
            PresentedError::Several(_) => (
                "This says something of several machines.",
                "Paste the entry of one of them, from its name to its closing brace.",
            ),
            PresentedError::Fingerprint(_) => (
                "The fingerprint in it cannot be read.",
                "Copy the SHA-256 fingerprint of the certificate there once more.",
            ),
            _ => (
                "What was pasted of the other machine cannot be used.",
                AGAIN,
            ),
        };
        Self::new(Code::InvalidRequest)
            .summary(summary)
            .because(cause)
            .remedy(remedy)
    }
}

impl From<ProofError> for Problem {
    fn from(_: ProofError) -> Self {
        // Which half failed is not for the other side to know.
        Self::new(Code::ProofWrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_sentences() {
        let problem = Problem::from(AliasError::TooLong);
        assert_eq!(problem.code, Code::AliasInvalid);
        assert_eq!(problem.cause, "The name is longer than 64 characters.");
    }

    #[test]
    fn a_cut_link_and_a_newer_link_are_told_apart() {
        assert_eq!(
            Problem::from(InviteError::Truncated).code,
            Code::LinkDamaged
        );
        let newer = Problem::from(InviteError::UnsupportedVersion(9));
        assert_eq!(newer.code, Code::LinkInvalid);
        assert!(newer.remedy.contains("Update"));
    }
}
