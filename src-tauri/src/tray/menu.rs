//! What the tray's menu says, as data.

use tieline_node::model::{DirectionState, NodeStatus, PeerStateView, PeerView};

/// What the tray shows. Compared with the last one, so that nothing is redrawn for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Face {
    pub(crate) shape: Shape,
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
    /// Says something.
    Words(String),
    Separator,
}

/// What a click asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    Open,
    Pair,
    /// Ping the peer of this name.
    Ping(String),
    Quit,
}

impl Action {
    /// The menu's id for it.
    pub(crate) fn id(&self) -> String {
        match self {
            Self::Open => "open".to_owned(),
            Self::Pair => "pair".to_owned(),
            Self::Ping(peer) => format!("ping:{peer}"),
            Self::Quit => "quit".to_owned(),
        }
    }

    /// The action of an id.
    pub(crate) fn from_id(id: &str) -> Option<Self> {
        match id {
            "open" => Some(Self::Open),
            "pair" => Some(Self::Pair),
            "quit" => Some(Self::Quit),
            _ => id
                .strip_prefix("ping:")
                .map(|peer| Self::Ping(peer.to_owned())),
        }
    }
}

/// The tray while the engine runs.
pub(crate) fn running(status: &NodeStatus, peers: &[PeerView]) -> Face {
    let pinged = peers.iter().filter(|peer| may_be_pinged(peer)).map(|peer| {
        action(
            Action::Ping(peer.name.clone()),
            &format!("Send test ping to {}", peer.name),
        )
    });
    let mut menu = vec![
        action(Action::Open, "Open Tieline"),
        action(Action::Pair, "Pair a machine…"),
        Entry::Separator,
    ];
    menu.extend(pinged);
    if menu.last() != Some(&Entry::Separator) {
        menu.push(Entry::Separator);
    }
    menu.push(action(Action::Quit, "Quit Tieline"));
    Face {
        shape: shape(status, peers),
        menu,
    }
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
    Face { shape, menu }
}

fn action(action: Action, label: &str) -> Entry {
    Entry::Action {
        action,
        label: label.to_owned(),
    }
}

fn may_be_pinged(peer: &PeerView) -> bool {
    matches!(peer.state, PeerStateView::Joined | PeerStateView::Kept)
}

fn shape(status: &NodeStatus, peers: &[PeerView]) -> Shape {
    let needs_a_person = |peer: &PeerView| peer.state == PeerStateView::NewKey;
    let unreachable =
        |peer: &PeerView| peer.line.out.state == DirectionState::Failed && !peer.online;
    let mut talking = peers.iter().filter(|peer| may_be_pinged(peer)).peekable();
    if !status.problems.is_empty() || peers.iter().any(needs_a_person) {
        Shape::Error
    } else if status.counts.unread > 0 {
        Shape::Unread
    } else if talking.peek().is_some() && talking.all(unreachable) {
        Shape::Offline
    } else {
        Shape::Idle
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;
    use tieline_wire::problem::{Code, Problem};

    use super::*;

    fn status(unread: u64) -> NodeStatus {
        serde_json::from_value(json!({
            "name": "mac", "home": "/h", "version": "0", "pid": 1, "host": "app", "startedAt": "", "uptimeMs": 0,
            "peerAddr": "0.0.0.0:3100", "vault": {"kind": "file", "description": ""}, "keyId": "", "pin": "",
            "fingerprint": "", "fingerprintGroups": [], "words": [], "storeId": "",
            "counts": {"peers": 0, "queued": 0, "unconfirmed": 0, "unread": unread}, "problems": []
        }))
        .unwrap()
    }

    fn peer(name: &str, state: &str, out: &str) -> PeerView {
        serde_json::from_value(json!({
            "name": name, "suggestedName": name, "dialect": "tieline", "state": state, "addresses": [],
            "pairedBy": "link", "pairedAt": "", "line": {"out": {"state": out}, "in": {"state": "unknown"}},
            "online": out == "ok", "queued": 0, "unconfirmed": 0, "unread": 0, "muted": false
        }))
        .unwrap()
    }

    fn labels(face: &Face) -> Vec<&str> {
        let label = |entry| match entry {
            &Entry::Action { ref label, .. } | &Entry::Words(ref label) => label.as_str(),
            &Entry::Separator => "-",
        };
        face.menu.iter().map(label).collect()
    }

    #[test]
    fn there_is_one_ping_for_each_peer_that_may_be_pinged() {
        let peers = [
            peer("box", "kept", "ok"),
            peer("new", "joined", "unknown"),
            peer("old", "newKey", "failed"),
        ];
        assert_eq!(
            labels(&running(&status(0), &peers)),
            [
                "Open Tieline",
                "Pair a machine…",
                "-",
                "Send test ping to box",
                "Send test ping to new",
                "-",
                "Quit Tieline"
            ]
        );
    }

    #[test]
    fn without_peers_there_are_no_doubled_separators() {
        assert_eq!(
            labels(&running(&status(0), &[])),
            ["Open Tieline", "Pair a machine…", "-", "Quit Tieline"]
        );
    }

    #[test]
    fn the_shape_tells_the_most_urgent_state() {
        let shape = |unread, peers: &[PeerView]| running(&status(unread), peers).shape;
        assert_eq!(shape(0, &[]), Shape::Idle);
        assert_eq!(
            shape(0, &[peer("a", "kept", "failed"), peer("b", "kept", "ok")]),
            Shape::Idle
        );
        assert_eq!(shape(0, &[peer("a", "kept", "failed")]), Shape::Offline);
        assert_eq!(shape(1, &[peer("a", "kept", "failed")]), Shape::Unread);
        assert_eq!(shape(1, &[peer("a", "newKey", "failed")]), Shape::Error);
        let mut damaged = status(0);
        damaged.problems.push(Problem::new(Code::StoreFull));
        assert_eq!(running(&damaged, &[]).shape, Shape::Error);
    }

    #[test]
    fn a_failed_engine_can_still_be_looked_at_and_quit() {
        let face = failed("The message database is damaged");
        assert_eq!(
            labels(&face),
            [
                "The message database is damaged",
                "-",
                "Open Tieline",
                "Quit Tieline"
            ]
        );
        assert_eq!(face.shape, Shape::Error);
    }

    #[test]
    fn ids_lead_back_to_their_actions() {
        for action in [
            Action::Open,
            Action::Pair,
            Action::Ping("a:b".to_owned()),
            Action::Quit,
        ] {
            assert_eq!(Action::from_id(&action.id()), Some(action));
        }
        assert_eq!(Action::from_id("separator"), None);
    }
}
