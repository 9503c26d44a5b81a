//! Percentiles and medians.

use std::time::Duration;

/// Times of one operation, one round.
#[derive(Debug, Default)]
pub(crate) struct Times(Vec<Duration>);

/// Three percentiles, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Percentiles {
    /// Half of the operations took at most this.
    pub(crate) p50: f64,
    /// 95 of 100 did.
    pub(crate) p95: f64,
    /// 99 of 100 did.
    pub(crate) p99: f64,
}

impl Times {
    pub(crate) fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// The percentiles, by the nearest rank; zero where nothing was measured.
    pub(crate) fn percentiles(mut self) -> Percentiles {
        self.0.sort_unstable();
        let at = |share: f64| {
            let rank = (share * self.0.len() as f64).ceil() as usize;
            let time = self.0.get(rank.saturating_sub(1));
            time.map_or(0.0, |time| time.as_secs_f64() * 1e3)
        };
        Percentiles {
            p50: at(0.50),
            p95: at(0.95),
            p99: at(0.99),
        }
    }
}

impl Percentiles {
    /// The median of each percentile over several rounds.
    pub(crate) fn median_of(rounds: &[Self]) -> Self {
        let of = |pick: fn(&Self) -> f64| median(rounds.iter().map(pick));
        Self {
            p50: of(|round| round.p50),
            p95: of(|round| round.p95),
            p99: of(|round| round.p99),
        }
    }
}

/// The median: the middle value, or the mean of the middle two. Zero of nothing.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_take_the_nearest_rank() {
        let mut times = Times::default();
        for millis in (1..=100).rev() {
            times.push(Duration::from_millis(millis));
        }
        let found = times.percentiles();
        assert_eq!((found.p50, found.p95, found.p99), (50.0, 95.0, 99.0));
        assert_eq!(Times::default().percentiles().p99, 0.0);
    }

    #[test]
    fn medians_of_odd_even_and_nothing() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median([]), 0.0);
    }
}
