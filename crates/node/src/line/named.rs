//! Which of the addresses that a peer names for itself are dialled.
//!
//! Naming addresses makes this node open connections, and what is behind them need not be the
//! peer. So a peer can name numbers only, no names to be looked up, and none that mean this machine
//! itself, everybody, or the network segment's own services. What the person says is dialled as it is.

use std::net::IpAddr;

use tieline_wire::address::Address;

/// The addresses among `said` that a peer whose connection comes from `from` can be dialled at.
#[must_use]
pub(crate) fn named(said: impl IntoIterator<Item = Address>, from: IpAddr) -> Vec<Address> {
    said.into_iter()
        .filter(|address| address.ip().is_some_and(|ip| may_name(ip, from)))
        .collect()
}

fn may_name(ip: IpAddr, from: IpAddr) -> bool {
    let ip = ip.to_canonical();
    if ip.is_loopback() {
        // Both nodes are on this machine.
        return from.to_canonical().is_loopback();
    }
    let everybody = ip.is_unspecified() || ip.is_multicast();
    let segment = match ip {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    !everybody && !segment
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn kept(said: &[&str], from: &str) -> Vec<String> {
        let said = said.iter().map(|text| text.parse().unwrap());
        named(said, from.parse().unwrap())
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_peer_names_numbers_that_can_be_its_own() {
        let own = ["192.168.1.7:3100", "10.0.0.2:22", "[2001:db8::1]:3100"];
        assert_eq!(kept(&own, "192.168.1.7"), own);
        let not_its_own = [
            "127.0.0.1:6379",
            "[::1]:6379",
            "[::ffff:127.0.0.1]:6379",
            "169.254.169.254:80",
            "[fe80::1]:80",
            "[fe80::1%eth0]:80",
            "0.0.0.0:80",
            "255.255.255.255:80",
            "224.0.0.251:5353",
            "localhost:80",
            "secret.evil.example:80",
        ];
        assert!(kept(&not_its_own, "192.168.1.7").is_empty());
        assert_eq!(kept(&["127.0.0.1:3101"], "127.0.0.1"), ["127.0.0.1:3101"]);
        assert_eq!(
            kept(&["127.0.0.1:3101"], "::ffff:127.0.0.1"),
            ["127.0.0.1:3101"]
        );
    }
}
