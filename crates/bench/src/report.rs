//! The results, as a table for people and as JSON for programs.

use std::fmt;

use anyhow::Result;
use serde::Serialize;

use crate::measure::Flood;
use crate::run::Figures;

/// Results of one run.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    machine: Machine,
    quick: bool,
    figures: Vec<Figure>,
    /// Absent where no messages were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivered: Option<Delivered>,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Machine {
    cores: usize,
    os: &'static str,
    arch: &'static str,
}

/// One line of the table.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Figure {
    what: String,
    unit: Unit,
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Target>,
    floors: Vec<Floor>,
}

/// What a figure is given in.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Unit {
    Milliseconds,
    PerSecond,
    Megabytes,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
enum Target {
    Below(f64),
    Above(f64),
}

#[derive(Debug, Serialize)]
struct Floor {
    what: &'static str,
    value: f64,
    /// How many times worse Tieline is.
    ratio: f64,
}

/// The count at the receiver.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Delivered {
    sent: usize,
    exactly_once: usize,
    surplus: usize,
}

const STEPS: &str = "the same steps bare: commit, round trip with commit, commit";
const ROUND_TRIP: &str = "bare axum with rustls";
const COMMIT: &str = "bare SQLite commit";

impl Report {
    pub(crate) fn new(figures: Figures, quick: bool) -> Self {
        let sum = |pick: fn(&Flood) -> usize| figures.floods.iter().map(pick).sum();
        let delivered = Delivered {
            sent: sum(|flood| flood.sent),
            exactly_once: sum(|flood| flood.once),
            surplus: sum(|flood| flood.surplus),
        };
        Self {
            delivered: Some(delivered),
            ..Self::of(lines(&figures), quick)
        }
    }

    /// A report of these lines, without counted messages.
    pub(crate) fn of(figures: Vec<Figure>, quick: bool) -> Self {
        Self {
            machine: Machine {
                cores: std::thread::available_parallelism().map_or(1, usize::from),
                os: std::env::consts::OS,
                arch: std::env::consts::ARCH,
            },
            quick,
            figures,
            delivered: None,
        }
    }

    /// Whether every message was delivered exactly once.
    pub(crate) fn is_sound(&self) -> bool {
        self.delivered
            .as_ref()
            .is_none_or(|it| it.exactly_once == it.sent && it.surplus == 0)
    }

    /// Whether every figure is where it should be.
    pub(crate) fn targets_met(&self) -> bool {
        self.figures
            .iter()
            .all(|figure| figure.met().unwrap_or(true))
    }

    /// For programs.
    pub(crate) fn to_json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

fn lines(figures: &Figures) -> Vec<Figure> {
    use Unit::{Megabytes, Milliseconds, PerSecond};
    let Figures {
        send,
        round_trip,
        commit,
        steps,
        starts,
        ..
    } = figures;
    let mut lines = vec![
        Figure::new("one message, p50", Milliseconds, send.p50)
            .below(2.0)
            .beside(STEPS, steps.p50)
            .beside(ROUND_TRIP, round_trip.p50)
            .beside(COMMIT, commit.p50),
        Figure::new("one message, p95", Milliseconds, send.p95)
            .beside(STEPS, steps.p95)
            .beside(ROUND_TRIP, round_trip.p95)
            .beside(COMMIT, commit.p95),
        Figure::new("one message, p99", Milliseconds, send.p99)
            .below(10.0)
            .beside(STEPS, steps.p99)
            .beside(ROUND_TRIP, round_trip.p99)
            .beside(COMMIT, commit.p99),
        Figure::new("64 at once, messages", PerSecond, figures.rate)
            .above(3_000.0)
            .beside(ROUND_TRIP, figures.round_trip_rate)
            .beside("bare SQLite, 64 rows a commit", figures.insert_rate),
        Figure::new("processor time a message", Milliseconds, figures.processor),
        Figure::new("first start to ready", Milliseconds, starts.first)
            .below(300.0)
            .beside(ROUND_TRIP, figures.floor_start),
        Figure::new("later start to ready", Milliseconds, starts.later)
            .below(300.0)
            .beside(ROUND_TRIP, figures.floor_start),
        Figure::new(
            "later start, with a passphrase",
            Milliseconds,
            starts.with_passphrase,
        )
        .below(300.0)
        .beside(ROUND_TRIP, figures.floor_start),
    ];
    if let (Some(idle), Some(after), Some(floor)) =
        (figures.idle, figures.after_load, figures.floor_idle)
    {
        lines.extend([
            Figure::new("idle, resident", Megabytes, idle.resident)
                .below(20.0)
                .beside(ROUND_TRIP, floor.resident),
            Figure::new("idle, proportional", Megabytes, idle.proportional)
                .beside(ROUND_TRIP, floor.proportional),
            Figure::new("idle after the load, resident", Megabytes, after.resident)
                .beside(ROUND_TRIP, floor.resident),
        ]);
    }
    lines
}

impl Figure {
    /// A figure without target and floors.
    pub(crate) fn new(what: impl Into<String>, unit: Unit, value: f64) -> Self {
        Self {
            what: what.into(),
            unit,
            value,
            target: None,
            floors: Vec::new(),
        }
    }

    fn below(mut self, limit: f64) -> Self {
        self.target = Some(Target::Below(limit));
        self
    }

    fn above(mut self, limit: f64) -> Self {
        self.target = Some(Target::Above(limit));
        self
    }

    /// Puts a floor beside it.
    pub(crate) fn beside(mut self, what: &'static str, value: f64) -> Self {
        let ratio = match self.unit {
            Unit::PerSecond => value / self.value,
            Unit::Milliseconds | Unit::Megabytes => self.value / value,
        };
        self.floors.push(Floor { what, value, ratio });
        self
    }

    fn met(&self) -> Option<bool> {
        match self.target? {
            Target::Below(limit) => Some(self.value < limit),
            Target::Above(limit) => Some(self.value > limit),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { cores, os, arch } = self.machine;
        let mode = if self.quick { ", quick" } else { "" };
        writeln!(f, "{cores} cores, {arch} {os}{mode}\n")?;
        let header = ("measured", "value", "target", "floor", "ratio");
        row(f, header.0, header.1, header.2, header.3, header.4)?;
        for figure in &self.figures {
            let value = figure.unit.show(figure.value);
            let mut left = (figure.what.as_str(), value, figure.verdict());
            for floor in &figure.floors {
                let shown = format!("{:>10}  {}", figure.unit.show(floor.value), floor.what);
                let ratio = format!("{:.1}", floor.ratio);
                row(f, left.0, &left.1, &left.2, &shown, &ratio)?;
                left = ("", String::new(), String::new());
            }
            if figure.floors.is_empty() {
                row(f, left.0, &left.1, &left.2, "", "")?;
            }
        }
        let Some(Delivered {
            sent,
            exactly_once,
            surplus,
        }) = &self.delivered
        else {
            return Ok(());
        };
        write!(
            f,
            "\n{sent} messages answered as delivered: {exactly_once} are at the receiver exactly once, {surplus} are too many."
        )
    }
}

fn row(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    value: &str,
    target: &str,
    floor: &str,
    ratio: &str,
) -> fmt::Result {
    writeln!(
        f,
        "{what:<36} {value:>10}  {target:<16} {ratio:>6}  {floor}"
    )
}

impl Figure {
    fn verdict(&self) -> String {
        let word = if self.met() == Some(false) {
            "MISSED"
        } else {
            "met"
        };
        match self.target {
            Some(Target::Below(limit)) => format!("< {limit} {word}"),
            Some(Target::Above(limit)) => format!("> {limit} {word}"),
            None => String::new(),
        }
    }
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Self::Milliseconds if value < 100.0 => format!("{value:.2} ms"),
            Self::Milliseconds => format!("{value:.0} ms"),
            Self::PerSecond => format!("{value:.0}/s"),
            Self::Megabytes => format!("{value:.1} MB"),
        }
    }
}
