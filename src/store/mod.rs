//! Where sessions keep their tokens beyond themselves: so that several clients share one login.
//!
//! A store is asked before each login and told after it, never on a cached read. One that fails or hangs costs nothing but
//! the login that it could have saved.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::secret::Secret;

mod memory;

pub use memory::MemoryStore;

/// What a store's methods return.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Keeps tokens for sessions.
///
/// An implementation has to hold two promises: what [`save`](Self::save) refuses by its generation is not written, and
/// tokens are kept as secrets.
pub trait TokenStore: fmt::Debug + Send + Sync + 'static {
    /// The newest token that is known of a session.
    fn load<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, Option<StoredToken>>;

    /// Keeps a token, unless one of the same or a later generation is there: a login that took long must not replace the
    /// result of a later one.
    fn save<'a>(&'a self, key: &'a StoreKey, token: StoredToken) -> StoreFuture<'a, Saved>;
}

/// Which session a token belongs to: a fingerprint of server, kind, API key and identity, from which none of them can be
/// read.
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

/// A token as a store keeps it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StoredToken {
    /// The token, without `Bearer`.
    pub token: Secret,
    /// Counts the logins of a session, of all who share the store.
    pub generation: u64,
    /// When it was got, since the Unix epoch, by the wall clock of who got it.
    pub issued_at: Duration,
    /// When it ends, likewise.
    pub expires_at: Duration,
}

impl StoredToken {
    /// A token as it is read back from a store.
    pub fn new(token: impl Into<Secret>, generation: u64, issued_at: Duration, expires_at: Duration) -> Self {
        Self {
            token: token.into(),
            generation,
            issued_at,
            expires_at,
        }
    }
}

/// What came of saving a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// It is kept.
    Kept,
    /// A token of the same or a later generation was there.
    Outdated,
}

/// Why a store can't do what it was asked for. It is logged, and the session does without the store.
#[derive(Debug, Clone)]
pub struct StoreError(String);

impl StoreError {
    /// An error of these words. No secret may be in them.
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
