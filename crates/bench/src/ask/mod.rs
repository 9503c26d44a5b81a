//! `tieline-bench ask`: how long a question and its answer take, each figure beside its floor.
//!
//! What answers is the cheapest thing that a person can choose: an endpoint on this machine that
//! says one word and reads nothing. The brakes count as always; the program is the person who
//! allows more, before each series.

mod abtars;
mod budget;
mod figures;
mod null;
mod series;
mod steps;
mod tieline;

use std::path::Path;

use anyhow::Result;
use bytes::Bytes;

use crate::Options;
use crate::floor::FloorServer;
use crate::node::{Pair, RECEIVER, SENDER};
use crate::report::Report;
use crate::workload::{AskWorkload, TEXT};
use abtars::Machines;
use budget::Budget;
use figures::{Round, lines};
use null::NullResponder;
pub(crate) use null::serve as serve_null;
pub(crate) use series::Case;
use series::{CASES, Series, series};

/// Measures the questions between two Tieline nodes, and those of abTARS machines to a node.
pub(crate) async fn run(options: &Options) -> Result<Report> {
    let workload = match options.quick {
        true => AskWorkload::QUICK,
        false => AskWorkload::FULL,
    };
    let (tieline, dir) = options.places()?;
    let rounds = measure(&tieline, dir.path(), &workload).await?;
    Ok(Report::of(lines(&rounds), options.quick))
}

async fn measure(tieline: &Path, dir: &Path, workload: &AskWorkload) -> Result<Vec<Round>> {
    eprintln!("pairing two nodes …");
    let mut pair = Pair::start(tieline, dir).await?;
    let floor_dir = dir.join("floor");
    let floor = FloorServer::start(&floor_dir).await?;
    let null = NullResponder::start().await?;
    pair.receiver.run(&null.as_responder(), "").await?;
    // What a person allows counts from the first question of an hour on, so each asks one before.
    let mut api = pair.sender.connect().await?;
    api.ask(tieline::question()).await?;
    let machines = match Machines::POSSIBLE {
        true => {
            let machines = Machines::add(&pair.receiver).await?;
            machines.ask_once().await?;
            machines.ask_once().await?;
            Some(machines)
        }
        false => None,
    };

    let mut rounds = Vec::new();
    for round in 1..=workload.rounds {
        eprintln!("round {round} of {} …", workload.rounds);
        let bare = bare(&floor, &floor_dir, workload).await?;
        let steps = steps::series_of(&floor, &floor_dir, &null, dir, workload).await?;
        let null_alone = null.series_of(workload).await?;
        let mut between = Vec::new();
        let mut signed = Vec::new();
        for case in CASES {
            allow_both(&pair, workload.asks(case)).await?;
            between.push(tieline::series_of(&pair.sender, case, workload).await?);
            if let Some(machines) = &machines {
                machines.budget(&pair.receiver, workload.asks(case)).await?;
                signed.push(machines.series_of(case, workload).await?);
            }
        }
        let command = by_command(&pair, &null, workload).await?;
        pair.check_alive()?;
        rounds.push(Round {
            tieline: between,
            abtars: signed,
            bare,
            steps,
            null: null_alone,
            command,
        });
    }
    pair.stop().await?;
    null.stop().await?;
    floor.stop().await?;
    Ok(rounds)
}

/// Both sides of a pair count a question.
async fn allow_both(pair: &Pair, asks: usize) -> Result<()> {
    Budget::out(RECEIVER).allow(&pair.sender, asks).await?;
    Budget::inward(SENDER).allow(&pair.receiver, asks).await
}

/// One at a time over a kept connection, answered by a program that is started for each; `None`
/// where there is no program `echo`.
async fn by_command(
    pair: &Pair,
    null: &NullResponder,
    workload: &AskWorkload,
) -> Result<Option<Series>> {
    if !cfg!(unix) {
        return Ok(None);
    }
    let command = ["responder", "command", "--", "echo", null::WORD];
    pair.receiver.run(&command, "").await?;
    allow_both(pair, workload.asks(Case::ALONE)).await?;
    let measured = tieline::series_of(&pair.sender, Case::ALONE, workload).await?;
    pair.receiver.run(&null.as_responder(), "").await?;
    Ok(Some(measured))
}

/// Round trips of the same text through bare axum with rustls.
async fn bare(floor: &FloorServer, dir: &Path, workload: &AskWorkload) -> Result<Vec<Series>> {
    let body = Bytes::from_static(TEXT.as_bytes());
    let connector = floor.connector(dir)?;
    let mut measured = Vec::new();
    for case in CASES {
        measured.push(if case.kept {
            let mut lanes = Vec::new();
            for _ in 0..case.at_once {
                lanes.push(connector.connect().await?);
            }
            series(lanes, case, workload, async |client| {
                client.echo(body.clone()).await
            })
            .await?
        } else {
            series(vec![(); case.at_once], case, workload, async |()| {
                connector.connect().await?.echo(body.clone()).await
            })
            .await?
        });
    }
    Ok(measured)
}
