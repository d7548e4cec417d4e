//! Tokens that a session got without its store's lease, on their way into the store.

use crate::observability::STORE;
use crate::store::{Lease, LeaseRequest, Saved, StoredToken};
use crate::sync::{Arc, lock};

use super::shared_store::{LeaseGuard, StoreEntry};
use super::store_health::Call;
use super::stored_source::lease_time;

/// Saves a token that the session got outside of a refresh.
pub(super) async fn share(entry: Arc<StoreEntry>, token: StoredToken) {
    let mut lease = LeaseGuard::new(Arc::clone(&entry));
    let mut after = entry.held().generation;
    // The first question may be answered by a token that is later than the session's last one, but not than this one.
    for _ in 0..2 {
        let request = LeaseRequest::new(lease.owner.clone(), after, lease_time(&entry));
        lease.may_hold = true;
        let call = async { entry.shared.store.take(&entry.key, &request).await };
        let Some(answer) = entry.call(Call::Take, entry.timeout(), call).await else {
            break;
        };
        lease.may_hold = matches!(answer, Lease::Acquired { .. });
        let generation = match answer {
            Lease::Newer(stored) => {
                after = stored.generation;
                continue;
            }
            Lease::Acquired { generation }
            | Lease::Held { generation, .. }
            | Lease::Unavailable { generation } => generation,
        };
        let token = StoredToken { generation, ..token };
        let owner = lease.may_hold.then_some(&lease.owner);
        let call = async { entry.shared.store.save(&entry.key, token, owner).await };
        if entry.call(Call::Save, entry.timeout(), call).await.is_some() {
            lease.may_hold = false;
            let mut held = lock(&entry.held);
            held.generation = generation;
            held.is_unknown_to_store = false;
            return;
        }
        break;
    }
    lock(&entry.held).is_unknown_to_store = true;
}

/// Offers a token that the session got while the store did not answer. Returns whether nothing is left to do: also when
/// another session's token is there, or on its way.
pub(super) async fn offer(entry: Arc<StoreEntry>, token: StoredToken) -> bool {
    // One at a time: a store that has just come back is not flooded by all the sessions of a client.
    let _turn = entry.shared.offers.lock().await;
    if entry.rests() {
        return false;
    }
    // A question without an answer may have got the lease. Then it is still ours, and the save gives it up.
    let mut lease = match lock(&entry.doubtful).take() {
        Some(owner) => LeaseGuard::of(Arc::clone(&entry), owner),
        None => LeaseGuard::new(Arc::clone(&entry)),
    };
    let request = LeaseRequest::new(lease.owner.clone(), entry.held().generation, lease_time(&entry));
    lease.may_hold = true;
    let call = async { entry.shared.store.take(&entry.key, &request).await };
    let Some(answer) = entry.call(Call::Take, entry.timeout(), call).await else {
        *lock(&entry.doubtful) = Some(lease.owner.clone());
        return false;
    };
    lease.may_hold = matches!(answer, Lease::Acquired { .. });
    let generation = match answer {
        Lease::Acquired { generation } | Lease::Unavailable { generation } => generation,
        Lease::Newer(_) | Lease::Held { .. } => return true,
    };
    let token = StoredToken { generation, ..token };
    let owner = lease.may_hold.then_some(&lease.owner);
    let call = async { entry.shared.store.save(&entry.key, token, owner).await };
    let Some(saved) = entry.call(Call::Save, entry.timeout(), call).await else {
        return false;
    };
    lease.may_hold = false;
    if saved == Saved::Kept {
        tracing::debug!(target: STORE, "a token that was obtained without the token store is in it now");
        let mut held = lock(&entry.held);
        if generation > held.generation {
            held.generation = generation;
            held.is_unknown_to_store = false;
        }
    }
    true
}
