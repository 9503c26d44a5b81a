//! Questions to peers and the answers to theirs.
//!
//! An ask travels as a message and its answer as another one, so both are durable and ride any
//! line. What answers here is the person's choice for each peer; by default nobody does.

mod answerer;
mod asker;
mod asking;
mod brakes;
mod partial;
mod person;
mod progress;
pub(crate) mod responder;

pub(crate) use answerer::{Stored, arrived_ask, cancel, done, hand_over, settle_interrupted};
pub(crate) use asker::{Waiting, arrived_answer, provenance};
pub use asking::{AskNews, Asking};
pub(crate) use brakes::{ASKS_PER_HOUR, Brakes, Kind};
pub(crate) use partial::Partial;
pub(crate) use person::Desk;
pub(crate) use progress::{ProgressBody, arrived as arrived_progress};
