//! A source of tokens that asks a store first.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::timeout;
use crate::error::Result;
use crate::store::{Saved, StoreFuture, StoreKey, StoredToken, TokenStore};
use crate::token::TokenResponse;
use crate::transport::BoxFuture;

use super::LifecycleConfig;
use super::source::{Previous, TokenSource};

/// How long a store may take. A login takes no longer, so that waiting for more would gain nothing.
const STORE_TIMEOUT: Duration = Duration::from_secs(2);

/// Takes a token from the store if there is a better one than the session has; else gets one, and keeps it in the store.
pub(crate) struct StoredTokenSource<A> {
    inner: Arc<A>,
    place: StoreSlot,
}

/// A session's place in a store.
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
            place: StoreSlot { store, key, config },
        }
    }
}

impl<A: TokenSource + 'static> TokenSource for StoredTokenSource<A> {
    fn fetch(&self, previous: Option<Previous>) -> BoxFuture<'static, Result<TokenResponse>> {
        let (inner, place) = (Arc::clone(&self.inner), self.place.clone());
        Box::pin(async move {
            let stored = place.load().await;
            if let Some(better) = stored
                .as_ref()
                .and_then(|stored| place.usable(stored, previous.as_ref()))
            {
                return Ok(better);
            }
            let response = inner.fetch(previous).await?;
            place
                .keep(
                    &response,
                    stored.map_or(1, |stored| stored.generation.saturating_add(1)),
                )
                .await;
            Ok(response)
        })
    }

    fn is_refreshable(&self) -> bool {
        self.inner.is_refreshable()
    }
}

impl StoreSlot {
    async fn load(&self) -> Option<StoredToken> {
        self.ask("load", self.store.load(&self.key)).await.flatten()
    }

    /// The stored token as a login's answer, if it is another one than the session has, and will live for a while.
    fn usable(&self, stored: &StoredToken, previous: Option<&Previous>) -> Option<TokenResponse> {
        let outdated = |previous: &Previous| {
            // A store that lost a save still has a token from before the session's own.
            previous.token.expose() == stored.token.expose()
                || stored.issued_at < previous.token.validity().issued_at.wall
        };
        if previous.is_some_and(outdated) {
            return None;
        }
        let LifecycleConfig { clock, policy, .. } = &*self.config;
        let now = clock.now();
        let whole = stored.expires_at.saturating_sub(stored.issued_at);
        // A wall clock that is behind the writer's can't make a token live longer than it was given.
        let left = stored.expires_at.saturating_sub(now.wall).min(whole);
        // With less life left, it would be renewed at once.
        if left <= policy.margin_of(whole) {
            return None;
        }
        Some(TokenResponse {
            token: stored.token.clone(),
            expiration: i64::try_from(now.wall.saturating_add(left).as_secs()).ok(),
            created: None,
            details: None,
            server_date: Some(now.wall),
            sent: now,
            arrived: now,
        })
    }

    async fn keep(&self, response: &TokenResponse, generation: u64) {
        // A response without a life is the lifecycle's to refuse.
        let Ok((start, length)) = response.lifetime() else {
            return;
        };
        let token = StoredToken {
            token: response.token.clone(),
            generation,
            issued_at: start.wall,
            expires_at: start.wall.saturating_add(length),
        };
        if self.ask("save", self.store.save(&self.key, token)).await == Some(Saved::Outdated) {
            tracing::debug!("the token store has a later token already");
        }
    }

    async fn ask<T>(&self, what: &'static str, answer: StoreFuture<'_, T>) -> Option<T> {
        match timeout(&*self.config.clock, STORE_TIMEOUT, answer).await {
            Some(Ok(answer)) => Some(answer),
            Some(Err(error)) => {
                tracing::warn!("the token store can't {what}, and is done without: {error}");
                None
            }
            None => {
                tracing::warn!(
                    "the token store took longer than {STORE_TIMEOUT:?} to {what}, and is done without"
                );
                None
            }
        }
    }
}
