//! What a notification says. Plain text throughout; markup is dealt with where it is shown.

use tieline_node::model::{PendingAsk, PingView, ShutdownReport, Via};
use tieline_wire::name::is_disruptive;
use tieline_wire::problem::Problem;

use super::decide::Incoming;

/// A notification.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Notice {
    /// One line.
    pub(crate) summary: String,
    /// One or two sentences, or what a peer says.
    pub(crate) body: String,
    /// The page that a click opens, such as `/peers/box`.
    pub(crate) page: Option<String>,
    /// What *Reply* does, where there is something to reply to.
    pub(crate) reply: Option<Reply>,
    /// What it is about. A later one about the same takes its place.
    pub(crate) tag: Option<Tag>,
}

/// What a notification is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Tag {
    /// The messages of a peer.
    Messages(String),
    /// A peer's question, by its id.
    Ask(String),
    /// A test ping to a peer.
    Ping(String),
    /// A peer's pairing.
    Pairing(String),
}

/// What *Reply* does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    /// Opens this page, with the place to write focused.
    pub(crate) page: String,
    /// Where the platform lets the person write in the notification: the peer that gets the text.
    pub(crate) inline: Option<String>,
}

/// Lines of a message that are shown.
const LINES: usize = 3;
/// Characters of a message that are shown.
const CHARACTERS: usize = 240;

/// A message came in; `count` of its peer's have not been looked at.
pub(crate) fn message(message: &Incoming, count: usize, hide_text: bool) -> Notice {
    let peer = &message.peer;
    let who = match message.unauthenticated {
        true => format!("{peer} (unauthenticated)"),
        false => peer.clone(),
    };
    let summary = match count {
        0 | 1 => who,
        _ => format!("{who}: {count} new messages"),
    };
    let body = match (&message.text, hide_text) {
        (_, true) if count > 1 => String::new(),
        (_, true) => "1 new message.".to_owned(),
        (Some(text), false) => excerpt(text),
        (None, false) => format!("A message of type {}.", excerpt(&message.kind)),
    };
    Notice {
        summary,
        body,
        page: Some(format!("/messages/{peer}")),
        reply: Some(Reply {
            page: format!("/messages/{peer}?compose"),
            inline: Some(peer.clone()),
        }),
        tag: Some(Tag::Messages(peer.clone())),
    }
}

/// A peer's question waits for the person.
pub(crate) fn asked(ask: &PendingAsk, hide_text: bool) -> Notice {
    let peer = &ask.peer;
    let page = format!("/messages/{peer}?ask={}", ask.ask_id);
    Notice {
        summary: format!("{peer} asks"),
        body: match hide_text {
            true => "A question waits for your answer.".to_owned(),
            false => excerpt(&ask.text),
        },
        reply: Some(Reply {
            page: page.clone(),
            inline: None,
        }),
        page: Some(page),
        tag: Some(Tag::Ask(ask.ask_id.clone())),
    }
}

/// A machine joined with a link of this one, and waits for *Keep*.
pub(crate) fn joined(peer: &str) -> Notice {
    Notice {
        summary: format!("{peer} has joined with your link"),
        body: "Compare the words on both machines, then keep it or undo the joining.".to_owned(),
        page: Some(format!("/peers/{peer}")),
        tag: Some(Tag::Pairing(peer.to_owned())),
        ..Notice::default()
    }
}

/// A peer shows another key than the one that was paired.
pub(crate) fn new_key(peer: &str) -> Notice {
    Notice {
        summary: format!("{peer} shows another key"),
        body: "Nothing goes to it until you have paired it again or compared its fingerprint."
            .to_owned(),
        page: Some(format!("/peers/{peer}")),
        tag: Some(Tag::Pairing(peer.to_owned())),
        ..Notice::default()
    }
}

/// Something that was clicked in the tray could not be done.
pub(crate) fn not_done(problem: &Problem) -> Notice {
    Notice {
        summary: problem.summary.to_string(),
        body: sentences(&[&problem.cause, &problem.remedy]),
        ..Notice::default()
    }
}

/// This desktop shows no tray, so that the app cannot be seen once its window is closed.
pub(crate) fn no_tray() -> Notice {
    Notice {
        summary: "Tieline runs without an icon".to_owned(),
        body: "This desktop shows no tray icons. Start Tieline again to open its window, or add a \
               tray to the desktop (on GNOME the extension AppIndicator Support)."
            .to_owned(),
        page: Some("/peers".to_owned()),
        ..Notice::default()
    }
}

/// The window is there and its page is not.
pub(crate) fn empty_window() -> Notice {
    #[cfg(target_os = "linux")]
    let remedy = format!(
        "Quit it and start it with {}=1, which helps with some graphics drivers.",
        crate::platform::TURNED_OFF
    );
    #[cfg(windows)]
    let remedy = "Repair or install the WebView2 runtime, then start Tieline again.".to_owned();
    #[cfg(target_os = "macos")]
    let remedy = "Close the window and open it again from the menu bar.".to_owned();
    Notice {
        summary: "Tieline's window stays empty".to_owned(),
        body: format!(
            "The page in it did not come up in time. {remedy} Messages are sent and received all \
             the same, and `tieline` works in a terminal."
        ),
        ..Notice::default()
    }
}

/// The first lines of a text, without anything that a screen would obey or a reader not see.
fn excerpt(text: &str) -> String {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first: Vec<&str> = lines.by_ref().take(LINES).collect();
    let joined = first.join("\n");
    let mut shown: String = joined
        .chars()
        .filter(|c| *c == '\n' || !is_disruptive(*c))
        .take(CHARACTERS)
        .collect();
    if lines.next().is_some() || joined.chars().count() > CHARACTERS {
        shown.push('…');
    }
    shown
}

/// A test ping came back.
pub(crate) fn ping_answered(ping: &PingView) -> Notice {
    let way = match (ping.via, &ping.address) {
        (Via::Held, _) => "Over the connection it holds to this machine.".to_owned(),
        (_, Some(address)) => format!("Direct, at {address}."),
        (_, None) => "Direct.".to_owned(),
    };
    Notice {
        summary: format!("{} answered in {}", ping.peer, latency(ping.latency_ms)),
        body: way,
        page: Some(format!("/peers/{}", ping.peer)),
        tag: Some(Tag::Ping(ping.peer.clone())),
        ..Notice::default()
    }
}

/// A test ping did not come back.
pub(crate) fn ping_failed(peer: &str, problem: &Problem) -> Notice {
    Notice {
        summary: format!("{peer} did not answer"),
        body: sentences(&[&problem.summary, &problem.remedy]),
        page: Some(format!("/peers/{peer}")),
        tag: Some(Tag::Ping(peer.to_owned())),
        ..Notice::default()
    }
}

/// Tieline has been quit. `None` when nothing is left to say.
pub(crate) fn stopped(report: &ShutdownReport) -> Option<Notice> {
    let waiting = match report.queued {
        0 => None,
        1 => Some("1 message waits here and goes out when Tieline runs again.".to_owned()),
        n => Some(format!(
            "{n} messages wait here and go out when Tieline runs again."
        )),
    };
    let unknown = match report.unconfirmed {
        0 => None,
        1 => Some("Of 1 message it is not known whether it arrived.".to_owned()),
        n => Some(format!(
            "Of {n} messages it is not known whether they arrived."
        )),
    };
    let said: Vec<String> = [waiting, unknown].into_iter().flatten().collect();
    (!said.is_empty()).then(|| Notice {
        summary: "Tieline has stopped".to_owned(),
        body: said.join(" "),
        ..Notice::default()
    })
}

/// As the window writes it: `0.9 ms`, `42 ms`, `1.2 s`.
pub(crate) fn latency(ms: f64) -> String {
    if ms < 9.95 {
        format!("{ms:.1} ms")
    } else if ms < 999.5 {
        format!("{ms:.0} ms")
    } else {
        format!("{:.1} s", ms / 1000.0)
    }
}

/// Joins sentences, each with its full stop.
fn sentences(parts: &[&str]) -> String {
    let ended = |part: &str| match part.trim_end() {
        whole if whole.ends_with(['.', '!', '?']) => whole.to_owned(),
        open => format!("{open}."),
    };
    let parts: Vec<String> = parts
        .iter()
        .filter(|part| !part.trim().is_empty())
        .map(|part| ended(part))
        .collect();
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tieline_wire::problem::Code;

    use super::*;

    #[test]
    fn a_failed_ping_says_what_failed_and_what_to_do() {
        let problem =
            Problem::new(Code::ConnectRefused).summary("10.0.0.2:3100 refused the connection");
        let notice = ping_failed("box", &problem);
        assert_eq!(notice.summary, "box did not answer");
        assert!(
            notice
                .body
                .starts_with("10.0.0.2:3100 refused the connection. "),
            "{}",
            notice.body
        );
        assert!(notice.body.contains(problem.remedy.trim_end_matches('.')));
        assert_eq!(notice.page.as_deref(), Some("/peers/box"));
    }

    #[test]
    fn only_the_first_lines_of_a_message_are_shown_and_none_of_its_control_characters() {
        assert_eq!(excerpt("one\r\n\n  two\nthree"), "one\ntwo\nthree");
        assert_eq!(excerpt("1\n2\n3\n4"), "1\n2\n3…");
        assert_eq!(excerpt("\u{1b}[31mred\u{7}"), "[31mred");
        let turned = excerpt("pay \u{202e}001\u{202c} to a\u{200b}lice\u{feff}");
        assert_eq!(turned, "pay 001 to alice");
        let long = excerpt(&"é".repeat(1000));
        assert_eq!(long.chars().count(), CHARACTERS + 1);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn quitting_with_nothing_left_says_nothing() {
        assert_eq!(stopped(&ShutdownReport::default()), None);
    }

    #[test]
    fn quitting_says_what_waits_and_what_is_unknown() {
        let notice = stopped(&ShutdownReport {
            queued: 2,
            unconfirmed: 1,
        })
        .unwrap();
        assert_eq!(
            notice.body,
            "2 messages wait here and go out when Tieline runs again. \
             Of 1 message it is not known whether it arrived."
        );
    }

    #[test]
    fn latencies_have_as_many_digits_as_mean_something() {
        let said: Vec<String> = [0.94, 42.4, 1234.0].into_iter().map(latency).collect();
        assert_eq!(said, ["0.9 ms", "42 ms", "1.2 s"]);
    }
}
