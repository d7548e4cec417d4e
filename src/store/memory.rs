//! A store in this process's memory.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Saved, StoreFuture, StoreKey, StoredToken, TokenStore};

/// Keeps tokens in memory until they expire. Clones share them.
///
/// A session needs none of this to keep its own token. It is for several clients of one process that should share logins,
/// and for sessions that are dropped and asked for again.
///
/// ```
/// use synerise_auth::store::MemoryStore;
/// use synerise_auth::Client;
///
/// let store = MemoryStore::new();
/// let one = Client::builder().store(store.clone()).build()?;
/// let other = Client::builder().store(store).build()?;
/// # Ok::<(), synerise_auth::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Mutex<HashMap<StoreKey, StoredToken>>>);

impl MemoryStore {
    /// A store with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    fn tokens(&self) -> MutexGuard<'_, HashMap<StoreKey, StoredToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, key: &StoreKey, token: StoredToken) -> Saved {
        let mut tokens = self.tokens();
        let now = token.issued_at;
        tokens.retain(|_, kept| kept.expires_at > now);
        match tokens.entry(key.clone()) {
            Entry::Occupied(kept) if kept.get().generation >= token.generation => Saved::Outdated,
            Entry::Occupied(mut kept) => {
                kept.insert(token);
                Saved::Kept
            }
            Entry::Vacant(place) => {
                place.insert(token);
                Saved::Kept
            }
        }
    }
}

impl TokenStore for MemoryStore {
    fn load<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, Option<StoredToken>> {
        Box::pin(ready(Ok(self.tokens().get(key).cloned())))
    }

    fn save<'a>(&'a self, key: &'a StoreKey, token: StoredToken) -> StoreFuture<'a, Saved> {
        Box::pin(ready(Ok(self.keep(key, token))))
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("tokens", &self.tokens().len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn token(generation: u64, issued: u64, expires: u64) -> StoredToken {
        StoredToken::new(
            "fake",
            generation,
            Duration::from_secs(issued),
            Duration::from_secs(expires),
        )
    }

    #[tokio::test]
    async fn a_late_result_replaces_no_later_one_and_expired_ones_are_freed() {
        let store = MemoryStore::new();
        let (key, other) = (StoreKey::new(&[1]), StoreKey::new(&[2]));
        assert_eq!(store.save(&key, token(2, 0, 100)).await.unwrap(), Saved::Kept);
        assert_eq!(store.save(&key, token(1, 0, 100)).await.unwrap(), Saved::Outdated);
        assert_eq!(store.save(&key, token(2, 0, 100)).await.unwrap(), Saved::Outdated);
        assert_eq!(store.load(&key).await.unwrap().unwrap().generation, 2);
        store.save(&other, token(1, 100, 200)).await.unwrap();
        assert!(store.load(&key).await.unwrap().is_none());
    }
}
