//! Every bound on what outsiders can make this node do, in one place.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

/// Largest payload between Tieline nodes, in bytes of its JSON.
pub const MAX_PAYLOAD: usize = 1024 * 1024;
/// Largest body of a request between nodes: a payload and what surrounds it.
pub(crate) const MAX_BODY: usize = MAX_PAYLOAD + 16 * 1024;
/// Largest header block of a request.
pub(crate) const MAX_HEADERS: usize = 16 * 1024;
/// Connections to the peer listener at once, all addresses together.
pub(crate) const MAX_CONNECTIONS: usize = 256;
/// Connections from one address at once.
pub(crate) const MAX_CONNECTIONS_PER_ADDRESS: usize = 32;
/// Handshakes from one address a minute.
pub(crate) const MAX_HANDSHAKES_PER_MINUTE: u32 = 120;
/// Requests in progress on one connection.
pub(crate) const MAX_STREAMS: u32 = 128;
/// Messages that a machine may leave here before the person keeps it.
pub(crate) const MAX_UNKEPT_MESSAGES: u64 = 1_000;
/// Bytes of their payloads.
pub(crate) const MAX_UNKEPT_BYTES: u64 = 16 * MAX_PAYLOAD as u64;
/// Requests in progress on one connection of a machine that is not paired.
pub(crate) const MAX_STRANGER_REQUESTS: usize = 4;
/// Bytes of bodies that one peer may have under way, over all its connections.
pub(crate) const MAX_PEER_BODIES: usize = 64 * MAX_BODY;
/// What [`MAX_PEER_BODIES`] is counted in, bytes.
pub(crate) const BODY_UNIT: usize = 1024;
/// Message ids in one status query, and receipts in one report.
pub(crate) const MAX_BATCH: usize = 256;

/// Time for a TLS handshake.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Time for the headers of a request.
pub(crate) const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Time for a request's body.
pub(crate) const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// Time for resolving a name.
pub(crate) const RESOLVE_TIMEOUT: Duration = Duration::from_secs(3);
/// Time for connecting to one address.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Time between the starts of connections to two addresses of a peer (RFC 8305 §5).
pub(crate) const ADDRESS_STAGGER: Duration = Duration::from_millis(250);
/// Time for a peer's answer.
pub(crate) const RESPONSE_TIMEOUT: Duration = Duration::from_secs(15);
/// A connection without requests is closed after this.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(300);
/// The same for one of a machine that is not paired.
pub(crate) const STRANGER_IDLE_TIMEOUT: Duration = Duration::from_secs(20);
/// How often a held connection is checked.
pub(crate) const HELD_PING: Duration = Duration::from_secs(10);
/// A held connection that is silent for this long is dead.
pub(crate) const HELD_SILENCE: Duration = Duration::from_secs(25);

/// Counts connections and handshakes by address.
#[derive(Debug, Default, Clone)]
pub(crate) struct Gate {
    state: Arc<Mutex<GateState>>,
}

#[derive(Debug, Default)]
struct GateState {
    open: usize,
    by_address: HashMap<IpAddr, Address>,
}

#[derive(Debug)]
struct Address {
    open: usize,
    handshakes: u32,
    window_started: crate::clock::Instant,
}

/// Why a connection is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turned {
    /// The listener is full.
    Full,
    /// This address has too many open connections.
    TooMany,
    /// This address shakes hands too often.
    TooFast,
}

/// A place inside; given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    gate: Gate,
    address: IpAddr,
}

impl Gate {
    /// Lets a connection in, or says why not.
    ///
    /// # Errors
    /// The bound that is reached.
    pub(crate) fn enter(&self, address: IpAddr) -> Result<Place, Turned> {
        let address = canonical(address);
        let mut state = self.state.lock();
        if state.open >= MAX_CONNECTIONS {
            return Err(Turned::Full);
        }
        if state.by_address.len() >= MOST_ADDRESSES {
            state
                .by_address
                .retain(|_, entry| entry.open > 0 || entry.window_started.elapsed() < WINDOW);
            // Whoever has this many addresses is not slowed down by counting each: rather forget
            // the rates than keep more.
            if state.by_address.len() >= MOST_ADDRESSES {
                state.by_address.retain(|_, entry| entry.open > 0);
            }
        }
        let entry = state.by_address.entry(address).or_insert_with(|| Address {
            open: 0,
            handshakes: 0,
            window_started: crate::clock::Instant::now(),
        });
        if entry.window_started.elapsed() >= WINDOW {
            entry.window_started = crate::clock::Instant::now();
            entry.handshakes = 0;
        }
        if entry.open >= MAX_CONNECTIONS_PER_ADDRESS {
            return Err(Turned::TooMany);
        }
        if entry.handshakes >= MAX_HANDSHAKES_PER_MINUTE {
            return Err(Turned::TooFast);
        }
        entry.handshakes += 1;
        entry.open += 1;
        state.open += 1;
        Ok(Place {
            gate: self.clone(),
            address,
        })
    }

    /// Forgets the handshake that made this connection: it turned out to be a known peer's.
    pub(crate) fn forgive(&self, address: IpAddr) {
        if let Some(entry) = self.state.lock().by_address.get_mut(&canonical(address)) {
            entry.handshakes = entry.handshakes.saturating_sub(1);
        }
    }
}

/// Addresses remembered at once.
const MOST_ADDRESSES: usize = 4 * MAX_CONNECTIONS;
const WINDOW: Duration = Duration::from_secs(60);

/// An IPv6 caller is counted by its /64, which is what one machine usually has.
fn canonical(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let bits = u128::from(v6) & !u128::from(u64::MAX);
            IpAddr::V6(bits.into())
        }
        v4 => v4,
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.gate.state.lock();
        state.open = state.open.saturating_sub(1);
        if let Some(entry) = state.by_address.get_mut(&self.address) {
            entry.open = entry.open.saturating_sub(1);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn one_address_cannot_take_every_place() {
        let gate = Gate::default();
        let one: IpAddr = "192.0.2.1".parse().unwrap();
        let places: Vec<_> = (0..MAX_CONNECTIONS_PER_ADDRESS)
            .map(|_| gate.enter(one).unwrap())
            .collect();
        assert_eq!(gate.enter(one).unwrap_err(), Turned::TooMany);
        assert!(gate.enter("192.0.2.2".parse().unwrap()).is_ok());
        drop(places);
        assert!(gate.enter(one).is_ok());
    }

    #[test]
    fn callers_from_ever_new_addresses_do_not_fill_the_memory() {
        let gate = Gate::default();
        let kept: Vec<_> = (0..100_u32)
            .map(|n| gate.enter(IpAddr::from(n.to_be_bytes())).unwrap())
            .collect();
        for n in 1_000..20_000_u32 {
            drop(gate.enter(IpAddr::from(n.to_be_bytes())).unwrap());
            assert!(gate.state.lock().by_address.len() <= MOST_ADDRESSES);
        }
        // Those that are inside are still counted.
        let state = gate.state.lock();
        assert_eq!(state.open, kept.len());
        assert!((0..100_u32).all(|n| state.by_address[&IpAddr::from(n.to_be_bytes())].open == 1));
    }

    #[test]
    fn handshakes_are_bounded_even_when_each_connection_closes_at_once() {
        let gate = Gate::default();
        let one: IpAddr = "2001:db8::1".parse().unwrap();
        let sibling: IpAddr = "2001:db8::2".parse().unwrap();
        for _ in 0..MAX_HANDSHAKES_PER_MINUTE {
            drop(gate.enter(one).unwrap());
        }
        assert_eq!(gate.enter(sibling).unwrap_err(), Turned::TooFast);
        gate.forgive(one);
        assert!(gate.enter(one).is_ok());
    }
}
