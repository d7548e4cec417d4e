//! Tokens that a session got without its store's lease, on their way into the store.

use crate::observability::STORE;
use crate::store::{Lease, Saved, StoredToken};
use crate::sync::{Arc, lock};

use super::lease_guard::LeaseGuard;
use super::shared_store::StoreEntry;

/// Saves a token that the session got outside of a refresh.
pub(super) async fn share(entry: Arc<StoreEntry>, token: StoredToken) {
    let mut lease = LeaseGuard::new(Arc::clone(&entry));
    let mut after = entry.held().generation;
    // The first question may be answered by a token that is later than the session's last one, but not than this one.
    for _ in 0..2 {
        let Some(answer) = lease.take(after).await else {
            break;
        };
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
        if lease.save(token, entry.timeout()).await.is_some() {
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
    let Some(answer) = lease.take(entry.held().generation).await else {
        return false;
    };
    let generation = match answer {
        Lease::Acquired { generation } | Lease::Unavailable { generation } => generation,
        Lease::Newer(_) | Lease::Held { .. } => return true,
    };
    let token = StoredToken { generation, ..token };
    let Some(saved) = lease.save(token, entry.timeout()).await else {
        return false;
    };
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
