//! Real engines in homes of their own.

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use tieline_node::model::{
    HostKind, MessageQuery, MessageView, OnFailure, RouteChoice, SendCommand,
};
use tieline_node::{Node, NodeConfig, VaultChoice};
use tieline_wire::problem::{Code, Problem};

/// Generous bound on everything that should happen soon.
pub const SOON: Duration = Duration::from_secs(30);

pub fn config(home: &Path, name: &str) -> NodeConfig {
    NodeConfig {
        home: home.to_owned(),
        name: Some(name.to_owned()),
        peer_addr: "127.0.0.1:0".parse().unwrap(),
        vault: VaultChoice::File {
            passphrase_file: None,
        },
        host: HostKind::Serve,
        version: "0.0.0",
    }
}

pub async fn start(home: &Path, name: &str) -> Node {
    start_with(config(home, name)).await.unwrap()
}

/// Starts, waiting for an engine that just stopped to let go of the home.
pub async fn start_with(config: NodeConfig) -> Result<Node, Problem> {
    for _ in 0..100 {
        match Node::start(config.clone()).await {
            Err(problem) if matches!(problem.code, Code::HomeLocked | Code::PortInUse) => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            other => return other,
        }
    }
    Node::start(config).await
}

/// An engine with a home that goes when it does.
pub struct World {
    pub node: Node,
    pub home: TempDir,
}

impl World {
    pub async fn new(name: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let node = start(home.path(), name).await;
        Self { node, home }
    }

    /// Stops the engine and starts it again on the same home.
    pub async fn restart(self) -> Self {
        let name = self.node.own_name();
        self.node.shutdown().await;
        drop(self.node);
        let node = start(self.home.path(), &name).await;
        Self {
            node,
            home: self.home,
        }
    }

    /// Texts of the inbox, oldest first.
    pub async fn inbox(&self) -> Vec<String> {
        let page = self
            .node
            .messages(MessageQuery {
                direction: Some("in".into()),
                after: Some(0),
                limit: Some(500),
                ..MessageQuery::default()
            })
            .await
            .unwrap();
        let text = |message: MessageView| message.text.unwrap_or_default();
        page.messages.into_iter().map(text).collect()
    }

    /// Codes of the problems that the engine shows the person.
    pub async fn problems(&self) -> Vec<Code> {
        let status = self.node.status().await.unwrap();
        status.problems.iter().map(|problem| problem.code).collect()
    }

    pub async fn peer_names(&self) -> Vec<String> {
        let peers = self.node.peers().await.unwrap();
        peers.into_iter().map(|peer| peer.name).collect()
    }
}

pub fn text(to: &str, text: &str) -> SendCommand {
    let payload = serde_json::json!({"type": "text", "text": text});
    SendCommand {
        to: to.to_owned(),
        payload: payload.as_object().unwrap().clone(),
        route: RouteChoice::Auto,
        message_id: None,
        on_failure: OnFailure::Fail,
    }
}

/// Waits until `check` holds; fails the test where it does not.
pub async fn eventually<Check, Checked>(what: &str, check: Check)
where
    Check: Fn() -> Checked,
    Checked: Future<Output = bool>,
{
    let deadline = tokio::time::Instant::now() + SOON;
    while !check().await {
        assert!(
            tokio::time::Instant::now() < deadline,
            "not in time: {what}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
