//! What a notification says. Plain text throughout; markup is dealt with where it is shown.

use tieline_node::model::{PingView, ShutdownReport, Via};
use tieline_wire::problem::Problem;

/// A notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    /// One line.
    pub(crate) summary: String,
    /// One or two sentences.
    pub(crate) body: String,
    /// The page that a click opens, such as `/peers/box`.
    pub(crate) page: Option<String>,
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
    }
}

/// A test ping did not come back.
pub(crate) fn ping_failed(peer: &str, problem: &Problem) -> Notice {
    Notice {
        summary: format!("{peer} did not answer"),
        body: sentences(&[&problem.summary, &problem.remedy]),
        page: Some(format!("/peers/{peer}")),
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
        page: None,
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
