//! Tests of what the tray says.
#![allow(clippy::unwrap_used)]

use serde_json::json;
use tieline_wire::problem::{Code, Problem};

use super::*;

const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

fn status(unread: u64, queued: u64) -> NodeStatus {
    serde_json::from_value(json!({
        "name": "mac", "home": "/h", "version": "0", "pid": 1, "host": "app", "platform": "linux", "welcomed": true, "startedAt": "", "uptimeMs": 0,
        "peerAddr": "0.0.0.0:3100", "vault": {"kind": "file", "description": ""}, "keyId": "", "pin": "",
        "fingerprint": "", "fingerprintGroups": [], "words": [], "storeId": "",
        "counts": {"peers": 0, "queued": queued, "unconfirmed": 0, "unread": unread}, "problems": []
    }))
    .unwrap()
}

fn peer(name: &str, state: &str, out: &str) -> PeerView {
    serde_json::from_value(json!({
        "name": name, "suggestedName": name, "dialect": "tieline", "badge": "", "assurance": "", "state": state, "addresses": [],
        "pairedBy": "link", "pairedAt": "", "line": {"out": {"state": out}, "in": {"state": "unknown"}},
        "online": out == "ok", "latencyMs": 0.94, "queued": 0, "unconfirmed": 0, "unread": 0, "muted": false,
        "trial": false
    }))
    .unwrap()
}

/// A face with nothing special, changed by `change`.
fn face(status: NodeStatus, peers: &[PeerView], change: impl FnOnce(&mut Facts)) -> Face {
    let mut facts = Facts {
        now: NOW,
        status,
        peers: peers.to_vec(),
        preferences: Preferences::default(),
        recent: Vec::new(),
        pings: HashMap::new(),
        at_login: Some(false),
    };
    change(&mut facts);
    running(&facts)
}

fn plain(peers: &[PeerView]) -> Face {
    face(status(0, 0), peers, |_| ())
}

fn labels(menu: &[Entry]) -> Vec<String> {
    let mut labels = Vec::new();
    for entry in menu {
        match entry {
            Entry::Action { label, .. } | Entry::Words(label) => labels.push(label.clone()),
            Entry::Choice { label, chosen, .. } => {
                labels.push(format!("{label} [{}]", if *chosen { 'x' } else { ' ' }));
            }
            Entry::More { label, menu } => {
                let inside = self::labels(menu).join(" | ");
                labels.push(format!("{label} > {inside}"));
            }
            Entry::Separator => labels.push("-".to_owned()),
        }
    }
    labels
}

#[test]
fn a_peer_that_said_goodbye_is_asleep() {
    let mut away = peer("mac", "kept", "failed");
    away.asleep_since = Some("2026-01-01T10:00:00.000Z".to_owned());
    away.queued = 1;
    let said = labels(&plain(&[away]).menu);
    let line = "mac: asleep > Asleep: Tieline was stopped there, 1 waiting | Send test ping | Open conversation | Mute [ ]";
    assert!(said.iter().any(|label| label == line), "{said:?}");
}

#[test]
fn each_peer_has_its_status_and_what_can_be_done() {
    let mut muted = peer("mac", "kept", "failed");
    muted.muted = true;
    muted.queued = 2;
    muted.last_problem =
        Some(Problem::new(Code::ConnectRefused).summary("10.0.0.2:3100 refused the connection"));
    let peers = [
        peer("box", "kept", "ok"),
        muted,
        peer("old", "newKey", "failed"),
    ];
    let pings = HashMap::from([("box".to_owned(), "12 ms".to_owned())]);
    let face = face(status(0, 2), &peers, |facts| facts.pings = pings);
    assert_eq!(
        labels(&face.menu),
        [
            "old shows another key",
            "Open Tieline",
            "Pair a machine…",
            "-",
            "box: on line > Answers in 0.9 ms | Send test ping | Last test ping: 12 ms | Open conversation | Mute [ ]",
            "mac: out of reach > 10.0.0.2:3100 refused the connection, 2 waiting | Send test ping | Open conversation | Mute [x]",
            "old: shows another key > Shows another key than the one paired | Open conversation | Mute [ ]",
            "Ping everyone",
            "-",
            "Pause notifications > For one hour | Until tomorrow | Off [x]",
            "Start at login [ ]",
            "-",
            "Quit Tieline",
        ]
    );
}

#[test]
fn without_peers_there_are_no_doubled_separators() {
    assert_eq!(
        labels(&plain(&[]).menu),
        [
            "No machine is paired yet",
            "Open Tieline",
            "Pair a machine…",
            "-",
            "Pause notifications > For one hour | Until tomorrow | Off [x]",
            "Start at login [ ]",
            "-",
            "Quit Tieline",
        ]
    );
}

#[test]
fn recent_messages_say_who_and_how_they_begin() {
    let message: MessageView = serde_json::from_value(json!({
        "seq": 1, "messageId": "m", "direction": "in", "peer": "box", "type": "text", "bytes": 10,
        "text": "Build \u{202e}is\u{202c} green.\n\tAll 700 tests have passed, and the report is in place.",
        "sentAt": "", "createdAt": "", "state": "new"
    }))
    .unwrap();
    let face = face(status(1, 0), &[peer("box", "kept", "ok")], |facts| {
        facts.recent = vec![message];
    });
    let more = face.menu.iter().find_map(|entry| match entry {
        Entry::More { label, menu } if label == "Recent messages" => Some(menu),
        _ => None,
    });
    let expected = "box: Build is green. All 700 tests have passed, and t…";
    assert_eq!(labels(more.unwrap()), [expected]);
    assert_eq!(face.words, "1 unread message");
}

#[test]
fn a_pause_says_until_when_and_ends() {
    let mut preferences = Preferences::default();
    preferences.notifications.paused_until = Some(UnixMillis(NOW.0 + 60_000));
    let paused = face(status(0, 0), &[], |facts| {
        facts.preferences = preferences.clone()
    });
    assert_eq!(paused.shape, Shape::Paused);
    assert_eq!(paused.words, "Notifications are paused");
    let line = labels(&paused.menu).swap_remove(4);
    assert!(
        line.starts_with("Notifications are paused until "),
        "{line}"
    );
    assert!(line.ends_with("Off [ ]"), "{line}");
    let over = face(status(0, 0), &[], |facts| {
        facts.preferences = preferences.clone();
        facts.now = UnixMillis(NOW.0 + 60_000);
    });
    assert_eq!(over, plain(&[]));
}

#[test]
fn the_shape_tells_the_most_urgent_state() {
    let shape = |unread, peers: &[PeerView]| face(status(unread, 0), peers, |_| ()).shape;
    assert_eq!(shape(0, &[]), Shape::Idle);
    let one_away = [peer("a", "kept", "failed"), peer("b", "kept", "ok")];
    assert_eq!(shape(0, &one_away), Shape::Idle);
    assert_eq!(plain(&one_away).words, "a cannot be reached");
    let away = [peer("a", "kept", "failed")];
    assert_eq!(shape(0, &away), Shape::Offline);
    assert_eq!(shape(1, &away), Shape::Unread);
    assert_eq!(shape(1, &[peer("a", "newKey", "failed")]), Shape::Error);
    let mut damaged = status(0, 0);
    damaged.problems.push(Problem::new(Code::StoreFull));
    let face = face(damaged, &[], |_| ());
    assert_eq!(face.shape, Shape::Error);
    assert_eq!(face.words, Problem::new(Code::StoreFull).summary);
}

#[test]
fn what_waits_is_said() {
    let away = [peer("a", "kept", "failed")];
    let face = face(status(0, 2), &away, |_| ());
    assert_eq!(face.words, "No machine can be reached. 2 messages wait.");
}

#[test]
fn a_failed_engine_can_still_be_looked_at_and_quit() {
    let face = failed("The message database is damaged");
    assert_eq!(
        labels(&face.menu),
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
        Action::Ping("a.b".to_owned()),
        Action::PingAll,
        Action::Conversation("a".to_owned()),
        Action::Mute("a".to_owned()),
        Action::Pause(Pause::OneHour),
        Action::Pause(Pause::UntilTomorrow),
        Action::Pause(Pause::Off),
        Action::StartAtLogin,
        Action::Quit,
    ] {
        assert_eq!(Action::from_id(&action.id()), Some(action));
    }
    assert_eq!(Action::from_id("separator"), None);
    assert_eq!(Action::from_id("what:a"), None);
}
