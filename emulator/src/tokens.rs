//! Tokens: issued as JWTs signed with RS512, stored, and checked.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use crate::clock::{unix_milliseconds, unix_seconds};
use crate::consumer::Consumer;
use crate::signing::{SigningKeys, fake_encrypted_token};

/// How a token differs from a normal one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenShape {
    /// Has this lifetime, in whole seconds.
    Lifetime(Duration),
    /// Has no expiry, and never expires.
    WithoutExpiry,
    /// Was created two hours ago and expired one hour ago.
    Expired,
    /// Was created now and expired one hour ago.
    ExpirationBeforeCreation,
    /// Is not a JWT that a client can read: it has five parts, as an encrypted one. Its lifetime is the usual one.
    Undecodable,
}

/// A request for a new token.
#[derive(Debug)]
pub(crate) struct TokenRequest {
    pub(crate) consumer: Consumer,
    pub(crate) realm: &'static str,
    /// Claims in addition to those of every token.
    pub(crate) claims: Map<String, Value>,
    pub(crate) lifetime: Duration,
    pub(crate) now: SystemTime,
    pub(crate) shape: Option<TokenShape>,
}

/// A new token, with the fields that response bodies have beside it.
#[derive(Debug)]
pub(crate) struct TokenResponse {
    pub(crate) token: String,
    /// Milliseconds since 1970.
    pub(crate) created: u64,
    /// Seconds since 1970.
    pub(crate) expiration: Option<u64>,
}

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// Not issued here, or changed since then: its signature cannot be valid.
    Unknown,
    Expired,
    Revoked,
    /// Signed with a key that is no longer published.
    RetiredKey,
}

impl Rejection {
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Unknown => "The token's signature is not valid",
            Self::Expired => "The token has expired",
            Self::Revoked => "The token has been revoked",
            Self::RetiredKey => "The token is signed with a key that is no longer published",
        }
    }
}

#[derive(Debug)]
struct TokenRecord {
    consumer: Consumer,
    expires: Option<SystemTime>,
    key_generation: u64,
    revoked: bool,
}

/// Every token that was issued.
///
/// A token is looked up by its exact bytes. That is stricter than a check of the signature (one changed bit makes it
/// unknown), and it works for tokens that are not a JWT.
#[derive(Debug)]
pub(crate) struct TokenStore {
    keys: SigningKeys,
    records: HashMap<String, TokenRecord>,
    issued: u64,
}

impl TokenStore {
    pub(crate) fn new() -> Self {
        Self {
            keys: SigningKeys::embedded(),
            records: HashMap::new(),
            issued: 0,
        }
    }

    pub(crate) fn issue(&mut self, order: TokenRequest) -> TokenResponse {
        const HOUR: Duration = Duration::from_secs(3600);
        let TokenRequest {
            consumer,
            realm,
            claims,
            lifetime,
            now,
            shape,
        } = order;
        let created_at = match shape {
            Some(TokenShape::Expired) => now.checked_sub(2 * HOUR).unwrap_or(UNIX_EPOCH),
            _ => now,
        };
        let expiration = match shape {
            Some(TokenShape::WithoutExpiry) => None,
            Some(TokenShape::Expired | TokenShape::ExpirationBeforeCreation) => {
                Some(unix_seconds(now).saturating_sub(HOUR.as_secs()))
            }
            Some(TokenShape::Lifetime(odd)) => Some(unix_seconds(now).saturating_add(odd.as_secs())),
            Some(TokenShape::Undecodable) | None => {
                Some(unix_seconds(now).saturating_add(lifetime.as_secs()))
            }
        };
        // Clients read it into a signed integer.
        let expiration = expiration.map(|seconds| seconds.min(i64::MAX.unsigned_abs()));
        let created = unix_milliseconds(created_at);
        let token = if shape == Some(TokenShape::Undecodable) {
            fake_encrypted_token()
        } else {
            self.keys.sign(&claims_of(realm, created, expiration, claims))
        };
        let record = TokenRecord {
            consumer,
            // A time out of range is later than this clock can show.
            expires: expiration.and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds))),
            key_generation: self.keys.generation(),
            revoked: false,
        };
        self.records.insert(token.clone(), record);
        self.issued += 1;
        TokenResponse {
            token,
            created,
            expiration,
        }
    }

    pub(crate) fn check(&self, token: &str, now: SystemTime) -> Result<&Consumer, Rejection> {
        let record = self.records.get(token).ok_or(Rejection::Unknown)?;
        if record.revoked {
            Err(Rejection::Revoked)
        } else if record.key_generation != self.keys.generation() {
            Err(Rejection::RetiredKey)
        } else if record.expires.is_some_and(|expires| now >= expires) {
            Err(Rejection::Expired)
        } else {
            Ok(&record.consumer)
        }
    }

    pub(crate) fn revoke(&mut self, token: &str) -> bool {
        self.records
            .get_mut(token)
            .is_some_and(|record| !std::mem::replace(&mut record.revoked, true))
    }

    pub(crate) fn revoke_where(&mut self, mut applies: impl FnMut(&Consumer) -> bool) {
        for record in self.records.values_mut() {
            record.revoked |= applies(&record.consumer);
        }
    }

    pub(crate) fn rotate_key(&mut self) {
        self.keys.rotate();
    }

    pub(crate) fn public_key_pem(&self) -> &'static str {
        self.keys.public_pem()
    }

    pub(crate) fn issued(&self) -> u64 {
        self.issued
    }
}

/// The claims of the published sample, in its order, then those that depend on the consumer.
fn claims_of(realm: &str, created: u64, expiration: Option<u64>, claims: Map<String, Value>) -> Value {
    let mut all = Map::new();
    // New for each token, so that two tokens of the same millisecond differ.
    all.insert("sub".into(), uuid::Uuid::new_v4().simple().to_string().into());
    all.insert("aud".into(), "API".into());
    all.insert("rlm".into(), realm.into());
    all.insert("ctd".into(), created.into());
    all.insert("iss".into(), "Synerise".into());
    if let Some(expiration) = expiration {
        all.insert("exp".into(), expiration.into());
    }
    all.extend(claims);
    json!(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: SystemTime = UNIX_EPOCH;

    fn order(shape: Option<TokenShape>) -> TokenRequest {
        let consumer = Consumer::Workspace {
            workspace: 0,
            api_key: "key".into(),
        };
        let lifetime = Duration::from_secs(60);
        let now = NOW + Duration::from_secs(100_000);
        TokenRequest {
            consumer,
            realm: "client",
            claims: Map::new(),
            lifetime,
            now,
            shape,
        }
    }

    #[test]
    fn a_token_is_accepted_until_the_second_in_which_it_expires() {
        let mut store = TokenStore::new();
        let issued = store.issue(order(None));
        let expiry = NOW + Duration::from_secs(issued.expiration.unwrap());
        assert!(
            store
                .check(&issued.token, expiry - Duration::from_millis(1))
                .is_ok()
        );
        assert_eq!(store.check(&issued.token, expiry), Err(Rejection::Expired));
    }

    #[test]
    fn changed_tokens_and_tokens_of_retired_keys_are_refused() {
        let mut store = TokenStore::new();
        let issued = store.issue(order(None));
        assert_eq!(
            store.check(&format!("{}A", issued.token), NOW),
            Err(Rejection::Unknown)
        );
        store.rotate_key();
        assert_eq!(store.check(&issued.token, NOW), Err(Rejection::RetiredKey));
        store.rotate_key();
        assert_eq!(
            store.check(&issued.token, NOW),
            Err(Rejection::RetiredKey),
            "a key that comes back is a new one"
        );
    }

    #[test]
    fn token_shapes_have_the_claims_that_they_describe() {
        let mut store = TokenStore::new();
        let expired = store.issue(order(Some(TokenShape::Expired)));
        assert!(expired.created / 1000 < expired.expiration.unwrap());
        let reversed = store.issue(order(Some(TokenShape::ExpirationBeforeCreation)));
        assert!(reversed.created / 1000 > reversed.expiration.unwrap());
        assert_eq!(
            store.issue(order(Some(TokenShape::WithoutExpiry))).expiration,
            None
        );
        let opaque = store.issue(order(Some(TokenShape::Undecodable)));
        assert_eq!(opaque.token.split('.').count(), 5);
        let forever = store.issue(order(Some(TokenShape::Lifetime(Duration::MAX))));
        assert!(store.check(&forever.token, NOW).is_ok());
    }
}
