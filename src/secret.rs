//! Values that must never be shown: API keys, passwords, tokens, PINs and codes.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serializer};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::fingerprint::{fingerprint, hexadecimal};

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

/// An API key of a workspace or of its profiles. Its kind is chosen in Synerise when the key is created.
///
/// Workspace keys give access to all data of a workspace, so keep them in server-side configuration only.
#[doc(alias("apiKey", "API key"))]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey(Secret);

impl ApiKey {
    /// Creates a key from its text, as Synerise shows it.
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when the key is empty or was copied wrongly:
    /// with white space or another character that is not printable ASCII, with its quotes, with its name (`NAME=…`) or
    /// `Bearer` in front, or as a variable that was not replaced (`${NAME}`). Its shape is not checked further: keys look
    /// like UUIDs today, but Synerise does not promise that.
    pub fn new(key: impl Into<String>) -> Result<Self> {
        let key = Zeroizing::new(key.into());
        check(&key)?;
        Ok(Self(Secret::new(key.as_str())))
    }

    /// Reads the key from an environment variable.
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when the variable is not set or not UTF-8, and
    /// fails like [`ApiKey::new`].
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

    /// Returns the key itself. It can leak wherever this is used, so use it in few places.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Names the key without revealing it.
    pub(crate) fn fingerprint(&self) -> String {
        hexadecimal(&fingerprint(["API key", self.0.expose()]))
    }

    /// The key as a secret, for a request's body.
    pub(crate) fn secret(&self) -> &Secret {
        &self.0
    }
}

/// Refuses what can't be a key, without quoting it.
fn check(key: &str) -> Result<()> {
    let refuse =
        |problem: &'static str, remedy: &'static str| Err(Error::invalid_input("API key", problem, remedy));
    if key.is_empty() {
        return refuse("is empty", "copy it from Settings > API Keys in Synerise");
    }
    if key.contains(['"', '\'', '`']) {
        return refuse("contains a quote", "copy it again without quotes and line ends");
    }
    if key.contains(['$', '{', '}', '<', '>']) || key.starts_with('%') && key.ends_with('%') {
        return refuse(
            "is a variable or a placeholder that was not replaced by its value",
            "check where it comes from, or copy the key itself",
        );
    }
    let has_scheme = ["bearer", "basic"].iter().any(|scheme| {
        let (start, rest) = key.split_at_checked(scheme.len()).unwrap_or_default();
        start.eq_ignore_ascii_case(scheme) && rest.starts_with([' ', ':', '=', '\t'])
    });
    if has_scheme {
        return refuse(
            "starts with an authentication scheme",
            "copy the key alone, without `Bearer`",
        );
    }
    // Base64 padding may end a key, but a name in front must not begin one.
    if key.trim_end_matches('=').contains('=') || key.contains(": ") {
        return refuse("has a name in front", "copy the key alone, without `NAME=`");
    }
    if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return refuse(
            "contains white space, a line break or another character that no key has",
            "copy it again without quotes and line ends",
        );
    }
    if key.ends_with([',', ';', ':']) {
        return refuse("ends with punctuation", "copy the key alone");
    }
    if key.starts_with("eyJ") && key.contains('.') {
        return refuse(
            "is a token, not a key",
            "copy the key from Settings > API Keys in Synerise",
        );
    }
    Ok(())
}

impl FromStr for ApiKey {
    type Err = Error;

    /// Fails like [`ApiKey::new`].
    fn from_str(key: &str) -> Result<Self> {
        Self::new(key)
    }
}

impl TryFrom<String> for ApiKey {
    type Error = Error;

    /// Fails like [`ApiKey::new`].
    fn try_from(key: String) -> Result<Self> {
        Self::new(key)
    }
}

impl TryFrom<&str> for ApiKey {
    type Error = Error;

    /// Fails like [`ApiKey::new`].
    fn try_from(key: &str) -> Result<Self> {
        Self::new(key)
    }
}

impl TryFrom<Secret> for ApiKey {
    type Error = Error;

    /// Fails like [`ApiKey::new`].
    fn try_from(key: Secret) -> Result<Self> {
        check(key.expose())?;
        Ok(Self(key))
    }
}

/// Reads a key from a configuration. There is no `Serialize`, so a key is never written by accident.
impl<'de> Deserialize<'de> for ApiKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let key = Secret::deserialize(deserializer)?;
        Self::try_from(key).map_err(serde::de::Error::custom)
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
        for wrong in [
            "",
            " ",
            "fake\nkey",
            "fake key",
            "fake-key\r\n",
            "fäke",
            "\"fake-key\"",
            "'fake-key'",
            "\"fake-key",
            "`fake-key`",
            "\u{201c}fake-key\u{201d}",
            "fake\u{200b}key",
            "SYNERISE_API_KEY=fake-key",
            "export KEY=fake-key",
            "KEY=\"fake-key\"",
            "apiKey:\"fake-key\"",
            "key: fake-key",
            "Bearer fake-key",
            "bearer\tfake-key",
            "BEARER:fake-key",
            "Basic fake-key",
            "$FAKE",
            "${FAKE_KEY}",
            "{{ fake }}",
            "<fake-key>",
            "%FAKE%",
            "fake-key,",
            "fake-key;",
            "eyJhbGciOiJmYWtlIn0.e30.fake",
        ] {
            let error = ApiKey::new(wrong).unwrap_err();
            assert_eq!(error.input(), Some("API key"), "{wrong:?}");
            let line = error.to_string();
            assert!(
                !line.to_lowercase().contains("fake") && !line.contains('\n'),
                "{line}"
            );
        }
        for right in [
            "fake-key",
            "1c586ac4-cb47-4c45-a7cf-e0fb74e8e5f4",
            "ZmFrZQ==",
            "fake:key",
            "eyJfake",
            "bearers-key",
            "fake%20key",
        ] {
            assert!(ApiKey::new(right).is_ok(), "{right}");
        }
    }

    #[test]
    fn keys_are_read_from_a_configuration() {
        let key = ApiKey::new("fake-key").unwrap();
        assert_eq!("fake-key".parse::<ApiKey>().unwrap(), key);
        assert_eq!(ApiKey::try_from("fake-key".to_owned()).unwrap(), key);
        assert_eq!(serde_json::from_str::<ApiKey>("\"fake-key\"").unwrap(), key);
        assert_eq!(serde_json::from_value::<ApiKey>("fake-key".into()).unwrap(), key);
        let error = serde_json::from_str::<ApiKey>("\"'fake-key'\"")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("API key contains a quote") && !error.contains("fake"),
            "{error}"
        );
        // A value of another type is not quoted.
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
