//! What went back and forth with each peer, in a line.

use std::cmp::Reverse;

use tieline_store::messages::{self, Filter};
use tieline_wire::problem::Problem;

use crate::model::ConversationView;
use crate::node::Node;
use crate::queries::names;
use crate::views::unsigned;

impl Node {
    /// One conversation for each peer: the one with the newest message first, those without any last.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn conversations(&self) -> Result<Vec<ConversationView>, Problem> {
        let open = self.open_counts().await;
        let peers = self.peers.all();
        let ids: Vec<_> = peers.iter().map(|peer| peer.id).collect();
        let (mut newest, names) = self
            .store
            .read(move |conn| {
                let mut newest = Vec::with_capacity(ids.len());
                for id in ids {
                    let filter = Filter {
                        peer: Some(id),
                        limit: 1,
                        payload: true,
                        ..Filter::default()
                    };
                    newest.push(messages::list(conn, &filter)?.messages.pop());
                }
                Ok((newest, names(conn)?))
            })
            .await?;
        let asks = self.pending_asks();
        let mut views: Vec<_> = peers
            .iter()
            .zip(newest.drain(..))
            .map(|(peer, last)| {
                let view = self.peer_view(peer, &open);
                let counts = open.get(&peer.id).copied().unwrap_or_default();
                let waiting = asks.iter().filter(|ask| ask.peer == view.name).count();
                ConversationView {
                    peer: view.name,
                    dialect: view.dialect,
                    problem: view.last_problem.filter(|_| !view.online),
                    online: view.online,
                    muted: view.muted,
                    last: last.map(|row| self.message_view(row, &names)),
                    unread: unsigned(counts.unread),
                    queued: unsigned(counts.queued + counts.sending),
                    unconfirmed: unsigned(counts.unconfirmed),
                    asks: waiting as u64,
                }
            })
            .collect();
        views.sort_by_key(|view| Reverse(view.last.as_ref().map_or(0, |last| last.seq)));
        Ok(views)
    }
}
