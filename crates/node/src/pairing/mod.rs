//! Pairing: by link, and by swapping cards.
//!
//! By link, the joiner proves first that it holds the link's secret and its card's keys; the
//! inviter stores the pair and answers with its own proof; the joiner stores the pair and
//! confirms. Every step is bound to the one TLS connection it happens on. See `docs/PROTOCOL.md`.

mod bind;
mod book;
mod entry;
mod inviter;
mod joiner;
mod offer;
mod presented;
mod renew;
mod roster;
mod swap;

pub(crate) use bind::{answer_bind, answer_confirm, confirm_on, settle_token};
pub(crate) use book::Book;
pub(crate) use inviter::{hello, prove, restore};
pub(crate) use roster::{answer_unpair, delete_with_history, forget, set_option};
