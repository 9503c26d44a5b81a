//! Who may use the page: codes that open it once, and the bearers they are exchanged for.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use subtle::ConstantTimeEq;
use tieline_node::Quiet;
use tieline_wire::problem::{Code, Problem};

/// How long a link opens the page.
pub const CODE_LIFE: Duration = Duration::from_secs(60);
/// How long a page may be left alone before it has to be opened anew.
const SESSION_IDLE: Duration = Duration::from_secs(12 * 3600);
/// Links that are open at once; the oldest makes room.
const MOST_CODES: usize = 4;
/// Pages that are open at once; the one left alone longest makes room.
const MOST_SESSIONS: usize = 16;

/// Makes links, takes their codes, and knows the bearers of open pages. Everything in it is gone
/// when the node stops.
#[derive(Clone)]
pub struct Door(Arc<Inner>);

struct Inner {
    /// `host:port` of the links.
    place: String,
    clock: Clock,
    state: Mutex<State>,
    /// Lines about wrong codes, which every program on this machine can cause.
    wrong_codes: Quiet,
}

/// Elapsed time since an arbitrary moment; the sleep of the machine counts.
type Clock = Box<dyn Fn() -> Duration + Send + Sync>;

#[derive(Default)]
struct State {
    codes: Vec<OpenCode>,
    sessions: Vec<Session>,
}

struct OpenCode {
    code: String,
    expires: Duration,
}

struct Session {
    bearer: String,
    last_used: Duration,
}

impl Door {
    /// A door whose links lead to `place`, `host:port`.
    pub(super) fn new(place: &str) -> Self {
        let begun = boot_time::Instant::now();
        Self::with_clock(place, Box::new(move || begun.elapsed()))
    }

    fn with_clock(place: &str, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            place: place.to_owned(),
            clock,
            state: Mutex::default(),
            wrong_codes: Quiet::default(),
        }))
    }

    /// A new link. It opens the page once, within [`CODE_LIFE`].
    ///
    /// # Errors
    /// `INTERNAL` when the operating system gives no randomness.
    pub fn link(&self) -> Result<String, Problem> {
        let code = random()?;
        let now = (self.0.clock)();
        let mut state = self.0.state.lock();
        state.forget_old(now);
        if state.codes.len() == MOST_CODES {
            state.codes.remove(0);
        }
        state.codes.push(OpenCode {
            code: code.clone(),
            expires: now + CODE_LIFE,
        });
        Ok(format!("http://{}/#code={code}", self.0.place))
    }

    /// Takes a link's code and gives a bearer for it.
    ///
    /// # Errors
    /// `PAGE_CODE_INVALID` for a code that is wrong, used or too old; `INTERNAL` without randomness.
    pub(super) fn exchange(&self, given: &str) -> Result<String, Problem> {
        let bearer = random()?;
        let now = (self.0.clock)();
        let mut state = self.0.state.lock();
        state.forget_old(now);
        let found = state.codes.iter().position(|open| same(&open.code, given));
        let Some(found) = found else {
            // Nothing is locked: a code of 256 bits is not guessed, and whoever may come with wrong
            // ones could keep the person out.
            drop(state);
            if let Some(left_out) = self.0.wrong_codes.turn() {
                tracing::warn!(left_out, "a browser came with a code that opens nothing");
            }
            return Err(Problem::new(Code::PageCodeInvalid));
        };
        state.codes.remove(found);
        if state.sessions.len() == MOST_SESSIONS {
            state.sessions.sort_by_key(|session| session.last_used);
            state.sessions.remove(0);
        }
        state.sessions.push(Session {
            bearer: bearer.clone(),
            last_used: now,
        });
        Ok(bearer)
    }

    /// Whether `given` is the bearer of an open page.
    pub(super) fn admits(&self, given: &str) -> bool {
        let now = (self.0.clock)();
        let mut state = self.0.state.lock();
        state.forget_old(now);
        let mut admitted = false;
        for session in &mut state.sessions {
            if same(&session.bearer, given) {
                session.last_used = now;
                admitted = true;
            }
        }
        admitted
    }
}

impl State {
    fn forget_old(&mut self, now: Duration) {
        self.codes.retain(|open| now < open.expires);
        self.sessions
            .retain(|session| now < session.last_used + SESSION_IDLE);
    }
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door")
            .field("place", &self.0.place)
            .finish_non_exhaustive()
    }
}

/// 256 bits from the operating system, as text that an address can carry.
fn random() -> Result<String, Problem> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        Problem::new(Code::Internal)
            .because(format!("The operating system gave no randomness: {error}."))
    })?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

/// Compares without telling by its time where two texts differ.
fn same(own: &str, given: &str) -> bool {
    bool::from(own.as_bytes().ct_eq(given.as_bytes()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// A door and the hand of its clock, in seconds.
    fn door() -> (Door, Arc<AtomicU64>) {
        let hand = Arc::new(AtomicU64::new(1000));
        let seen = Arc::clone(&hand);
        let clock = Box::new(move || Duration::from_secs(seen.load(Ordering::Relaxed)));
        (Door::with_clock("127.0.0.1:3849", clock), hand)
    }

    fn code(door: &Door) -> String {
        let link = door.link().unwrap();
        let (place, code) = link.split_once("/#code=").unwrap();
        assert_eq!(place, "http://127.0.0.1:3849");
        code.to_owned()
    }

    fn refused(door: &Door, code: &str) -> bool {
        matches!(door.exchange(code), Err(problem) if problem.code == Code::PageCodeInvalid)
    }

    #[test]
    fn a_code_works_once() {
        let (door, _) = door();
        let code = code(&door);
        let bearer = door.exchange(&code).unwrap();
        assert!(door.admits(&bearer));
        assert!(refused(&door, &code));
        assert!(door.admits(&bearer), "the page that came first stays open");
        assert_ne!(bearer, code);
        assert!(!door.admits(&code));
    }

    #[test]
    fn a_code_works_for_a_minute_and_no_longer() {
        let (door, hand) = door();
        let (early, late) = (code(&door), code(&door));
        hand.fetch_add(59, Ordering::Relaxed);
        assert!(door.exchange(&early).is_ok());
        hand.fetch_add(1, Ordering::Relaxed);
        assert!(refused(&door, &late));
    }

    #[test]
    fn wrong_codes_open_nothing_and_keep_nobody_out() {
        let (door, _) = door();
        let right = code(&door);
        for guess in ["", "x", &right[1..], &format!("{right}x")] {
            assert!(refused(&door, guess));
        }
        for _ in 0..1_000 {
            assert!(refused(&door, "guess"));
        }
        assert!(door.exchange(&right).is_ok());
    }

    #[test]
    fn only_so_many_links_and_pages_are_open_at_once() {
        let (door, hand) = door();
        let codes: Vec<String> = (0..=MOST_CODES).map(|_| code(&door)).collect();
        assert!(refused(&door, &codes[0]), "the oldest made room");
        let first = door.exchange(&codes[1]).unwrap();
        for _ in 1..MOST_SESSIONS {
            hand.fetch_add(1, Ordering::Relaxed);
            door.exchange(&code(&door)).unwrap();
        }
        assert!(door.admits(&first), "just used again");
        door.exchange(&code(&door)).unwrap();
        assert!(door.admits(&first));
        assert_eq!(door.0.state.lock().sessions.len(), MOST_SESSIONS);
    }

    #[test]
    fn a_page_left_alone_has_to_be_opened_anew() {
        let (door, hand) = door();
        let bearer = door.exchange(&code(&door)).unwrap();
        let almost = SESSION_IDLE.as_secs() - 1;
        hand.fetch_add(almost, Ordering::Relaxed);
        assert!(door.admits(&bearer));
        hand.fetch_add(almost, Ordering::Relaxed);
        assert!(door.admits(&bearer), "using it counts anew");
        hand.fetch_add(almost + 1, Ordering::Relaxed);
        assert!(!door.admits(&bearer));
    }

    #[test]
    fn nothing_of_it_can_be_printed() {
        let (door, _) = door();
        let code = code(&door);
        let bearer = door.exchange(&code).unwrap();
        let shown = format!("{door:?}");
        assert!(
            !shown.contains(&code) && !shown.contains(&bearer),
            "{shown}"
        );
    }
}
