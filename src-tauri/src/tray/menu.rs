//! What the tray shows, as data: made from what the engine says, compared with what is there.

use std::collections::HashMap;

use tieline_node::model::{
    DirectionState, MessageView, NodeStatus, PeerStateView, PeerView, Preferences,
};
use tieline_wire::time::UnixMillis;

use super::words;

/// What the tray shows. Compared with the last one, so that nothing is redrawn for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Face {
    pub(crate) shape: Shape,
    /// The state in words: the menu's first line, and the tooltip.
    pub(crate) words: String,
    pub(crate) menu: Vec<Entry>,
}

/// The state as a shape, see `icons/tray`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The line is whole.
    Idle,
    /// A third dot: something unread.
    Unread,
    /// A gap: no peer can be reached.
    Offline,
    /// Two bars: notifications are paused.
    Paused,
    /// "!": something needs a person.
    Error,
}

/// A line of the menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Does something when clicked.
    Action {
        action: Action,
        label: String,
    },
    /// The same, with a mark where it holds.
    Choice {
        action: Action,
        label: String,
        chosen: bool,
    },
    /// Says something.
    Words(String),
    /// Opens more lines.
    More {
        label: String,
        menu: Vec<Entry>,
    },
    Separator,
}

/// What a click asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    Open,
    Pair,
    /// Ping the peer of this name.
    Ping(String),
    PingAll,
    /// Show what was said with the peer of this name.
    Conversation(String),
    /// Mute the peer of this name, or no longer.
    Mute(String),
    Pause(Pause),
    StartAtLogin,
    Quit,
}

/// How long notifications are paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pause {
    OneHour,
    UntilTomorrow,
    /// Not at all.
    Off,
}

impl Action {
    /// The menu's id for it.
    pub(crate) fn id(&self) -> String {
        match self {
            Self::Open => "open".to_owned(),
            Self::Pair => "pair".to_owned(),
            Self::Ping(peer) => format!("ping:{peer}"),
            Self::PingAll => "ping-all".to_owned(),
            Self::Conversation(peer) => format!("conversation:{peer}"),
            Self::Mute(peer) => format!("mute:{peer}"),
            Self::Pause(Pause::OneHour) => "pause-hour".to_owned(),
            Self::Pause(Pause::UntilTomorrow) => "pause-tomorrow".to_owned(),
            Self::Pause(Pause::Off) => "pause-off".to_owned(),
            Self::StartAtLogin => "start-at-login".to_owned(),
            Self::Quit => "quit".to_owned(),
        }
    }

    /// The action of an id.
    pub(crate) fn from_id(id: &str) -> Option<Self> {
        let action = match id {
            "open" => Self::Open,
            "pair" => Self::Pair,
            "ping-all" => Self::PingAll,
            "pause-hour" => Self::Pause(Pause::OneHour),
            "pause-tomorrow" => Self::Pause(Pause::UntilTomorrow),
            "pause-off" => Self::Pause(Pause::Off),
            "start-at-login" => Self::StartAtLogin,
            "quit" => Self::Quit,
            _ => {
                let (what, peer) = id.split_once(':')?;
                let peer = peer.to_owned();
                match what {
                    "ping" => Self::Ping(peer),
                    "conversation" => Self::Conversation(peer),
                    "mute" => Self::Mute(peer),
                    _ => return None,
                }
            }
        };
        Some(action)
    }
}

/// What the tray is made from while the engine runs.
pub(crate) struct Facts {
    pub(crate) now: UnixMillis,
    pub(crate) status: NodeStatus,
    pub(crate) peers: Vec<PeerView>,
    pub(crate) preferences: Preferences,
    /// The newest incoming messages, newest first.
    pub(crate) recent: Vec<MessageView>,
    /// What came of the last test ping to each peer, by its name.
    pub(crate) pings: HashMap<String, String>,
    /// Whether Tieline starts at login; `None` where that cannot be told.
    pub(crate) at_login: Option<bool>,
}

impl Facts {
    /// Until when notifications are paused, if they are.
    pub(super) fn paused_until(&self) -> Option<UnixMillis> {
        let until = self.preferences.notifications.paused_until;
        until.filter(|until| *until > self.now)
    }
}

/// The tray while the engine runs.
pub(crate) fn running(facts: &Facts) -> Face {
    let shape = shape(facts);
    let words = words::state(shape, facts);
    let mut menu = vec![
        Entry::Words(words.clone()),
        action(Action::Open, "Open Tieline"),
        action(Action::Pair, "Pair a machine…"),
        Entry::Separator,
    ];
    if !facts.peers.is_empty() {
        menu.extend(facts.peers.iter().map(|one| peer(one, facts)));
        if facts.peers.iter().any(may_be_pinged) {
            menu.push(action(Action::PingAll, "Ping everyone"));
        }
        menu.push(Entry::Separator);
    }
    if !facts.recent.is_empty() {
        menu.push(Entry::More {
            label: "Recent messages".to_owned(),
            menu: facts.recent.iter().map(recent).collect(),
        });
    }
    menu.push(pause(facts));
    if let Some(chosen) = facts.at_login {
        menu.push(Entry::Choice {
            action: Action::StartAtLogin,
            label: "Start at login".to_owned(),
            chosen,
        });
    }
    menu.extend([Entry::Separator, action(Action::Quit, "Quit Tieline")]);
    Face { shape, words, menu }
}

/// The tray before the engine runs.
pub(crate) fn starting() -> Face {
    not_running("Starting…", Shape::Idle)
}

/// The tray when the engine could not start; the window says why.
pub(crate) fn failed(summary: &str) -> Face {
    not_running(summary, Shape::Error)
}

fn not_running(words: &str, shape: Shape) -> Face {
    let menu = vec![
        Entry::Words(words.to_owned()),
        Entry::Separator,
        action(Action::Open, "Open Tieline"),
        action(Action::Quit, "Quit Tieline"),
    ];
    Face {
        shape,
        words: words.to_owned(),
        menu,
    }
}

fn peer(peer: &PeerView, facts: &Facts) -> Entry {
    let name = &peer.name;
    let mut menu = vec![Entry::Words(words::peer(peer))];
    if may_be_pinged(peer) {
        menu.push(action(Action::Ping(name.clone()), "Send test ping"));
        if let Some(result) = facts.pings.get(name) {
            menu.push(Entry::Words(format!("Last test ping: {result}")));
        }
    }
    menu.extend([
        action(Action::Conversation(name.clone()), "Open conversation"),
        Entry::Choice {
            action: Action::Mute(name.clone()),
            label: "Mute".to_owned(),
            chosen: peer.muted,
        },
    ]);
    Entry::More {
        label: format!("{name}: {}", words::peer_briefly(peer)),
        menu,
    }
}

fn recent(message: &MessageView) -> Entry {
    action(
        Action::Conversation(message.peer.clone()),
        &words::recent(message),
    )
}

fn pause(facts: &Facts) -> Entry {
    let paused = facts.paused_until();
    Entry::More {
        label: match paused {
            Some(until) => format!(
                "Notifications are paused until {}",
                words::time(until, facts.now)
            ),
            None => "Pause notifications".to_owned(),
        },
        menu: vec![
            action(Action::Pause(Pause::OneHour), "For one hour"),
            action(Action::Pause(Pause::UntilTomorrow), "Until tomorrow"),
            Entry::Choice {
                action: Action::Pause(Pause::Off),
                label: "Off".to_owned(),
                chosen: paused.is_none(),
            },
        ],
    }
}

fn action(action: Action, label: &str) -> Entry {
    Entry::Action {
        action,
        label: label.to_owned(),
    }
}

/// Whether a peer can be asked for an answer.
pub(crate) fn may_be_pinged(peer: &PeerView) -> bool {
    matches!(peer.state, PeerStateView::Joined | PeerStateView::Kept)
}

/// Whether the last try to reach a peer failed and it has said nothing since.
pub(super) const fn is_out_of_reach(peer: &PeerView) -> bool {
    matches!(peer.line.out.state, DirectionState::Failed) && !peer.online
}

fn shape(facts: &Facts) -> Shape {
    let needs_a_person = |peer: &PeerView| peer.state == PeerStateView::NewKey;
    let mut talking = facts
        .peers
        .iter()
        .filter(|peer| may_be_pinged(peer))
        .peekable();
    if !facts.status.problems.is_empty() || facts.peers.iter().any(needs_a_person) {
        Shape::Error
    } else if facts.status.counts.unread > 0 {
        Shape::Unread
    } else if facts.paused_until().is_some() {
        Shape::Paused
    } else if talking.peek().is_some() && talking.all(is_out_of_reach) {
        Shape::Offline
    } else {
        Shape::Idle
    }
}

#[cfg(test)]
#[path = "menu_tests.rs"]
mod tests;
