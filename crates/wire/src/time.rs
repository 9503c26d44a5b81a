//! Points in time as they travel and are stored.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970-01-01T00:00:00Z, negative before.
///
/// In JSON and in `Display` this is RFC 3339 in UTC with three decimals and `Z`, for example
/// `2026-03-01T12:00:00.000Z`. Reading accepts any RFC 3339 offset and cuts finer digits off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnixMillis(pub i64);

impl UnixMillis {
    /// The same instant as a `SystemTime`; times before 1970 become negative.
    #[must_use]
    pub fn from_system_time(time: SystemTime) -> Self {
        let millis = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self(millis(after)),
            Err(before) => Self(-millis(before.duration())),
        }
    }

    /// Whole seconds since 1970, rounded down.
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The instant `span` later, or the last representable one.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// How long ago `earlier` was, zero if it is not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for UnixMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Outside jiff's years -9999 to 9999 the nearest representable instant is shown.
        let timestamp = jiff::Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        });
        write!(f, "{timestamp:.3}")
    }
}

/// The text is not an RFC 3339 time. Likely cause: a missing zone or a space instead of `T`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a time in RFC 3339 form such as 2026-03-01T12:00:00.000Z")]
pub struct NotATime;

impl FromStr for UnixMillis {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let timestamp: jiff::Timestamp = text.parse().map_err(|_| NotATime)?;
        Ok(Self(timestamp.as_millisecond()))
    }
}

impl serde::Serialize for UnixMillis {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for UnixMillis {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::encoding::deserialize_str(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_three_decimals_and_z() {
        assert_eq!(
            UnixMillis(1_772_366_400_000).to_string(),
            "2026-03-01T12:00:00.000Z"
        );
        assert_eq!(
            UnixMillis(1_772_366_400_007).to_string(),
            "2026-03-01T12:00:00.007Z"
        );
        assert_eq!(UnixMillis(-1).to_string(), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn reads_offsets_and_refuses_times_without_zone() {
        let noon: UnixMillis = "2026-03-01T13:00:00+01:00".parse().unwrap();
        assert_eq!(noon, UnixMillis(1_772_366_400_000));
        for bad in [
            "",
            "2026-03-01",
            "2026-03-01T12:00:00",
            "yesterday",
            "2026-02-30T00:00:00Z",
        ] {
            assert_eq!(bad.parse::<UnixMillis>(), Err(NotATime), "{bad:?}");
        }
    }

    #[test]
    fn extremes_neither_panic_nor_wrap() {
        for extreme in [i64::MIN, i64::MAX] {
            assert!(UnixMillis(extreme).to_string().ends_with('Z'));
        }
        assert_eq!(
            UnixMillis(i64::MAX).plus(Duration::from_secs(1)),
            UnixMillis(i64::MAX)
        );
        assert_eq!(UnixMillis(5).since(UnixMillis(9)), Duration::ZERO);
        assert_eq!(UnixMillis(-1).as_seconds(), -1);
    }
}
