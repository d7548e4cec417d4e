//! A token's life: fetched once, renewed ahead of its end, recovered after a revocation, never served when it is over.
//!
//! [`Lifecycle`] puts three parts together that know nothing of each other: the state machine that decides
//! (`machine.rs`), the flight that many wait for and one makes (`single_flight.rs`), and the source that knows how
//! a token is got ([`TokenSource`]). A token is read without a lock; everything that changes happens under one.

use std::sync::OnceLock;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::broadcast;

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::random::Random;
use crate::token::{Token, TokenInner, TokenResponse};
use crate::transport::{Authenticator, BoxFuture};

mod keep_alive;
mod policy;
mod refresh;
pub(crate) mod registry;
pub(crate) mod single_flight;
mod source;
mod state_machine;
mod status;
mod stored_source;
mod sync;

pub use keep_alive::KeepAlive;
pub use policy::RefreshPolicy;
pub use status::{Event, Events, Status, TokenState};

pub(crate) use source::{Previous, PreviousTokenState, TokenSource};
pub(crate) use stored_source::StoredTokenSource;

use refresh::{Running, Wait};
use state_machine::{Decision, Rejection, TokenStateMachine};
use sync::{Arc, Mutex, MutexGuard, lock};

/// What the lifecycles of a client share.
#[derive(Debug)]
pub(crate) struct LifecycleConfig {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) policy: RefreshPolicy,
}

/// The life of one session's token.
pub(crate) struct Lifecycle {
    current: ArcSwapOption<TokenInner>,
    config: Arc<LifecycleConfig>,
    source: Box<dyn TokenSource>,
    state: Mutex<State>,
    events: OnceLock<broadcast::Sender<Event>>,
    entry: Option<registry::Entry>,
}

#[derive(Default)]
struct State {
    machine: TokenStateMachine,
    /// Boxed: it is there for a short time only, and the place for it would be in every idle session.
    running: Option<Box<Running>>,
}

/// How often a caller looks for another renewal after one was lost with its runtime.
const LOST_REFRESHES: u32 = 3;

/// How many events a subscriber may lag behind.
const EVENTS_KEPT: usize = 64;

/// The shortest time between two renewals that live tokens are not good enough for, be it that a server refuses them or
/// that a caller needs longer ones: there is no login for each call.
const REFRESH_FLOOR: Duration = Duration::from_secs(1);

impl Lifecycle {
    pub(crate) fn new(config: Arc<LifecycleConfig>, source: Box<dyn TokenSource>) -> Self {
        Self {
            current: ArcSwapOption::empty(),
            config,
            source,
            state: Mutex::default(),
            events: OnceLock::new(),
            entry: None,
        }
    }

    /// A lifecycle that begins with a token that a login gave.
    pub(crate) fn with_token(
        config: Arc<LifecycleConfig>,
        source: Box<dyn TokenSource>,
        response: TokenResponse,
    ) -> Result<Self> {
        let lifecycle = Self::new(config, source);
        let sample = lifecycle.config.sample();
        lifecycle.accept(&mut lifecycle.lock(), response, &sample)?;
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
        (!self.config.clock.now().reached(token.validity().refresh_at)).then_some(token)
    }

    async fn slow_token(self: &Arc<Self>, need: Duration) -> Result<Token> {
        for _ in 0..LOST_REFRESHES {
            let wait = match self.decide(need)? {
                Step::Serve(token) => return Ok(token),
                Step::Wait(wait) => wait,
            };
            match wait.result(&*self.config.clock).await {
                Some(Ok(token)) => {
                    let now = self.config.clock.now();
                    if token.is_live(now) {
                        return if now.until(token.validity().expires_at) >= need {
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
        Err(Error::refresh_aborted())
    }

    fn decide(self: &Arc<Self>, need: Duration) -> Result<Step> {
        let mut state = self.lock();
        // Read under the lock: a reading from before it could be older than the token that is judged by it.
        let now = self.config.clock.now();
        match state
            .machine
            .decide(now, need, self.source.is_refreshable(), REFRESH_FLOOR)
        {
            Decision::Serve(token) => Ok(Step::Serve(token)),
            Decision::ServeAndRefresh(token) => {
                // Without a runtime the token is as good, and the next call may have one.
                let _ = self.join_or_start(&mut state);
                Ok(Step::Serve(token))
            }
            Decision::Refresh => self.join_or_start(&mut state).map(Step::Wait),
            Decision::TooShort(token) => Err(too_short(&token, need)),
            Decision::Refuse(error) => Err(error),
        }
    }

    /// How long until a renewal is due; `None` when there can't be one any more.
    fn time_to_refresh(&self) -> Option<Duration> {
        let state = self.lock();
        let now = self.config.clock.now();
        self.source
            .is_refreshable()
            .then(|| state.machine.time_to_refresh(now))
            .flatten()
    }

    /// Waits for a renewal if one is due.
    async fn refresh_if_due(self: &Arc<Self>) -> Result<()> {
        let wait = {
            let mut state = self.lock();
            match state.machine.time_to_refresh(self.config.clock.now()) {
                Some(Duration::ZERO) => self.join_or_start(&mut state)?,
                _ => return Ok(()),
            }
        };
        wait.result(&*self.config.clock)
            .await
            .map_or(Ok(()), |result| result.map(drop))
    }

    /// Whether the session can get another token by itself.
    pub(crate) fn is_refreshable(&self) -> bool {
        self.source.is_refreshable()
    }

    /// Drops the token because the server refused it; whether another one can be had.
    pub(crate) fn reject(&self, token: &Token) -> bool {
        let rejection = {
            let mut state = self.lock();
            let now = self.config.clock.now();
            let rejection = state.machine.rejected(token.generation(), now, REFRESH_FLOOR);
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
        let now = self.config.clock.now();
        let refreshing = state
            .running
            .as_ref()
            .is_some_and(|running| running.flight.is_pending());
        Status::of(&state.machine, now, refreshing)
    }

    pub(crate) fn subscribe(&self) -> Events {
        Events::new(
            self.events
                .get_or_init(|| broadcast::channel(EVENTS_KEPT).0)
                .subscribe(),
        )
    }

    pub(crate) fn config(&self) -> &Arc<LifecycleConfig> {
        &self.config
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
    Wait(Wait),
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

impl Authenticator for Arc<Lifecycle> {
    fn token(&self) -> BoxFuture<'_, Result<Token>> {
        Box::pin(Lifecycle::token(self))
    }

    fn on_unauthorized(&self, token: &Token) -> bool {
        self.reject(token)
    }
}

#[cfg(test)]
mod tests;
