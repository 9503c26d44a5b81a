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
    /// As `later`, with a vault that a passphrase protects: its key is derived slowly on purpose.
    pub(crate) with_passphrase: f64,
}

/// Starts nodes, each twice, with and without a passphrase.
pub(crate) async fn starts(tieline: &Path, dir: &Path, workload: &Workload) -> Result<Starts> {
    let file = dir.join("passphrase");
    std::fs::write(&file, "seven unguessable words for a benchmark only")?;
    let (mut first, mut later, mut with_passphrase) = (Vec::new(), Vec::new(), Vec::new());
    let mut unused = Vec::new();
    for number in 0..workload.starts {
        let open = dir.join(format!("start-{number}"));
        let closed = dir.join(format!("start-{number}-passphrase"));
        for (home, passphrase, times) in [
            (&open, None, &mut first),
            (&open, None, &mut later),
            (&closed, Some(file.as_path()), &mut unused),
            (&closed, Some(file.as_path()), &mut with_passphrase),
        ] {
            let node = Node::start_with(tieline, home, "starter", passphrase).await?;
            times.push(node.took().as_secs_f64() * 1e3);
            node.stop().await?;
        }
    }
    Ok(Starts {
        first: median(first),
        later: median(later),
        with_passphrase: median(with_passphrase),
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
