//! The connection: opened when it is needed, replaced when it no longer works, closed when nobody uses it.
//!
//! The client library's own connection manager does not replace a connection whose server answers nothing or has become
//! a replica, and its callers wait for a new one without a limit. This one does the former, and its callers wait no longer
//! than they say.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use redis::{Cmd, RedisError, Value};
use synerise_auth::clock::{Clock, SleepPurpose};
use synerise_auth::random::Random;
use synerise_auth::store::StoreError;
use tokio::runtime::{Handle, Id};
use tokio::sync::watch;

use crate::link::{Link, Opener};
use crate::problem::{self, Verdict};
use crate::time::within;

/// Unanswered commands in a row after which a connection counts as dead. The system itself would take minutes.
const MOST_UNANSWERED: u32 = 2;

const FIRST_BACKOFF: Duration = Duration::from_millis(250);
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);

/// Opening takes several round trips, more with TLS, and more again with a Sentinel or a cluster. It goes on when a caller
/// has stopped waiting for it, but not for longer than so many of the caller's limits.
const OPENING_LIMITS: u32 = 5;

const TOO_LONG: &str = "Redis takes too long to open a connection";

/// How long a connection may take, and may be unused.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Of one call of the store.
    pub(crate) call: Duration,
    /// After which an unused connection is closed.
    pub(crate) idle: Duration,
}

/// Keeps at most one connection.
#[derive(Clone)]
pub(crate) struct Keeper(Arc<Shared>);

struct Shared {
    opener: Arc<dyn Opener>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    limits: Limits,
    place: Mutex<Place>,
    /// Counts the changes of `place`.
    changes: watch::Sender<u64>,
}

struct Place {
    state: State,
    /// How often opening has failed in a row.
    failures: u32,
    /// Numbers the connections, so that a late report about one does not close its successor.
    number: u64,
}

enum State {
    Closed,
    /// After a failure: no attempt before this time of the monotonic clock.
    BackingOff {
        until: Duration,
        problem: String,
    },
    Opening {
        since: Duration,
    },
    Open(Opened),
}

#[derive(Clone)]
struct Opened {
    link: Arc<dyn Link>,
    number: u64,
    /// The task that drives a connection lives in the runtime that opened it.
    runtime: Id,
    unanswered: u32,
    used: Duration,
}

/// Why a command has no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There is no connection, or no answer that makes sense.
    Closed(String),
    /// The server, or the connection, reported an error.
    Redis(RedisError),
}

impl Failure {
    pub(crate) fn because(problem: impl Into<String>) -> Self {
        Self::Closed(problem.into())
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Closed(problem) => Self::new(problem),
            Failure::Redis(error) => Self::new(problem::in_words(&error)),
        }
    }
}

enum Look {
    Ready(Opened),
    Wait,
    Start,
    Refused(Failure),
}

impl Keeper {
    pub(crate) fn new(
        opener: Arc<dyn Opener>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        limits: Limits,
    ) -> Self {
        Self(Arc::new(Shared {
            opener,
            clock,
            random,
            limits,
            place: Mutex::new(Place {
                state: State::Closed,
                failures: 0,
                number: 0,
            }),
            changes: watch::Sender::new(0),
        }))
    }

    /// Sends a command, on a new connection if the one that there was has failed. The caller limits the time.
    ///
    /// The command may be sent twice: the first may have arrived when its connection broke.
    pub(crate) async fn send(&self, command: &Cmd) -> Result<Value, Failure> {
        match self.send_once(command).await {
            Err(Failure::Redis(error)) if problem::verdict(&error) == Verdict::Replace => {
                self.send_once(command).await
            }
            outcome => outcome,
        }
    }

    async fn send_once(&self, command: &Cmd) -> Result<Value, Failure> {
        let opened = self.opened().await?;
        // Counts as unanswered if the caller's time runs out here, and this future is dropped.
        let mut report = Report {
            shared: &self.0,
            number: opened.number,
            verdict: Verdict::Suspect,
        };
        let outcome = opened.link.send(command.clone()).await;
        report.verdict = match &outcome {
            Ok(_) => Verdict::Keep,
            Err(error) => problem::verdict(error),
        };
        drop(report);
        outcome.map_err(Failure::Redis)
    }

    async fn opened(&self) -> Result<Opened, Failure> {
        let runtime = Handle::try_current()
            .map_err(|_| Failure::because("the store has to be used inside of a Tokio runtime"))?;
        let mut changes = self.0.changes.subscribe();
        loop {
            match self.0.look(runtime.id()) {
                Look::Ready(opened) => return Ok(opened),
                Look::Refused(failure) => return Err(failure),
                Look::Wait => {}
                Look::Start => {
                    runtime.spawn(open(Arc::clone(&self.0)));
                }
            }
            // The sender is in `self`.
            let _ = changes.changed().await;
        }
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.0.place().state {
            State::Closed => "closed",
            State::BackingOff { .. } => "backing off",
            State::Opening { .. } => "opening",
            State::Open(_) => "open",
        };
        f.debug_struct("Connection")
            .field("to", &self.0.opener)
            .field("state", &state)
            .finish()
    }
}

impl Shared {
    fn place(&self) -> MutexGuard<'_, Place> {
        // Nothing that holds the lock panics.
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self, runtime: Id) -> Look {
        let now = self.clock.now().monotonic();
        let mut place = self.place();
        match &mut place.state {
            State::Open(opened) if opened.runtime == runtime => {
                opened.used = now;
                return Look::Ready(opened.clone());
            }
            State::Opening { since } => {
                return if now.saturating_sub(*since) > self.limits.call {
                    // Somebody has waited that long already.
                    Look::Refused(Failure::because(TOO_LONG))
                } else {
                    Look::Wait
                };
            }
            State::BackingOff { until, problem } if now < *until => {
                return Look::Refused(Failure::Closed(problem.clone()));
            }
            State::Closed | State::BackingOff { .. } | State::Open(_) => {}
        }
        place.state = State::Opening { since: now };
        Look::Start
    }

    fn set(&self, place: &mut Place, state: State) {
        place.state = state;
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn opened(self: &Arc<Self>, link: Box<dyn Link>, runtime: Id) {
        let mut place = self.place();
        place.number += 1;
        place.failures = 0;
        let number = place.number;
        let state = State::Open(Opened {
            link: link.into(),
            number,
            runtime,
            unanswered: 0,
            used: self.clock.now().monotonic(),
        });
        self.set(&mut place, state);
        drop(place);
        tokio::spawn(close_when_idle(Arc::downgrade(self), number));
    }

    fn failed(&self, problem: String) {
        let mut place = self.place();
        let longest = FIRST_BACKOFF
            .saturating_mul(1 << place.failures.min(16))
            .min(LONGEST_BACKOFF);
        place.failures = place.failures.saturating_add(1);
        // At least half: a fleet must spread, but nobody may come back at once.
        let share = 0.5 + self.random.fraction().clamp(0.0, 1.0) / 2.0;
        let until = self.clock.now().monotonic() + longest.mul_f64(share);
        self.set(&mut place, State::BackingOff { until, problem });
    }

    fn report(&self, number: u64, verdict: Verdict) {
        let mut place = self.place();
        let State::Open(opened) = &mut place.state else {
            return;
        };
        if opened.number != number {
            return;
        }
        let close = match verdict {
            Verdict::Keep => {
                opened.unanswered = 0;
                false
            }
            Verdict::Suspect => {
                opened.unanswered += 1;
                opened.unanswered >= MOST_UNANSWERED
            }
            Verdict::Replace => true,
        };
        if close {
            self.set(&mut place, State::Closed);
        }
    }
}

/// Reports on a connection when a command ends, however it ends.
struct Report<'a> {
    shared: &'a Shared,
    number: u64,
    verdict: Verdict,
}

impl Drop for Report<'_> {
    fn drop(&mut self) {
        self.shared.report(self.number, self.verdict);
    }
}

/// Ends an attempt that nobody will finish: its runtime was shut down.
struct Attempt(Option<Arc<Shared>>);

impl Drop for Attempt {
    fn drop(&mut self) {
        if let Some(shared) = self.0.take() {
            shared.failed("the connection to Redis was not opened to the end".to_owned());
        }
    }
}

async fn open(shared: Arc<Shared>) {
    let mut attempt = Attempt(Some(Arc::clone(&shared)));
    let limit = shared.limits.call.saturating_mul(OPENING_LIMITS);
    let opening = within(&*shared.clock, limit, shared.opener.open()).await;
    attempt.0 = None;
    match opening {
        Some(Ok(link)) => shared.opened(link, Handle::current().id()),
        Some(Err(error)) => shared.failed(problem::in_words(&error)),
        None => shared.failed(TOO_LONG.to_owned()),
    }
}

/// A process needs a few commands an hour. Closed connections count for nobody's limit, and are not cut unnoticed by what
/// is between the process and Redis.
async fn close_when_idle(shared: Weak<Shared>, number: u64) {
    let mut wait = match shared.upgrade() {
        Some(shared) => shared.limits.idle,
        None => return,
    };
    loop {
        let sleep = match shared.upgrade() {
            Some(shared) => shared.clock.sleep_for(wait, SleepPurpose::Timeout),
            None => return,
        };
        sleep.await;
        let Some(shared) = shared.upgrade() else { return };
        let mut place = shared.place();
        match &place.state {
            State::Open(opened) if opened.number == number => {
                let unused = shared.clock.now().monotonic().saturating_sub(opened.used);
                match shared
                    .limits
                    .idle
                    .checked_sub(unused)
                    .filter(|left| !left.is_zero())
                {
                    Some(left) => wait = left,
                    None => return shared.set(&mut place, State::Closed),
                }
            }
            _ => return,
        }
    }
}
