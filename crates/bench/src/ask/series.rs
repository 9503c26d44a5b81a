//! Operations in a row, one or several at once.

use std::cell::{Cell, RefCell};
use std::time::Instant;

use anyhow::{Result, ensure};

use crate::floor::rate;
use crate::sample::{Percentiles, Times, median};
use crate::workload::AskWorkload;

/// How the operations of a series are done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    /// Over connections that stay; otherwise each operation opens its own.
    pub(crate) kept: bool,
    /// Operations in progress at once, each on a connection of its own.
    pub(crate) at_once: usize,
}

impl Case {
    /// One at a time over one connection.
    pub(crate) const ALONE: Self = Self {
        kept: true,
        at_once: 1,
    };
}

/// Every case that is measured, in the order of the report.
pub(crate) const CASES: [Case; 4] = [
    Case::ALONE,
    Case {
        kept: false,
        at_once: 1,
    },
    Case {
        kept: true,
        at_once: 16,
    },
    Case {
        kept: false,
        at_once: 16,
    },
];

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Series {
    /// Times of single operations, in milliseconds.
    pub(crate) times: Percentiles,
    /// Operations a second, from the first begin to the last end.
    pub(crate) rate: f64,
}

impl Series {
    /// The median of each figure over several rounds.
    pub(crate) fn median_of(rounds: &[Self]) -> Self {
        let times: Vec<_> = rounds.iter().map(|round| round.times).collect();
        Self {
            times: Percentiles::median_of(&times),
            rate: median(rounds.iter().map(|round| round.rate)),
        }
    }
}

/// Does the operation over and over on every lane, at first some times without counting them.
pub(crate) async fn series<L>(
    mut lanes: Vec<L>,
    case: Case,
    workload: &AskWorkload,
    operation: impl AsyncFn(&mut L) -> Result<()>,
) -> Result<Series> {
    for lane in &mut lanes {
        for _ in 0..workload.warm_up(case) {
            operation(lane).await?;
        }
    }
    let left = Cell::new(workload.counted(case));
    let times = RefCell::new(Times::default());
    let began = Instant::now();
    let workers = lanes.into_iter().map(|mut lane| {
        let (left, times, operation) = (&left, &times, &operation);
        async move {
            while let Some(next) = left.get().checked_sub(1) {
                if began.elapsed() > workload.longest {
                    break;
                }
                left.set(next);
                let started = Instant::now();
                operation(&mut lane).await?;
                times.borrow_mut().push(started.elapsed());
            }
            anyhow::Ok(())
        }
    });
    futures_util::future::try_join_all(workers).await?;
    let took = began.elapsed();
    let done = workload.counted(case) - left.get();
    ensure!(done > 0, "nothing was measured");
    Ok(Series {
        times: times.into_inner().percentiles(),
        rate: rate(done, took),
    })
}
