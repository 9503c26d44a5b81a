//! What is worth a notification. Nothing here looks at a clock or a window: both are given.

use std::collections::{HashMap, HashSet};

use tieline_node::model::{NotificationPreferences, PeerStateView, PendingAsk, TimeOfDay};
use tieline_wire::ask::{ANSWER_TYPE, ASK_TYPE};
use tieline_wire::time::UnixMillis;

use super::words::{self, Notice};

/// KithKit's heartbeats are messages of this type.
const HEARTBEAT: &str = "status";

/// What a decision depends on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Around {
    /// Now.
    pub(crate) now: UnixMillis,
    /// The same by the clock on the wall; `None` where this machine does not know its time zone.
    pub(crate) time: Option<TimeOfDay>,
    /// What the person prefers.
    pub(crate) preferences: NotificationPreferences,
    /// Peers whose messages show no notification.
    pub(crate) muted: HashSet<String>,
    /// The page that the focused window shows, such as `/messages/box`.
    pub(crate) page: Option<String>,
}

/// A message that has come in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Incoming {
    pub(crate) peer: String,
    /// Type of the payload.
    pub(crate) kind: String,
    pub(crate) text: Option<String>,
    /// It carries no proof that it is the peer's.
    pub(crate) unauthenticated: bool,
}

/// Why nothing is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    /// Between machines, not for a person.
    NotForPeople,
    /// The person paused notifications.
    Paused,
    /// Quiet hours.
    Quiet,
    /// The peer is muted.
    Muted,
    /// The person is looking at it.
    InView,
}

impl Around {
    /// Whether something that a peer says is shown now.
    ///
    /// # Errors
    /// Why it is not.
    pub(crate) fn lets_through(&self, peer: &str) -> Result<(), Held> {
        let preferences = &self.preferences;
        if preferences
            .paused_until
            .is_some_and(|until| self.now < until)
        {
            Err(Held::Paused)
        } else if let (Some(hours), Some(time)) = (preferences.quiet_hours, self.time)
            && hours.contains(time)
        {
            Err(Held::Quiet)
        } else if self.muted.contains(peer) {
            Err(Held::Muted)
        } else if self.page.as_deref().is_some_and(|page| shows(page, peer)) {
            Err(Held::InView)
        } else {
            Ok(())
        }
    }
}

/// Whether a page shows what a peer says: its own page, its conversation, or the list of all.
fn shows(page: &str, peer: &str) -> bool {
    let path = page.split('?').next().unwrap_or_default();
    let of = |place: &str| path.strip_prefix(place).map(|name| name == peer);
    path == "/messages" || of("/messages/").or_else(|| of("/peers/")) == Some(true)
}

/// How many messages of each peer the notification on the screen stands for.
#[derive(Debug, Default)]
pub(crate) struct Bursts {
    counts: HashMap<String, usize>,
}

impl Bursts {
    /// The notifications for messages that came in together: one for each peer.
    pub(crate) fn arrived(&mut self, messages: &[Incoming], around: &Around) -> Vec<Notice> {
        let mut notices: Vec<Notice> = Vec::new();
        for message in messages {
            if judge(message, around).is_err() {
                continue;
            }
            let count = self.counts.entry(message.peer.clone()).or_default();
            *count += 1;
            let notice = words::message(message, *count, around.preferences.hide_text);
            notices.retain(|earlier| earlier.tag != notice.tag);
            notices.push(notice);
        }
        notices
    }

    /// A peer's notification is gone: it was answered, closed, or what it said has been read.
    pub(crate) fn gone(&mut self, peer: &str) {
        self.counts.remove(peer);
    }
}

/// Whether a message is shown.
///
/// # Errors
/// Why it is not.
pub(crate) fn judge(message: &Incoming, around: &Around) -> Result<(), Held> {
    // A question has a notification of its own where it waits for the person.
    if [HEARTBEAT, ASK_TYPE, ANSWER_TYPE].contains(&message.kind.as_str()) {
        return Err(Held::NotForPeople);
    }
    around.lets_through(&message.peer)
}

/// What has been told of peers and their questions, so that it is told once.
#[derive(Debug, Default)]
pub(crate) struct Told {
    peers: HashMap<String, PeerStateView>,
    asks: HashSet<String>,
}

impl Told {
    /// What the peers' states ask for. It is shown whatever else is paused: it needs a decision.
    pub(crate) fn peers(&mut self, now: HashMap<String, PeerStateView>) -> Vec<Notice> {
        let mut notices = Vec::new();
        for (name, state) in &now {
            if self.peers.get(name) == Some(state) {
                continue;
            }
            match state {
                PeerStateView::Joined => notices.push(words::joined(name)),
                PeerStateView::NewKey => notices.push(words::new_key(name)),
                PeerStateView::Kept | PeerStateView::Revoked => {}
            }
        }
        self.peers = now;
        notices
    }

    /// The questions that wait for the person and have not been shown.
    pub(crate) fn asks(&mut self, waiting: &[PendingAsk], around: &Around) -> Vec<Notice> {
        let new = waiting
            .iter()
            .filter(|ask| !self.asks.contains(&ask.ask_id));
        let notices = new
            .filter(|ask| around.lets_through(&ask.peer).is_ok())
            .map(|ask| words::asked(ask, around.preferences.hide_text))
            .collect();
        self.asks = waiting.iter().map(|ask| ask.ask_id.clone()).collect();
        notices
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tieline_node::model::QuietHours;

    use super::*;

    const NOW: UnixMillis = UnixMillis(1_000_000);

    fn around() -> Around {
        Around {
            now: NOW,
            time: TimeOfDay::new(12, 0),
            ..Around::default()
        }
    }

    fn message(peer: &str, text: &str) -> Incoming {
        Incoming {
            peer: peer.to_owned(),
            kind: "text".to_owned(),
            text: Some(text.to_owned()),
            unauthenticated: false,
        }
    }

    fn at(page: &str) -> Around {
        Around {
            page: Some(page.to_owned()),
            ..around()
        }
    }

    #[test]
    fn a_message_says_who_and_what_and_offers_to_reply() {
        let notices = Bursts::default().arrived(&[message("box", "Build is green.")], &around());
        let [notice] = &notices[..] else {
            panic!("{notices:?}")
        };
        assert_eq!(notice.summary, "box");
        assert_eq!(notice.body, "Build is green.");
        assert_eq!(notice.page.as_deref(), Some("/messages/box"));
        let reply = notice.reply.as_ref().unwrap();
        assert_eq!(reply.page, "/messages/box?compose");
    }

    #[test]
    fn a_burst_is_one_notification_for_each_peer_with_a_count() {
        let mut bursts = Bursts::default();
        bursts.arrived(&[message("box", "one")], &around());
        let together = [
            message("box", "two"),
            message("mac", "hello"),
            message("box", "three"),
        ];
        let notices = bursts.arrived(&together, &around());
        let said: Vec<_> = notices
            .iter()
            .map(|notice| (notice.summary.as_str(), notice.body.as_str()))
            .collect();
        assert_eq!(said, [("mac", "hello"), ("box: 3 new messages", "three")]);
        let first = Bursts::default().arrived(&[message("box", "one")], &around());
        assert_eq!(
            first[0].tag, notices[1].tag,
            "it takes the place of the one before"
        );

        bursts.gone("box");
        let again = bursts.arrived(&[message("box", "four")], &around());
        assert_eq!(again[0].summary, "box");
    }

    #[test]
    fn pauses_quiet_hours_and_muting_hold_messages_back() {
        let judged = |around: &Around| judge(&message("box", "x"), around);
        let mut paused = around();
        paused.preferences.paused_until = Some(UnixMillis(NOW.0 + 1));
        assert_eq!(judged(&paused), Err(Held::Paused));
        paused.preferences.paused_until = Some(NOW);
        assert_eq!(judged(&paused), Ok(()), "a pause ends by itself");

        let mut quiet = around();
        quiet.preferences.quiet_hours = Some(QuietHours {
            from: TimeOfDay::new(22, 0).unwrap(),
            to: TimeOfDay::new(7, 0).unwrap(),
        });
        assert_eq!(judged(&quiet), Ok(()));
        quiet.time = TimeOfDay::new(6, 59);
        assert_eq!(judged(&quiet), Err(Held::Quiet));
        quiet.time = None;
        assert_eq!(judged(&quiet), Ok(()), "without a clock nothing is lost");

        let mut muted = around();
        muted.muted.insert("box".to_owned());
        assert_eq!(judged(&muted), Err(Held::Muted));
        assert_eq!(judge(&message("mac", "x"), &muted), Ok(()));
    }

    #[test]
    fn what_the_person_is_looking_at_needs_no_notification() {
        let judged = |page: &str| judge(&message("box", "x"), &at(page));
        for page in [
            "/peers/box",
            "/messages",
            "/messages/box",
            "/messages/box?compose",
        ] {
            assert_eq!(judged(page), Err(Held::InView), "{page}");
        }
        for page in [
            "/peers",
            "/peers/box2",
            "/messages/mac",
            "/pair",
            "/settings",
        ] {
            assert_eq!(judged(page), Ok(()), "{page}");
        }
    }

    #[test]
    fn what_machines_say_to_each_other_is_not_for_people() {
        for kind in [HEARTBEAT, ASK_TYPE, ANSWER_TYPE] {
            let mut message = message("box", "idle");
            message.kind = kind.to_owned();
            assert_eq!(
                judge(&message, &around()),
                Err(Held::NotForPeople),
                "{kind}"
            );
        }
    }

    #[test]
    fn text_can_be_hidden_and_what_is_unproven_is_said() {
        let mut hidden = around();
        hidden.preferences.hide_text = true;
        let mut bursts = Bursts::default();
        let one = bursts.arrived(&[message("box", "secret plan")], &hidden);
        assert_eq!(
            (one[0].summary.as_str(), one[0].body.as_str()),
            ("box", "1 new message.")
        );
        let two = bursts.arrived(&[message("box", "secret plan")], &hidden);
        assert!(!format!("{two:?}").contains("secret"), "{two:?}");
        let mut unproven = message("box", "hello");
        unproven.unauthenticated = true;
        let notices = Bursts::default().arrived(&[unproven], &around());
        assert_eq!(notices[0].summary, "box (unauthenticated)");
    }

    #[test]
    fn joined_peers_and_changed_keys_are_told_once_whatever_is_paused() {
        let mut told = Told::default();
        let states = |state| HashMap::from([("box".to_owned(), state)]);
        assert_eq!(told.peers(HashMap::new()), []);
        let joined = told.peers(states(PeerStateView::Joined));
        assert_eq!(joined[0].summary, "box has joined with your link");
        assert_eq!(joined[0].page.as_deref(), Some("/peers/box"));
        assert_eq!(told.peers(states(PeerStateView::Joined)), []);
        assert_eq!(told.peers(states(PeerStateView::Kept)), []);
        let changed = told.peers(states(PeerStateView::NewKey));
        assert_eq!(changed[0].summary, "box shows another key");
        assert_eq!(told.peers(states(PeerStateView::Kept)), []);
        assert_eq!(
            told.peers(states(PeerStateView::NewKey)).len(),
            1,
            "again is news"
        );
    }

    #[test]
    fn a_question_that_waits_for_the_person_is_told_once() {
        let ask = PendingAsk {
            ask_id: "a1".to_owned(),
            peer: "box".to_owned(),
            text: "May I deploy?".to_owned(),
            received_at: String::new(),
            deadline_at: String::new(),
        };
        let mut told = Told::default();
        let notices = told.asks(std::slice::from_ref(&ask), &around());
        assert_eq!(notices[0].summary, "box asks");
        assert_eq!(notices[0].body, "May I deploy?");
        assert!(notices[0].reply.is_some());
        assert_eq!(told.asks(std::slice::from_ref(&ask), &around()), []);
        assert_eq!(told.asks(&[], &around()), []);
        assert_eq!(told.asks(&[ask], &at("/messages/box")), [], "it is in view");
    }
}
