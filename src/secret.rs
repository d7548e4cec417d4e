//! Values that must never be seen: API keys, passwords, tokens, PINs and codes.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serializer};
use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// A value that is never printed, never serialized by accident, and wiped from memory when the last copy is dropped.
///
/// `Debug` shows `[redacted]`; there is no `Display` and no `Serialize`. Clones share one allocation.
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

    /// The value itself. Every use of it is a place where it can leak, so keep them few.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether nothing is inside.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl PartialEq for Secret {
    /// Looks at every byte whatever the first ones are, so that the time it takes tells nothing about the content.
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

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
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

/// How the generated types write their secrets; build.rs puts these paths on their fields, so that `Secret` itself
/// needs no `Serialize`: only a request's body can hold the value.
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

/// An API key of a workspace or of its profiles; which of the two, Synerise decides when it is created.
///
/// Workspace keys give access to all the data of a workspace: they belong in server-side configuration only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey(Secret);

impl ApiKey {
    /// Takes a key as Synerise shows it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when it is empty, or holds white space, a line break or anything else that is not
    /// printable ASCII: such a key was cut or pasted wrongly. Its shape is not checked further: keys look like UUIDs
    /// today, which Synerise does not promise.
    pub fn new(key: impl Into<String>) -> Result<Self> {
        let key = Zeroizing::new(key.into());
        if key.is_empty() {
            return Err(Error::invalid_input(
                "API key",
                "is empty",
                "copy it from Settings > API Keys in Synerise",
            ));
        }
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::invalid_input(
                "API key",
                "holds white space, a line break or another character that no key has",
                "copy it again without quotes and line ends",
            ));
        }
        Ok(Self(Secret::new(key.as_str())))
    }

    /// Reads the key from an environment variable.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when the variable is not set or not UTF-8, and as [`ApiKey::new`].
    pub fn from_env(variable: &str) -> Result<Self> {
        let key = std::env::var(variable).map_err(|_| {
            Error::invalid_input(
                format!("environment variable {variable}"),
                "is not set, or is not UTF-8",
                "set it to the API key",
            )
        })?;
        Self::new(key)
            .map_err(|error| error.in_input(&format!("the API key in environment variable {variable}")))
    }

    /// The key as a secret, for a request's body.
    pub(crate) fn secret(&self) -> &Secret {
        &self.0
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
        assert_eq!(
            format!("{:?}", ApiKey::new("fake-key").unwrap()),
            "ApiKey([redacted])"
        );
    }

    #[test]
    fn keys_that_were_pasted_wrongly_are_refused_without_being_quoted() {
        for wrong in ["", " ", "fake\nkey", "fake key", "fake-key\r\n", "fäke"] {
            let error = ApiKey::new(wrong).unwrap_err().to_string();
            assert!(!error.contains("fake") && !error.contains('\n'), "{error}");
        }
    }
}
