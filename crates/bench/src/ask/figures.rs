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
        // Whatever the asker does, the connection between the nodes stays.
        let kept = CASES
            .iter()
            .position(|other| other.kept && other.at_once == case.at_once);
        let bare = |round: &Round| round.bare.get(kept?).copied();
        let floors = [
            (STEPS, steps.filter(|_| alone)),
            (ROUND_TRIP, median(&bare)),
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::sample::Percentiles;

    fn series(value: f64) -> Series {
        Series {
            times: Percentiles {
                p50: value,
                p95: value,
                p99: value,
            },
            rate: 1e3 / value,
        }
    }

    #[test]
    fn each_path_stands_beside_the_connection_that_it_uses() {
        let bare: Vec<Series> = [1.0, 4.0, 2.0, 8.0].map(series).to_vec();
        let round = Round {
            tieline: vec![series(16.0); 4],
            abtars: vec![series(16.0); 4],
            bare,
            steps: series(8.0),
            null: series(1.0),
            command: None,
        };
        let lines = serde_json::to_value(lines(&[round])).unwrap();
        let floors = |name: &str| -> Vec<f64> {
            let all = lines.as_array().unwrap();
            let line = all.iter().find(|line| line["what"] == name).unwrap();
            let floors = line["floors"].as_array().unwrap();
            floors
                .iter()
                .map(|floor| floor["value"].as_f64().unwrap())
                .collect()
        };
        assert_eq!(lines.as_array().unwrap().len(), 24);
        assert_eq!(floors("Tieline, new, 1 at once, p50"), [8.0, 1.0]);
        assert_eq!(floors("Tieline, new, 16 at once, p99"), [2.0]);
        assert_eq!(floors("abTARS, new, 1 at once, p50"), [4.0, 1.0]);
        assert_eq!(floors("abTARS, new, 16 at once, asks"), [125.0]);
    }
}
