//! Who calls the control API, for the routes that do not serve everybody.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::request::Parts;
use tieline_wire::problem::{Code, Problem};

use super::Control;
use crate::problem::Failure;

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// The app's window, or a program of the user through the socket in the home.
    Trusted,
    /// A page in a browser, which the browser's extensions can read and alter.
    Page,
}

impl Caller {
    /// # Errors
    /// `NOT_FROM_BROWSER` for a page.
    pub(super) fn must_be_trusted(self) -> Result<(), Problem> {
        match self {
            Self::Trusted => Ok(()),
            Self::Page => Err(Problem::new(Code::NotFromBrowser)),
        }
    }
}

impl FromRequestParts<Control> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, control: &Control) -> Result<Self, Infallible> {
        Ok(control.caller)
    }
}

/// Extractor of routes that no page may use: those that give secrets away, and those that decide
/// which commands run on this machine.
pub(super) struct Trusted;

impl FromRequestParts<Control> for Trusted {
    type Rejection = Failure;

    async fn from_request_parts(_: &mut Parts, control: &Control) -> Result<Self, Failure> {
        control.caller.must_be_trusted()?;
        Ok(Self)
    }
}
