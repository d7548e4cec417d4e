//! A client's store, as its sessions use it: with a time limit, and left alone for a while after it has failed.

use std::fmt;
use std::time::Duration;

use crate::clock::timeout;
use crate::observability::{STORE, StoreOutcome, store_called};
use crate::random::unit_fraction;
use crate::store::{LeaseOwner, StoreError, StoreKey, StorePolicy, TokenStore};
use crate::sync::{Arc, Mutex, lock};

use super::catch_panic::catch_panic;
use super::store_health::{Call, StoreHealth};
use super::{Event, LifecycleConfig};

/// A client's store.
pub(crate) struct SharedStore {
    pub(super) store: Arc<dyn TokenStore>,
    pub(super) policy: StorePolicy,
    health: StoreHealth,
    /// Held by the session that offers its token.
    pub(super) offers: tokio::sync::Mutex<()>,
}

impl SharedStore {
    pub(crate) fn new(store: Arc<dyn TokenStore>, policy: StorePolicy) -> Arc<Self> {
        Arc::new(Self {
            store,
            policy,
            health: StoreHealth::default(),
            offers: tokio::sync::Mutex::default(),
        })
    }

    /// How long a lease lasts: as long as a login may, and as the save after it.
    pub(super) fn lease_time(&self, config: &LifecycleConfig) -> Duration {
        let store = self.policy.timeout().saturating_mul(2);
        config.policy.timeout().saturating_add(store)
    }
}

impl fmt::Debug for SharedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.store, f)
    }
}

/// A session's entry in its client's store.
pub(super) struct StoreEntry {
    pub(super) shared: Arc<SharedStore>,
    pub(super) key: StoreKey,
    pub(super) config: Arc<LifecycleConfig>,
    pub(super) held: Mutex<HeldToken>,
    /// Who asked for the lease last without an answer, and so may have it.
    pub(super) doubtful: Mutex<Option<LeaseOwner>>,
    news: Mutex<Vec<Event>>,
}

/// What the store knows of the session's own token.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct HeldToken {
    /// The latest generation that the session had from the store, or saved in it.
    pub(super) generation: u64,
    /// The session's token is not that one: it got it while the store did not answer.
    pub(super) is_unknown_to_store: bool,
    /// The session began with a login, and its tokens are numbered from there on. Other sessions number their own.
    pub(super) is_continued: bool,
}

impl StoreEntry {
    pub(super) fn new(shared: Arc<SharedStore>, key: StoreKey, config: Arc<LifecycleConfig>) -> Self {
        Self {
            shared,
            key,
            config,
            held: Mutex::default(),
            doubtful: Mutex::default(),
            news: Mutex::default(),
        }
    }

    pub(super) fn held(&self) -> HeldToken {
        *lock(&self.held)
    }

    /// How long the store is waited for in one refresh.
    pub(super) fn timeout(&self) -> Duration {
        self.shared.policy.timeout()
    }

    /// Whether the store failed just now, and is left alone.
    pub(super) fn rests(&self) -> bool {
        self.shared.health.rests(self.config.clock.now())
    }

    /// How long the store is still left alone.
    pub(super) fn rest_left(&self) -> Duration {
        self.shared.health.rest_left(self.config.clock.now())
    }

    /// Calls the store. If it fails, hangs or panics, it is left alone for a while, and this is said once.
    pub(super) async fn call<T>(
        &self,
        what: Call,
        limit: Duration,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Option<T> {
        let verb = match what {
            Call::Take => "take the lease",
            Call::Save => "save a token",
        };
        let method = match what {
            Call::Take => "take",
            Call::Save => "save",
        };
        let (outcome, problem) = match timeout(&*self.config.clock, limit, catch_panic(call)).await {
            Some(Some(Ok(value))) => {
                if self.shared.health.answered(what) {
                    tracing::info!(target: STORE, "the token store answers again; tokens are shared");
                    lock(&self.news).push(Event::StoreRecovered);
                }
                return Some(value);
            }
            Some(Some(Err(error))) => (StoreOutcome::Error, format!("it failed to {verb}: {error}")),
            Some(None) => (StoreOutcome::Panic, format!("it panicked when asked to {verb}")),
            None => {
                let problem = format!("it took longer than {limit:?} to {verb}");
                (StoreOutcome::Timeout, problem)
            }
        };
        store_called(method, outcome);
        let fraction = unit_fraction(&*self.config.random);
        if self.shared.health.failed(what, self.config.clock.now(), fraction) {
            tracing::warn!(
                target: STORE,
                "the token store is not used for now, and each client logs in for itself: {problem}"
            );
            lock(&self.news).push(Event::StoreFailed { problem });
        } else {
            tracing::debug!(target: STORE, "the token store still fails: {problem}");
        }
        None
    }

    /// What happened to the store, for the session's subscribers.
    pub(super) fn take_news(&self) -> Vec<Event> {
        std::mem::take(&mut *lock(&self.news))
    }
}
