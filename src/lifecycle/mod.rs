//! A token's life: fetched once, renewed ahead of its end, recovered after a revocation, never served when it is over.
//!
//! [`Lifecycle`] puts three parts together that know nothing of each other: the state machine that decides
//! (`machine.rs`), the flight that many wait for and one makes (`single_flight.rs`), and the source that knows how
//! a token is got ([`Acquire`]). A token is read without a lock; everything that changes happens under one.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{OnceLock, Weak};
use std::task::Poll;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::runtime::{self, Handle};
use tokio::sync::broadcast;
use tokio::task::AbortHandle;

use crate::clock::{Clock, Reading, within};
use crate::error::{Error, Result};
use crate::random::{Random, draw};
use crate::token::{Grant, Issued, Life, Token};
use crate::transport::{Authorize, BoxFuture};

mod keep_alive;
mod machine;
mod policy;
pub(crate) mod registry;
mod single_flight;
mod status;
mod store_first;
mod sync;

pub use keep_alive::KeepAlive;
pub use policy::RenewalPolicy;
pub use status::{Event, Events, Status, TokenState};

pub(crate) use store_first::StoreFirst;

use machine::{Decision, Machine, Rejection};
use single_flight::{Flight, Passenger, Pilot};
use sync::{Arc, Mutex, MutexGuard, lock};

/// Knows how a session gets its tokens.
pub(crate) trait Acquire: Send + Sync {
    /// Gets a token: by prolonging `previous`, by a login, or by the one after the other.
    fn acquire(&self, previous: Option<Previous>) -> BoxFuture<'static, Result<Grant>>;

    /// Whether a token can be renewed before its end.
    fn is_renewable(&self) -> bool {
        true
    }
}

/// The token before the one that is wanted.
#[derive(Debug, Clone)]
pub(crate) struct Previous {
    pub(crate) token: Token,
    /// Whether it is still active, as far as is known here.
    pub(crate) active: bool,
}

/// What the lifecycles of a client share.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) policy: RenewalPolicy,
}

impl Surroundings {
    fn look(&self) -> Moment {
        Moment {
            now: self.clock.now(),
            fraction: draw(&*self.random),
        }
    }
}

/// All that a renewal's result needs of the surroundings, got before the state is touched: a clock and a source of
/// randomness are other people's code, and a panic in them must not leave half a change behind.
struct Moment {
    now: Reading,
    /// For jitter.
    fraction: f64,
}

/// The life of one session's token.
pub(crate) struct Lifecycle {
    current: ArcSwapOption<Issued>,
    surroundings: Arc<Surroundings>,
    source: Box<dyn Acquire>,
    state: Mutex<State>,
    events: OnceLock<broadcast::Sender<Event>>,
    entry: Option<registry::Entry>,
}

#[derive(Default)]
struct State {
    machine: Machine,
    running: Option<Running>,
}

/// A renewal under way.
struct Running {
    flight: Arc<Flight<Result<Token>>>,
    /// The runtime that drives it. A caller of another one can't know whether that still runs.
    runtime: runtime::Id,
    /// On the monotonic clock: when it must be over even if its own timeout was never driven.
    overdue: Duration,
    task: AbortHandle,
}

/// How long after its own timeout a renewal counts as lost: its runtime isn't being driven.
const LOST_AFTER: Duration = Duration::from_secs(5);

/// How often a caller looks for another renewal after one was lost with its runtime.
const LOST_RENEWALS: u32 = 3;

/// How many events a subscriber may lag behind.
const EVENTS_KEPT: usize = 64;

/// The shortest time between two renewals that live tokens are not good enough for, be it that a server refuses them or
/// that a caller needs longer ones: there is no login for each call.
const RENEWAL_FLOOR: Duration = Duration::from_secs(1);

impl Lifecycle {
    pub(crate) fn new(surroundings: Arc<Surroundings>, source: Box<dyn Acquire>) -> Self {
        Self {
            current: ArcSwapOption::empty(),
            surroundings,
            source,
            state: Mutex::default(),
            events: OnceLock::new(),
            entry: None,
        }
    }

    /// A lifecycle that begins with a token that a login gave.
    pub(crate) fn with_grant(
        surroundings: Arc<Surroundings>,
        source: Box<dyn Acquire>,
        grant: Grant,
    ) -> Result<Self> {
        let lifecycle = Self::new(surroundings, source);
        let moment = lifecycle.surroundings.look();
        lifecycle.accept(&mut lifecycle.lock(), grant, &moment)?;
        Ok(lifecycle)
    }

    /// A live token: the cached one, or the one that the shared renewal brings.
    pub(crate) async fn token(self: &Arc<Self>) -> Result<Token> {
        if let Some(token) = self.fresh() {
            return Ok(token);
        }
        // Boxed, so that the future of a cached read stays as small as a token.
        Box::pin(self.slow_token(Duration::ZERO)).await
    }

    /// A token that lives for at least `need`.
    pub(crate) async fn token_valid_for(self: &Arc<Self>, need: Duration) -> Result<Token> {
        Box::pin(self.slow_token(need)).await
    }

    /// The token that is there, whatever its state.
    pub(crate) fn peek(&self) -> Option<Token> {
        self.current.load_full().map(Token::from)
    }

    /// The token, if nothing at all has to be done for it.
    fn fresh(&self) -> Option<Token> {
        let token = self.peek()?;
        (!self.surroundings.clock.now().reached(token.life().renewal)).then_some(token)
    }

    async fn slow_token(self: &Arc<Self>, need: Duration) -> Result<Token> {
        for _ in 0..LOST_RENEWALS {
            let boarding = match self.decide(need)? {
                Step::Serve(token) => return Ok(token),
                Step::Wait(boarding) => boarding,
            };
            match boarding.result(&*self.surroundings.clock).await {
                Some(Ok(token)) => {
                    let now = self.surroundings.clock.now();
                    if token.is_live(now) {
                        return if now.until(token.life().end) >= need {
                            Ok(token)
                        } else {
                            Err(too_short(&token, need))
                        };
                    }
                }
                Some(Err(error)) => return Err(error),
                None => {}
            }
        }
        Err(Error::RenewalAborted)
    }

    fn decide(self: &Arc<Self>, need: Duration) -> Result<Step> {
        let mut state = self.lock();
        // Read under the lock: a reading from before it could be older than the token that is judged by it.
        let now = self.surroundings.clock.now();
        match state
            .machine
            .decide(now, need, self.source.is_renewable(), RENEWAL_FLOOR)
        {
            Decision::Serve(token) => Ok(Step::Serve(token)),
            Decision::ServeAndRenew(token) => {
                // Without a runtime the token is as good, and the next call may have one.
                let _ = self.board(&mut state);
                Ok(Step::Serve(token))
            }
            Decision::Renew => self.board(&mut state).map(Step::Wait),
            Decision::TooShort(token) => Err(too_short(&token, need)),
            Decision::Refuse(error) => Err(error),
        }
    }

    /// A place in the renewal that runs, or in a new one.
    fn board(self: &Arc<Self>, state: &mut State) -> Result<Boarding> {
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
        let previous = state
            .machine
            .previous(now)
            .map(|(token, active)| Previous { token, active });
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
        let lost = state.running.replace(Running {
            flight,
            runtime: runtime.id(),
            overdue,
            task: task.abort_handle(),
        });
        if let Some(lost) = lost {
            lost.task.abort();
        }
        Ok(Boarding {
            passenger,
            limit: None,
        })
    }

    /// How long until a renewal is due; `None` when there can't be one any more.
    fn time_to_renewal(&self) -> Option<Duration> {
        let state = self.lock();
        let now = self.surroundings.clock.now();
        self.source
            .is_renewable()
            .then(|| state.machine.time_to_renewal(now))
            .flatten()
    }

    /// Waits for a renewal if one is due.
    async fn renew_if_due(self: &Arc<Self>) -> Result<()> {
        let boarding = {
            let mut state = self.lock();
            match state.machine.time_to_renewal(self.surroundings.clock.now()) {
                Some(Duration::ZERO) => self.board(&mut state)?,
                _ => return Ok(()),
            }
        };
        boarding
            .result(&*self.surroundings.clock)
            .await
            .map_or(Ok(()), |result| result.map(drop))
    }

    /// Makes a token of what a login gave, and lets it be seen.
    fn accept(&self, state: &mut State, grant: Grant, moment: &Moment) -> Result<Token> {
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

    /// Drops the token because the server refused it; whether another one can be had.
    pub(crate) fn reject(&self, token: &Token) -> bool {
        let rejection = {
            let mut state = self.lock();
            let now = self.surroundings.clock.now();
            let rejection = state.machine.rejected(token.generation(), now, RENEWAL_FLOOR);
            if rejection == Rejection::Invalidated {
                self.current.store(None);
            }
            rejection
        };
        if rejection == Rejection::Invalidated {
            tracing::debug!(
                generation = token.generation(),
                "the server refused the token; it is dropped"
            );
            self.emit(|| Event::Invalidated {
                generation: token.generation(),
            });
        }
        rejection != Rejection::Repeated
    }

    /// Drops the token because its owner knows that it is no good any more.
    pub(crate) fn invalidate(&self) {
        let generation = {
            let mut state = self.lock();
            let generation = state.machine.generation();
            let dropped = state.machine.invalidate();
            self.current.store(None);
            dropped.then_some(generation)
        };
        if let Some(generation) = generation {
            self.emit(|| Event::Invalidated { generation });
        }
    }

    pub(crate) fn status(&self) -> Status {
        let state = self.lock();
        let now = self.surroundings.clock.now();
        let renewing = state
            .running
            .as_ref()
            .is_some_and(|running| running.flight.is_airborne());
        Status::of(&state.machine, now, renewing)
    }

    pub(crate) fn subscribe(&self) -> Events {
        Events::new(
            self.events
                .get_or_init(|| broadcast::channel(EVENTS_KEPT).0)
                .subscribe(),
        )
    }

    pub(crate) fn surroundings(&self) -> &Arc<Surroundings> {
        &self.surroundings
    }

    fn emit(&self, event: impl FnOnce() -> Event) {
        if let Some(sender) = self.events.get() {
            // An error means that nobody listens just now.
            let _ = sender.send(event());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Drop for Lifecycle {
    fn drop(&mut self) {
        if let Some(running) = &self.lock().running {
            running.task.abort();
        }
    }
}

/// What a caller does next.
enum Step {
    Serve(Token),
    Wait(Boarding),
}

/// A place in a renewal.
struct Boarding {
    passenger: Passenger<Result<Token>>,
    /// How long to wait for a renewal that another runtime drives.
    limit: Option<Duration>,
}

impl Boarding {
    async fn result(self, clock: &dyn Clock) -> Option<Result<Token>> {
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

fn too_short(token: &Token, need: Duration) -> Error {
    Error::invalid_input(
        "required lifetime",
        format!(
            "is {need:?}, longer than what is left of the {:?} of the newest token",
            token.lifetime()
        ),
        "ask for less, or let Synerise issue longer tokens",
    )
}

impl Authorize for Arc<Lifecycle> {
    fn token(&self) -> BoxFuture<'_, Result<Token>> {
        Box::pin(Lifecycle::token(self))
    }

    fn rejected(&self, token: &Token) -> bool {
        self.reject(token)
    }
}

#[cfg(test)]
mod tests;
