//! A source of tokens that asks a store first.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::within;
use crate::error::Result;
use crate::store::{Saved, StoreFuture, StoreKey, StoredToken, TokenStore};
use crate::token::Grant;
use crate::transport::BoxFuture;

use super::{Acquire, Previous, Surroundings};

/// How long a store may take. A login takes no longer, so that waiting for more would gain nothing.
const PATIENCE: Duration = Duration::from_secs(2);

/// Takes a token from the store if there is a better one than the session has; else gets one, and keeps it in the store.
pub(crate) struct StoreFirst<A> {
    inner: Arc<A>,
    place: Place,
}

/// A session's place in a store.
#[derive(Clone)]
struct Place {
    store: Arc<dyn TokenStore>,
    key: StoreKey,
    surroundings: Arc<Surroundings>,
}

impl<A: Acquire> StoreFirst<A> {
    pub(crate) fn new(
        inner: A,
        store: Arc<dyn TokenStore>,
        key: StoreKey,
        surroundings: Arc<Surroundings>,
    ) -> Self {
        Self {
            inner: Arc::new(inner),
            place: Place {
                store,
                key,
                surroundings,
            },
        }
    }
}

impl<A: Acquire + 'static> Acquire for StoreFirst<A> {
    fn acquire(&self, previous: Option<Previous>) -> BoxFuture<'static, Result<Grant>> {
        let (inner, place) = (Arc::clone(&self.inner), self.place.clone());
        Box::pin(async move {
            let stored = place.load().await;
            if let Some(better) = stored
                .as_ref()
                .and_then(|stored| place.usable(stored, previous.as_ref()))
            {
                return Ok(better);
            }
            let grant = inner.acquire(previous).await?;
            place
                .keep(
                    &grant,
                    stored.map_or(1, |stored| stored.generation.saturating_add(1)),
                )
                .await;
            Ok(grant)
        })
    }

    fn is_renewable(&self) -> bool {
        self.inner.is_renewable()
    }
}

impl Place {
    async fn load(&self) -> Option<StoredToken> {
        self.ask("load", self.store.load(&self.key)).await.flatten()
    }

    /// The stored token as a login's answer, if it is another one than the session has, and will live for a while.
    fn usable(&self, stored: &StoredToken, previous: Option<&Previous>) -> Option<Grant> {
        let outdated = |previous: &Previous| {
            // A store that lost a save still has a token from before the session's own.
            previous.token.expose() == stored.token.expose()
                || stored.issued_at < previous.token.life().issued.wall
        };
        if previous.is_some_and(outdated) {
            return None;
        }
        let Surroundings { clock, policy, .. } = &*self.surroundings;
        let now = clock.now();
        let whole = stored.expires_at.saturating_sub(stored.issued_at);
        // A wall clock that is behind the writer's can't make a token live longer than it was given.
        let left = stored.expires_at.saturating_sub(now.wall).min(whole);
        // With less life left, it would be renewed at once.
        if left <= policy.margin_of(whole) {
            return None;
        }
        Some(Grant {
            token: stored.token.clone(),
            expiration: i64::try_from(now.wall.saturating_add(left).as_secs()).ok(),
            created: None,
            details: None,
            server_date: Some(now.wall),
            sent: now,
            arrived: now,
        })
    }

    async fn keep(&self, grant: &Grant, generation: u64) {
        // A grant without a life is the lifecycle's to refuse.
        let Ok((start, length)) = grant.life() else { return };
        let token = StoredToken {
            token: grant.token.clone(),
            generation,
            issued_at: start.wall,
            expires_at: start.wall.saturating_add(length),
        };
        if self.ask("save", self.store.save(&self.key, token)).await == Some(Saved::Outdated) {
            tracing::debug!("the token store has a later token already");
        }
    }

    async fn ask<T>(&self, what: &'static str, answer: StoreFuture<'_, T>) -> Option<T> {
        match within(&*self.surroundings.clock, PATIENCE, answer).await {
            Some(Ok(answer)) => Some(answer),
            Some(Err(error)) => {
                tracing::warn!("the token store can't {what}, and is done without: {error}");
                None
            }
            None => {
                tracing::warn!(
                    "the token store took longer than {PATIENCE:?} to {what}, and is done without"
                );
                None
            }
        }
    }
}
