//! API keys: what they look like, and where they come from.

use std::str::FromStr;

use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::fingerprint::{fingerprint, hexadecimal};
use crate::secret::Secret;

mod environment;
mod file;
mod rotating;
mod source;

pub(crate) use environment::Variables;
pub use rotating::RotatingApiKey;
pub(crate) use source::SourceIdentity;
pub use source::{ApiKeyFuture, ApiKeyProvider, ApiKeySource, BoxError};

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

    /// Reads the key from an environment variable, or from the file that the variable `{variable}_FILE` names, as Kubernetes and
    /// Docker mount secrets. An empty `{variable}` counts as not set when there is a file.
    ///
    /// The file is read once. To follow a key that is replaced while the service runs, use [`ApiKeySource::from_env`].
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when neither variable is set, when both are, or when
    /// one is not UTF-8; fails like [`ApiKey::new`] and [`ApiKey::from_file`]. Errors name the variable, never its value.
    pub fn from_env(variable: &str) -> Result<Self> {
        match environment::find(variable, Variables::of_the_process())? {
            environment::Found::Key(key) => Ok(key),
            environment::Found::File(file) => file.read(),
        }
    }

    /// Reads the key from a file. One line end at the end of the file is not part of the key.
    ///
    /// The file is read once. To follow a key that is replaced while the service runs, use [`ApiKeySource::file`].
    ///
    /// # Errors
    /// Returns [`ErrorKind::ApiKeyUnavailable`](crate::ErrorKind::ApiKeyUnavailable) when the file can't be read or is empty,
    /// and fails like [`ApiKey::new`]. The path is not quoted, because a key may stand there by mistake.
    pub fn from_file(path: impl Into<std::path::PathBuf>) -> Result<Self> {
        file::KeyFile::new(path).read()
    }

    /// Returns the first eight hexadecimal digits of the key's SHA-256, by which traces and metrics tell keys apart. A key is
    /// random and long, so it can't be found from them.
    ///
    /// It is what `printf %s "$KEY" | sha256sum | cut -c1-8` prints.
    ///
    /// ```
    /// use synerise_auth::ApiKey;
    ///
    /// assert_eq!(ApiKey::new("not-a-real-key")?.fingerprint(), "fa77d7bd");
    /// # Ok::<(), synerise_auth::Error>(())
    /// ```
    pub fn fingerprint(&self) -> String {
        let hash: [u8; 32] = Sha256::digest(self.0.expose()).into();
        let [a, b, c, d, ..] = hash;
        format!("{a:02x}{b:02x}{c:02x}{d:02x}")
    }

    /// Returns the key itself. It can leak wherever this is used, so use it in few places.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Names the key in a saved session, without revealing it.
    pub(crate) fn long_fingerprint(&self) -> String {
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

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for ApiKey {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ApiKey".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Secret::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_not_printed() {
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
    }
}
