//! A token, what it says, and how long it lives.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use reqwest::header::HeaderValue;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use crate::clock::Reading;
use crate::error::{Error, Result};
use crate::model::TokenOrigin;
use crate::secret::Secret;

const SCHEME: &str = "Bearer ";

/// How long a token lives that says nothing about it: what Synerise documents as the default.
const UNKNOWN_LIFETIME: Duration = Duration::from_secs(3600);

/// A bearer token. Cloning it copies a pointer; nothing that is printed of it shows the value.
#[derive(Clone)]
pub struct Token(Arc<TokenInner>);

/// What a [`Token`] points to.
pub(crate) struct TokenInner {
    /// `Bearer …`, marked as sensitive. The only place in memory that the token's text is kept in.
    header: HeaderValue,
    generation: u64,
    validity: Validity,
    details: Option<Box<Details>>,
}

/// What the response said beside the token.
#[derive(Debug, Clone, Default)]
pub(crate) struct Details {
    pub(crate) origin: Option<TokenOrigin>,
    pub(crate) custom_id: Option<String>,
    pub(crate) realm: Option<String>,
}

/// When a token was issued, when its renewal is due, and when it ends: on the local clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Validity {
    pub(crate) issued_at: Reading,
    pub(crate) refresh_at: Reading,
    pub(crate) expires_at: Reading,
}

impl Token {
    pub(crate) fn new(
        value: &Secret,
        generation: u64,
        validity: Validity,
        details: Option<Box<Details>>,
    ) -> Result<Self> {
        if value.is_empty() {
            let problem = "the field `token` is empty";
            return Err(Error::unexpected_response("login".into(), 200, problem));
        }
        let text = Zeroizing::new(format!("{SCHEME}{}", value.expose()).into_bytes());
        // `from_owner` wipes the text when the last clone of the header is dropped, those inside of requests too.
        let mut header = HeaderValue::from_maybe_shared(Bytes::from_owner(text)).map_err(|_| {
            Error::unexpected_response(
                "login".into(),
                200,
                "its token holds characters that no header can hold",
            )
        })?;
        header.set_sensitive(true);
        Ok(Self(Arc::new(TokenInner {
            header,
            generation,
            validity,
            details,
        })))
    }

    /// The token itself, without `Bearer`.
    pub fn expose(&self) -> &str {
        let text = str::from_utf8(self.0.header.as_bytes()).unwrap_or_default();
        text.get(SCHEME.len()..).unwrap_or_default()
    }

    /// The value of the `Authorization` header, marked as sensitive. Cloning it copies no text.
    pub fn header(&self) -> &HeaderValue {
        &self.0.header
    }

    /// The number of this token in its session: each renewal counts one up.
    pub fn generation(&self) -> u64 {
        self.0.generation
    }

    /// How long the token lives, from when it was received.
    pub fn lifetime(&self) -> Duration {
        self.0
            .validity
            .expires_at
            .monotonic
            .saturating_sub(self.0.validity.issued_at.monotonic)
    }

    /// What the login was: a password, an identity provider, nothing. `None` where the service does not say.
    pub fn origin(&self) -> Option<&TokenOrigin> {
        self.0.details.as_ref()?.origin.as_ref()
    }

    /// The profile's custom identifier, where the service says it.
    pub fn custom_id(&self) -> Option<&str> {
        self.0.details.as_ref()?.custom_id.as_deref()
    }

    /// The realm of the token, like `client`, where the service says it.
    pub fn realm(&self) -> Option<&str> {
        self.0.details.as_ref()?.realm.as_deref()
    }

    /// What is written in the token, unverified; `None` where it can't be read: profiles' tokens may be encrypted.
    pub fn claims(&self) -> Option<Claims> {
        Claims::decode(self.expose())
    }

    pub(crate) fn validity(&self) -> &Validity {
        &self.0.validity
    }

    pub(crate) fn is_live(&self, now: Reading) -> bool {
        !now.reached(self.0.validity.expires_at)
    }
}

impl From<Arc<TokenInner>> for Token {
    fn from(issued: Arc<TokenInner>) -> Self {
        Self(issued)
    }
}

impl From<Token> for Arc<TokenInner> {
    fn from(token: Token) -> Self {
        token.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("generation", &self.generation())
            .field("lifetime", &self.lifetime())
            .finish_non_exhaustive()
    }
}

/// What is written in a token. Nothing here has been verified: it is for information, not for decisions.
///
/// Unknown claims are ignored, and every claim may be missing; one of another type than expected is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Claims {
    /// `iss`: who issued the token.
    #[serde(rename = "iss", deserialize_with = "readable")]
    pub issuer: Option<String>,
    /// `aud`: whom it is for.
    #[serde(rename = "aud", deserialize_with = "readable")]
    pub audience: Option<String>,
    /// `rlm`: the realm, like `anonymous_client`.
    #[serde(rename = "rlm", deserialize_with = "readable")]
    pub realm: Option<String>,
    /// `bpi`: the workspace's numeric id.
    #[serde(rename = "bpi", deserialize_with = "readable")]
    pub workspace_id: Option<i64>,
    /// `clId`: the profile's numeric id.
    #[serde(rename = "clId", deserialize_with = "readable")]
    pub profile_id: Option<i64>,
    /// `eml`: the e-mail address. Redacted, because it is personal.
    #[serde(rename = "eml", deserialize_with = "readable")]
    pub email: Option<Secret>,
    /// `apk`: the API key that the token was got with.
    #[serde(rename = "apk", deserialize_with = "readable")]
    pub api_key: Option<Secret>,
    /// `exp`: when it ends, in seconds since the epoch.
    #[serde(rename = "exp", deserialize_with = "readable")]
    pub expires_seconds: Option<i64>,
    /// `ctd`: when it was created, in milliseconds since the epoch.
    #[serde(rename = "ctd", deserialize_with = "readable")]
    pub created_milliseconds: Option<i64>,
}

/// A claim of another type than expected counts as missing: it must not take the token's end away with it.
fn readable<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Claim<T> {
        Readable(T),
        Unreadable(IgnoredAny),
    }
    Ok(match Claim::deserialize(deserializer)? {
        Claim::Readable(value) => Some(value),
        Claim::Unreadable(IgnoredAny) => None,
    })
}

impl Claims {
    /// When the token ends, by the server's clock.
    pub fn expires_at(&self) -> Option<SystemTime> {
        UNIX_EPOCH.checked_add(Duration::from_secs(self.expires_seconds?.try_into().ok()?))
    }

    /// When the token was created, by the server's clock.
    pub fn created_at(&self) -> Option<SystemTime> {
        UNIX_EPOCH.checked_add(Duration::from_millis(self.created_milliseconds?.try_into().ok()?))
    }

    fn decode(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (_, payload) = (parts.next()?, parts.next()?);
        let payload = Zeroizing::new(URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?);
        serde_json::from_slice(&payload).ok()
    }
}

/// A token as a response gave it.
#[derive(Debug)]
pub(crate) struct TokenResponse {
    pub(crate) token: Secret,
    /// Unix time in seconds.
    pub(crate) expiration: Option<i64>,
    /// Unix time in milliseconds.
    pub(crate) created: Option<i64>,
    pub(crate) details: Option<Box<Details>>,
    /// The server's clock at the answer, since the epoch.
    pub(crate) server_date: Option<Duration>,
    /// The local clocks when the request left.
    pub(crate) sent: Reading,
    /// The local clocks when the answer arrived.
    pub(crate) arrived: Reading,
}

impl TokenResponse {
    /// When the token's life begins and how long it is, told by the response alone: the local wall clock may be
    /// wrong by years.
    ///
    /// The server's `Date` says what is left at the answer. Without it, `created` and `expiration` say how long the whole
    /// life is, and it is counted from when the request left, which is too early rather than too late. A `created`
    /// that contradicts `expiration` is ignored. Only a token that says nothing but when it ends is measured by the local
    /// wall clock, and is not trusted for longer than the documented default; one that says nothing at all gets that.
    pub(crate) fn lifetime(&self) -> Result<(Reading, Duration)> {
        let claims = match self.expiration {
            Some(_) => None,
            None => Claims::decode(self.token.expose()),
        };
        let expiration = self.expiration.or_else(|| claims.as_ref()?.expires_seconds);
        let created = self.created.or_else(|| claims.as_ref()?.created_milliseconds);
        let Some(expiration) = expiration else {
            return Ok((self.arrived, UNKNOWN_LIFETIME));
        };
        let end = Duration::from_secs(u64::try_from(expiration).unwrap_or_default());
        let created = created
            .and_then(|milliseconds| u64::try_from(milliseconds).ok())
            .map(Duration::from_millis);
        let whole = created
            .and_then(|created| end.checked_sub(created))
            .filter(|whole| !whole.is_zero());
        let (start, left) = match (self.server_date, whole) {
            (Some(date), whole) => {
                let left = end.saturating_sub(date);
                (self.arrived, whole.map_or(left, |whole| whole.min(left)))
            }
            (None, Some(whole)) => (self.sent, whole),
            (None, None) => {
                let left = end.saturating_sub(self.arrived.wall);
                (self.arrived, left.min(UNKNOWN_LIFETIME))
            }
        };
        if left.is_zero() {
            return Err(Error::unexpected_response(
                "login".into(),
                200,
                "its token had already expired when it came",
            ));
        }
        Ok((start, left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, ManualClock};

    fn response(expiration: Option<i64>, created: Option<i64>, date: Option<u64>) -> TokenResponse {
        let sent = ManualClock::new().now();
        TokenResponse {
            token: Secret::new("opaque"),
            expiration,
            created,
            details: None,
            server_date: date.map(Duration::from_secs),
            sent,
            arrived: sent.after(Duration::from_secs(2)),
        }
    }

    fn seconds(response: &TokenResponse) -> Option<f64> {
        let (start, left) = response.lifetime().ok()?;
        Some((start.monotonic.saturating_sub(response.sent.monotonic) + left).as_secs_f64())
    }

    #[test]
    fn a_life_is_told_by_the_response_and_not_by_the_local_clock() {
        // The server's clock is decades behind the local one in all of these.
        assert_eq!(
            seconds(&response(Some(4600), Some(1_000_000), Some(1002))),
            Some(3600.0),
            "all agree"
        );
        assert_eq!(
            seconds(&response(Some(4600), Some(1_000_000), None)),
            Some(3600.0),
            "counted from when it left"
        );
        assert_eq!(
            seconds(&response(Some(4600), Some(1_000_000), Some(3000))),
            Some(1602.0),
            "a token of some age"
        );
        assert_eq!(seconds(&response(Some(4600), None, Some(1000))), Some(3602.0));
        assert_eq!(
            seconds(&response(Some(4600), Some(9_000_000), Some(1000))),
            Some(3602.0),
            "created after its end"
        );
        assert_eq!(
            seconds(&response(None, None, Some(1000))),
            Some(3602.0),
            "the documented default, never forever"
        );
        let by_the_wall = Some(1_767_225_600 + 602);
        assert_eq!(
            seconds(&response(by_the_wall, None, None)),
            Some(602.0),
            "nothing but the local clock to go by"
        );
        assert_eq!(
            seconds(&response(by_the_wall.map(|end| end + 315_360_000), None, None)),
            Some(3602.0),
            "a local clock that may be ten years behind"
        );
        assert_eq!(
            seconds(&response(Some(1), Some(900), None)),
            Some(0.1),
            "milliseconds count"
        );
        assert_eq!(
            seconds(&response(Some(1000 + 315_360_000), Some(1_000_000), Some(1000))),
            Some(315_360_002.0)
        );
    }

    #[test]
    fn a_token_that_is_over_on_arrival_is_an_error() {
        assert_eq!(seconds(&response(Some(1000), Some(1), Some(1000))), None);
        assert_eq!(seconds(&response(Some(-5), None, None)), None);
        assert_eq!(seconds(&response(Some(5), Some(6000), None)), None);
    }

    #[test]
    fn absurd_times_are_survived() {
        for time in [i64::MIN, -1, 0, 1, i64::MAX] {
            for created in [None, Some(i64::MIN), Some(0), Some(i64::MAX)] {
                let _ = response(Some(time), created, None).lifetime();
                let _ = response(Some(time), created, Some(u64::MAX)).lifetime();
            }
        }
    }

    #[test]
    fn a_claim_of_another_type_takes_no_other_claim_away() {
        let payload = URL_SAFE_NO_PAD.encode(r#"{"aud":["a","b"],"bpi":"48","apk":7,"exp":4600}"#);
        let claims = Claims::decode(&format!("e30.{payload}.sig")).unwrap();
        assert_eq!((claims.expires_seconds, claims.audience), (Some(4600), None));
    }

    #[test]
    fn claims_hide_what_is_secret_or_personal() {
        let payload = URL_SAFE_NO_PAD.encode(r#"{"apk":"fake-key","eml":"x@y.example","exp":1553007159,"ctd":1553004159151,"bpi":48,"new":[]}"#);
        let claims = Claims::decode(&format!("e30.{payload}.sig")).unwrap();
        assert_eq!(claims.workspace_id, Some(48));
        let life = claims
            .expires_at()
            .unwrap()
            .duration_since(claims.created_at().unwrap())
            .unwrap();
        assert_eq!(life.as_secs(), 2999);
        let printed = format!("{claims:?}");
        assert!(
            !printed.contains("fake-key") && !printed.contains("x@y"),
            "{printed}"
        );
        assert!(Claims::decode("eyJlbmMi.x.y.z.w").is_none() && Claims::decode("").is_none());
    }
}
