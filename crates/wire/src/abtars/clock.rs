//! Times and numbers as the other side reads them.

use crate::time::UnixMillis;

/// Seconds by which a signature's time may differ from this machine's clock, either way.
pub(super) const WINDOW: i64 = 30;

/// Whether a time in Unix seconds is close enough to now.
pub(super) fn is_fresh(seconds: i64, now: UnixMillis) -> bool {
    now.as_seconds().abs_diff(seconds) <= WINDOW.unsigned_abs()
}

/// The first moment at which a signature of this time is stale by any clock that took it.
pub(super) fn stale_from(seconds: i64) -> UnixMillis {
    UnixMillis(seconds.saturating_add(WINDOW + 1).saturating_mul(1000))
}

/// The integer a text begins with, as JavaScript's `parseInt(text, 10)` finds it: blanks before
/// it and anything after it do not count. Too large ones become the largest.
pub(super) fn lenient_integer(text: &str) -> Option<i64> {
    let text = text.trim_start();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut value: Option<i64> = None;
    for digit in digits.chars().map_while(|c| c.to_digit(10)) {
        value = Some(
            value
                .unwrap_or(0)
                .saturating_mul(10)
                .saturating_add(i64::from(digit)),
        );
    }
    value.map(|value| if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_includes_both_ends() {
        let now = UnixMillis(1_767_225_600_999);
        for (seconds, fresh) in [
            (1_767_225_570, true),
            (1_767_225_569, false),
            (1_767_225_630, true),
            (1_767_225_631, false),
            (i64::MIN, false),
            (i64::MAX, false),
        ] {
            assert_eq!(is_fresh(seconds, now), fresh, "{seconds}");
        }
    }

    #[test]
    fn integers_are_read_as_javascript_reads_them() {
        for (text, value) in [
            ("123", Some(123)),
            ("123abc", Some(123)),
            ("123.5", Some(123)),
            (" \t12", Some(12)),
            ("+7", Some(7)),
            ("-7", Some(-7)),
            ("1e9", Some(1)),
            ("0x10", Some(0)),
            ("", None),
            ("soon", None),
            ("-", None),
            ("٣", None),
            ("99999999999999999999", Some(i64::MAX)),
        ] {
            assert_eq!(lenient_integer(text), value, "{text:?}");
        }
    }
}
