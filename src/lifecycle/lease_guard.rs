//! The lease of one refresh or offer: asked for, used for a save, and given up.

use std::time::Duration;

use tokio::runtime::Handle;

use crate::clock::timeout;
use crate::store::{Lease, LeaseOwner, LeaseRequest, Saved, StoredToken};
use crate::sync::{Arc, lock};

use super::catch_panic::catch_panic;
use super::shared_store::StoreEntry;
use super::store_health::Call;

/// Gives up a lease that the session has, or may have without knowing it. Also when its refresh is dropped half-way.
pub(super) struct LeaseGuard {
    entry: Arc<StoreEntry>,
    owner: LeaseOwner,
    /// Whether the owner may have the lease.
    may_hold: bool,
}

impl LeaseGuard {
    pub(super) fn new(entry: Arc<StoreEntry>) -> Self {
        Self::of(entry, LeaseOwner::random())
    }

    /// Of an owner that asked before.
    pub(super) fn of(entry: Arc<StoreEntry>, owner: LeaseOwner) -> Self {
        Self {
            entry,
            owner,
            may_hold: false,
        }
    }

    /// Asks the store for the lease, or for a token after this generation. `None` if it does not answer: the owner may have the
    /// lease all the same, and is remembered for the next offer.
    pub(super) async fn take(&mut self, after: u64) -> Option<Lease> {
        let entry = &*self.entry;
        let lease_time = entry.shared.lease_time(&entry.config);
        let request = LeaseRequest::new(self.owner.clone(), after, lease_time);
        self.may_hold = true;
        let call = async { entry.shared.store.take(&entry.key, &request).await };
        let answer = entry.call(Call::Take, entry.timeout(), call).await;
        match &answer {
            Some(lease) => self.may_hold = matches!(lease, Lease::Acquired { .. }),
            None => *lock(&entry.doubtful) = Some(self.owner.clone()),
        }
        answer
    }

    /// Saves a token within `limit`, which gives the lease up. `None` if the store does not answer.
    pub(super) async fn save(&mut self, token: StoredToken, limit: Duration) -> Option<Saved> {
        let entry = &*self.entry;
        let owner = self.may_hold.then_some(&self.owner);
        let call = async { entry.shared.store.save(&entry.key, token, owner).await };
        let saved = entry.call(Call::Save, limit, call).await;
        if saved.is_some() {
            self.may_hold = false;
        }
        saved
    }

    /// Gives the lease up without waiting for the store.
    pub(super) fn release(&mut self) {
        if !std::mem::take(&mut self.may_hold) {
            return;
        }
        // Without a runtime, the lease runs out by itself.
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let (entry, owner) = (Arc::clone(&self.entry), self.owner.clone());
        runtime.spawn(catch_panic(async move {
            let release = catch_panic(async { entry.shared.store.release(&entry.key, &owner).await });
            timeout(&*entry.config.clock, entry.timeout(), release).await
        }));
    }
}

impl Drop for LeaseGuard {
    fn drop(&mut self) {
        self.release();
    }
}
