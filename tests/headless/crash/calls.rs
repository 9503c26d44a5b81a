//! The calls of all clients, so that a kill can be shown to have had one in flight.

use std::collections::HashMap;
use std::fmt;
use std::sync::Mutex;

use super::Side;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The node never got the request.
    NotSent,
    /// The node got it, and went away without an answer.
    Broken,
    /// It answered, and its own request to the peer had gone well or was not made.
    Answered,
    /// It answered that a request to the peer broke on an open line.
    LineBroke,
}

#[derive(Debug)]
struct Call {
    side: Side,
    /// Whether the whole request is on its way.
    written: bool,
    end: Option<End>,
}

#[derive(Debug)]
struct Kill {
    victim: Side,
    /// The calls that had been written and not answered when the kill was sent.
    in_flight: Vec<u64>,
}

#[derive(Debug, Default)]
struct State {
    calls: HashMap<u64, Call>,
    next: u64,
    kills: Vec<Kill>,
}

/// Every call and every kill so far.
#[derive(Debug, Default)]
pub(super) struct Calls {
    state: Mutex<State>,
}

/// How many kills there were, and how many of them interrupted something.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) all: usize,
    pub(super) counted: usize,
    /// A caller of the killed node lost its answer.
    pub(super) sending: usize,
    /// The other node lost the killed node's answer to a message.
    pub(super) receiving: usize,
}

impl Calls {
    pub(super) fn begin(&self, side: Side) -> u64 {
        let mut state = self.state.lock().unwrap();
        state.next += 1;
        let number = state.next;
        let call = Call {
            side,
            written: false,
            end: None,
        };
        state.calls.insert(number, call);
        number
    }

    pub(super) fn written(&self, number: u64) {
        let mut state = self.state.lock().unwrap();
        state.calls.get_mut(&number).unwrap().written = true;
    }

    pub(super) fn ended(&self, number: u64, end: End) {
        let mut state = self.state.lock().unwrap();
        state.calls.get_mut(&number).unwrap().end = Some(end);
    }

    /// Whether any call is waiting for its answer now.
    pub(super) fn any_in_flight(&self) -> bool {
        let state = self.state.lock().unwrap();
        state
            .calls
            .values()
            .any(|call| call.written && call.end.is_none())
    }

    /// Notes what is in flight, then kills. No call can end in between unnoticed: the note only
    /// says which calls to look at, their ends say whether the kill struck them.
    pub(super) fn kill(&self, victim: Side, kill: impl FnOnce()) {
        let mut state = self.state.lock().unwrap();
        let in_flight = state
            .calls
            .iter()
            .filter(|(_, call)| call.written && call.end.is_none())
            .map(|(number, _)| *number)
            .collect();
        state.kills.push(Kill { victim, in_flight });
        drop(state);
        kill();
    }

    pub(super) fn tally(&self) -> Tally {
        let state = self.state.lock().unwrap();
        let mut tally = Tally::default();
        for kill in &state.kills {
            let ended = |side: Side, end: End| {
                kill.in_flight.iter().any(|number| {
                    let call = &state.calls[number];
                    call.side == side && call.end == Some(end)
                })
            };
            let sending = ended(kill.victim, End::Broken);
            let receiving = ended(kill.victim.other(), End::LineBroke);
            tally.all += 1;
            tally.sending += usize::from(sending);
            tally.receiving += usize::from(receiving);
            tally.counted += usize::from(sending || receiving);
        }
        tally
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} kills, {} with a request in flight ({} broke a caller's request, {} the other node's)",
            self.all, self.counted, self.sending, self.receiving
        )
    }
}
