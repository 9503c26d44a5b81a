//! What was measured of questions, as lines of the report.

use super::series::{CASES, Case, Series};
use crate::report::{Figure, Unit};

/// One round. Lists are in the order of [`CASES`].
#[derive(Debug)]
pub(crate) struct Round {
    /// From node to node.
    pub(crate) tieline: Vec<Series>,
    /// From an abTARS machine to a node; empty where that is not measured.
    pub(crate) abtars: Vec<Series>,
    /// Bare round trips over TLS.
    pub(crate) bare: Vec<Series>,
    /// The steps of an ask between nodes and nothing else, one ask at a time.
    pub(crate) steps: Series,
    /// The responder alone, one question at a time.
    pub(crate) null: Series,
    /// From node to node, answered by a program, one at a time.
    pub(crate) command: Option<Series>,
}

const STEPS: &str = "the same steps bare: two durable messages and the responder";
const ROUND_TRIP: &str = "bare axum with rustls";
const RESPONDER: &str = "the responder alone";

/// The lines, medians over the rounds.
pub(crate) fn lines(rounds: &[Round]) -> Vec<Figure> {
    let median = |pick: &dyn Fn(&Round) -> Option<Series>| {
        let all: Vec<Series> = rounds.iter().filter_map(pick).collect();
        (!all.is_empty()).then(|| Series::median_of(&all))
    };
    let steps = median(&|round| Some(round.steps));
    let null = median(&|round| Some(round.null));
    let mut lines = Vec::new();
    for (n, case) in CASES.iter().enumerate() {
        let alone = case.at_once == 1;
        let floors = [
            (STEPS, steps.filter(|_| alone)),
            (ROUND_TRIP, median(&|round| round.bare.get(n).copied())),
        ];
        if let Some(found) = median(&|round| round.tieline.get(n).copied()) {
            lines.extend(three(&name("Tieline", *case), found, &floors));
        }
    }
    if let Some(found) = median(&|round| round.command) {
        let floors = [(STEPS, steps)];
        lines.extend(three("Tieline, a command, 1", found, &floors));
    }
    for (n, case) in CASES.iter().enumerate() {
        let alone = case.at_once == 1;
        let floors = [
            (ROUND_TRIP, median(&|round| round.bare.get(n).copied())),
            (RESPONDER, null.filter(|_| alone)),
        ];
        if let Some(found) = median(&|round| round.abtars.get(n).copied()) {
            lines.extend(three(&name("abTARS", *case), found, &floors));
        }
    }
    lines
}

fn name(path: &str, case: Case) -> String {
    let connections = if case.kept { "kept" } else { "new" };
    format!("{path}, {connections}, {}", case.at_once)
}

fn three(name: &str, found: Series, floors: &[(&'static str, Option<Series>)]) -> [Figure; 3] {
    let line = |what: &str, unit, pick: fn(&Series) -> f64| {
        let figure = Figure::new(format!("{name} at once, {what}"), unit, pick(&found));
        floors
            .iter()
            .fold(figure, |figure, (what, floor)| match floor {
                Some(floor) => figure.beside(what, pick(floor)),
                None => figure,
            })
    };
    [
        line("p50", Unit::Milliseconds, |series| series.times.p50),
        line("p99", Unit::Milliseconds, |series| series.times.p99),
        line("asks", Unit::PerSecond, |series| series.rate),
    ]
}
