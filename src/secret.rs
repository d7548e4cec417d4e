//! Values that must never be shown: API keys, passwords, tokens, PINs and codes.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use http::header::InvalidHeaderValue;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serializer};
use zeroize::Zeroizing;

/// A value that is never printed, never serialized by accident, and wiped from memory when the last copy is dropped.
///
/// `Debug` shows `[redacted]`. There is no `Display` and no `Serialize`. Clones share one allocation. It can be read from a
/// configuration with `Deserialize`, whose errors do not quote the value either.
///
/// These are wiped: this value; the JSON bodies that it is sent in, and the responses that contain tokens, as far as this
/// crate owns the buffers; and the copies that are used to find secrets in a server's text. These are not: the buffers of
/// the HTTP client, of TLS and of the operating system, and the value's original source (an environment variable, a file, a
/// `&str` that you keep).
///
/// Nothing that this crate logs shows a secret, at any level. Libraries below it write logs of their own: at `TRACE`, `h2`
/// prints what a server says in an HTTP/2 `GOAWAY` frame, and a server can quote there what it was sent. Keep the targets
/// `h2` and `hyper` above `TRACE` where that matters.
///
/// ```
/// use synerise_auth::Secret;
///
/// let password = Secret::new("not-a-real-password");
/// assert_eq!(format!("{password:?}"), "[redacted]");
/// assert_eq!(password.expose(), "not-a-real-password");
/// ```
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    /// Takes ownership of the value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(Arc::new(Zeroizing::new(value.into())))
    }

    /// Returns the value itself. It can leak wherever this is used, so use it in few places.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns whether the value is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A header with a secret: marked as sensitive, and wiped when the last clone of it is dropped, including those inside
/// requests.
pub(crate) fn secret_header(text: Zeroizing<Vec<u8>>) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut header = HeaderValue::from_maybe_shared(Bytes::from_owner(text))?;
    header.set_sensitive(true);
    Ok(header)
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl PartialEq for Secret {
    /// Compares every byte even after a difference, so that the time it takes reveals nothing about the content.
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (self.expose().as_bytes(), other.expose().as_bytes());
        a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (x, y)| difference | (x ^ y)) == 0
    }
}

impl Eq for Secret {}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self::new(value)
    }
}

impl From<&str> for Secret {
    fn from(value: &str) -> Self {
        Self::new(value)
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(value: &str) -> Result<Self, Infallible> {
        Ok(Self::new(value))
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // When asked for a text, human-readable formats reject another type themselves, and quote the value.
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(SecretVisitor)
        } else {
            deserializer.deserialize_string(SecretVisitor)
        }
    }
}

/// Takes a text. For any other type, serde's own error would quote the value: a PIN that was written as a number, for
/// example.
struct SecretVisitor;

impl SecretVisitor {
    fn refuse<E: serde::de::Error>() -> Result<Secret, E> {
        Err(E::custom("a secret is not a string"))
    }
}

impl Visitor<'_> for SecretVisitor {
    type Value = Secret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Secret, E> {
        Ok(Secret::new(value))
    }

    fn visit_string<E: serde::de::Error>(self, value: String) -> Result<Secret, E> {
        Ok(Secret::new(value))
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<Secret, E> {
        Self::refuse()
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Secret, E> {
        Self::refuse()
    }

    fn visit_i128<E: serde::de::Error>(self, _: i128) -> Result<Secret, E> {
        Self::refuse()
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<Secret, E> {
        Self::refuse()
    }

    fn visit_u128<E: serde::de::Error>(self, _: u128) -> Result<Secret, E> {
        Self::refuse()
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Secret, E> {
        Self::refuse()
    }

    fn visit_bytes<E: serde::de::Error>(self, _: &[u8]) -> Result<Secret, E> {
        Self::refuse()
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Secret, E> {
        Self::refuse()
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for Secret {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "password", "writeOnly": true })
    }
}

/// How the generated types serialize their secrets. build.rs puts these paths on their fields, so `Secret` itself needs no
/// `Serialize`: only a request's body can hold the value.
pub(crate) mod wire {
    use super::{Secret, Serializer};

    pub(crate) fn reveal<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.expose())
    }

    #[expect(
        clippy::ref_option,
        reason = "serde's serialize_with passes a reference to the field"
    )]
    pub(crate) fn reveal_option<S: Serializer>(
        secret: &Option<Secret>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match secret {
            Some(secret) => serializer.serialize_some(secret.expose()),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn redact<S: Serializer>(_: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("[redacted]")
    }

    #[expect(
        clippy::ref_option,
        reason = "serde's serialize_with passes a reference to the field"
    )]
    pub(crate) fn redact_option<S: Serializer>(
        secret: &Option<Secret>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match secret {
            Some(_) => serializer.serialize_some("[redacted]"),
            None => serializer.serialize_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_compared_by_value_and_printed_by_none() {
        assert_eq!(Secret::new("a"), Secret::new("a"));
        assert_ne!(Secret::new("a"), Secret::new("b"));
        assert_ne!(Secret::new("a"), Secret::new("aa"));
    }

    #[test]
    fn a_value_of_another_type_is_not_quoted() {
        for (json, value) in [
            ("471108", "471108"),
            ("-471108", "471108"),
            ("47.11", "47.11"),
            ("[\"fake\"]", "fake"),
            ("{\"a\":\"fake\"}", "fake"),
            ("true", "true"),
        ] {
            for error in [
                serde_json::from_str::<Secret>(json).unwrap_err(),
                serde_json::from_value::<Secret>(serde_json::from_str(json).unwrap()).unwrap_err(),
            ] {
                assert!(!error.to_string().contains(value), "{error}");
            }
        }
    }
}
