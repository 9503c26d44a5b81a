//! The KithKit dialect.
