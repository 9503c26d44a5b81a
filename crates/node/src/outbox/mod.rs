//! The outbox: nothing leaves before it is stored, and everything in it ends as delivered, failed,
//! or visibly unconfirmed until the peer has been asked.

mod deliver;
mod exposure;
mod lane;
mod orders;
mod outcome;
mod resolve;
mod route;
mod send;
mod stages;
mod upkeep;

pub(crate) use deliver::{meant_for_old_keys, unpaired};
pub(crate) use lane::lane;
pub(crate) use outcome::{Delivery, Outcome};
pub(crate) use send::EXPIRY;
pub(crate) use stages::answer_stages;
pub(crate) use stages::report;
pub(crate) use upkeep::CLOCK;
pub(crate) use upkeep::{recover, upkeep};
