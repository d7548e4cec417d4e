//! Keys of the web tracking code, which some endpoints of Synerise take in the query.

use std::str::FromStr;

use serde::{Deserialize, Deserializer};
use url::{Url, form_urlencoded};

use crate::api_key::ApiKey;
use crate::error::{Error, Result};
use crate::exact_url::{self, Inexact};
use crate::secret::Secret;

/// A tracker key. Every page with the tracking code shows it, but it is not printed here either.
///
/// ```
/// use synerise_auth::model::TrackerKey;
///
/// let key = TrackerKey::new("fake-tracker-key")?;
/// let url = key.sign("https://api.synerise.com/recommendations/v2/recommend?lang=pl")?;
/// assert_eq!(url.query(), Some("lang=pl&token=fake-tracker-key"));
/// # Ok::<(), synerise_auth::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[doc(alias("tracking code", "tracker"))]
pub struct TrackerKey(Secret);

impl TrackerKey {
    /// Creates a key from its text in the tracking code.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when it is empty or was pasted wrongly.
    pub fn new(key: impl Into<String>) -> Result<Self> {
        Self::checked(ApiKey::new(key))
    }

    fn checked(key: Result<ApiKey>) -> Result<Self> {
        key.map(|key| Self(key.secret().clone()))
            .map_err(|error| error.in_input("tracker key"))
    }

    /// Returns the URL with the key in its query as `token=…`, by the security scheme `TrackerKey`. An existing `token` is
    /// replaced, because with two of them the server would decide which one counts. Everything else stays unchanged, byte
    /// by byte.
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when the URL is not an absolute HTTP URL, or is
    /// not written the way it is sent (with a space or a letter outside ASCII that is not percent-encoded, for example).
    pub fn sign(&self, url: &str) -> Result<Url> {
        let mut url = exact_url::parse(url).map_err(|problem| match problem {
            Inexact::NotAbsolute | Inexact::NoHost => not_absolute(),
            Inexact::UserInfo => Error::invalid_input(
                "URL",
                "contains a user name or password",
                "leave it out: the tracker key authenticates",
            ),
            Inexact::Host | Inexact::Path => Error::invalid_input(
                "URL",
                "is not written the way it would be sent",
                "leave out `.` and `..`, and percent-encode quotes, spaces and everything that is not ASCII",
            ),
        })?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(not_absolute());
        }
        let mut query = String::new();
        for pair in url.query().unwrap_or_default().split('&') {
            let is_token = form_urlencoded::parse(pair.as_bytes())
                .next()
                .is_some_and(|(name, _)| name == "token");
            // An empty query has one empty pair.
            let is_nothing = pair.is_empty() && query.is_empty();
            if !is_token && !is_nothing {
                query.push_str(pair);
                query.push('&');
            }
        }
        query.push_str("token=");
        query.push_str(&exact_url::encoded(self.0.expose()));
        url.set_query(Some(&query));
        Ok(url)
    }
}

fn not_absolute() -> Error {
    Error::invalid_input(
        "URL",
        "is not an absolute HTTP URL",
        "give it with its scheme and host",
    )
}

impl FromStr for TrackerKey {
    type Err = Error;

    /// Fails like [`TrackerKey::new`].
    fn from_str(key: &str) -> Result<Self> {
        Self::new(key)
    }
}

impl TryFrom<String> for TrackerKey {
    type Error = Error;

    /// Fails like [`TrackerKey::new`].
    fn try_from(key: String) -> Result<Self> {
        Self::new(key)
    }
}

impl TryFrom<&str> for TrackerKey {
    type Error = Error;

    /// Fails like [`TrackerKey::new`].
    fn try_from(key: &str) -> Result<Self> {
        Self::new(key)
    }
}

/// Reads a key from a configuration. There is no `Serialize`.
impl<'de> Deserialize<'de> for TrackerKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let key = Secret::deserialize(deserializer)?;
        Self::checked(ApiKey::try_from(key)).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(url: &str) -> String {
        let key = TrackerKey::new("fake+key/1").unwrap();
        key.sign(url).unwrap().into()
    }

    #[test]
    fn signed_url_has_one_token_and_keeps_every_other_byte() {
        const TOKEN: &str = "token=fake%2Bkey%2F1";
        for (url, expected) in [
            (
                "https://a.example/x?token=old&q=a%20b#f",
                "https://a.example/x?q=a%20b&TOKEN#f",
            ),
            (
                "https://a.example/x?q=caf%E9&r=a+b&s=%c3%a4",
                "https://a.example/x?q=caf%E9&r=a+b&s=%c3%a4&TOKEN",
            ),
            (
                "https://a.example/x?a&b=&&c==d;e=f&tok=1",
                "https://a.example/x?a&b=&&c==d;e=f&tok=1&TOKEN",
            ),
            (
                "https://a.example/x?tok%65n=old&to+ken=1&Token=2",
                "https://a.example/x?to+ken=1&Token=2&TOKEN",
            ),
            (
                "https://a.example/x?token=1&token=2&token",
                "https://a.example/x?TOKEN",
            ),
            ("https://a.example/x?", "https://a.example/x?TOKEN"),
            ("https://a.example", "https://a.example/?TOKEN"),
        ] {
            assert_eq!(signed(url), expected.replace("TOKEN", TOKEN), "{url}");
        }
    }

    #[test]
    fn url_that_would_be_changed_is_not_signed() {
        let key = TrackerKey::new("fake-key").unwrap();
        for wrong in [
            "/relative",
            "mailto:a@b.example",
            "ftp://a.example/x",
            "https://u:p@a.example/x",
            "https://a.example/x/../y",
            "https://a.example/x\\y",
            "https://a.example/x?q=a b",
            "https://a.example/x?q=\u{e4}",
            "https://a.example/x?q=a\tb",
            "https://a.example/x?q='",
        ] {
            assert!(key.sign(wrong).is_err(), "{wrong:?}");
        }
        assert!(!format!("{key:?}").contains("fake"));
    }

    #[test]
    fn keys_are_read_from_a_configuration() {
        let key = TrackerKey::new("fake-key").unwrap();
        assert_eq!("fake-key".parse::<TrackerKey>().unwrap(), key);
        assert_eq!(serde_json::from_str::<TrackerKey>("\"fake-key\"").unwrap(), key);
        let error = serde_json::from_str::<TrackerKey>("\"fake key\"")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("tracker key contains white space") && !error.contains("fake"),
            "{error}"
        );
        let error = "\"fake-key\"".parse::<TrackerKey>().unwrap_err();
        assert_eq!(error.input(), Some("tracker key"));
    }
}
