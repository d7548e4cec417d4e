//! A source of tokens that shares them with other clients: does what [`LeaseProtocol`] says.

use std::future::ready;
use std::task::Poll;
use std::time::Duration;

use crate::clock::{Reading, SleepPurpose, timeout};
use crate::error::{Error, Result};
use crate::observability::{STORE, StoreOutcome, store_called};
use crate::random::unit_fraction;
use crate::store::{Lease, Saved, StoreKey};
use crate::sync::{Arc, lock};
use crate::token::{Token, TokenResponse};
use crate::transport::BoxFuture;

use super::catch_panic::catch_panic;
use super::lease_guard::LeaseGuard;
use super::lease_protocol::{Action, Answer, Happened, LeaseProtocol, Limits};
use super::shared_store::{HeldToken, SharedStore, StoreEntry};
use super::sharing::{offer, share};
use super::source::{CredentialChange, Previous, PreviousTokenState, SessionIdentity, TokenSource};
use super::stored_token::{entry_of, expired_token, refreshable, unshared_entry, usable};
use super::{Event, LifecycleConfig, MOST_GENERATIONS};

/// Takes a token from the store if there is a newer one. Otherwise, one of the clients fetches it, and saves it for all.
pub(crate) struct StoredTokenSource<A> {
    inner: Arc<A>,
    entry: Arc<StoreEntry>,
}

impl<A: TokenSource> StoredTokenSource<A> {
    pub(crate) fn new(
        inner: A,
        shared: Arc<SharedStore>,
        key: StoreKey,
        config: Arc<LifecycleConfig>,
    ) -> Self {
        Self {
            inner: Arc::new(inner),
            entry: Arc::new(StoreEntry::new(shared, key, config)),
        }
    }

    /// How much longer than a login a fetch with this store may take.
    pub(crate) fn longest_use(shared: &SharedStore, config: &LifecycleConfig) -> Duration {
        let policy = shared.policy;
        // The first question, the wait, the last question of the wait, and the save.
        let longest_wait = policy.max_wait().max(shared.lease_time(config));
        policy.timeout().saturating_mul(3).saturating_add(longest_wait)
    }
}

impl<A: TokenSource + 'static> TokenSource for StoredTokenSource<A> {
    fn fetch(&self, previous: Option<Previous>) -> BoxFuture<'static, Result<TokenResponse>> {
        let refresh = SharedRefresh {
            inner: Arc::clone(&self.inner),
            began: self.entry.config.clock.now(),
            lease: LeaseGuard::new(Arc::clone(&self.entry)),
            entry: Arc::clone(&self.entry),
            previous,
            candidate: None,
            nearly_over: None,
            store_time: Duration::ZERO,
        };
        Box::pin(refresh.run())
    }

    fn forget(&self) -> Option<BoxFuture<'static, ()>> {
        let token = expired_token(self.entry.config.clock.now())?;
        Some(Box::pin(share(Arc::clone(&self.entry), token)))
    }

    fn identity(&self) -> SessionIdentity {
        self.inner.identity()
    }

    fn is_refreshable(&self) -> bool {
        self.inner.is_refreshable()
    }

    fn extra_time(&self) -> Duration {
        Self::longest_use(&self.entry.shared, &self.entry.config)
    }

    fn share(&self, response: &TokenResponse) -> BoxFuture<'static, ()> {
        match entry_of(&self.entry.config, response, 0) {
            Some(token) if !self.entry.rests() => Box::pin(share(Arc::clone(&self.entry), token)),
            _ => {
                lock(&self.entry.held).is_unknown_to_store = true;
                Box::pin(ready(()))
            }
        }
    }

    fn share_later(&self) -> Option<Duration> {
        let held = self.entry.held();
        held.is_unknown_to_store.then(|| self.entry.rest_left())
    }

    fn offer(&self, token: &Token) -> BoxFuture<'static, bool> {
        match unshared_entry(&self.entry.config, token) {
            Some(token) => Box::pin(offer(Arc::clone(&self.entry), token)),
            None => Box::pin(ready(true)),
        }
    }

    fn continue_after(&self, generation: u64) {
        let mut held = lock(&self.entry.held);
        held.generation = held.generation.max(generation);
        held.is_continued = true;
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn credentials_changed(&self, change: &CredentialChange<'_>) {
        self.inner.credentials_changed(change);
    }

    fn kind(&self) -> &'static str {
        self.inner.kind()
    }

    fn key_version(&self) -> u64 {
        self.inner.key_version()
    }

    fn has_changeable_key(&self) -> bool {
        self.inner.has_changeable_key()
    }

    fn take_news(&self) -> Vec<Event> {
        self.entry.take_news()
    }
}

/// One refresh of a session whose client has a store.
struct SharedRefresh<A> {
    inner: Arc<A>,
    entry: Arc<StoreEntry>,
    lease: LeaseGuard,
    previous: Option<Previous>,
    began: Reading,
    /// The stored token that the protocol may decide to use.
    candidate: Option<TokenResponse>,
    /// A stored token that is about to expire, with its generation: the session refreshes it, for want of its own.
    nearly_over: Option<(TokenResponse, u64)>,
    /// How long the store was waited for, apart from waits for other clients.
    store_time: Duration,
}

impl<A: TokenSource> SharedRefresh<A> {
    async fn run(mut self) -> Result<TokenResponse> {
        if self.entry.rests() {
            let response = self.log_in().await?;
            lock(&self.entry.held).is_unknown_to_store = true;
            return Ok(response);
        }
        let held = self.entry.held();
        let (mut protocol, mut step) = LeaseProtocol::start(self.limits(), held.generation, Duration::ZERO);
        let mut outcome = None;
        let mut known_as = None;
        let mut is_shared = false;
        let mut asked_after = held.generation;
        loop {
            if step.release {
                self.lease.release();
            }
            let happened = match step.next {
                Action::Take { after } => {
                    asked_after = after;
                    Happened::Took(self.take(after, held).await)
                }
                Action::Wait {
                    duration,
                    until_changed,
                } => {
                    self.store_time = Duration::ZERO;
                    let by_change = self.wait(duration, until_changed.then_some(asked_after)).await;
                    Happened::Woken { by_change }
                }
                Action::LogIn => {
                    let result = self.log_in().await;
                    let succeeded = result.is_ok();
                    outcome = Some(result);
                    Happened::LoggedIn(succeeded)
                }
                Action::Save { generation } => {
                    known_as = Some(generation);
                    is_shared = self.save(outcome.as_ref(), generation).await;
                    Happened::Saved(is_shared)
                }
                Action::Use { generation } => {
                    (known_as, is_shared) = (Some(generation), true);
                    outcome = self.candidate.take().map(Ok);
                    break;
                }
                Action::Finish => break,
            };
            let fraction = unit_fraction(&*self.entry.config.random);
            step = protocol.step(happened, self.elapsed(), fraction);
        }
        if let Some(Err(error)) = &outcome
            && error.is_retryable()
            && let Some((response, generation)) = self.nearly_over.take()
        {
            // It could not be refreshed for now, and is still valid.
            outcome = Some(Ok(response));
            (known_as, is_shared) = (Some(generation), true);
        }
        if let Some(Ok(response)) = &mut outcome {
            *lock(&self.entry.held) = HeldToken {
                generation: known_as.unwrap_or(asked_after),
                is_unknown_to_store: !is_shared,
                is_continued: held.is_continued,
            };
            response.shared_as =
                known_as.filter(|generation| held.is_continued && *generation <= MOST_GENERATIONS);
        }
        outcome.unwrap_or_else(|| Err(Error::refresh_aborted()))
    }

    fn limits(&self) -> Limits {
        let entry = &*self.entry;
        let config = &entry.config;
        let (lease, login) = (entry.shared.lease_time(config), config.policy.timeout());
        let shortest = entry.shared.policy.max_wait();
        // While its token is valid, no caller waits. So the session can wait until a lease has run out, if enough time for
        // a login of its own is left then.
        let is_at_leisure = self.previous.as_ref().is_some_and(|previous| {
            let left = self.began.until(previous.token.validity().expires_at);
            previous.state == PreviousTokenState::Active && left > lease.saturating_add(login)
        });
        let wait = if is_at_leisure {
            shortest.max(lease)
        } else {
            shortest
        };
        Limits { lease, login, wait }
    }

    /// The time since the refresh began, by the faster of the two clocks: a lease also runs out while the computer is
    /// suspended.
    fn elapsed(&self) -> Duration {
        let now = self.entry.config.clock.now();
        let monotonic = now.monotonic.saturating_sub(self.began.monotonic);
        monotonic.max(now.wall.saturating_sub(self.began.wall))
    }

    async fn take(&mut self, after: u64, held: HeldToken) -> Answer {
        let entry = &*self.entry;
        let asked = entry.config.clock.now();
        let lease = self.lease.take(after).await;
        let waited = entry.config.clock.now().monotonic.saturating_sub(asked.monotonic);
        self.store_time = self.store_time.saturating_add(waited);
        let Some(lease) = lease else {
            return Answer::Failed;
        };
        match lease {
            Lease::Newer(stored) => {
                self.candidate = Some(stored.generation)
                    .filter(|generation| *generation > after)
                    .and_then(|_| usable(&entry.config, &stored, self.previous.as_ref(), held));
                if self.candidate.is_none()
                    && held.is_continued
                    && let Some((previous, response)) =
                        refreshable(&entry.config, &stored, self.previous.as_ref())
                {
                    self.previous = Some(previous);
                    self.nearly_over = Some((response, stored.generation));
                }
                let is_hit = self.candidate.is_some();
                store_called(
                    "take",
                    if is_hit {
                        StoreOutcome::Hit
                    } else {
                        StoreOutcome::Miss
                    },
                );
                Answer::Newer {
                    generation: stored.generation,
                    usable: self.candidate.is_some(),
                }
            }
            Lease::Acquired { generation } => {
                store_called("take", StoreOutcome::Miss);
                Answer::Acquired { generation }
            }
            Lease::Held {
                remaining,
                generation,
            } => {
                store_called("take", StoreOutcome::Held);
                tracing::debug!(target: STORE, ?remaining, "another client has the refresh lease");
                Answer::Held {
                    remaining,
                    generation,
                }
            }
            Lease::Unavailable { generation } => {
                store_called("take", StoreOutcome::Miss);
                Answer::Unavailable { generation }
            }
        }
    }

    /// Waits, but no longer than until the store has changed after a generation. Returns whether it has.
    async fn wait(&self, duration: Duration, changed_after: Option<u64>) -> bool {
        let entry = &*self.entry;
        let mut sleep = entry.config.clock.sleep_for(duration, SleepPurpose::Lease);
        let mut changed = changed_after.map(|after| {
            let changed = async move { entry.shared.store.changed(&entry.key, after).await };
            Box::pin(catch_panic(changed))
        });
        std::future::poll_fn(|context| {
            if let Some(change) = &mut changed
                && let Poll::Ready(result) = change.as_mut().poll(context)
            {
                changed = None;
                if let Some(Ok(())) = result {
                    return Poll::Ready(true);
                }
            }
            sleep.as_mut().poll(context).map(|()| false)
        })
        .await
    }

    /// A login of the session's own. It must not outlast the lease.
    async fn log_in(&self) -> Result<TokenResponse> {
        let config = &self.entry.config;
        let limit = config.policy.timeout();
        let login = self.inner.fetch(self.previous.clone());
        timeout(&*config.clock, limit, login)
            .await
            .unwrap_or_else(|| Err(Error::refresh_timeout(limit)))
    }

    /// Saves the login's result. Returns whether the store has answered.
    async fn save(&mut self, outcome: Option<&Result<TokenResponse>>, generation: u64) -> bool {
        let entry = &*self.entry;
        let Some(token) = outcome
            .and_then(|outcome| outcome.as_ref().ok())
            .and_then(|response| entry_of(&entry.config, response, generation))
        else {
            return false;
        };
        // Nobody waits for the store longer than its time limit, the question before included.
        let limit = entry.timeout().saturating_sub(self.store_time);
        let saved = self.lease.save(token, limit).await;
        match saved {
            Some(Saved::Outdated) => {
                tracing::debug!(target: STORE, "the token store has a later token already");
                store_called("save", StoreOutcome::Outdated);
            }
            Some(Saved::Kept) => store_called("save", StoreOutcome::Done),
            None => {}
        }
        saved.is_some()
    }
}
