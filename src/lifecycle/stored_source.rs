//! A source of tokens that asks a store first.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use crate::clock::{since_epoch, timeout};
use crate::error::Result;
use crate::secret::Secret;
use crate::store::{Saved, StoreError, StoreKey, StoredToken, TokenStore};
use crate::token::{Timestamp, TokenResponse, TokenTimes};
use crate::transport::BoxFuture;

use super::LifecycleConfig;
use super::catch_panic::catch_panic;
use super::source::{Previous, TokenSource};

/// The time limit for a store. A login takes no longer, so waiting for more would gain nothing.
const STORE_TIMEOUT: Duration = Duration::from_secs(2);

/// Takes a token from the store if the store's token is better than the session's. Otherwise it fetches one, and saves it.
pub(crate) struct StoredTokenSource<A> {
    inner: Arc<A>,
    slot: StoreSlot,
}

/// A session's entry in a store.
#[derive(Clone)]
struct StoreSlot {
    store: Arc<dyn TokenStore>,
    key: StoreKey,
    config: Arc<LifecycleConfig>,
}

impl<A: TokenSource> StoredTokenSource<A> {
    pub(crate) fn new(
        inner: A,
        store: Arc<dyn TokenStore>,
        key: StoreKey,
        config: Arc<LifecycleConfig>,
    ) -> Self {
        Self {
            inner: Arc::new(inner),
            slot: StoreSlot { store, key, config },
        }
    }
}

impl<A: TokenSource + 'static> TokenSource for StoredTokenSource<A> {
    fn fetch(&self, previous: Option<Previous>) -> BoxFuture<'static, Result<TokenResponse>> {
        let (inner, slot) = (Arc::clone(&self.inner), self.slot.clone());
        Box::pin(async move {
            let stored = slot.load().await;
            if let Some(better) = stored
                .as_ref()
                .and_then(|stored| slot.usable(stored, previous.as_ref()))
            {
                return Ok(better);
            }
            let response = inner.fetch(previous).await?;
            let generation = stored.map_or(1, |stored| stored.generation.saturating_add(1));
            slot.save(&response, generation).await;
            Ok(response)
        })
    }

    fn is_refreshable(&self) -> bool {
        self.inner.is_refreshable()
    }
}

impl StoreSlot {
    async fn load(&self) -> Option<StoredToken> {
        self.call("load", async { self.store.load(&self.key).await })
            .await
            .flatten()
    }

    /// Returns the stored token as a login's response, if it is valid, differs from the session's token, and is not about
    /// to expire. It is judged like a login's response, by this process's clock.
    fn usable(&self, stored: &StoredToken, previous: Option<&Previous>) -> Option<TokenResponse> {
        let issued_at = since_epoch(stored.issued_at);
        let is_outdated = |previous: &Previous| {
            // A store that lost a save may hold a token older than the session's own.
            previous.token.expose() == stored.token.expose()
                || issued_at < previous.token.validity().issued_at.wall
        };
        if previous.is_some_and(is_outdated) {
            return None;
        }
        let LifecycleConfig { clock, policy, .. } = &*self.config;
        let now = clock.now();
        let expires_at = since_epoch(stored.expires_at);
        let whole = expires_at.saturating_sub(issued_at);
        // If this wall clock is behind the writer's, the token still can't be valid for longer than it was. If the writer's
        // clock is ahead, it can't be valid for longer than its own claims say.
        let mut left = expires_at.saturating_sub(now.wall).min(whole);
        if let Some(claimed) = TokenTimes::of_token(stored.token.expose()).left(now.wall) {
            left = left.min(claimed);
        }
        // With less lifetime left, it would be refreshed at once.
        if left <= policy.margin_of(whole) {
            return None;
        }
        let response = TokenResponse {
            operation: "TokenStore::load",
            token: stored.token.clone(),
            times: TokenTimes {
                expiration: Timestamp::Value(now.wall.saturating_add(left).as_secs()),
                created: Timestamp::Absent,
            },
            details: None,
            stored: true,
            server_date: Some(now.wall),
            sent: now,
            arrived: now,
        };
        if !response.is_exact() {
            tracing::warn!("the token store returned something that is not a token; it is replaced");
            return None;
        }
        Some(response)
    }

    async fn save(&self, response: &TokenResponse, generation: u64) {
        // The lifecycle refuses a response without a lifetime.
        let Ok(lifetime) = response.lifetime(self.config.policy.max_lifetime()) else {
            return;
        };
        let issued_at = lifetime.start.wall;
        let time = |since_epoch| UNIX_EPOCH.checked_add(since_epoch);
        let (Some(issued_at), Some(expires_at)) =
            (time(issued_at), time(issued_at.saturating_add(lifetime.length)))
        else {
            return;
        };
        let token = StoredToken {
            token: Secret::new(response.text()),
            generation,
            issued_at,
            expires_at,
        };
        let saved = self.call("save", async { self.store.save(&self.key, token, None).await });
        if saved.await == Some(Saved::Outdated) {
            tracing::debug!("the token store has a later token already");
        }
    }

    /// Calls the store. If the store fails, hangs or panics, the session continues without it.
    async fn call<T>(
        &self,
        what: &'static str,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Option<T> {
        let call = timeout(&*self.config.clock, STORE_TIMEOUT, catch_panic(call));
        match call.await {
            Some(Some(Ok(value))) => return Some(value),
            Some(Some(Err(error))) => {
                tracing::warn!("the token store failed to {what}, and is not used: {error}");
            }
            Some(None) => tracing::warn!("the token store panicked in {what}, and is not used"),
            None => {
                tracing::warn!(
                    "the token store took longer than {STORE_TIMEOUT:?} to {what}, and is not used"
                );
            }
        }
        None
    }
}
