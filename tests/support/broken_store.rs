//! A store with one bug at a time, to show that the rules for stores find it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use synerise_auth::clock::{Clock, ManualClock};
use synerise_auth::store::{
    Lease, LeaseOwner, LeaseRequest, Saved, StoreError, StoreFuture, StoreKey, StoredToken, TokenStore,
};

/// What is wrong with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bug {
    None,
    InventsTokens,
    ShiftsTimes,
    CutsLargeTokens,
    OneLeaseForAllKeys,
    KeepsTheFirstToken,
    ReplacesByTheSameGeneration,
    SavesWithoutALock,
    LeaseBeforeToken,
    ReturnsTheTokenThatWasNamed,
    ChangedFails,
    RemainingTooLong,
    TakesWithoutALock,
    OwnerHasToWait,
    LeaseNeverRunsOut,
    ReleaseDoesNothing,
    AnybodyReleases,
    ForeignReleaseFails,
    SaveKeepsTheLease,
    OutdatedSaveKeepsTheLease,
    AnySaveFrees,
    SaveNeedsTheLease,
    GenerationStartsOver,
    HeldWithTheOwnersGeneration,
    OwnersSaveAlwaysReplaces,
}

#[derive(Debug, Clone)]
pub(crate) struct BrokenStore {
    bug: Bug,
    clock: ManualClock,
    entries: Arc<Mutex<HashMap<String, Entry>>>,
}

#[derive(Debug, Clone, Default)]
struct Entry {
    token: Option<StoredToken>,
    lease: Option<HeldLease>,
    latest: u64,
}

#[derive(Debug, Clone)]
struct HeldLease {
    owner: LeaseOwner,
    ends: Duration,
    generation: u64,
}

impl BrokenStore {
    pub(crate) fn new(bug: Bug, clock: &ManualClock) -> Self {
        Self {
            bug,
            clock: clock.clone(),
            entries: Arc::default(),
        }
    }

    fn has(&self, bug: Bug) -> bool {
        self.bug == bug
    }

    fn entry(&self, key: &str) -> Entry {
        self.entries.lock().unwrap().get(key).cloned().unwrap_or_default()
    }

    fn change<T>(&self, key: &str, change: impl FnOnce(&mut Entry) -> T) -> T {
        change(self.entries.lock().unwrap().entry(key.to_owned()).or_default())
    }

    fn lease_key<'a>(&self, key: &'a StoreKey) -> &'a str {
        if self.has(Bug::OneLeaseForAllKeys) {
            "all"
        } else {
            key.as_str()
        }
    }

    fn now(&self) -> Duration {
        self.clock.now().monotonic()
    }

    fn microseconds(&self) -> u64 {
        let since = self.clock.now().wall().duration_since(UNIX_EPOCH).unwrap();
        u64::try_from(since.as_micros()).unwrap()
    }

    fn next_generation(&self, entry: &mut Entry, stored: u64, after: u64) -> u64 {
        let next = stored.max(after) + 1;
        if self.has(Bug::GenerationStartsOver) {
            return next;
        }
        entry.latest = (entry.latest + 1).max(next).max(self.microseconds());
        entry.latest
    }

    /// Whether a lease is another's, and has not run out.
    fn blocks(&self, lease: &HeldLease, request: &LeaseRequest) -> bool {
        let is_foreign = lease.owner != request.owner || self.has(Bug::OwnerHasToWait);
        is_foreign && (lease.ends > self.now() || self.has(Bug::LeaseNeverRunsOut))
    }

    async fn take(&self, key: &StoreKey, request: &LeaseRequest) -> Lease {
        let token = self.entry(key.as_str()).token;
        let stored = token.as_ref().map_or(0, |token| token.generation);
        let is_newer =
            stored > request.after || (self.has(Bug::ReturnsTheTokenThatWasNamed) && stored == request.after);
        if let Some(token) = token.filter(|_| is_newer && !self.has(Bug::LeaseBeforeToken)) {
            return Lease::Newer(token);
        }
        let lease_key = self.lease_key(key);
        let held = self.entry(lease_key).lease;
        if self.has(Bug::TakesWithoutALock) {
            tokio::task::yield_now().await;
        }
        self.change(lease_key, |entry| {
            let generation = self.next_generation(entry, stored, request.after);
            if let Some(held) = held.filter(|held| self.blocks(held, request)) {
                let too_long = if self.has(Bug::RemainingTooLong) { 2 } else { 1 };
                return Lease::Held {
                    remaining: too_long * held.ends.saturating_sub(self.now()),
                    generation: if self.has(Bug::HeldWithTheOwnersGeneration) {
                        held.generation
                    } else {
                        generation
                    },
                };
            }
            entry.lease = Some(HeldLease {
                owner: request.owner.clone(),
                ends: self.now() + request.ttl,
                generation,
            });
            Lease::Acquired { generation }
        })
    }

    async fn save(&self, key: &StoreKey, mut token: StoredToken, owner: Option<&LeaseOwner>) -> Saved {
        if self.has(Bug::ShiftsTimes) {
            token.expires_at += Duration::from_secs(3600);
        }
        if self.has(Bug::CutsLargeTokens) {
            let text: String = token.token.expose().chars().take(4096).collect();
            token.token = text.into();
        }
        let kept = self.entry(key.as_str()).token.map(|kept| kept.generation);
        if self.has(Bug::SavesWithoutALock) {
            tokio::task::yield_now().await;
        }
        let lease = self.entry(self.lease_key(key)).lease;
        let is_foreign = lease.is_some_and(|lease| Some(&lease.owner) != owner);
        let is_later = match kept {
            None => true,
            Some(_) if self.has(Bug::KeepsTheFirstToken) => false,
            Some(_) if self.has(Bug::OwnersSaveAlwaysReplaces) && owner.is_some() => true,
            Some(kept) if self.has(Bug::ReplacesByTheSameGeneration) => token.generation >= kept,
            Some(kept) => token.generation > kept,
        };
        let saves = is_later && !(self.has(Bug::SaveNeedsTheLease) && is_foreign);
        if saves {
            self.change(key.as_str(), |entry| entry.token = Some(token));
        }
        let keeps_lease =
            self.has(Bug::SaveKeepsTheLease) || (self.has(Bug::OutdatedSaveKeepsTheLease) && !saves);
        self.change(self.lease_key(key), |entry| {
            entry.lease.take_if(|lease| {
                (Some(&lease.owner) == owner && !keeps_lease) || self.has(Bug::AnySaveFrees)
            });
        });
        if saves { Saved::Kept } else { Saved::Outdated }
    }

    fn release(&self, key: &StoreKey, owner: &LeaseOwner) -> Result<(), StoreError> {
        if self.has(Bug::ReleaseDoesNothing) {
            return Ok(());
        }
        let mine = self.change(self.lease_key(key), |entry| {
            let anybody = self.has(Bug::AnybodyReleases);
            entry.lease.take_if(|lease| lease.owner == *owner || anybody)
        });
        match mine {
            None if self.has(Bug::ForeignReleaseFails) => Err(StoreError::new("not the owner")),
            _ => Ok(()),
        }
    }
}

impl TokenStore for BrokenStore {
    fn load<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, Option<StoredToken>> {
        let invented = || {
            let token = StoredToken::new("invented", 1, UNIX_EPOCH, UNIX_EPOCH + Duration::from_secs(1));
            self.has(Bug::InventsTokens).then_some(token)
        };
        let token = self.entry(key.as_str()).token.or_else(invented);
        Box::pin(std::future::ready(Ok(token)))
    }

    fn take<'a>(&'a self, key: &'a StoreKey, request: &'a LeaseRequest) -> StoreFuture<'a, Lease> {
        Box::pin(async move { Ok(Self::take(self, key, request).await) })
    }

    fn save<'a>(
        &'a self,
        key: &'a StoreKey,
        token: StoredToken,
        owner: Option<&'a LeaseOwner>,
    ) -> StoreFuture<'a, Saved> {
        Box::pin(async move { Ok(Self::save(self, key, token, owner).await) })
    }

    fn release<'a>(&'a self, key: &'a StoreKey, owner: &'a LeaseOwner) -> StoreFuture<'a, ()> {
        Box::pin(std::future::ready(Self::release(self, key, owner)))
    }

    fn changed<'a>(&'a self, _: &'a StoreKey, _: u64) -> StoreFuture<'a, ()> {
        if self.has(Bug::ChangedFails) {
            return Box::pin(std::future::ready(Err(StoreError::new("no subscription"))));
        }
        Box::pin(std::future::pending())
    }
}
