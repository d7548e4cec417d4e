//! A store in this process's memory.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::future::ready;
use std::time::SystemTime;

use crate::sync::{Arc, Mutex, MutexGuard, lock};

use super::{Saved, StoreFuture, StoreKey, StoredToken, TokenStore};

/// Keeps tokens in memory. Clones share them.
///
/// A session keeps its own token without it. Use it for several clients in one process that should share logins, and for
/// sessions that are dropped and created again. Expired tokens are freed as the store grows.
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
pub struct MemoryStore(Arc<Mutex<Tokens>>);

#[derive(Default)]
struct Tokens {
    by_key: HashMap<StoreKey, StoredToken>,
    /// The number of tokens at which expired ones are removed again. It is set to twice what is left, so saving a token
    /// takes constant time on average.
    sweep_at: usize,
    #[cfg(test)]
    swept: usize,
}

/// A smaller number of tokens is not worth a sweep.
const SMALLEST_SWEEP: usize = 64;

impl MemoryStore {
    /// Creates an empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn tokens(&self) -> MutexGuard<'_, Tokens> {
        lock(&self.0)
    }
}

impl Tokens {
    fn keep(&mut self, key: &StoreKey, token: StoredToken) -> Saved {
        let now = token.issued_at;
        let saved = match self.by_key.entry(key.clone()) {
            Entry::Occupied(kept) if kept.get().generation >= token.generation => Saved::Outdated,
            Entry::Occupied(mut kept) => {
                kept.insert(token);
                Saved::Kept
            }
            Entry::Vacant(place) => {
                place.insert(token);
                Saved::Kept
            }
        };
        if self.by_key.len() > self.sweep_at.max(SMALLEST_SWEEP) {
            self.sweep(now);
        }
        saved
    }

    /// Removes the expired tokens. `now` is the newest time that the store knows.
    fn sweep(&mut self, now: SystemTime) {
        #[cfg(test)]
        {
            self.swept += self.by_key.len();
        }
        self.by_key.retain(|_, kept| kept.expires_at > now);
        self.sweep_at = self.by_key.len().saturating_mul(2);
        self.by_key.shrink_to(self.sweep_at);
    }
}

impl TokenStore for MemoryStore {
    fn load<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, Option<StoredToken>> {
        Box::pin(ready(Ok(self.tokens().by_key.get(key).cloned())))
    }

    fn save<'a>(&'a self, key: &'a StoreKey, token: StoredToken) -> StoreFuture<'a, Saved> {
        Box::pin(ready(Ok(self.tokens().keep(key, token))))
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("tokens", &self.tokens().by_key.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn token(generation: u64, issued: u64, expires: u64) -> StoredToken {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        StoredToken::new("fake", generation, at(issued), at(expires))
    }

    fn key(number: usize) -> StoreKey {
        StoreKey::new(&number.to_le_bytes())
    }

    #[tokio::test]
    async fn older_result_does_not_replace_a_later_one() {
        let store = MemoryStore::new();
        let key = key(1);
        assert_eq!(store.save(&key, token(2, 0, 100)).await.unwrap(), Saved::Kept);
        assert_eq!(store.save(&key, token(1, 0, 100)).await.unwrap(), Saved::Outdated);
        assert_eq!(store.save(&key, token(2, 0, 100)).await.unwrap(), Saved::Outdated);
        assert_eq!(store.load(&key).await.unwrap().unwrap().generation, 2);
    }

    #[tokio::test]
    async fn expired_tokens_are_freed_as_the_store_grows() {
        let store = MemoryStore::new();
        for number in 0..10_000_u64 {
            let index = usize::try_from(number).unwrap();
            store
                .save(&key(index), token(1, number, number + 10))
                .await
                .unwrap();
        }
        assert!(store.tokens().by_key.len() <= SMALLEST_SWEEP + 1);
        assert!(store.load(&key(9_999)).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn saving_takes_constant_time_on_average() {
        const COUNT: usize = 50_000;
        let store = MemoryStore::new();
        for number in 0..COUNT {
            store.save(&key(number), token(1, 0, 100)).await.unwrap();
        }
        let tokens = store.tokens();
        assert_eq!(tokens.by_key.len(), COUNT, "all of them are valid");
        assert!(tokens.swept <= 2 * COUNT, "{} looked at", tokens.swept);
    }
}
