//! What the person prefers: one object of the node, changed by merge patches.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tieline_wire::time::UnixMillis;
use utoipa::ToSchema;

/// What the person prefers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Preferences {
    /// When notifications are shown, and how much they say.
    #[serde(default)]
    #[schema(required)]
    pub notifications: NotificationPreferences,
    /// Which route is tried first where the sender leaves the choice (`auto`).
    #[serde(default)]
    #[schema(required)]
    pub route_order: RouteOrder,
    /// Days for which the content of messages is kept, 1 to 3650; absent keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 3650)]
    pub retention_days: Option<u32>,
    /// Whether the local API demands its token on every route.
    #[serde(default)]
    #[schema(required)]
    pub require_token: bool,
}

/// When notifications are shown, and how much they say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NotificationPreferences {
    /// No notification of messages before this time, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub paused_until: Option<UnixMillis>,
    /// No notification of messages at these times of the day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
    /// Whether a notification leaves out what the message says.
    #[serde(default)]
    #[schema(required)]
    pub hide_text: bool,
}

/// Part of every day, in this machine's local time; over midnight where it begins after it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    /// Its first minute, `HH:MM`.
    #[schema(value_type = String)]
    pub from: TimeOfDay,
    /// The first minute after it, `HH:MM`.
    #[schema(value_type = String)]
    pub to: TimeOfDay,
}

impl QuietHours {
    /// Whether `time` lies in it.
    #[must_use]
    pub fn contains(&self, time: TimeOfDay) -> bool {
        if self.from <= self.to {
            self.from <= time && time < self.to
        } else {
            self.from <= time || time < self.to
        }
    }
}

/// Which route `auto` tries first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum RouteOrder {
    /// The LAN, then a relay.
    #[default]
    LanFirst,
    /// A relay, then the LAN.
    RelayFirst,
}

/// A minute of the day, written `HH:MM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay {
    minutes: u16,
}

impl TimeOfDay {
    /// The minute `minute` of hour `hour`, `None` where a day has no such minute.
    #[must_use]
    pub const fn new(hour: u8, minute: u8) -> Option<Self> {
        if hour < 24 && minute < 60 {
            let minutes = hour as u16 * 60 + minute as u16;
            Some(Self { minutes })
        } else {
            None
        }
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.minutes / 60, self.minutes % 60)
    }
}

/// The text is not `HH:MM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time of the day is written HH:MM, from 00:00 to 23:59")]
pub struct NotATimeOfDay;

impl FromStr for TimeOfDay {
    type Err = NotATimeOfDay;

    fn from_str(text: &str) -> Result<Self, NotATimeOfDay> {
        let number = |digits: &str| match digits.as_bytes() {
            [b'0'..=b'9', b'0'..=b'9'] => digits.parse().map_err(|_| NotATimeOfDay),
            _ => Err(NotATimeOfDay),
        };
        let (hour, minute) = text.split_once(':').ok_or(NotATimeOfDay)?;
        Self::new(number(hour)?, number(minute)?).ok_or(NotATimeOfDay)
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(text: &str) -> TimeOfDay {
        text.parse().unwrap()
    }

    #[test]
    fn a_time_of_day_is_read_as_it_is_written() {
        for text in ["00:00", "07:05", "23:59"] {
            assert_eq!(at(text).to_string(), text);
        }
        for wrong in ["24:00", "7:00", "07:60", "0700", "+7:00", "07:00:00", ""] {
            assert_eq!(wrong.parse::<TimeOfDay>(), Err(NotATimeOfDay), "{wrong}");
        }
    }

    #[test]
    fn quiet_hours_may_go_over_midnight() {
        let night = QuietHours {
            from: at("22:00"),
            to: at("07:00"),
        };
        let inside = ["22:00", "23:59", "00:00", "06:59"];
        assert!(inside.iter().all(|time| night.contains(at(time))));
        assert!(!night.contains(at("07:00")) && !night.contains(at("21:59")));
        let lunch = QuietHours {
            from: at("12:00"),
            to: at("13:00"),
        };
        assert!(lunch.contains(at("12:30")));
        assert!(!lunch.contains(at("13:00")) && !lunch.contains(at("11:59")));
    }

    #[test]
    fn nothing_set_is_the_default_and_an_unknown_name_is_refused() {
        assert_eq!(
            serde_json::from_str::<Preferences>("{}").unwrap(),
            Preferences::default()
        );
        assert_eq!(
            serde_json::to_string(&Preferences::default()).unwrap(),
            r#"{"notifications":{"hideText":false},"routeOrder":"lanFirst","requireToken":false}"#
        );
        serde_json::from_str::<Preferences>(r#"{"requiretoken":true}"#).unwrap_err();
    }
}
