//! One renewal, from the caller that begins it to the token that all of them get.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Weak;
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::{self, Handle};
use tokio::task::AbortHandle;

use crate::clock::{Clock, Reading, timeout};
use crate::error::{Error, ErrorKind, Result};
use crate::random::unit_fraction;
use crate::token::{Token, TokenResponse, Validity};

use super::single_flight::{Leader, SingleFlight, Waiter};
use super::sync::Arc;
use super::{Event, Lifecycle, LifecycleConfig, State};

/// A renewal under way.
pub(super) struct Running {
    pub(super) flight: Arc<SingleFlight<Result<Token>>>,
    /// The runtime that drives it. A caller of another one can't know whether that still runs.
    runtime: runtime::Id,
    /// On the monotonic clock: when it must be over even if its own timeout was never driven.
    overdue: Duration,
    pub(super) task: AbortHandle,
}

/// How long after its own timeout a renewal counts as lost: its runtime isn't being driven.
const LOST_AFTER: Duration = Duration::from_secs(5);

impl LifecycleConfig {
    pub(super) fn sample(&self) -> Sample {
        Sample {
            now: self.clock.now(),
            fraction: unit_fraction(&*self.random),
        }
    }
}

/// All that a renewal's result needs of the config, got before the state is touched: a clock and a source of
/// randomness are other people's code, and a panic in them must not leave half a change behind.
pub(super) struct Sample {
    now: Reading,
    /// For jitter.
    fraction: f64,
}

impl Lifecycle {
    /// A place in the renewal that runs, or in a new one.
    pub(super) fn join_or_start(self: &Arc<Self>, state: &mut State) -> Result<Wait> {
        let runtime = Handle::try_current().map_err(|_| Error::no_runtime())?;
        let now = self.config.clock.now();
        if let Some(running) = &state.running
            && running.flight.is_pending()
            && now.monotonic < running.overdue
        {
            let foreign = running.runtime != runtime.id();
            return Ok(Wait {
                waiter: running.flight.wait(),
                limit: foreign.then(|| running.overdue.saturating_sub(now.monotonic)),
            });
        }
        let (flight, leader) = SingleFlight::start();
        let previous = state.machine.previous(now);
        let work = self.source.fetch(previous);
        let guard = CompletionGuard {
            leader,
            lifecycle: Arc::downgrade(self),
            flight: Arc::clone(&flight),
            began: now,
        };
        let config = Arc::clone(&self.config);
        let limit = self.config.policy.timeout;
        let task = runtime.spawn(async move {
            let outcome = match catch_panic(timeout(&*config.clock, limit, work)).await {
                Some(Some(outcome)) => outcome,
                Some(None) => Err(Error::timeout(
                    "token refresh".into(),
                    "the refresh with its retries",
                    limit,
                )),
                None => Err(Error::refresh_aborted()),
            };
            guard.finish(outcome);
        });
        let waiter = flight.wait();
        let overdue = now.monotonic.saturating_add(limit).saturating_add(LOST_AFTER);
        let lost = state.running.replace(Box::new(Running {
            flight,
            runtime: runtime.id(),
            overdue,
            task: task.abort_handle(),
        }));
        if let Some(lost) = lost {
            lost.task.abort();
        }
        Ok(Wait { waiter, limit: None })
    }

    /// Makes a token of what a login gave, and lets it be seen.
    pub(super) fn accept(
        &self,
        state: &mut State,
        response: TokenResponse,
        sample: &Sample,
    ) -> Result<Token> {
        let (start, length) = response.lifetime()?;
        let planned = self.config.policy.plan(start, length, sample.fraction);
        let life = if self.source.is_refreshable() {
            planned
        } else {
            // Never due, so that the token is read without a lock to its end.
            Validity {
                refresh_at: planned.expires_at,
                ..planned
            }
        };
        let token = Token::new(
            &response.token,
            state.machine.next_generation(),
            life,
            response.details,
        )?;
        state.machine.succeeded(token.clone(), sample.now);
        self.current.store(Some(token.clone().into()));
        Ok(token)
    }

    /// Takes a token that was got outside of a renewal.
    pub(crate) fn adopt(&self, response: TokenResponse) -> Result<Token> {
        let sample = self.config.sample();
        let token = self.accept(&mut self.lock(), response, &sample)?;
        self.emit(|| Event::Refreshed {
            generation: token.generation(),
            lifetime: token.lifetime(),
        });
        Ok(token)
    }

    /// What came of the renewal `flight`; `None` when it isn't the session's renewal any more.
    fn apply(
        &self,
        flight: &Arc<SingleFlight<Result<Token>>>,
        outcome: Result<TokenResponse>,
        sample: &Sample,
    ) -> Option<Result<Token>> {
        let mut state = self.lock();
        if !state
            .running
            .as_ref()
            .is_some_and(|running| Arc::ptr_eq(&running.flight, flight))
        {
            return None;
        }
        state.running = None;
        let result = outcome.and_then(|response| self.accept(&mut state, response, sample));
        if let Err(error) = &result {
            let policy = &self.config.policy;
            state
                .machine
                .failed(error.clone(), sample.now, policy, sample.fraction);
        }
        Some(result)
    }
}

/// A place in a renewal.
pub(super) struct Wait {
    waiter: Waiter<Result<Token>>,
    /// How long to wait for a renewal that another runtime drives.
    limit: Option<Duration>,
}

impl Wait {
    pub(super) async fn result(self, clock: &dyn Clock) -> Option<Result<Token>> {
        match self.limit {
            Some(limit) => timeout(clock, limit, self.waiter).await.flatten(),
            None => self.waiter.await,
        }
    }
}

/// Brings a renewal's result home.
///
/// One that is dropped brings none: its runtime was shut down, so that nothing failed, and the waiters start another
/// renewal in a runtime of theirs.
struct CompletionGuard {
    leader: Leader<Result<Token>>,
    lifecycle: Weak<Lifecycle>,
    flight: Arc<SingleFlight<Result<Token>>>,
    began: Reading,
}

impl CompletionGuard {
    fn finish(self, outcome: Result<TokenResponse>) {
        let Some(lifecycle) = self.lifecycle.upgrade() else {
            return;
        };
        let (outcome, sample) = match catch_unwind(AssertUnwindSafe(|| lifecycle.config.sample())) {
            Ok(sample) => (outcome, sample),
            Err(_) => (
                outcome.and(Err(Error::refresh_aborted())),
                Sample {
                    now: self.began,
                    fraction: 1.0,
                },
            ),
        };
        let Some(result) = lifecycle.apply(&self.flight, outcome, &sample) else {
            return;
        };
        self.leader.complete(result.clone());
        match result {
            Ok(token) => {
                tracing::debug!(generation = token.generation(), lifetime = ?token.lifetime(), "token renewed");
                lifecycle.emit(|| Event::Refreshed {
                    generation: token.generation(),
                    lifetime: token.lifetime(),
                });
            }
            Err(error) => {
                tracing::warn!(error.type = error.kind().as_str(), "token refresh failed: {error}");
                lifecycle.emit(|| match error.kind() {
                    ErrorKind::SessionExpired => Event::Expired { error: error.clone() },
                    _ => Event::RefreshFailed { error: error.clone() },
                });
            }
        }
    }
}

/// Runs `future`; `None` when code that it calls panics.
async fn catch_panic<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    std::future::poll_fn(
        |context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(poll) => poll.map(Some),
            Err(_) => Poll::Ready(None),
        },
    )
    .await
}
