//! Reads a server's times: a whole number, a fraction or a text, in seconds or in milliseconds.

use std::fmt;
use std::time::Duration;

use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::foreign_json::{is_same_name, repaired, without_mark};

/// From this number on, seconds are taken as milliseconds, and so on. As seconds it is in the year 10000; as milliseconds it was
/// in 1978.
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
    /// Of what should say it, and can't be read.
    pub(super) const UNREADABLE: Self = Self {
        expiration: Timestamp::Unreadable,
        created: Timestamp::Unreadable,
    };

    /// The times in the JSON body of a login or refresh.
    pub(crate) fn of_body(body: &[u8]) -> Self {
        Self::read(body, ["expiration", "created"]).unwrap_or(Self::UNREADABLE)
    }

    /// The times in an object, under these names. `None` if it can't be read, or has one of them twice.
    pub(super) fn read(json: &[u8], names: [&'static str; 2]) -> Option<Self> {
        let json = without_mark(json);
        let read = |json: &[u8]| {
            let mut deserializer = serde_json::Deserializer::from_slice(json);
            let times = deserializer.deserialize_map(Named(names)).ok()?;
            deserializer.end().is_ok().then_some(times)
        };
        read(json).or_else(|| read(&repaired(json)?))
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

/// Reads the times with these names from an object. Other values are skipped, so that no copy of a token is made.
struct Named([&'static str; 2]);

impl<'de> Visitor<'de> for Named {
    type Value = TokenTimes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<TokenTimes, A::Error> {
        let (mut exact, mut misspelt) = ([None; 2], [None; 2]);
        while let Some(name) = fields.next_key::<String>()? {
            let place = self.0.iter().position(|known| is_same_name(known, &name));
            let Some(place) = place else {
                fields.next_value::<IgnoredAny>()?;
                continue;
            };
            let is_exact = self.0[place] == name;
            let times = if is_exact { &mut exact } else { &mut misspelt };
            if times[place].replace(fields.next_value()?).is_some() {
                return Err(A::Error::custom("a time is there twice"));
            }
        }
        let time = |place: usize| exact[place].or(misspelt[place]).unwrap_or_default();
        Ok(TokenTimes {
            expiration: time(0),
            created: time(1),
        })
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
    (number.is_finite() && number < END).then_some(number as u64)
}

/// A value of a field in seconds. Milliseconds, microseconds and nanoseconds are recognized.
pub(super) fn as_seconds(value: u64) -> Duration {
    let units: [fn(u64) -> Duration; 4] = [
        Duration::from_secs,
        Duration::from_millis,
        Duration::from_micros,
        Duration::from_nanos,
    ];
    let mut times = units.into_iter().map(|unit| unit(value));
    // Every number of nanoseconds is before that end.
    times
        .find(|time| time.as_secs() < SECONDS_END)
        .unwrap_or_default()
}

/// A value of a field in milliseconds.
pub(super) fn as_milliseconds(value: u64) -> Duration {
    Duration::from_millis(value)
}
