//! What the rules are written with: two handles onto one place, and checks of what they answer.

use std::fmt::Debug;
use std::pin::Pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::clock::{Clock, SystemClock};
use crate::random::unique_bytes;
use crate::store::{Lease, LeaseOwner, LeaseRequest, Saved, StoreFuture, StoreKey, StoredToken, TokenStore};
use crate::sync::Arc;

use super::Pass;

/// The result of a rule, or what the store did instead.
pub(super) type Check = Pin<Box<dyn Future<Output = Outcome> + Send>>;
pub(super) type Outcome = Result<(), String>;

/// A lease that does not run out during a test.
pub(super) const LONG: Duration = Duration::from_secs(60);
/// A lease that runs out during a test.
pub(super) const SHORT: Duration = Duration::from_millis(200);

/// Two handles onto one place, and a key that is used nowhere else.
pub(super) struct Place {
    pub(super) one: Handle,
    pub(super) other: Handle,
    pub(super) key: StoreKey,
    pass: Pass,
}

#[derive(Clone)]
pub(super) struct Handle(Arc<dyn TokenStore>);

impl Place {
    pub(super) fn new(one: Arc<dyn TokenStore>, other: Arc<dyn TokenStore>, pass: Pass) -> Self {
        Self {
            one: Handle(one),
            other: Handle(other),
            key: random_key(),
            pass,
        }
    }

    /// Lets a short lease run out.
    pub(super) async fn outlast_a_short_lease(&self) {
        (self.pass)(2 * SHORT).await;
    }

    pub(super) async fn pass(&self, duration: Duration) {
        (self.pass)(duration).await;
    }
}

impl Handle {
    pub(super) async fn load(&self, key: &StoreKey) -> Result<Option<StoredToken>, String> {
        answer("load", self.0.load(key)).await
    }

    pub(super) async fn take(&self, key: &StoreKey, owner: &LeaseOwner, after: u64) -> Result<Lease, String> {
        self.take_for(key, owner, after, LONG).await
    }

    pub(super) async fn take_for(
        &self,
        key: &StoreKey,
        owner: &LeaseOwner,
        after: u64,
        ttl: Duration,
    ) -> Result<Lease, String> {
        let request = LeaseRequest::new(owner.clone(), after, ttl);
        answer("take", self.0.take(key, &request)).await
    }

    /// Takes the lease, which must be free, and returns its generation.
    pub(super) async fn acquire(
        &self,
        key: &StoreKey,
        owner: &LeaseOwner,
        after: u64,
    ) -> Result<u64, String> {
        self.acquire_for(key, owner, after, LONG).await
    }

    pub(super) async fn acquire_for(
        &self,
        key: &StoreKey,
        owner: &LeaseOwner,
        after: u64,
        ttl: Duration,
    ) -> Result<u64, String> {
        match self.take_for(key, owner, after, ttl).await? {
            Lease::Acquired { generation } => Ok(generation),
            other => Err(format!(
                "take should get the lease, and answered {}",
                words(&other)
            )),
        }
    }

    /// Asks for the lease, which another owner must have.
    pub(super) async fn held(
        &self,
        key: &StoreKey,
        owner: &LeaseOwner,
        after: u64,
    ) -> Result<(Duration, u64), String> {
        match self.take(key, owner, after).await? {
            Lease::Held {
                remaining,
                generation,
            } => Ok((remaining, generation)),
            other => Err(format!(
                "another has the lease, and take answered {}",
                words(&other)
            )),
        }
    }

    pub(super) async fn save(
        &self,
        key: &StoreKey,
        token: StoredToken,
        owner: Option<&LeaseOwner>,
    ) -> Result<Saved, String> {
        answer("save", self.0.save(key, token, owner)).await
    }

    pub(super) async fn release(&self, key: &StoreKey, owner: &LeaseOwner) -> Outcome {
        answer("release", self.0.release(key, owner)).await
    }

    pub(super) fn changed<'a>(&'a self, key: &'a StoreKey, after: u64) -> StoreFuture<'a, ()> {
        self.0.changed(key, after)
    }
}

async fn answer<T>(method: &str, call: StoreFuture<'_, T>) -> Result<T, String> {
    call.await.map_err(|error| format!("{method} failed: {error}"))
}

/// An answer, without a token's text.
fn words(lease: &Lease) -> String {
    match lease {
        Lease::Newer(stored) => format!("with a token of generation {}", stored.generation),
        other => format!("{other:?}"),
    }
}

pub(super) fn random_key() -> StoreKey {
    StoreKey::new(&unique_bytes())
}

/// A token that is valid for an hour, counted from a whole second.
pub(super) fn token(text: &str, generation: u64) -> StoredToken {
    let now = SystemClock::default().now().wall();
    let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let issued_at: SystemTime = UNIX_EPOCH + Duration::from_secs(since_epoch.as_secs());
    StoredToken::new(text, generation, issued_at, issued_at + Duration::from_secs(3600))
}

pub(super) fn same<T: PartialEq + Debug>(what: &str, found: &T, expected: &T) -> Outcome {
    if found == expected {
        Ok(())
    } else {
        Err(format!("{what} is {found:?} instead of {expected:?}"))
    }
}

pub(super) fn later(what: &str, generation: u64, than: u64) -> Outcome {
    if generation > than {
        Ok(())
    } else {
        Err(format!(
            "{what}: generation {generation} is not later than {than}"
        ))
    }
}
