//! Who can reach whom: measured by pings both ways, and the line kept accordingly.

mod dial_back;
mod hold;
mod keep;
mod learn;
mod ping;

pub(crate) use dial_back::{DialBacks, answer_reach, ask};
pub(crate) use keep::keep;
pub(crate) use ping::{NoStore, answer_ping, store_of};
