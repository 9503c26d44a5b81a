//! `tieline peers show`.

use tieline_node::model::PeerView;

use super::state;
use crate::commands::{Context, DONE, Outcome};
use crate::show;

pub(super) fn run(peer: &PeerView, context: &Context) -> Outcome {
    let output = &context.output;
    if output.is_json() {
        output.object(peer);
        return DONE;
    }
    output.line(format!(
        "{}  ({}, {})",
        show::printable(&peer.name),
        state(peer),
        peer.dialect
    ));
    let fact = |label: &str, value: &str| output.line(format!("  {label:<14} {value}"));
    fact("speaks", &peer.badge);
    fact("protection", &peer.assurance);
    fact("calls itself", &show::printable(&peer.suggested_name));
    fact(
        "paired",
        &format!("{} by {}", show::time(&peer.paired_at), peer.paired_by),
    );
    fact(
        "dialled at",
        &if peer.addresses.is_empty() {
            "nowhere".to_owned()
        } else {
            peer.addresses.join(", ")
        },
    );
    fact("to it", &show::direction(&peer.line.out));
    fact("from it", &show::direction(&peer.line.r#in));
    if let Some(via) = peer.via {
        fact("line", show::via(via));
    }
    if let Some(offset) = peer.clock_offset_ms {
        fact("its clock", &show::clock_offset(offset));
    }
    fact(
        "last seen",
        &peer
            .last_seen_at
            .as_deref()
            .map_or_else(|| "never".to_owned(), show::time),
    );
    if let Some(since) = &peer.asleep_since {
        fact("asleep since", &show::time(since));
    }
    fact(
        "messages",
        &format!(
            "{} queued, {} unconfirmed, {} unread",
            peer.queued, peer.unconfirmed, peer.unread
        ),
    );
    if let Some(fingerprint) = &peer.fingerprint {
        fact("fingerprint", fingerprint);
        let groups = peer.fingerprint_groups.as_deref().unwrap_or_default();
        let words = peer.words.as_deref().unwrap_or_default();
        show::fingerprint(groups, words)
            .iter()
            .for_each(|line| output.line(format!("  {line}")));
    }
    if let Some(problem) = &peer.last_problem {
        output.line(format!("  ! {}", problem.summary));
        output.line(format!("    {} {}", problem.cause, problem.remedy));
    }
    DONE
}
