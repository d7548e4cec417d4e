//! The contents of a token, unverified.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use crate::foreign_json::without_mark;
use crate::model::ProfileUuid;
use crate::secret::Secret;

use super::timestamp::{Timestamp, TokenTimes, as_milliseconds, as_seconds};

/// The contents of a token. Nothing here has been verified: use it for information, not for decisions.
///
/// Unknown claims are ignored, and every claim may be missing. A claim of an unexpected type counts as missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Claims {
    /// `iss`: who issued the token.
    #[serde(rename = "iss", deserialize_with = "readable")]
    pub issuer: Option<String>,
    /// `aud`: the audience that it was issued for.
    #[serde(rename = "aud", deserialize_with = "readable")]
    pub audience: Option<String>,
    /// `rlm`: the realm, such as `anonymous_client`.
    #[serde(rename = "rlm", deserialize_with = "readable")]
    pub realm: Option<String>,
    /// `bpi`: the workspace's numeric id.
    #[serde(rename = "bpi", deserialize_with = "readable")]
    pub workspace_id: Option<i64>,
    /// `clId`: the profile's numeric id.
    #[serde(rename = "clId", deserialize_with = "id")]
    pub profile_id: Option<i64>,
    /// `uuid`: the profile's UUID.
    #[serde(rename = "uuid", deserialize_with = "readable")]
    pub profile_uuid: Option<ProfileUuid>,
    /// `eml`: the e-mail address. Redacted, because it is personal.
    #[serde(rename = "eml", deserialize_with = "readable")]
    pub email: Option<Secret>,
    /// `apk`: the API key that the token was issued for.
    #[serde(rename = "apk", deserialize_with = "readable")]
    pub api_key: Option<Secret>,
    /// `exp`: when it expires, in seconds since the epoch, rounded down.
    #[serde(rename = "exp", deserialize_with = "seconds")]
    pub expires_seconds: Option<i64>,
    /// `ctd`: when it was created, in milliseconds since the epoch, rounded down.
    #[serde(rename = "ctd", deserialize_with = "milliseconds")]
    pub created_milliseconds: Option<i64>,
}

/// A claim of an unexpected type counts as missing: the claims after it must still be read.
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

/// An id, as a number or as a text.
fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Id {
        Number(i64),
        Text(String),
    }
    Ok(match readable(deserializer)? {
        Some(Id::Number(id)) => Some(id),
        Some(Id::Text(id)) => id.trim().parse().ok(),
        None => None,
    })
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let time = Timestamp::deserialize(deserializer)?.value().map(as_seconds);
    Ok(time.and_then(|time| time.as_secs().try_into().ok()))
}

fn milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let time = Timestamp::deserialize(deserializer)?.value().map(as_milliseconds);
    Ok(time.and_then(|time| time.as_millis().try_into().ok()))
}

impl Claims {
    /// Returns when the token expires, by the server's clock.
    pub fn expires_at(&self) -> Option<SystemTime> {
        UNIX_EPOCH.checked_add(Duration::from_secs(self.expires_seconds?.try_into().ok()?))
    }

    /// Returns when the token was created, by the server's clock.
    pub fn created_at(&self) -> Option<SystemTime> {
        UNIX_EPOCH.checked_add(Duration::from_millis(self.created_milliseconds?.try_into().ok()?))
    }

    pub(super) fn decode(token: &str) -> Option<Self> {
        serde_json::from_slice(&payload(token)?).ok()
    }
}

impl TokenTimes {
    /// The times in a token's claims. Both are missing if the token has no claims, or encrypted ones, and unreadable if they look
    /// like claims and can't be read.
    pub(crate) fn of_token(token: &str) -> Self {
        let Some(payload) = payload(token) else {
            return Self::default();
        };
        let is_signed = token.split('.').count() == 3;
        let is_json = without_mark(&payload).trim_ascii_start().starts_with(b"{");
        match Self::read(&payload, ["exp", "ctd"]) {
            Some(times) => times,
            None if is_signed && is_json => Self::UNREADABLE,
            None => Self::default(),
        }
    }
}

fn payload(token: &str) -> Option<Zeroizing<Vec<u8>>> {
    let payload = token.split('.').nth(1)?;
    Some(Zeroizing::new(
        URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(payload: &str) -> Option<Claims> {
        Claims::decode(&format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(payload)))
    }

    #[test]
    fn claim_of_unexpected_type_leaves_the_others() {
        let claims = decode(r#"{"aud":["a","b"],"bpi":"48","apk":7,"exp":4600}"#).unwrap();
        assert_eq!((claims.expires_seconds, claims.audience), (Some(4600), None));
    }

    #[test]
    fn profile_id_may_be_a_number_or_text() {
        for (id, expected) in [
            ("433230288", Some(433_230_288)),
            ("\" 7 \"", Some(7)),
            ("\"x\"", None),
            ("null", None),
        ] {
            let claims = decode(&format!(r#"{{"clId":{id},"uuid":"u-1","exp":4600}}"#)).unwrap();
            assert_eq!(claims.profile_id, expected, "{id}");
            assert_eq!(claims.profile_uuid.unwrap().as_str(), "u-1");
        }
    }

    #[test]
    fn times_may_be_fractions_or_text() {
        for (exp, expected) in [
            ("4600.9", Some(4600)),
            ("\"4600\"", Some(4600)),
            ("\" 4600.5 \"", Some(4600)),
            ("1.5e9", Some(1_500_000_000)),
            ("1767229200000", Some(1_767_229_200)),
            ("\"soon\"", None),
            ("[4600]", None),
            ("null", None),
        ] {
            let claims = decode(&format!(r#"{{"exp":{exp},"ctd":"1000000.5","bpi":48}}"#)).unwrap();
            assert_eq!(claims.expires_seconds, expected, "{exp}");
            assert_eq!(
                (claims.created_milliseconds, claims.workspace_id),
                (Some(1_000_000), Some(48))
            );
        }
    }

    #[test]
    fn claims_hide_secrets_and_personal_data() {
        let claims =
            decode(r#"{"apk":"fake-key","eml":"x@y.example","exp":1553007159,"ctd":1553004159151,"bpi":48,"new":[]}"#)
                .unwrap();
        assert_eq!(claims.workspace_id, Some(48));
        let lifetime = claims
            .expires_at()
            .unwrap()
            .duration_since(claims.created_at().unwrap())
            .unwrap();
        assert_eq!(lifetime.as_secs(), 2999);
        let printed = format!("{claims:?}");
        assert!(
            !printed.contains("fake-key") && !printed.contains("x@y"),
            "{printed}"
        );
        assert!(Claims::decode("eyJlbmMi.x.y.z.w").is_none() && Claims::decode("").is_none());
    }
}
