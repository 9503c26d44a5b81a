//! One run: everything in rounds, floors and Tieline in turn, so that both see the same machine.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bytes::Bytes;
use tempfile::TempDir;

use crate::Options;
use crate::floor::{FloorServer, grouped, single};
use crate::measure::{Flood, Memory, Starts, flood, floor_starts, one_at_a_time, starts};
use crate::node::{Pair, RECEIVER};
use crate::report::Report;
use crate::sample::{Percentiles, median};
use crate::workload::{Workload, send_request};

/// All figures; medians over the rounds.
#[derive(Debug)]
pub(crate) struct Figures {
    /// One message at a time, in milliseconds.
    pub(crate) send: Percentiles,
    /// Bare round trip over TLS, in milliseconds.
    pub(crate) round_trip: Percentiles,
    /// Bare commit of one row, in milliseconds.
    pub(crate) commit: Percentiles,
    /// Bare commit, round trip with commit, and commit, in milliseconds.
    pub(crate) steps: Percentiles,
    /// Messages a second with many at once.
    pub(crate) rate: f64,
    /// Bare round trips a second with many at once.
    pub(crate) round_trip_rate: f64,
    /// Bare inserts a second, as many a commit.
    pub(crate) insert_rate: f64,
    /// Processor time of both nodes for one of these messages, in milliseconds.
    pub(crate) processor: f64,
    /// Every round's messages, counted at the receiver.
    pub(crate) floods: Vec<Flood>,
    /// An idle node that has a peer.
    pub(crate) idle: Option<Memory>,
    /// The receiver of all messages, idle again.
    pub(crate) after_load: Option<Memory>,
    /// The idle floor server with one connection.
    pub(crate) floor_idle: Option<Memory>,
    /// Start until ready, in milliseconds.
    pub(crate) starts: Starts,
    /// Start of the floor server until ready, in milliseconds.
    pub(crate) floor_start: f64,
}

/// Measures everything.
pub(crate) async fn run(options: &Options) -> Result<Report> {
    let workload = if options.quick {
        Workload::QUICK
    } else {
        Workload::FULL
    };
    let (tieline, dir) = options.places()?;
    let figures = measure(&tieline, dir.path(), &workload).await?;
    Ok(Report::new(figures, options.quick))
}

impl Options {
    /// The program to measure, and a new directory for its homes that goes when it is dropped.
    pub(crate) fn places(&self) -> Result<(PathBuf, TempDir)> {
        let tieline = self
            .tieline
            .canonicalize()
            .with_context(|| format!("there is no program at {}", self.tieline.display()))?;
        let parent = match &self.dir {
            Some(dir) => dir.clone(),
            None => own_directory()?,
        };
        let dir = tempfile::Builder::new()
            .prefix("tieline-bench-")
            .tempdir_in(&parent)
            .with_context(|| format!("cannot write in {}", parent.display()))?;
        Ok((tieline, dir))
    }
}

/// Where this program is: on a disk, which the directory for temporary files need not be.
fn own_directory() -> Result<PathBuf> {
    let program = env::current_exe()?;
    let directory = program.parent().context("this program has no directory")?;
    Ok(directory.to_owned())
}

async fn measure(tieline: &Path, dir: &Path, workload: &Workload) -> Result<Figures> {
    eprintln!("starting …");
    let floor_dir = dir.join("floor");
    let floor_start = floor_starts(&floor_dir, workload).await?;
    let starts = starts(tieline, dir, workload).await?;

    eprintln!("pairing two nodes, and leaving them alone …");
    let mut pair = Pair::start(tieline, dir).await?;
    let server = FloorServer::start(&floor_dir).await?;
    let client = server.connect(&floor_dir).await?;
    let body = Bytes::from(send_request(RECEIVER));
    tokio::time::sleep(workload.settle).await;
    let idle = Memory::of(pair.receiver.process_id()?)?;
    let floor_idle = Memory::of(server.process().id()?)?;

    let mut rounds = Rounds::default();
    for round in 1..=workload.rounds {
        eprintln!("round {round} of {}: one at a time …", workload.rounds);
        let file = dir.join(format!("bare-{round}.db"));
        rounds.commit.push(single(&file, workload)?);
        let trips = client.round_trips(&body, workload).await?;
        rounds.round_trip.push(trips);
        let steps = client.durable_steps(&file, &body, workload).await?;
        rounds.steps.push(steps);
        rounds.send.push(one_at_a_time(&pair, workload).await?);
        eprintln!("round {round} of {}: many at once …", workload.rounds);
        rounds.insert_rate.push(grouped(&file, workload)?);
        let rate = client.rate(&body, workload).await?;
        rounds.round_trip_rate.push(rate);
        rounds.floods.push(flood(&mut pair, workload).await?);
    }

    tokio::time::sleep(workload.settle).await;
    let after_load = Memory::of(pair.receiver.process_id()?)?;
    pair.stop().await?;
    server.stop().await?;
    Ok(Figures {
        send: Percentiles::median_of(&rounds.send),
        round_trip: Percentiles::median_of(&rounds.round_trip),
        commit: Percentiles::median_of(&rounds.commit),
        steps: Percentiles::median_of(&rounds.steps),
        rate: median(rounds.floods.iter().map(|flood| flood.rate)),
        round_trip_rate: median(rounds.round_trip_rate),
        insert_rate: median(rounds.insert_rate),
        processor: median(rounds.floods.iter().map(|flood| flood.processor)),
        floods: rounds.floods,
        idle,
        after_load,
        floor_idle,
        starts,
        floor_start,
    })
}

#[derive(Default)]
struct Rounds {
    commit: Vec<Percentiles>,
    round_trip: Vec<Percentiles>,
    steps: Vec<Percentiles>,
    send: Vec<Percentiles>,
    insert_rate: Vec<f64>,
    round_trip_rate: Vec<f64>,
    floods: Vec<Flood>,
}
