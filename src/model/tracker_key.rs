//! Keys of the web tracking code, which some endpoints of Synerise take in the query.

use url::Url;

use crate::error::{Error, Result};
use crate::secret::{ApiKey, Secret};

/// A tracker key. It is public in the pages that hold the tracking code, but it is not printed here either.
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
pub struct TrackerKey(Secret);

impl TrackerKey {
    /// Takes a key as the tracking code has it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when it is empty or was pasted wrongly.
    pub fn new(key: impl Into<String>) -> Result<Self> {
        ApiKey::new(key)
            .map(|key| Self(key.secret().clone()))
            .map_err(|error| error.in_input("tracker key"))
    }

    /// The URL with the key in its query, as the security scheme `TrackerKey` has it: `token=…`. A token that is there
    /// already is replaced: two would leave it to the server which one counts.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when it is no absolute HTTP URL.
    pub fn sign(&self, url: &str) -> Result<Url> {
        let refuse = || {
            Error::invalid_input(
                "URL",
                "is no absolute HTTP URL",
                "give it with its scheme and host",
            )
        };
        let mut url = Url::parse(url).map_err(|_| refuse())?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(refuse());
        }
        let others: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(name, _)| name != "token")
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        url.query_pairs_mut()
            .clear()
            .extend_pairs(others)
            .append_pair("token", self.0.expose());
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signed_url_has_one_token() {
        let key = TrackerKey::new("fake+key/1").unwrap();
        let signed = key.sign("https://a.example/x?token=old&q=a%20b#f").unwrap();
        assert_eq!(
            signed.as_str(),
            "https://a.example/x?q=a+b&token=fake%2Bkey%2F1#f"
        );
        assert!(key.sign("/relative").is_err() && key.sign("mailto:a@b.example").is_err());
        assert!(!format!("{key:?}").contains("fake"));
    }
}
