//! What is measured of Tieline.

mod delivery;
mod memory;
mod processor;
mod start;

pub(crate) use delivery::{Flood, flood, one_at_a_time};
pub(crate) use memory::Memory;
pub(crate) use start::{Starts, floor_starts, starts};
