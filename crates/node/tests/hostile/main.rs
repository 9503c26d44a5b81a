//! Attacks on the peer protocol, and bad days: real engines on loopback, and callers, servers and
//! middlemen that do not keep to the rules.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    unreachable_pub
)]

mod actor;
mod held;
#[cfg(target_os = "linux")]
#[path = "../../../../tests/harness/skip.rs"]
mod skip;
mod station;
mod tunnel;
mod world;

mod arriving;
mod bad_days;
mod bounds;
mod clocks;
mod credentials;
mod dialling;
#[cfg(target_os = "linux")]
mod disk;
mod headers;
mod joining;
mod leaving;
mod links;
mod loris;
mod middle;
mod proofs;
mod queued;
mod relay;
mod renewed;
mod replay;
mod restored;
mod revoked;
mod sessions;
mod tokens;
mod unkept;
mod wrong_key;
