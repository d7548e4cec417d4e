//! Reads a server's times: a whole number, a fraction or a text, in seconds or in milliseconds.

use std::time::Duration;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// From this number on, seconds are taken as milliseconds. As seconds it is in the year 10000; as milliseconds it was in
/// 1978.
const SECONDS_END: u64 = 253_402_300_800;

/// The lifetime of a token with an unreadable expiry. It is shorter than any that Synerise documents, because it is a
/// guess.
pub(super) const UNREADABLE_LIFETIME: Duration = Duration::from_secs(60);

/// A time in a field whose unit is documented elsewhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Timestamp {
    /// The field is missing or `null`.
    #[default]
    Absent,
    /// There is a value, but it is not a time.
    Unreadable,
    /// The value, rounded down. A time before the epoch counts as the epoch.
    Value(u64),
}

/// When a token expires and when it was created, from the response or the token's claims.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TokenTimes {
    /// In seconds since the epoch.
    pub(crate) expiration: Timestamp,
    /// In milliseconds since the epoch.
    pub(crate) created: Timestamp,
}

impl TokenTimes {
    /// The times in the JSON body of a login or refresh.
    pub(crate) fn of_body(body: &[u8]) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Times {
            expiration: Timestamp,
            created: Timestamp,
        }
        let Times { expiration, created } = serde_json::from_slice(body).unwrap_or_default();
        Self { expiration, created }
    }

    /// What is left at `now`, since the epoch, of a lifetime with a stated end. `None` when none is stated.
    pub(crate) fn left(self, now: Duration) -> Option<Duration> {
        match self.expiration {
            Timestamp::Value(end) => Some(as_seconds(end).saturating_sub(now)),
            Timestamp::Unreadable => Some(UNREADABLE_LIFETIME),
            Timestamp::Absent => None,
        }
    }
}

impl Timestamp {
    pub(super) fn value(self) -> Option<u64> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Unreadable => None,
        }
    }

    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Value(_), _) | (Self::Unreadable, Self::Absent) => self,
            _ => other,
        }
    }

    /// The time that is this long after the epoch.
    #[cfg(test)]
    pub(super) fn from_secs(seconds: i64) -> Self {
        Self::Value(u64::try_from(seconds).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Value::deserialize(deserializer)? {
            Value::Null => Self::Absent,
            Value::Number(number) => number
                .as_u64()
                .or_else(|| floor(number.as_f64()?))
                .map_or(Self::Unreadable, Self::Value),
            Value::String(text) => text
                .trim()
                .parse()
                .ok()
                .or_else(|| floor(text.trim().parse().ok()?))
                .map_or(Self::Unreadable, Self::Value),
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => Self::Unreadable,
        })
    }
}

fn floor(number: f64) -> Option<u64> {
    /// The first number that does not fit into a u64. No time is that late.
    const END: f64 = 18_446_744_073_709_551_616.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rounds down, and what is negative counts as zero"
    )]
    (number < END).then_some(number as u64)
}

/// A value of a field in seconds. Milliseconds are recognized.
pub(super) fn as_seconds(value: u64) -> Duration {
    if value >= SECONDS_END {
        Duration::from_millis(value)
    } else {
        Duration::from_secs(value)
    }
}

/// A value of a field in milliseconds.
pub(super) fn as_milliseconds(value: u64) -> Duration {
    Duration::from_millis(value)
}
