//! Handing peers' messages to an agent on this machine: a command or a loopback webhook, for each
//! peer, with a default of none.
//!
//! A message for a hook waits in the database from the transaction that stored it, and is tried
//! until one try worked, so an agent sees it at least once. Then its sender gets the signed stage
//! *handed over*. What nobody vouches for starts nothing: messages of peers that are not kept, and
//! unauthenticated ones, stay in the inbox.

mod document;
mod lane;
mod run;
mod settings;
mod waiting;

pub(crate) use lane::lane;
pub(crate) use settings::restore;
pub(crate) use waiting::{Handing, accept, takes};
