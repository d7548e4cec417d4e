//! One renewal, from the caller that begins it to the token that all of them get.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Weak;
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::{self, Handle};
use tokio::task::AbortHandle;

use crate::clock::{Clock, Reading, within};
use crate::error::{Error, Result};
use crate::random::draw;
use crate::token::{Grant, Life, Token};

use super::single_flight::{Flight, Passenger, Pilot};
use super::sync::Arc;
use super::{Event, Lifecycle, State, Surroundings};

/// A renewal under way.
pub(super) struct Running {
    pub(super) flight: Arc<Flight<Result<Token>>>,
    /// The runtime that drives it. A caller of another one can't know whether that still runs.
    runtime: runtime::Id,
    /// On the monotonic clock: when it must be over even if its own timeout was never driven.
    overdue: Duration,
    pub(super) task: AbortHandle,
}

/// How long after its own timeout a renewal counts as lost: its runtime isn't being driven.
const LOST_AFTER: Duration = Duration::from_secs(5);

impl Surroundings {
    pub(super) fn look(&self) -> Moment {
        Moment {
            now: self.clock.now(),
            fraction: draw(&*self.random),
        }
    }
}

/// All that a renewal's result needs of the surroundings, got before the state is touched: a clock and a source of
/// randomness are other people's code, and a panic in them must not leave half a change behind.
pub(super) struct Moment {
    now: Reading,
    /// For jitter.
    fraction: f64,
}

impl Lifecycle {
    /// A place in the renewal that runs, or in a new one.
    pub(super) fn board(self: &Arc<Self>, state: &mut State) -> Result<Boarding> {
        let runtime = Handle::try_current().map_err(|_| Error::NoRuntime)?;
        let now = self.surroundings.clock.now();
        if let Some(running) = &state.running
            && running.flight.is_airborne()
            && now.monotonic < running.overdue
        {
            let foreign = running.runtime != runtime.id();
            return Ok(Boarding {
                passenger: running.flight.wait(),
                limit: foreign.then(|| running.overdue.saturating_sub(now.monotonic)),
            });
        }
        let (flight, pilot) = Flight::start();
        let previous = state.machine.previous(now);
        let work = self.source.acquire(previous);
        let landing = Landing {
            pilot,
            lifecycle: Arc::downgrade(self),
            flight: Arc::clone(&flight),
            began: now,
        };
        let surroundings = Arc::clone(&self.surroundings);
        let timeout = self.surroundings.policy.timeout;
        let task = runtime.spawn(async move {
            let outcome = match unwound(within(&*surroundings.clock, timeout, work)).await {
                Some(Some(outcome)) => outcome,
                Some(None) => Err(Error::timeout(
                    "token renewal".into(),
                    "the renewal with its retries",
                    timeout,
                )),
                None => Err(Error::RenewalAborted),
            };
            landing.finish(outcome);
        });
        let passenger = flight.wait();
        let overdue = now.monotonic.saturating_add(timeout).saturating_add(LOST_AFTER);
        let lost = state.running.replace(Box::new(Running {
            flight,
            runtime: runtime.id(),
            overdue,
            task: task.abort_handle(),
        }));
        if let Some(lost) = lost {
            lost.task.abort();
        }
        Ok(Boarding {
            passenger,
            limit: None,
        })
    }

    /// Makes a token of what a login gave, and lets it be seen.
    pub(super) fn accept(&self, state: &mut State, grant: Grant, moment: &Moment) -> Result<Token> {
        let (start, length) = grant.life()?;
        let planned = self.surroundings.policy.plan(start, length, moment.fraction);
        let life = if self.source.is_renewable() {
            planned
        } else {
            // Never due, so that the token is read without a lock to its end.
            Life {
                renewal: planned.end,
                ..planned
            }
        };
        let token = Token::new(&grant.token, state.machine.next_generation(), life, grant.details)?;
        state.machine.succeeded(token.clone(), moment.now);
        self.current.store(Some(token.clone().into()));
        Ok(token)
    }

    /// Takes a token that was got outside of a renewal.
    pub(crate) fn adopt(&self, grant: Grant) -> Result<Token> {
        let moment = self.surroundings.look();
        let token = self.accept(&mut self.lock(), grant, &moment)?;
        self.emit(|| Event::Renewed {
            generation: token.generation(),
            lifetime: token.lifetime(),
        });
        Ok(token)
    }

    /// What came of the renewal `flight`; `None` when it isn't the session's renewal any more.
    fn settle(
        &self,
        flight: &Arc<Flight<Result<Token>>>,
        outcome: Result<Grant>,
        moment: &Moment,
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
        let result = outcome.and_then(|grant| self.accept(&mut state, grant, moment));
        if let Err(error) = &result {
            let policy = &self.surroundings.policy;
            state
                .machine
                .failed(error.clone(), moment.now, policy, moment.fraction);
        }
        Some(result)
    }
}

/// A place in a renewal.
pub(super) struct Boarding {
    passenger: Passenger<Result<Token>>,
    /// How long to wait for a renewal that another runtime drives.
    limit: Option<Duration>,
}

impl Boarding {
    pub(super) async fn result(self, clock: &dyn Clock) -> Option<Result<Token>> {
        match self.limit {
            Some(limit) => within(clock, limit, self.passenger).await.flatten(),
            None => self.passenger.await,
        }
    }
}

/// Brings a renewal's result home.
///
/// One that is dropped brings none: its runtime was shut down, so that nothing failed, and the waiters start another
/// renewal in a runtime of theirs.
struct Landing {
    pilot: Pilot<Result<Token>>,
    lifecycle: Weak<Lifecycle>,
    flight: Arc<Flight<Result<Token>>>,
    began: Reading,
}

impl Landing {
    fn finish(self, outcome: Result<Grant>) {
        let Some(lifecycle) = self.lifecycle.upgrade() else {
            return;
        };
        let (outcome, moment) = match catch_unwind(AssertUnwindSafe(|| lifecycle.surroundings.look())) {
            Ok(moment) => (outcome, moment),
            Err(_) => (
                outcome.and(Err(Error::RenewalAborted)),
                Moment {
                    now: self.began,
                    fraction: 1.0,
                },
            ),
        };
        let Some(result) = lifecycle.settle(&self.flight, outcome, &moment) else {
            return;
        };
        self.pilot.land(result.clone());
        match result {
            Ok(token) => {
                tracing::debug!(generation = token.generation(), lifetime = ?token.lifetime(), "token renewed");
                lifecycle.emit(|| Event::Renewed {
                    generation: token.generation(),
                    lifetime: token.lifetime(),
                });
            }
            Err(error) => {
                tracing::warn!(error.type = error.kind(), "token renewal failed: {error}");
                lifecycle.emit(|| match &error {
                    Error::SessionExpired(_) => Event::Expired { error: error.clone() },
                    _ => Event::RenewalFailed { error: error.clone() },
                });
            }
        }
    }
}

/// Runs `future`; `None` when code that it calls panics.
async fn unwound<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    std::future::poll_fn(
        |context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(poll) => poll.map(Some),
            Err(_) => Poll::Ready(None),
        },
    )
    .await
}
