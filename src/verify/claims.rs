//! The claims of a verified token.

use std::fmt;
use std::io::{self, Read};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use flate2::read::GzDecoder;
use serde_json::Value;

use crate::error::{Error, Result, TokenProblem};
use crate::model::{ProfileUuid, TokenOrigin};
use crate::secret::Secret;

use super::Rules;
use super::json::members;
use super::signed_token::{SignedToken, malformed};

const ISSUER: &str = "Synerise";

/// The end of the year 9999 in seconds. A later time was meant in another unit, or is nonsense.
const LATEST: u64 = 253_402_300_799;

/// The spring of 1973 in milliseconds, or the year 5138 in seconds. An earlier time was meant in seconds.
const EARLIEST_MILLISECONDS: u64 = 100_000_000_000;

/// The size limit of the unpacked list of authorities. The revision of RFC 8725 suggests 250 KB for anything compressed in
/// a token.
const MOST_UNPACKED: u64 = 250_000;

const PACKED: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The claims of a token whose signature, times, issuer and audience have been verified.
///
/// A missing claim is `None`. An unreadable one makes the whole token [`Malformed`](TokenProblem::Malformed). `Debug`
/// identifies the token's owner by numbers alone: no key and no e-mail address.
#[derive(Clone)]
#[non_exhaustive]
pub struct VerifiedClaims {
    /// `sub`: an id of the token's owner that Synerise does not explain.
    pub subject: Option<String>,
    /// `rlm`: the kind of consumer, such as `client` or `anonymous_client`.
    pub realm: Option<String>,
    /// `bpi`: the workspace's numeric id.
    pub workspace_id: Option<i64>,
    /// `clId`: the profile's numeric id.
    pub profile_id: Option<i64>,
    /// `uuid`: the profile's UUID.
    pub profile_uuid: Option<ProfileUuid>,
    /// `customId`: the profile's custom identifier. Redacted, because it may be an e-mail address.
    pub custom_id: Option<Secret>,
    /// `origin`: the kind of login.
    pub origin: Option<TokenOrigin>,
    /// `eml`: the e-mail address. Redacted, because it is personal.
    pub email: Option<Secret>,
    /// `apk`: the API key that the token was issued for.
    pub api_key: Option<Secret>,
    /// `exp`: when the token expires, by the server's clock.
    pub expires_at: SystemTime,
    /// `ctd`: when the token was created, by the server's clock.
    pub created_at: Option<SystemTime>,
    /// `auth`, still packed.
    authorities: Option<String>,
}

impl VerifiedClaims {
    /// Returns `auth`: what the token's owner may do. Empty when the token has no such claim.
    ///
    /// The token holds a compressed list. Each call unpacks it, up to 250 KB.
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidToken`](crate::ErrorKind::InvalidToken) ([`Malformed`](TokenProblem::Malformed)) when it
    /// is not a list of texts, or is longer than that. The rest of the token is still valid.
    pub fn authorities(&self) -> Result<Vec<String>> {
        let Some(packed) = &self.authorities else {
            return Ok(Vec::new());
        };
        let unreadable = || malformed("the claim `auth` is not a compressed list of texts");
        let packed = PACKED.decode(packed).map_err(|_| unreadable())?;
        let json = read_bounded(GzDecoder::new(&*packed))
            .map_err(|_| unreadable())?
            .ok_or_else(|| malformed("the claim `auth` unpacks to more than 250 KB"))?;
        serde_json::from_slice(&json).map_err(|_| unreadable())
    }

    /// Parses and checks the claims of a token whose signature has not been checked yet.
    pub(super) fn read(token: &SignedToken<'_>, rules: &Rules, now: Duration) -> Result<Self> {
        let names = [
            "iss", "aud", "exp", "ctd", "iat", "nbf", "sub", "rlm", "bpi", "clId", "uuid", "customId",
            "origin", "eml", "apk", "auth",
        ];
        let Some(values) = members(&token.payload, names) else {
            return Err(malformed("its payload is not a JSON object with unique names"));
        };
        let mut values = values.into_iter();
        let [
            issuer,
            audience,
            expires,
            created,
            issued_at,
            not_before,
            subject,
            realm,
            workspace,
            profile,
            uuid,
            custom_id,
            origin,
            email,
            api_key,
            authorities,
        ] = names.map(|name| Claim {
            name,
            // Synerise writes `null` for a missing value.
            value: values.next().flatten().filter(|value| !value.is_null()),
        });

        check_issuer(&issuer)?;
        check_audience(&audience, rules)?;
        let realm = realm.text()?;
        check_realm(realm.as_deref(), rules)?;
        let expires = expires
            .seconds()?
            .ok_or_else(|| expires.missing_or_unreadable())?;
        let created = created.created()?;
        let starts = [created, issued_at.seconds()?, not_before.seconds()?];
        if now >= expires.saturating_add(rules.leeway) {
            return Err(Error::invalid_token(TokenProblem::Expired, "it has expired"));
        }
        let latest = now.saturating_add(rules.leeway);
        if starts.into_iter().flatten().any(|start| start > latest) {
            return Err(Error::invalid_token(
                TokenProblem::NotYetValid,
                "its life begins in the future",
            ));
        }
        Ok(Self {
            subject: subject.text()?,
            realm,
            workspace_id: workspace.id()?,
            profile_id: profile.id()?,
            profile_uuid: uuid.text()?.map(ProfileUuid::from),
            custom_id: custom_id.any().map(Secret::from),
            origin: origin.text()?.map(|origin| TokenOrigin::from(&*origin)),
            email: email.text()?.map(Secret::from),
            api_key: api_key.text()?.map(Secret::from),
            expires_at: UNIX_EPOCH + expires,
            created_at: created.map(|created| UNIX_EPOCH + created),
            authorities: authorities.text()?,
        })
    }
}

impl fmt::Debug for VerifiedClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedClaims")
            .field("realm", &self.realm)
            .field("workspace_id", &self.workspace_id)
            .field("profile_id", &self.profile_id)
            .field("origin", &self.origin)
            .field("expires_at", &self.expires_at)
            .field("created_at", &self.created_at)
            .finish_non_exhaustive()
    }
}

/// Reads everything. `None` when it is more than the limit. The limit applies to the output, because a small input can
/// unpack to a thousand times its size.
fn read_bounded(reader: impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    reader.take(MOST_UNPACKED + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= MOST_UNPACKED).then_some(bytes))
}

fn check_issuer(claim: &Claim) -> Result<()> {
    match &claim.value {
        Some(Value::String(issuer)) if issuer == ISSUER => Ok(()),
        Some(Value::String(_)) => Err(Error::invalid_token(
            TokenProblem::Issuer,
            "its issuer is not Synerise",
        )),
        _ => Err(claim.missing_or_unreadable()),
    }
}

/// A text, or a list of them, by RFC 7519.
fn check_audience(claim: &Claim, rules: &Rules) -> Result<()> {
    let Some(expected) = &rules.audience else {
        return Ok(());
    };
    let is_expected = match &claim.value {
        Some(Value::String(audience)) => audience == expected,
        Some(Value::Array(audiences)) if audiences.iter().all(Value::is_string) => {
            audiences.iter().any(|audience| audience == expected)
        }
        _ => return Err(claim.missing_or_unreadable()),
    };
    if is_expected {
        Ok(())
    } else {
        Err(Error::invalid_token(
            TokenProblem::Audience,
            "it is for another audience",
        ))
    }
}

fn check_realm(realm: Option<&str>, rules: &Rules) -> Result<()> {
    let Some(realms) = &rules.realms else {
        return Ok(());
    };
    match realm {
        Some(realm) if realms.iter().any(|let_in| let_in == realm) => Ok(()),
        Some(_) => Err(Error::invalid_token(
            TokenProblem::Realm,
            "its realm is not one of those that are let in",
        )),
        None => Err(malformed("it has no claim `rlm`")),
    }
}

/// A claim to be read.
struct Claim {
    name: &'static str,
    value: Option<Value>,
}

impl Claim {
    fn missing_or_unreadable(&self) -> Error {
        match self.value {
            None => malformed(format!("it has no claim `{}`", self.name)),
            Some(_) => self.unreadable(),
        }
    }

    fn unreadable(&self) -> Error {
        malformed(format!(
            "its claim `{}` has a value that can't be read",
            self.name
        ))
    }

    /// A text; a number counts as its digits.
    fn text(self) -> Result<Option<String>> {
        match self.value {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(self.unreadable()),
        }
    }

    /// A text, or any other value as JSON.
    fn any(self) -> Option<String> {
        self.value.map(|value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        })
    }

    /// A whole number, or a text of its digits.
    fn id(self) -> Result<Option<i64>> {
        let id = match &self.value {
            None => return Ok(None),
            Some(Value::Number(number)) => number.as_i64(),
            Some(Value::String(text)) => text.parse().ok(),
            Some(_) => None,
        };
        id.map(Some).ok_or_else(|| self.unreadable())
    }

    /// A time in whole units since 1970, of which there are `per_second` in a second; rounded down.
    fn time(&self, per_second: u64) -> Result<Option<Duration>> {
        let time = match &self.value {
            None => return Ok(None),
            Some(Value::Number(number)) => number.as_u64().or_else(|| number.as_f64().and_then(floor)),
            Some(Value::String(text)) => floor_of_text(text),
            Some(_) => None,
        };
        time.filter(|time| time / per_second <= LATEST)
            .map(|time| Some(Duration::from_millis(time * (1000 / per_second))))
            .ok_or_else(|| self.unreadable())
    }

    fn seconds(&self) -> Result<Option<Duration>> {
        self.time(1)
    }

    /// A time in milliseconds that can't be one in seconds.
    fn created(&self) -> Result<Option<Duration>> {
        match self.time(1000)? {
            Some(time) if time < Duration::from_millis(EARLIEST_MILLISECONDS) => Err(self.unreadable()),
            time => Ok(time),
        }
    }
}

fn floor(number: f64) -> Option<u64> {
    // No time is above this, and below it every whole number is exact.
    const LIMIT: f64 = 9_007_199_254_740_992.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is in range, and rounded down is what is asked for"
    )]
    (0.0..LIMIT).contains(&number).then_some(number as u64)
}

/// The whole part of a decimal number.
fn floor_of_text(text: &str) -> Option<u64> {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    whole.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_unpacked_than_the_limit() {
        let endless = || io::repeat(b'A');
        assert_eq!(read_bounded(endless()).unwrap(), None);
        let most = read_bounded(endless().take(MOST_UNPACKED)).unwrap();
        assert_eq!(most.map(|bytes| bytes.len() as u64), Some(MOST_UNPACKED));
    }
}
