//! abTARS: its machines ask this node over HTTPS, and are asked.
//!
//! Which of the two generations a peer speaks is found out with a signed request to its agent
//! card and remembered; from then on a weaker proof of it is refused, and none is sent to it.
//!
//! Reading order: [`contact`] is what is known of a peer, [`own`] what peers know of this machine;
//! [`add`] and [`import`] bring peers in; [`dial`] and [`client`] ask them, [`probe`] finds out how,
//! [`deliver`] is a message or a question to one; [`serve`] is what they ask here.

mod add;
mod client;
mod contact;
mod deliver;
mod dial;
mod found;
mod import;
mod keys;
mod own;
mod probe;
mod serve;
mod state;

pub(crate) use contact::Contact;
pub(crate) use deliver::{WAIT, answered_with, check, deliver, hang_up};
pub(crate) use probe::ping;
pub(crate) use serve::{OutBody, is_route, serve};
pub(crate) use state::{State, restore};
