//! This machine's addresses, and whether they changed.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tieline_wire::address::Address;

use crate::node::Node;

/// How often this machine's addresses are looked at. A look takes some ten microseconds.
const LOOK: Duration = Duration::from_secs(2);
/// Most addresses in a card or a link.
const MOST: usize = 8;

/// Where a listener that is bound to `bound` can be dialled: LAN addresses first, IPv4 before
/// IPv6, loopback only where there is nothing else.
#[must_use]
pub(crate) fn candidate_addresses(bound: SocketAddr) -> Vec<Address> {
    let port = bound.port();
    if !bound.ip().is_unspecified() {
        return address(bound.ip(), port).into_iter().collect();
    }
    let mut found: Vec<IpAddr> = interface_addresses()
        .into_iter()
        .filter(|ip| bound.is_ipv6() || ip.is_ipv4())
        .collect();
    found.sort_by_key(|ip| (ip.is_ipv6(), *ip));
    found.dedup();
    if found.is_empty() {
        found.push(IpAddr::from([127, 0, 0, 1]));
    }
    found
        .into_iter()
        .filter_map(|ip| address(ip, port))
        .take(MOST)
        .collect()
}

/// Addresses of this machine that another one might reach; no loopback, no IPv6 link-local (which
/// means nothing without the other machine's zone), and none whose cable is out.
#[must_use]
pub(crate) fn interface_addresses() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    interfaces
        .into_iter()
        .filter(|interface| interface.is_oper_up())
        .filter(|interface| !interface.is_loopback() && !interface.is_link_local())
        .map(|interface| interface.ip())
        .collect()
}

/// Wakes every line and lane as soon as this machine's addresses change: the network is back.
pub(crate) async fn watch(node: Node) {
    let mut known = interface_addresses();
    loop {
        tokio::select! {
            () = node.stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        let now = interface_addresses();
        if now != known {
            tracing::info!("this machine's addresses changed");
            known = now;
            for peer in node.peers.all() {
                // What was dialled from an address that is gone may be dead without saying so.
                peer.line.cut_direct();
                peer.keeper.notify_one();
                peer.lane.notify_one();
            }
        }
    }
}

fn address(ip: IpAddr, port: u16) -> Option<Address> {
    SocketAddr::new(ip, port).to_string().parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_on_one_address_offers_that_one() {
        let offered = candidate_addresses("127.0.0.1:3100".parse().unwrap());
        assert_eq!(
            offered.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["127.0.0.1:3100"]
        );
    }

    #[test]
    fn a_listener_on_all_addresses_offers_some_of_this_machine() {
        let offered = candidate_addresses("0.0.0.0:3100".parse().unwrap());
        assert!(!offered.is_empty() && offered.len() <= MOST);
        assert!(
            offered
                .iter()
                .all(|address| address.port() == 3100 && address.host() != "0.0.0.0")
        );
    }
}
