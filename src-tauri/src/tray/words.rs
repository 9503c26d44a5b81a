//! The tray's sentences.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use tieline_node::model::{MessageView, PeerStateView, PeerView};
use tieline_wire::name::is_disruptive;
use tieline_wire::time::UnixMillis;

use super::menu::{Facts, Shape, is_out_of_reach, may_be_pinged};
use crate::notify::latency;

/// Characters of a message in the menu.
const CHARACTERS: usize = 48;

/// The state in one line.
pub(super) fn state(shape: Shape, facts: &Facts) -> String {
    let changed = facts
        .peers
        .iter()
        .find(|peer| peer.state == PeerStateView::NewKey);
    match (shape, changed) {
        (Shape::Error, Some(peer)) => format!("{} shows another key", peer.name),
        (Shape::Error, None) => facts.status.problems.first().map_or_else(
            || "Something needs you".to_owned(),
            |problem| problem.summary.to_string(),
        ),
        (Shape::Unread, _) => count(facts.status.counts.unread, "unread message"),
        (Shape::Paused, _) => "Notifications are paused".to_owned(),
        (Shape::Offline, _) => waiting("No machine can be reached", facts),
        (Shape::Idle, _) => idle(facts),
    }
}

fn idle(facts: &Facts) -> String {
    let mut talking = facts.peers.iter().filter(|peer| may_be_pinged(peer));
    let away: Vec<&str> = talking
        .clone()
        .filter(|peer| is_out_of_reach(peer))
        .map(|peer| peer.name.as_str())
        .collect();
    match (talking.next(), &away[..]) {
        (None, _) => "No machine is paired yet".to_owned(),
        (Some(_), []) => waiting("All is well", facts),
        (Some(_), [one]) => waiting(&format!("{one} cannot be reached"), facts),
        (Some(_), several) => waiting(
            &format!("{} machines cannot be reached", several.len()),
            facts,
        ),
    }
}

fn waiting(state: &str, facts: &Facts) -> String {
    match facts.status.counts.queued {
        0 => state.to_owned(),
        1 => format!("{state}. 1 message waits."),
        several => format!("{state}. {several} messages wait."),
    }
}

/// How it is with a peer, in two or three words. Not the latency: it changes all the time, and on
/// Linux another name for a line that opens others replaces the whole menu.
pub(super) const fn peer_briefly(peer: &PeerView) -> &'static str {
    match peer.state {
        PeerStateView::NewKey => "shows another key",
        PeerStateView::Revoked => "unpaired",
        PeerStateView::Joined => "waits to be kept",
        PeerStateView::Kept if peer.asleep_since.is_some() => "asleep",
        PeerStateView::Kept if peer.online => "on line",
        PeerStateView::Kept if is_out_of_reach(peer) => "out of reach",
        PeerStateView::Kept => "not reached yet",
    }
}

/// How it is with a peer, with what waits and the reason of a failure.
pub(super) fn peer(peer: &PeerView) -> String {
    let mut said = match (&peer.last_problem, is_out_of_reach(peer)) {
        _ if peer.asleep_since.is_some() => "Asleep: Tieline was stopped there".to_owned(),
        (Some(problem), true) => problem.summary.trim_end_matches('.').to_owned(),
        _ if peer.online => match peer.latency_ms {
            Some(ms) => format!("Answers in {}", latency(ms)),
            None => "On line".to_owned(),
        },
        _ => match peer.state {
            PeerStateView::Joined => "Joined with your link, not kept yet".to_owned(),
            PeerStateView::NewKey => "Shows another key than the one paired".to_owned(),
            _ => "Not reached since Tieline started".to_owned(),
        },
    };
    if peer.unread > 0 {
        said = format!("{said}, {} unread", peer.unread);
    }
    if peer.queued > 0 {
        said = format!("{said}, {} waiting", peer.queued);
    }
    said
}

/// A message in one line: who, and how it begins.
pub(super) fn recent(message: &MessageView) -> String {
    let text = message.text.as_deref().unwrap_or(&message.r#type);
    let line: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !is_disruptive(*c))
        .collect();
    let words: Vec<&str> = line.split_whitespace().collect();
    let line = words.join(" ");
    let mut shown: String = line.chars().take(CHARACTERS).collect();
    if line.chars().count() > CHARACTERS {
        shown.push('…');
    }
    format!("{}: {shown}", message.peer)
}

/// A time of today as `14:02`, of another day with its date.
pub(super) fn time(at: UnixMillis, now: UnixMillis) -> String {
    let zone = TimeZone::system();
    let local = |time: UnixMillis| {
        let stamp = Timestamp::from_millisecond(time.0).unwrap_or_default();
        stamp.to_zoned(zone.clone())
    };
    spoken(&local(at), &local(now))
}

fn spoken(at: &Zoned, now: &Zoned) -> String {
    let time = at.strftime("%H:%M");
    match now.tomorrow() {
        _ if at.date() == now.date() => time.to_string(),
        Ok(tomorrow) if tomorrow.date() == at.date() => format!("tomorrow {time}"),
        _ => at.strftime("%Y-%m-%d %H:%M").to_string(),
    }
}

fn count(number: u64, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn times_are_as_short_as_they_can_be() {
        let at = |text: &str| -> Zoned { format!("{text}[UTC]").parse().unwrap() };
        let now = at("2026-03-01T12:00:00+00:00");
        assert_eq!(spoken(&at("2026-03-01T14:02:00+00:00"), &now), "14:02");
        assert_eq!(
            spoken(&at("2026-03-02T08:00:00+00:00"), &now),
            "tomorrow 08:00"
        );
        assert_eq!(
            spoken(&at("2026-03-05T08:00:00+00:00"), &now),
            "2026-03-05 08:00"
        );
    }
}
