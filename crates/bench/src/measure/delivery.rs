//! Messages through the local API of one node into the store of another.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::Instant;

use anyhow::{Result, ensure};
use bytes::Bytes;

use crate::api::Api;
use crate::floor::rate;
use crate::node::{Pair, RECEIVER};
use crate::sample::{Percentiles, Times};
use crate::workload::{AT_ONCE, Workload, send_request};

/// Messages one at a time over one connection, each answered before the next is sent.
pub(crate) async fn one_at_a_time(pair: &Pair, workload: &Workload) -> Result<Percentiles> {
    let mut api = Api::connect(pair.sender.api, None).await?;
    let body = Bytes::from(send_request(RECEIVER));
    for _ in 0..workload.warm_up {
        api.send(body.clone()).await?;
    }
    let mut times = Times::default();
    let began = Instant::now();
    for _ in 0..workload.one_at_a_time {
        let started = Instant::now();
        api.send(body.clone()).await?;
        times.push(started.elapsed());
        if began.elapsed() > workload.longest {
            break;
        }
    }
    Ok(times.percentiles())
}

/// What came of many messages at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flood {
    /// Messages a second, from the first request to the last answer.
    pub(crate) rate: f64,
    /// Processor time of both nodes for one message, in milliseconds; zero where it is not known.
    pub(crate) processor: f64,
    /// Messages that were answered with a signed delivery.
    pub(crate) sent: usize,
    /// Of those, the ones that the receiver has exactly once.
    pub(crate) once: usize,
    /// Messages that the receiver has and that nobody sent, or that it has more than once.
    pub(crate) surplus: usize,
}

/// Messages over many connections, one at a time on each; then counts them at the receiver.
pub(crate) async fn flood(pair: &mut Pair, workload: &Workload) -> Result<Flood> {
    let mut reader = pair.receiver.connect().await?;
    let before = last_arrived(&mut reader, 0).await?;
    let body = Bytes::from(send_request(RECEIVER));
    let mut connections = Vec::with_capacity(AT_ONCE);
    for _ in 0..AT_ONCE {
        connections.push(Api::connect(pair.sender.api, None).await?);
    }
    let left = Cell::new(workload.many);
    let sent = RefCell::new(HashMap::with_capacity(workload.many));
    let spent = processor_time(pair)?;
    let began = Instant::now();
    let workers = connections.into_iter().map(|mut api| {
        let (left, sent, body) = (&left, &sent, &body);
        async move {
            while let Some(next) = left.get().checked_sub(1) {
                if began.elapsed() > workload.longest {
                    break;
                }
                left.set(next);
                let id = api.send(body.clone()).await?;
                sent.borrow_mut().insert(id, 0_usize);
            }
            anyhow::Ok(())
        }
    });
    futures_util::future::try_join_all(workers).await?;
    let took = began.elapsed();
    let spent = processor_time(pair)? - spent;
    pair.check_alive()?;
    let mut arrived = sent.into_inner();
    let sent = arrived.len();
    ensure!(sent > 0, "nothing was sent");
    let mut surplus = 0;
    // Reading pages takes a while; the connection from before would be closed as idle.
    let mut reader = pair.receiver.connect().await?;
    let mut seq = before;
    loop {
        let page = reader.arrived_after(seq).await?;
        let Some(last) = page.messages.last() else {
            break;
        };
        seq = last.seq;
        for message in page.messages {
            match arrived.get_mut(&message.message_id) {
                Some(copies) => *copies += 1,
                None => surplus += 1,
            }
        }
    }
    surplus += arrived
        .values()
        .map(|copies| copies.saturating_sub(1))
        .sum::<usize>();
    Ok(Flood {
        rate: rate(sent, took),
        processor: spent * 1e3 / sent as f64,
        sent,
        once: arrived.values().filter(|copies| **copies == 1).count(),
        surplus,
    })
}

/// Seconds that both nodes spent on a processor so far.
fn processor_time(pair: &Pair) -> Result<f64> {
    let nodes = [&pair.sender, &pair.receiver];
    nodes
        .iter()
        .map(|node| super::processor::seconds_of(node.process_id()?))
        .sum()
}

/// The number of the newest message that arrived after `seq`.
async fn last_arrived(reader: &mut Api, mut seq: i64) -> Result<i64> {
    while let Some(last) = reader.arrived_after(seq).await?.messages.last() {
        seq = last.seq;
    }
    Ok(seq)
}
