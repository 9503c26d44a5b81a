//! Who is let in to a listener: counted by address, and where all places are taken, the oldest of
//! those that nobody knows goes. A peer has some places for itself, and beyond those its own oldest goes.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tieline_store::peers::PeerId;
use tokio_util::sync::CancellationToken;

use crate::clock::Instant;
use crate::limits::{
    MAX_CONNECTIONS, MAX_CONNECTIONS_PER_ADDRESS, MAX_CONNECTIONS_PER_PEER,
    MAX_HANDSHAKES_PER_MINUTE,
};

/// Addresses remembered at once.
const MOST_ADDRESSES: usize = 4 * MAX_CONNECTIONS;
const WINDOW: Duration = Duration::from_secs(60);

/// Counts connections and handshakes by address.
#[derive(Debug, Default, Clone)]
pub(crate) struct Gate {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// The oldest first.
    inside: BTreeMap<u64, Inside>,
    next: u64,
    by_address: HashMap<IpAddr, Address>,
}

#[derive(Debug)]
struct Inside {
    /// Whose it is, where that has been shown.
    peer: Option<PeerId>,
    /// Whether it keeps its place whoever else comes: that of a peer which the person kept.
    keeps_place: bool,
    cut: CancellationToken,
}

#[derive(Debug)]
struct Address {
    open: usize,
    handshakes: u32,
    window_started: Instant,
}

/// Why a connection is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turned {
    /// The listener is full of peers.
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
    number: u64,
    address: IpAddr,
    cut: CancellationToken,
}

impl Gate {
    /// Lets a connection in, or says why not. The place's cut is a child of `parent`.
    ///
    /// # Errors
    /// The bound that is reached.
    pub(crate) fn enter(
        &self,
        address: IpAddr,
        parent: &CancellationToken,
    ) -> Result<Place, Turned> {
        let address = canonical(address);
        let mut state = self.state.lock();
        state.count(address)?;
        if state.inside.len() >= MAX_CONNECTIONS && !state.make_room() {
            return Err(Turned::Full);
        }
        if let Some(entry) = state.by_address.get_mut(&address) {
            entry.handshakes += 1;
            entry.open += 1;
        }
        let number = state.next;
        state.next += 1;
        let cut = parent.child_token();
        let inside = Inside {
            peer: None,
            keeps_place: false,
            cut: cut.clone(),
        };
        state.inside.insert(number, inside);
        Ok(Place {
            gate: self.clone(),
            number,
            address,
            cut,
        })
    }
}

impl State {
    /// Whether this address may have one more; makes its entry.
    fn count(&mut self, address: IpAddr) -> Result<(), Turned> {
        if self.by_address.len() >= MOST_ADDRESSES {
            self.by_address
                .retain(|_, entry| entry.open > 0 || entry.window_started.elapsed() < WINDOW);
            // Whoever has this many addresses is not slowed down by counting each: rather forget
            // the rates than keep more.
            if self.by_address.len() >= MOST_ADDRESSES {
                self.by_address.retain(|_, entry| entry.open > 0);
            }
        }
        let entry = self.by_address.entry(address).or_insert_with(|| Address {
            open: 0,
            handshakes: 0,
            window_started: Instant::now(),
        });
        if entry.window_started.elapsed() >= WINDOW {
            entry.window_started = Instant::now();
            entry.handshakes = 0;
        }
        if entry.open >= MAX_CONNECTIONS_PER_ADDRESS {
            return Err(Turned::TooMany);
        }
        if entry.handshakes >= MAX_HANDSHAKES_PER_MINUTE {
            return Err(Turned::TooFast);
        }
        Ok(())
    }

    /// Does not count one handshake of an address.
    fn forgive(&mut self, address: &IpAddr) {
        if let Some(entry) = self.by_address.get_mut(address) {
            entry.handshakes = entry.handshakes.saturating_sub(1);
        }
    }

    /// Turns out the oldest connection that has no place for good. A stranger that is quick about it gets its
    /// answer before that; one that holds places does not keep peers out.
    fn make_room(&mut self) -> bool {
        self.turn_out(|inside| !inside.keeps_place)
    }

    /// Turns out the oldest connection of which this holds; false where there is none.
    fn turn_out(&mut self, goes: impl Fn(&Inside) -> bool) -> bool {
        let oldest = self.inside.iter().find(|(_, inside)| goes(inside));
        let Some(number) = oldest.map(|(number, _)| *number) else {
            return false;
        };
        if let Some(inside) = self.inside.remove(&number) {
            inside.cut.cancel();
        }
        true
    }
}

impl Place {
    /// Cancelled when the connection has to end.
    pub(crate) fn cut(&self) -> &CancellationToken {
        &self.cut
    }

    /// It turned out to be a peer's. One that the person kept keeps its place, and its handshake does
    /// not count; but no peer has more than [`MAX_CONNECTIONS_PER_PEER`] of them.
    pub(crate) fn is_peers(&self, peer: PeerId, kept: bool) {
        let mut state = self.gate.state.lock();
        let Some(inside) = state.inside.get_mut(&self.number) else {
            return;
        };
        let first = inside.peer.replace(peer) != Some(peer);
        let is_new = kept && !std::mem::replace(&mut inside.keeps_place, kept);
        if first {
            let of_it = |inside: &Inside| inside.peer == Some(peer);
            let count = state.inside.values().filter(|it| of_it(it)).count();
            if count > MAX_CONNECTIONS_PER_PEER {
                state.turn_out(of_it);
            }
        }
        if is_new {
            state.forgive(&self.address);
        }
    }

    /// Its caller has proved to know a secret that several machines share: it keeps its place.
    pub(crate) fn is_known(&self) {
        let mut state = self.gate.state.lock();
        if let Some(inside) = state.inside.get_mut(&self.number) {
            inside.keeps_place = true;
        }
        state.forgive(&self.address);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.gate.state.lock();
        state.inside.remove(&self.number);
        if let Some(entry) = state.by_address.get_mut(&self.address) {
            entry.open = entry.open.saturating_sub(1);
        }
    }
}

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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn enter(gate: &Gate, address: IpAddr) -> Result<Place, Turned> {
        gate.enter(address, &CancellationToken::new())
    }

    #[test]
    fn one_address_cannot_take_every_place() {
        let gate = Gate::default();
        let one: IpAddr = "192.0.2.1".parse().unwrap();
        let places: Vec<_> = (0..MAX_CONNECTIONS_PER_ADDRESS)
            .map(|_| enter(&gate, one).unwrap())
            .collect();
        assert_eq!(enter(&gate, one).unwrap_err(), Turned::TooMany);
        assert!(enter(&gate, "192.0.2.2".parse().unwrap()).is_ok());
        drop(places);
        assert!(enter(&gate, one).is_ok());
    }

    #[test]
    fn in_a_full_house_the_oldest_stranger_goes_and_no_peer() {
        let gate = Gate::default();
        let address = |n: usize| IpAddr::from(u32::try_from(n).unwrap().to_be_bytes());
        let places: Vec<_> = (0..MAX_CONNECTIONS)
            .map(|n| enter(&gate, address(n)).unwrap())
            .collect();
        places[0].is_peers(PeerId(0), true);
        let late = enter(&gate, address(1_000)).unwrap();
        let turned_out = |n: usize| places[n].cut().is_cancelled();
        assert_eq!(
            (turned_out(0), turned_out(1), turned_out(2)),
            (false, true, false)
        );
        assert_eq!(gate.state.lock().inside.len(), MAX_CONNECTIONS);
        for (n, place) in (0..).zip(&places[2..]) {
            place.is_peers(PeerId(n / 8), true);
        }
        // Now everybody but the last is a peer's; after it, there is nobody to turn out.
        late.is_peers(PeerId(-1), true);
        assert_eq!(enter(&gate, address(1_001)).unwrap_err(), Turned::Full);
        // Whoever was turned out gives back no place twice.
        drop(places);
        assert_eq!(gate.state.lock().inside.len(), 1);
    }

    #[test]
    fn a_peer_has_so_many_places_and_beyond_them_its_own_oldest_goes() {
        let gate = Gate::default();
        let address = |n: usize| IpAddr::from(u32::try_from(n).unwrap().to_be_bytes());
        let other = enter(&gate, address(0)).unwrap();
        other.is_peers(PeerId(1), true);
        for kept in [true, false] {
            let places: Vec<_> = (0..MAX_CONNECTIONS_PER_PEER + 3)
                .map(|n| {
                    let place = enter(&gate, address(n)).unwrap();
                    place.is_peers(PeerId(2), kept);
                    // As often as it shows itself, it is one connection.
                    place.is_peers(PeerId(2), kept);
                    place
                })
                .collect();
            let (gone, here) = places.split_at(3);
            assert!(gone.iter().all(|place| place.cut().is_cancelled()));
            assert!(!here.iter().any(|place| place.cut().is_cancelled()));
        }
        assert!(!other.cut().is_cancelled());
    }

    #[test]
    fn a_peer_that_is_not_kept_has_no_place_for_good() {
        let gate = Gate::default();
        let address = |n: usize| IpAddr::from(u32::try_from(n).unwrap().to_be_bytes());
        let places: Vec<_> = (0..MAX_CONNECTIONS)
            .map(|n| {
                let place = enter(&gate, address(n)).unwrap();
                place.is_peers(PeerId(i64::try_from(n / 8).unwrap()), n > 3);
                place
            })
            .collect();
        let _late = enter(&gate, address(1_000)).unwrap();
        assert!(places[0].cut().is_cancelled());
        // It is kept meanwhile, and shows itself again.
        places[1].is_peers(PeerId(0), true);
        let _later = enter(&gate, address(1_001)).unwrap();
        assert!(!places[1].cut().is_cancelled() && places[2].cut().is_cancelled());
    }

    #[test]
    fn callers_from_ever_new_addresses_do_not_fill_the_memory() {
        let gate = Gate::default();
        let kept: Vec<_> = (0..100_u32)
            .map(|n| enter(&gate, IpAddr::from(n.to_be_bytes())).unwrap())
            .collect();
        for n in 1_000..20_000_u32 {
            drop(enter(&gate, IpAddr::from(n.to_be_bytes())).unwrap());
            assert!(gate.state.lock().by_address.len() <= MOST_ADDRESSES);
        }
        // Those that are inside are still counted.
        let state = gate.state.lock();
        assert_eq!(state.inside.len(), kept.len());
        assert!((0..100_u32).all(|n| state.by_address[&IpAddr::from(n.to_be_bytes())].open == 1));
    }

    #[test]
    fn handshakes_are_bounded_even_when_each_connection_closes_at_once() {
        let gate = Gate::default();
        let one: IpAddr = "2001:db8::1".parse().unwrap();
        let sibling: IpAddr = "2001:db8::2".parse().unwrap();
        for _ in 0..MAX_HANDSHAKES_PER_MINUTE {
            drop(enter(&gate, one).unwrap());
        }
        assert_eq!(enter(&gate, sibling).unwrap_err(), Turned::TooFast);
        let place = enter(&gate, "192.0.2.1".parse().unwrap()).unwrap();
        place.is_peers(PeerId(0), true);
        assert_eq!(enter(&gate, one).unwrap_err(), Turned::TooFast);
    }
}
