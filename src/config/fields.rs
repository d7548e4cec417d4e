//! The fields as they stand in a configuration. Their errors don't quote values: a key may stand in the wrong field.

use std::fmt;
use std::time::Duration;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::error::{Error, Result};
use crate::region::Region;
use crate::secret::Secret;

/// The settings of a client of Synerise.
#[derive(Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
pub(super) struct Fields {
    /// The environment that the workspace lives in. The default is azure-eu.
    pub(super) region: Option<Region>,
    /// Another address, instead of a region.
    pub(super) base_url: Option<Text>,
    /// The API key itself.
    #[cfg_attr(feature = "schemars", schemars(with = "Option<Secret>"))]
    pub(super) api_key: Option<Key>,
    /// A file with the API key, which is read before each login.
    pub(super) api_key_file: Option<Text>,
    /// The application's name and version, for the User-Agent.
    pub(super) app: Option<String>,
    /// How long a connection may take to open.
    pub(super) connect_timeout: Option<Span>,
    /// How long a single response may take.
    pub(super) attempt_timeout: Option<Span>,
    /// How long a call may take, including its retries.
    pub(super) call_timeout: Option<Span>,
    /// The longest time before expiry at which a token is refreshed.
    pub(super) refresh_margin: Option<Span>,
    /// How long a refresh may take, including its retries.
    pub(super) refresh_timeout: Option<Span>,
    /// How many times a request is sent at most.
    #[cfg_attr(feature = "schemars", schemars(range(min = 1)))]
    pub(super) max_attempts: Option<u32>,
}

/// What stands in the key's place; `None` if it is not a string.
///
/// It is judged when the key is used. An error here would make some formats quote the line, and the key with it.
pub(super) struct Key(pub(super) Option<Secret>);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(KeyVisitor)
        } else {
            Secret::deserialize(deserializer).map(|secret| Self(Some(secret)))
        }
    }
}

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, value: &str) -> Result<Key, E> {
        Ok(Key(Some(Secret::new(value))))
    }

    fn visit_string<E>(self, value: String) -> Result<Key, E> {
        Ok(Key(Some(Secret::new(value))))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Key, E> {
        Ok(Key(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Key, E> {
        Ok(Key(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Key, E> {
        Ok(Key(None))
    }

    fn visit_i128<E>(self, _: i128) -> Result<Key, E> {
        Ok(Key(None))
    }

    fn visit_u128<E>(self, _: u128) -> Result<Key, E> {
        Ok(Key(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Key, E> {
        Ok(Key(None))
    }

    fn visit_unit<E>(self) -> Result<Key, E> {
        Ok(Key(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Key, A::Error> {
        while values.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Key(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Key, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Key(None))
    }
}

/// A text that errors don't quote.
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schemars", schemars(inline, transparent))]
pub(super) struct Text(pub(super) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Secret::deserialize(deserializer) {
            Ok(text) => Ok(Self(text.expose().to_owned())),
            Err(_) => Err(serde::de::Error::custom(
                "a setting that should be a string is not one",
            )),
        }
    }
}

/// A length of time, with its unit.
pub(super) struct Span(pub(super) Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::deserialize(deserializer)?;
        duration(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for Span {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "examples": ["500ms", "20s", "1m 30s"] })
    }
}

/// Parses a length of time such as `20s`.
pub(super) fn duration(text: &str) -> Result<Duration> {
    match humantime::parse_duration(text) {
        Ok(time) if !time.is_zero() => Ok(time),
        _ => Err(Error::invalid_input(
            "duration",
            "is not a length of time with its unit",
            "write it like 500ms, 20s or 1m 30s",
        )),
    }
}

/// Parses a number of attempts.
pub(super) fn attempts(text: &str) -> Result<u32> {
    match text.trim().parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(Error::invalid_input(
            "number of attempts",
            "is not a whole number of at least 1",
            "write it like 3",
        )),
    }
}
