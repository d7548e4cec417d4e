//! Runs one refresh, from the caller that starts it to the token that all waiters get.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Weak;
use std::time::Duration;

use tokio::runtime::{self, Handle};
use tokio::task::AbortHandle;
use tracing::{Instrument, Span};

use crate::clock::{Reading, timeout};
use crate::error::{Error, ErrorKind, Result};
use crate::observability::{Cause, Failed, RESPONSE, Refreshed, refresh_span};
use crate::random::unit_fraction;
use crate::sync::{Arc, MutexGuard};
use crate::token::{Token, TokenResponse, Validity};

use super::catch_panic::catch_panic;
use super::refresh_state::Refresh;
use super::single_flight::Waiter;
use super::source::{Previous, PreviousTokenState};
use super::state_machine::TokenStateMachine;
use super::{Event, Lifecycle, LifecycleConfig, State, Step};

/// Where a refresh runs.
#[derive(Debug, Clone)]
pub(super) struct Run {
    /// The runtime that drives it. A caller in another runtime can't know whether this one still runs.
    runtime: runtime::Id,
    /// The latest time by which it must have ended, on the monotonic clock, even if its own timeout was never driven.
    overdue: Duration,
    pub(super) task: AbortHandle,
}

/// How long after its own timeout a refresh counts as lost, because its runtime isn't being driven.
const LOST_AFTER: Duration = Duration::from_secs(5);

impl LifecycleConfig {
    pub(super) fn sample(&self) -> Sample {
        Sample {
            now: self.clock.now(),
            fraction: unit_fraction(&*self.random),
        }
    }
}

/// The time and the jitter for recording a result. They are read before the state is changed: the clock and the source of
/// randomness may be a caller's code, and a panic in them must not leave a half-made change.
pub(super) struct Sample {
    now: Reading,
    /// For jitter.
    fraction: f64,
}

impl Lifecycle {
    /// Whether a refresh will never bring a result.
    pub(super) fn is_lost(now: Reading) -> impl FnOnce(&Run) -> bool {
        move |run| now.monotonic >= run.overdue
    }

    /// Starts a refresh in the current runtime.
    pub(super) fn start(
        &self,
        machine: &TokenStateMachine,
        refresh: Refresh<TokenStateMachine>,
        now: Reading,
        caller: Span,
    ) -> Result<Run> {
        let runtime = Handle::try_current().map_err(|_| Error::no_runtime())?;
        let previous = machine.previous(now);
        let cause = cause_of(previous.as_ref());
        let label = self.label();
        let work = self.source.fetch(previous);
        let guard = CompletionGuard {
            refresh,
            lifecycle: self.this.clone(),
            began: now,
            cause,
        };
        let config = Arc::clone(&self.config);
        let limit = self
            .config
            .policy
            .timeout()
            .saturating_add(self.source.extra_time());
        let task = runtime.spawn(async move {
            let span = refresh_span(&caller, &label, cause);
            drop(caller);
            let work = timeout(&*config.clock, limit, work).instrument(span.clone());
            let outcome = match catch_panic(work).await {
                Some(Some(outcome)) => outcome,
                Some(None) => Err(Error::refresh_timeout(limit)),
                None => Err(Error::refresh_aborted()),
            };
            guard.finish(outcome, &span);
        });
        Ok(Run {
            runtime: runtime.id(),
            overdue: now.monotonic.saturating_add(limit).saturating_add(LOST_AFTER),
            task: task.abort_handle(),
        })
    }

    /// Waits for the refresh that `step` joined or started; `None` when it was lost.
    pub(super) async fn wait(&self, step: Step) -> Option<Result<Token>> {
        match step {
            Step::Serve(token) => Some(Ok(token)),
            Step::Refuse(error) => Some(Err(error)),
            Step::Started(waiter) => waiter.await,
            Step::Join(waiter, run) => self.join(waiter, &run).await,
        }
    }

    async fn join(&self, waiter: Waiter<Result<Token>>, run: &Run) -> Option<Result<Token>> {
        if Handle::try_current().is_ok_and(|runtime| runtime.id() == run.runtime) {
            return waiter.await;
        }
        let clock = &*self.config.clock;
        let limit = run.overdue.saturating_sub(clock.now().monotonic);
        timeout(clock, limit, waiter).await.flatten()
    }

    /// Turns a response into a token, and serves it from now on.
    pub(super) fn accept(
        &self,
        machine: &mut TokenStateMachine,
        response: TokenResponse,
        sample: &Sample,
    ) -> Result<Token> {
        // A token that arrives after the session's end doesn't revive it.
        if let Some(error) = machine.end_error() {
            return Err(error);
        }
        let policy = &self.config.policy;
        let lifetime = response.lifetime(policy.max_lifetime())?;
        let planned = policy.plan(lifetime.start, response.age, lifetime.length, sample.fraction);
        if sample.now.reached(planned.expires_at) {
            // This is an error rather than an unusable token. So the backoff applies, and a slow link does not cause a
            // login per call.
            return Err(response.expired_on_arrival());
        }
        let validity = if self.source.is_refreshable() {
            planned
        } else {
            // Never due, so the token is read without a lock until it expires.
            Validity {
                refresh_at: planned.expires_at,
                ..planned
            }
        };
        let operation = response.operation;
        // What the store calls it is never less, so all clients that share the session agree on which token is newer.
        let generation = machine.next_generation().max(response.shared_as.unwrap_or(0));
        let token = response.into_token(generation, validity)?;
        if lifetime.guessed {
            let lifetime = lifetime.length;
            tracing::warn!(target: RESPONSE, operation, ?lifetime, "the token's expiry can't be read, or contradicts the server's clock; its lifetime is a guess");
        }
        machine.succeeded(token.clone(), sample.now);
        self.current.store(Some(token.clone().into()));
        Ok(token)
    }

    /// Serves a token with this number that the session had elsewhere, unless the session has one that is as new.
    pub(crate) fn offer(&self, response: TokenResponse, generation: u64, cause: Cause) -> Result<()> {
        let sample = self.config.sample();
        let token = {
            let mut state = self.lock();
            if !state.token.continues_from(generation) {
                return Ok(());
            }
            self.accept(&mut state.token, response, &sample)?
        };
        self.source.continue_after(generation);
        let offered = Refreshed {
            cause,
            ..described(&token)
        };
        offered.report(&self.label(), &Span::none());
        Ok(())
    }

    /// Takes over a token that was fetched outside of a refresh.
    pub(crate) async fn adopt(&self, response: TokenResponse) -> Result<Token> {
        let share = self.source.share(&response);
        let sample = self.config.sample();
        let token = self.accept(&mut self.lock().token, response, &sample)?;
        self.report_adopted(&token, Cause::Requested);
        share.await;
        self.emit_news();
        self.share_later();
        Ok(token)
    }

    /// Records a refresh's result. `None` when the refresh is not the session's any more.
    fn apply(
        &self,
        refresh: &Refresh<TokenStateMachine>,
        outcome: Result<TokenResponse>,
        sample: &Sample,
    ) -> Option<Applied> {
        // Asked before the lock is taken: the provider may be a caller's code.
        let key = self.key_state();
        let mut state: MutexGuard<'_, State> = self.lock();
        let failures = state.token.failures();
        let result = state.apply(&refresh.flight, |machine| {
            let result = outcome.and_then(|response| self.accept(machine, response, sample));
            if let Err(error) = &result {
                let policy = &self.config.policy;
                machine.failed(error.clone(), sample.now, policy, sample.fraction, key);
            }
            result
        })?;
        let token = state.token.token();
        Some(Applied {
            result,
            failures,
            left: token
                .map(|token| sample.now.until(token.validity().expires_at))
                .unwrap_or_default(),
            quiet: state.token.quiet_left(sample.now, key.version),
        })
    }
}

/// A refresh's result, with what its report says.
struct Applied {
    result: Result<Token>,
    /// How many had failed before.
    failures: u32,
    /// How long the current token is still served.
    left: Duration,
    /// How long no other refresh starts.
    quiet: Duration,
}

/// Why a token is fetched.
fn cause_of(previous: Option<&Previous>) -> Cause {
    match previous.map(|previous| previous.state) {
        None => Cause::First,
        Some(PreviousTokenState::Active) => Cause::Due,
        Some(PreviousTokenState::Rejected) => Cause::Invalidated,
        Some(PreviousTokenState::Expired) => Cause::Expired,
    }
}

/// What a report says about a token.
fn described(token: &Token) -> Refreshed {
    Refreshed {
        cause: Cause::Requested,
        generation: token.generation(),
        lifetime: token.lifetime(),
        expires_at: token.validity().expires_at.wall,
        stored: false,
        failures: 0,
        took: None,
    }
}

/// Records a refresh's result and tells the waiters.
///
/// If it is dropped instead, its runtime was shut down. This is not a failure: the waiters start another refresh in their
/// own runtime.
struct CompletionGuard {
    refresh: Refresh<TokenStateMachine>,
    lifecycle: Weak<Lifecycle>,
    began: Reading,
    cause: Cause,
}

impl CompletionGuard {
    fn finish(self, outcome: Result<TokenResponse>, span: &Span) {
        let Some(lifecycle) = self.lifecycle.upgrade() else {
            return;
        };
        let stored = outcome.as_ref().is_ok_and(|response| response.stored);
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
        let Some(applied) = lifecycle.apply(&self.refresh, outcome, &sample) else {
            return;
        };
        self.refresh.leader.complete(applied.result.clone());
        lifecycle.emit_news();
        if applied.result.is_ok() {
            lifecycle.share_later();
        }
        let took = sample.now.monotonic.saturating_sub(self.began.monotonic);
        match applied.result {
            Ok(token) => {
                let refreshed = Refreshed {
                    cause: self.cause,
                    stored,
                    failures: applied.failures,
                    took: Some(took),
                    ..described(&token)
                };
                lifecycle.report_success(&refreshed, span);
            }
            Err(ref error) => {
                let failed = Failed {
                    cause: self.cause,
                    error,
                    failures: applied.failures.saturating_add(1),
                    left: applied.left,
                    quiet: applied.quiet,
                    took,
                };
                lifecycle.report_failure(&failed, span);
            }
        }
    }
}

impl Lifecycle {
    pub(super) fn emit_news(&self) {
        for event in self.source.take_news() {
            self.emit(|| event);
        }
    }

    /// Reports a token that was fetched outside of a refresh.
    pub(super) fn report_adopted(&self, token: &Token, cause: Cause) {
        let refreshed = Refreshed {
            cause,
            ..described(token)
        };
        self.report_success(&refreshed, &Span::none());
    }

    fn report_success(&self, refreshed: &Refreshed, span: &Span) {
        span.in_scope(|| refreshed.report(&self.label(), span));
        let (generation, lifetime) = (refreshed.generation, refreshed.lifetime);
        self.emit(|| {
            if refreshed.stored {
                Event::Loaded { generation, lifetime }
            } else {
                Event::Refreshed { generation, lifetime }
            }
        });
    }

    fn report_failure(&self, failed: &Failed<'_>, span: &Span) {
        span.in_scope(|| failed.report(&self.label(), span));
        let error = failed.error.clone();
        self.emit(|| match error.kind() {
            ErrorKind::SessionExpired => Event::Expired { error },
            _ => Event::RefreshFailed { error },
        });
    }
}
