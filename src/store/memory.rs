//! A store in this process's memory.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::future::ready;
use std::time::SystemTime;

use tokio::sync::Notify;

use crate::clock::{Clock, Reading, SystemClock};
use crate::sync::{Arc, Mutex, MutexGuard, lock};

use super::{Lease, LeaseOwner, LeaseRequest, Saved, StoreFuture, StoreKey, StoredToken, TokenStore};

/// Keeps tokens in memory. Clones share them, and their leases.
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
#[derive(Clone)]
pub struct MemoryStore(Arc<Shared>);

struct Shared {
    entries: Mutex<Entries>,
    /// Wakes those that wait for another client's login.
    changed: Notify,
    clock: Box<dyn Clock>,
}

#[derive(Default)]
struct Entries {
    tokens: HashMap<StoreKey, StoredToken>,
    /// Only those that were not given up: there are few at a time.
    leases: HashMap<StoreKey, HeldLease>,
    /// The latest generation that was given out, for any key.
    latest: u64,
    /// The number of tokens at which expired ones are removed again. It is set to twice what is left, so saving a token
    /// takes constant time on average.
    sweep_at: usize,
    #[cfg(test)]
    swept: usize,
}

struct HeldLease {
    owner: LeaseOwner,
    ends: Reading,
}

/// A smaller number of tokens is not worth a sweep.
const SMALLEST_SWEEP: usize = 64;

impl MemoryStore {
    /// Creates an empty store.
    pub fn new() -> Self {
        Self::with_clock(SystemClock::default())
    }

    /// Creates an empty store whose leases end by this clock.
    pub fn with_clock(clock: impl Clock) -> Self {
        Self(Arc::new(Shared {
            entries: Mutex::default(),
            changed: Notify::new(),
            clock: Box::new(clock),
        }))
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        lock(&self.0.entries)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Entries {
    fn take(&mut self, key: &StoreKey, request: &LeaseRequest, now: Reading) -> Lease {
        let stored = self.tokens.get(key);
        if let Some(newer) = stored.filter(|stored| stored.generation > request.after) {
            return Lease::Newer(newer.clone());
        }
        let seen = stored.map_or(0, |stored| stored.generation).max(request.after);
        let clock = u64::try_from(now.wall.as_micros()).unwrap_or(u64::MAX);
        self.latest = self.latest.max(seen).saturating_add(1).max(clock);
        let generation = self.latest;
        let taken = self.leases.get(key);
        if let Some(taken) = taken.filter(|taken| taken.owner != request.owner && !now.reached(taken.ends)) {
            return Lease::Held {
                remaining: now.until(taken.ends),
                generation,
            };
        }
        let lease = HeldLease {
            owner: request.owner.clone(),
            ends: now.after(request.ttl),
        };
        self.leases.insert(key.clone(), lease);
        Lease::Acquired { generation }
    }

    /// Whether somebody who waits can go on.
    fn is_worth_asking(&self, key: &StoreKey, after: u64) -> bool {
        !self.leases.contains_key(key)
            || self
                .tokens
                .get(key)
                .is_some_and(|stored| stored.generation > after)
    }

    fn release(&mut self, key: &StoreKey, owner: &LeaseOwner) {
        if self.leases.get(key).is_some_and(|lease| lease.owner == *owner) {
            self.leases.remove(key);
        }
    }

    fn keep(&mut self, key: &StoreKey, token: StoredToken) -> Saved {
        let now = token.issued_at;
        let saved = match self.tokens.entry(key.clone()) {
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
        if self.tokens.len() > self.sweep_at.max(SMALLEST_SWEEP) {
            self.sweep(now);
        }
        saved
    }

    /// Removes the expired tokens. `now` is the newest time that the store knows.
    fn sweep(&mut self, now: SystemTime) {
        #[cfg(test)]
        {
            self.swept += self.tokens.len();
        }
        self.tokens.retain(|_, kept| kept.expires_at > now);
        self.sweep_at = self.tokens.len().saturating_mul(2);
        self.tokens.shrink_to(self.sweep_at);
    }
}

impl TokenStore for MemoryStore {
    fn load<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, Option<StoredToken>> {
        Box::pin(ready(Ok(self.entries().tokens.get(key).cloned())))
    }

    fn take<'a>(&'a self, key: &'a StoreKey, request: &'a LeaseRequest) -> StoreFuture<'a, Lease> {
        // Read outside of the lock: the clock may be a caller's code.
        let now = self.0.clock.now();
        Box::pin(ready(Ok(self.entries().take(key, request, now))))
    }

    fn save<'a>(
        &'a self,
        key: &'a StoreKey,
        token: StoredToken,
        owner: Option<&'a LeaseOwner>,
    ) -> StoreFuture<'a, Saved> {
        let saved = {
            let mut entries = self.entries();
            let saved = entries.keep(key, token);
            if let Some(owner) = owner {
                entries.release(key, owner);
            }
            saved
        };
        self.0.changed.notify_waiters();
        Box::pin(ready(Ok(saved)))
    }

    fn release<'a>(&'a self, key: &'a StoreKey, owner: &'a LeaseOwner) -> StoreFuture<'a, ()> {
        self.entries().release(key, owner);
        self.0.changed.notify_waiters();
        Box::pin(ready(Ok(())))
    }

    fn changed<'a>(&'a self, key: &'a StoreKey, after: u64) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            loop {
                // Created before the look at the entries, so that no change is missed in between.
                let changed = self.0.changed.notified();
                if self.entries().is_worth_asking(key, after) {
                    return Ok(());
                }
                changed.await;
            }
        })
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("tokens", &self.entries().tokens.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::clock::ManualClock;

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
        assert_eq!(
            store.save(&key, token(2, 0, 100), None).await.unwrap(),
            Saved::Kept
        );
        assert_eq!(
            store.save(&key, token(1, 0, 100), None).await.unwrap(),
            Saved::Outdated
        );
        assert_eq!(
            store.save(&key, token(2, 0, 100), None).await.unwrap(),
            Saved::Outdated
        );
        assert_eq!(store.load(&key).await.unwrap().unwrap().generation, 2);
    }

    #[tokio::test]
    async fn expired_tokens_are_freed_as_the_store_grows() {
        let store = MemoryStore::new();
        for number in 0..10_000_u64 {
            let index = usize::try_from(number).unwrap();
            store
                .save(&key(index), token(1, number, number + 10), None)
                .await
                .unwrap();
        }
        assert!(store.entries().tokens.len() <= SMALLEST_SWEEP + 1);
        assert!(store.load(&key(9_999)).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn saving_takes_constant_time_on_average() {
        const COUNT: usize = 50_000;
        let store = MemoryStore::new();
        for number in 0..COUNT {
            store.save(&key(number), token(1, 0, 100), None).await.unwrap();
        }
        let tokens = store.entries();
        assert_eq!(tokens.tokens.len(), COUNT, "all of them are valid");
        assert!(tokens.swept <= 2 * COUNT, "{} looked at", tokens.swept);
    }

    fn request(owner: &LeaseOwner, after: u64) -> LeaseRequest {
        LeaseRequest::new(owner.clone(), after, Duration::from_secs(30))
    }

    #[tokio::test]
    async fn one_owner_at_a_time_has_the_lease_until_its_time_has_run_out() {
        let clock = ManualClock::new();
        let (store, key) = (MemoryStore::with_clock(clock.clone()), key(1));
        let (first, second) = (LeaseOwner::random(), LeaseOwner::random());
        let Lease::Acquired { generation } = store.take(&key, &request(&first, 0)).await.unwrap() else {
            panic!("the lease was free");
        };
        clock.advance(Duration::from_secs(10));
        let held = store.take(&key, &request(&second, 0)).await.unwrap();
        assert!(matches!(held, Lease::Held { remaining, .. } if remaining == Duration::from_secs(20)));
        store.release(&key, &second).await.unwrap();
        let held = store.take(&key, &request(&second, 0)).await.unwrap();
        assert!(matches!(held, Lease::Held { generation: later, .. } if later > generation));
        clock.advance(Duration::from_secs(20));
        let taken = store.take(&key, &request(&second, 0)).await.unwrap();
        assert!(matches!(taken, Lease::Acquired { generation: later } if later > generation));
    }
}
