//! To which of a peer's databases a message goes. Only the one that may have stored it can say for
//! good that it did not.

use std::sync::Arc;

use tieline_store::messages::{self, MessageRow};
use tieline_wire::problem::{Code, Problem};
use tieline_wire::receipt::StoreId;

use crate::exchange::{Before, Hindrance};
use crate::line::Connection;
use crate::node::Node;
use crate::peers::Peer;
use crate::reach::{NoStore, store_of};

/// Who wants a message to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// Its caller: also once more, and also where the peer has another database now.
    Caller,
    /// The queue.
    Queue,
}

/// Sees to it, for one delivery, that the database is on record before the first byte leaves, and
/// that nothing which one database may hold goes into another by itself.
pub(super) struct Exposure<'a> {
    node: &'a Node,
    peer: &'a Arc<Peer>,
    seq: i64,
    /// Whether an earlier delivery may have left a copy.
    before: bool,
    by: By,
    /// The first database that may hold a copy, as recorded.
    first: Option<StoreId>,
    /// The one that this delivery went to.
    tried: Option<StoreId>,
}

impl<'a> Exposure<'a> {
    pub(super) fn of(node: &'a Node, peer: &'a Arc<Peer>, row: &MessageRow, by: By) -> Self {
        Self {
            node,
            peer,
            seq: row.seq,
            before: row.exposed,
            by,
            first: row.store_id,
            tried: None,
        }
    }

    /// Whether the word of this database that it has not stored the message is final.
    pub(super) fn is_answered_by(&self, store: StoreId) -> bool {
        self.first == Some(store)
    }

    /// Whether the message may go to this database; `None` where that is to be recorded first.
    fn may_go_to(&self, store: StoreId, sent: bool) -> Option<bool> {
        if self.first == Some(store) {
            return Some(true);
        }
        if sent {
            return Some(self.tried == Some(store));
        }
        match self.first {
            Some(_) if self.before => Some(self.by == By::Caller),
            // No byte has left, whatever database was known when the message was stored.
            _ => None,
        }
    }
}

impl Before for Exposure<'_> {
    async fn before(&mut self, connection: &Connection, sent: bool) -> Result<(), Hindrance> {
        let store =
            store_of(self.node, self.peer, connection)
                .await
                .map_err(|error| match error {
                    NoStore::Broken(problem) => Hindrance::Broken(problem),
                    NoStore::Refused(problem) => Hindrance::Barred(problem),
                })?;
        match self.may_go_to(store, sent) {
            Some(true) => {}
            Some(false) => return Err(Hindrance::Barred(Problem::new(Code::StoreRestored))),
            None => {
                let seq = self.seq;
                let recorded = self
                    .node
                    .store
                    .write(move |tx| messages::expose(tx, seq, store));
                recorded
                    .await
                    .map_err(|error| Hindrance::Barred(error.into()))?;
                self.first = Some(store);
            }
        }
        self.tried = Some(store);
        Ok(())
    }
}
