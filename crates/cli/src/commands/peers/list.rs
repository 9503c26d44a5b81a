//! `tieline peers list`.

use tieline_node::model::PeerView;

use super::state;
use crate::commands::{Context, DONE, Outcome};
use crate::show;

pub(super) async fn run(context: &Context) -> Outcome {
    let output = &context.output;
    let peers: Vec<PeerView> = context.client.get("/control/peers").await?;
    if output.is_json() {
        peers.iter().for_each(|peer| output.object(peer));
        return DONE;
    }
    if peers.is_empty() {
        output.note("No machine is paired yet. Make a link with `tieline invite`.");
        return DONE;
    }
    let rows: Vec<Vec<String>> = peers.iter().map(row).collect();
    let titles = [
        "NAME",
        "STATE",
        "SPEAKS",
        "TO IT",
        "FROM IT",
        "QUEUED",
        "UNREAD",
        "LAST SEEN",
    ];
    show::table(&titles, &rows)
        .iter()
        .for_each(|line| output.line(line));
    DONE
}

fn row(peer: &PeerView) -> Vec<String> {
    vec![
        show::printable(&peer.name),
        state(peer),
        peer.dialect.clone(),
        show::direction(&peer.line.out),
        show::direction(&peer.line.r#in),
        peer.queued.to_string(),
        peer.unread.to_string(),
        match (&peer.asleep_since, &peer.last_seen_at) {
            (Some(since), _) => format!("asleep since {}", show::time(since)),
            (None, Some(at)) => show::time(at),
            (None, None) => "never".to_owned(),
        },
    ]
}
