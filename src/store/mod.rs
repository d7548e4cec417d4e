//! Where sessions save their tokens, so that several clients share one login.
//!
//! A session asks its store before each login and saves the new token after it, but never touches it on a cached read. A
//! store that fails, hangs or panics costs only the login that it could have saved. Its tokens are judged like a login's
//! response, by this process's clock. Anything that is not a valid token is ignored and replaced.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::SystemTime;

use crate::secret::Secret;

mod memory;

pub use memory::MemoryStore;

/// What a store's methods return.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Keeps tokens for sessions.
///
/// An implementation must return [`Saved::Outdated`] instead of replacing a token of the same or a later generation, and
/// must keep tokens secret.
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::Mutex;
/// use synerise_auth::store::{Saved, StoreFuture, StoreKey, StoredToken, TokenStore};
///
/// #[derive(Debug, Default)]
/// struct MapStore(Mutex<HashMap<StoreKey, StoredToken>>);
///
/// impl TokenStore for MapStore {
///     fn load<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, Option<StoredToken>> {
///         Box::pin(async move { Ok(self.0.lock().unwrap().get(key).cloned()) })
///     }
///
///     fn save<'a>(&'a self, key: &'a StoreKey, token: StoredToken) -> StoreFuture<'a, Saved> {
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
pub trait TokenStore: fmt::Debug + Send + Sync + 'static {
    /// Returns the newest token of a session, if there is one. It may have expired.
    fn load<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, Option<StoredToken>>;

    /// Saves a token, unless the store has one of the same or a later generation. The result of a slow login must not
    /// replace that of a later one.
    fn save<'a>(&'a self, key: &'a StoreKey, token: StoredToken) -> StoreFuture<'a, Saved>;
}

/// Identifies the session that a token belongs to: a fingerprint of the server, the kind of session, the API key and the
/// identity, none of which can be read from it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct StoreKey(String);

impl StoreKey {
    pub(crate) fn new(fingerprint: &[u8]) -> Self {
        use std::fmt::Write;
        let mut text = String::with_capacity(2 * fingerprint.len());
        for byte in fingerprint {
            // Writing to a String can't fail.
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
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
    /// Counts the logins of a session across all clients that share the store.
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreError(String);

impl StoreError {
    /// Creates an error with this text, which must not contain a secret.
    pub fn new(problem: impl Into<String>) -> Self {
        Self(problem.into())
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StoreError {}
