//! Where sessions save their tokens, so that several clients share one login.
//!
//! ```
//! use synerise_auth::Client;
//! use synerise_auth::store::MemoryStore;
//!
//! let store = MemoryStore::new(); // or a store that processes share: the crate `synerise-auth-redis`
//! let client = Client::builder().store(store.clone()).build()?;
//! # Ok::<(), synerise_auth::Error>(())
//! ```
//!
//! Clients that share a store log in once for all of them. A session that needs a new token asks its store first: the store
//! returns a token that another client saved, or gives the session the *lease*, under which it logs in for all. The other
//! sessions wait for its token meanwhile, or serve the one that they have. A cached read never touches the store.
//!
//! A store that fails, hangs or panics is left alone for a while, and each client then logs in for itself. When the store is
//! asked again, it is offered the token of such a login, without a call of yours: until then, one task of the session waits. Stored tokens are
//! judged like a login's response, by this process's clock. Anything that is not a valid token is ignored and replaced.

use std::fmt;
use std::future::{Future, pending, ready};
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use zeroize::Zeroizing;

use crate::error::Redactor;
use crate::fingerprint::hexadecimal;
use crate::secret::Secret;

#[cfg(feature = "conformance")]
#[cfg_attr(docsrs, doc(cfg(feature = "conformance")))]
pub mod conformance;
mod lease;
mod memory;
mod policy;

pub use lease::{Lease, LeaseOwner, LeaseRequest};
pub use memory::MemoryStore;
pub use policy::StorePolicy;

/// What a store's methods return.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Keeps tokens for sessions, and decides which of the clients that share it logs in.
///
/// [`load`](Self::load) and [`save`](Self::save) are enough to share tokens. With [`take`](Self::take) and
/// [`release`](Self::release), clients that start together log in once: one of them gets the lease, and the others wait
/// for its token. With [`changed`](Self::changed), they don't have to ask again and again.
///
/// # Contract
/// - A token has a *generation*. The store keeps the latest, and never replaces a token by one of the same or an earlier
///   generation.
/// - A store that has no answer returns an error. An entry that can't be read is not an error: it counts as missing, and
///   the next save replaces it.
/// - A method may be dropped at any `await`. What it began may still take effect.
/// - Sessions give up a method that takes too long, and go on without the store for a while. So a store needs no retries
///   that outlast a few hundred milliseconds.
/// - Tokens are secrets. Whoever can read the store can use them, unless the store encrypts them.
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::Mutex;
/// use synerise_auth::store::{LeaseOwner, Saved, StoreFuture, StoreKey, StoredToken, TokenStore};
///
/// /// Shares tokens, without a lease.
/// #[derive(Debug, Default)]
/// struct MapStore(Mutex<HashMap<StoreKey, StoredToken>>);
///
/// impl TokenStore for MapStore {
///     fn load<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, Option<StoredToken>> {
///         Box::pin(async move { Ok(self.0.lock().unwrap().get(key).cloned()) })
///     }
///
///     fn save<'a>(
///         &'a self,
///         key: &'a StoreKey,
///         token: StoredToken,
///         _owner: Option<&'a LeaseOwner>,
///     ) -> StoreFuture<'a, Saved> {
///         Box::pin(async move {
///             let mut tokens = self.0.lock().unwrap();
///             match tokens.get(key) {
///                 Some(kept) if kept.generation >= token.generation => Ok(Saved::Outdated),
///                 _ => {
///                     tokens.insert(key.clone(), token);
///                     Ok(Saved::Kept)
///                 }
///             }
///         })
///     }
/// }
///
/// let client = synerise_auth::Client::builder().store(MapStore::default()).build()?;
/// # Ok::<(), synerise_auth::Error>(())
/// ```
#[doc(alias("Redis", "cache"))]
pub trait TokenStore: fmt::Debug + Send + Sync + 'static {
    /// Returns the latest token of a session, if there is one. It may have expired.
    fn load<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, Option<StoredToken>>;

    /// Returns a token later than `request.after`, or else the lease, or else how long another client has it: all in one
    /// atomic step.
    ///
    /// - A later token comes first, even one that has expired: a client that can't use it asks again, and names its
    ///   generation. Nobody gets the lease meanwhile.
    /// - The lease is free when nobody has it, when its time has run out by the store's clock, or when `request.owner` has
    ///   it already. Its time then starts again.
    /// - [`Lease::Acquired`] and [`Lease::Held`] come with the generation for a new token: later than the stored one, later than
    ///   `request.after`, and later than any that the store gave out before, even to clients that never saved, and even if
    ///   the store lost its entries since. Microseconds since the epoch by the store's clock are the easiest way to
    ///   get there: `max(stored + 1, after + 1, microseconds)`.
    /// - Each key has a lease of its own.
    ///
    /// By default there are no leases: it loads, and answers [`Lease::Newer`] or [`Lease::Unavailable`].
    fn take<'a>(&'a self, key: &'a StoreKey, request: &'a LeaseRequest) -> StoreFuture<'a, Lease> {
        Box::pin(async move {
            let stored = match self.load(key).await? {
                Some(stored) if stored.generation > request.after => return Ok(Lease::Newer(stored)),
                Some(stored) => stored.generation,
                None => 0,
            };
            let generation = stored.max(request.after).saturating_add(1);
            Ok(Lease::Unavailable { generation })
        })
    }

    /// Saves a token, unless the store has one of the same or a later generation. Then gives up the lease if `owner` has
    /// it.
    ///
    /// - The token is saved whoever has the lease, also when the owner's has run out: the generation decides.
    /// - The lease is given up in both cases, but not before the token is saved: whoever gets it next must find the token.
    /// - The token may be forgotten when its [`lifetime`](StoredToken::lifetime) has passed.
    fn save<'a>(
        &'a self,
        key: &'a StoreKey,
        token: StoredToken,
        owner: Option<&'a LeaseOwner>,
    ) -> StoreFuture<'a, Saved>;

    /// Gives up the lease if `owner` has it. If not, it does nothing, and that is not an error.
    ///
    /// A client calls it when its login has failed, and when it stops waiting for the answer to a
    /// [`take`](Self::take), which may have got the lease all the same.
    ///
    /// By default it does nothing.
    fn release<'a>(&'a self, key: &'a StoreKey, owner: &'a LeaseOwner) -> StoreFuture<'a, ()> {
        let _ = (key, owner);
        Box::pin(ready(Ok(())))
    }

    /// Completes when the store may have a token later than `after`, or when the lease may be free.
    ///
    /// It wakes clients that wait for another client's login. They ask from time to time anyway, so it may complete too
    /// early, too late, or never. By default, it never does.
    fn changed<'a>(&'a self, key: &'a StoreKey, after: u64) -> StoreFuture<'a, ()> {
        let _ = (key, after);
        Box::pin(pending())
    }
}

/// Identifies the session that a token belongs to: a fingerprint of the server, the kind of session, the API key and the
/// identity, none of which can be read from it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct StoreKey(String);

impl StoreKey {
    pub(crate) fn new(fingerprint: &[u8]) -> Self {
        Self(hexadecimal(fingerprint))
    }

    /// The key as lower-case hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreKey({}…)", self.0.get(..8).unwrap_or_default())
    }
}

/// A token in a store.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use synerise_auth::store::StoredToken;
///
/// let issued_at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
/// let stored = StoredToken::new("not-a-real-token", 1, issued_at, issued_at + Duration::from_secs(3600));
/// assert_eq!(stored, stored.clone());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredToken {
    /// The token, without `Bearer`.
    pub token: Secret,
    /// Which token is later: that of the larger generation. At least 1, and not without gaps.
    pub generation: u64,
    /// When it was issued, by the wall clock of the client that saved it.
    pub issued_at: SystemTime,
    /// When it expires, by the same clock.
    pub expires_at: SystemTime,
}

impl StoredToken {
    /// Creates a token that was read back from a store.
    pub fn new(
        token: impl Into<Secret>,
        generation: u64,
        issued_at: SystemTime,
        expires_at: SystemTime,
    ) -> Self {
        Self {
            token: token.into(),
            generation,
            issued_at,
            expires_at,
        }
    }

    /// Returns how long the token was valid when it was issued, and so the longest that a store has to keep it. Zero if
    /// its times contradict each other.
    pub fn lifetime(&self) -> Duration {
        self.expires_at.duration_since(self.issued_at).unwrap_or_default()
    }
}

/// The result of saving a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Saved {
    /// The token was saved.
    Kept,
    /// The store has a token of the same or a later generation.
    Outdated,
}

/// The error of a store. It is logged, and the session works without the store.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreError(String);

impl StoreError {
    /// Creates an error with this text, which must not contain a secret. The text appears in logs and events, so it is cut
    /// to one short line, and what can be recognized as a secret (a token, a password in a URL) is removed.
    pub fn new(problem: impl Into<String>) -> Self {
        let problem = Zeroizing::new(problem.into());
        Self(Redactor::default().clean(&problem))
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The same line, so that a `main` which returns the error prints it for people.
impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for StoreError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_of_a_store_is_one_short_line_without_secrets() {
        let problem = "can't connect to redis://:canary!pw@redis.example:6379/0:\nAUTH password=canary-2 token eyJhbGciOiJSUzUxMiJ9.canary.x";
        let error = StoreError::new(format!("{problem} {}", "x".repeat(10_000))).to_string();
        assert!(
            error.starts_with("can't connect to redis://[redacted]:6379/0: AUTH"),
            "{error}"
        );
        assert!(
            !error.contains("canary") && !error.contains('\n') && error.len() < 400,
            "{error}"
        );
        assert_eq!(
            StoreError::new("connection refused").to_string(),
            "connection refused"
        );
    }
}
