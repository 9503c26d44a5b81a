//! What a peer says of itself with every ping: its clock, its addresses and its database.

use std::net::IpAddr;
use std::sync::Arc;

use tieline_store::{messages, peers};
use tieline_wire::address::Address;
use tieline_wire::problem::{Code, Problem};
use tieline_wire::receipt::StoreId;

use crate::line::named;
use crate::model::EventKind;
use crate::node::Node;
use crate::peers::Peer;
use crate::protocol::PingAnswer;

/// A clock offset below this is the noise of the measurement.
const OFFSET_NOISE_MS: u64 = 50;

/// Notes what a peer, whose connection comes from `from`, said of itself, and gives the name of its
/// database. Written only where something changed.
///
/// # Errors
/// `RESPONSE_INVALID` where that name cannot be read, and those of the store.
pub(super) async fn learn(
    node: &Node,
    peer: &Arc<Peer>,
    said: &PingAnswer,
    from: Option<IpAddr>,
    offset: Option<i64>,
) -> Result<StoreId, Problem> {
    let record = peer.record();
    let row = &record.row;
    let store_id: StoreId = said
        .store_id
        .parse()
        .map_err(|_| Problem::new(Code::ResponseInvalid).because("The store id cannot be read."))?;
    let new_store = row.store_id != Some(store_id);
    let restored = new_store && row.store_id.is_some();
    let moved = offset.filter(|new| {
        row.clock_offset_ms
            .is_none_or(|old| new.abs_diff(old) > OFFSET_NOISE_MS)
    });
    let addresses = from.and_then(|from| said_addresses(peer, &said.addresses, from));
    if !new_store && moved.is_none() && addresses.is_none() {
        return Ok(store_id);
    }
    let id = peer.id;
    node.change_peer(id, move |tx| {
        if new_store {
            peers::set_store_id(tx, id, &store_id)?;
        }
        if restored {
            // What the old database may hold is not put into the new one by itself.
            let problem = serde_json::json!(Problem::new(Code::StoreRestored));
            messages::stop_retries(tx, id, store_id, &problem)?;
        }
        if let Some(offset) = moved {
            peers::set_clock_offset(tx, id, Some(offset))?;
        }
        if let Some(addresses) = &addresses {
            peers::set_addresses(tx, id, addresses)?;
        }
        Ok(())
    })
    .await?;
    if restored {
        node.alert(Problem::new(Code::StoreRestored).with("peer", peer.alias()));
        node.events.changed(EventKind::Messages, String::new());
    }
    Ok(store_id)
}

/// The addresses a peer names, where they are news and the person has not set others.
fn said_addresses(peer: &Peer, said: &[String], from: IpAddr) -> Option<Vec<Address>> {
    let record = peer.record();
    if record.row.options.get("addressesBy").is_some() {
        return None;
    }
    let most = tieline_wire::card::MAX_ADDRESSES;
    let said = said.iter().take(most);
    let addresses = named(said.filter_map(|text| text.parse().ok()), from);
    (!addresses.is_empty() && addresses != record.row.addresses).then_some(addresses)
}
