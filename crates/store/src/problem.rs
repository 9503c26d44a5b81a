//! Store errors as problems for a person.

use tieline_wire::problem::{Code, Problem};

use crate::StoreError;

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::Full => Code::StoreFull,
            StoreError::Damaged { .. } => Code::StoreDamaged,
            _ => Code::StoreFailed,
        };
        match error {
            // The table's own words say it best.
            StoreError::Full => Self::new(code),
            other => Self::new(code).because(sentence(&other.to_string())),
        }
    }
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars
        .next()
        .map(|first| first.to_uppercase().to_string())
        .unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}
