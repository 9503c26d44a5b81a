//! The brakes on questions, which a person loosens by ten at a time.

use anyhow::Result;

use crate::node::Node;

/// Questions that one word of the person allows.
const MORE: usize = 10;

/// One count of a node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget<'a> {
    peer: &'a str,
    kind: &'static str,
}

impl<'a> Budget<'a> {
    /// The questions of a peer to the node.
    pub(crate) const fn inward(peer: &'a str) -> Self {
        Self {
            peer,
            kind: "asksIn",
        }
    }

    /// The node's questions to a peer.
    pub(crate) const fn out(peer: &'a str) -> Self {
        Self {
            peer,
            kind: "asksOut",
        }
    }

    /// Allows at least so many questions more.
    pub(crate) async fn allow(self, node: &Node, asks: usize) -> Result<()> {
        for _ in 0..asks.div_ceil(MORE) {
            let order = ["asks", "allow", self.peer, self.kind];
            node.run(&order, "").await?;
        }
        Ok(())
    }
}
