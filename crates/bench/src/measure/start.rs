//! From the start of a process until it serves.

use std::path::Path;

use anyhow::Result;

use crate::floor::FloorServer;
use crate::node::Node;
use crate::sample::median;
use crate::workload::Workload;

/// Medians, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Starts {
    /// In a home that does not exist yet: keys, certificate and database are made.
    pub(crate) first: f64,
    /// In a home that was used before, and closed in order.
    pub(crate) later: f64,
}

/// Starts nodes, each twice.
pub(crate) async fn starts(tieline: &Path, dir: &Path, workload: &Workload) -> Result<Starts> {
    let (mut first, mut later) = (Vec::new(), Vec::new());
    for number in 0..workload.starts {
        let home = dir.join(format!("start-{number}"));
        for times in [&mut first, &mut later] {
            let node = Node::start(tieline, &home, "starter").await?;
            times.push(node.took().as_secs_f64() * 1e3);
            node.stop().await?;
        }
    }
    Ok(Starts {
        first: median(first),
        later: median(later),
    })
}

/// Starts the floor's server, which has its keys already; the median in milliseconds.
pub(crate) async fn floor_starts(dir: &Path, workload: &Workload) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..workload.starts {
        let server = FloorServer::start(dir).await?;
        times.push(server.process().took.as_secs_f64() * 1e3);
        server.stop().await?;
    }
    Ok(median(times))
}
