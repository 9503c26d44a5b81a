//! The command line between two machines: everything that the README's tour shows, and more.

mod messages;
mod pairing;
mod peers;

use crate::harness::{Machine, pair};

fn two() -> (Machine, Machine) {
    let (mac, wsl) = (Machine::start("mac"), Machine::start("wsl"));
    pair(&mac, &wsl);
    (mac, wsl)
}
