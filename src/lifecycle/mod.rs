//! A token's life: fetched once, refreshed before it expires, replaced after a revocation, never served when expired.
//!
//! ```no_run
//! # async fn run(workspace: synerise_auth::WorkspaceSession) -> synerise_auth::Result<()> {
//! use synerise_auth::lifecycle::TokenState;
//!
//! workspace.token().await?;
//! assert_eq!(workspace.status().state, TokenState::Fresh);
//! # Ok(()) }
//! ```
//!
//! # A refresh, and a thousand callers
//!
//! The first caller starts the login or the refresh, in a task of its own. Nobody starts a second one, and a caller that gives up
//! takes nothing from the others. While a token is valid, nobody waits.
//!
//! <div>
#![doc = include_str!("../../docs/pictures/refresh.svg")]
//! </div>
//!
//! # A 401
//!
//! Each token has a number, its *generation*. A refusal is about the generation that was sent, so that a late 401 does not discard the
//! token that has replaced the refused one.
//!
//! <div>
#![doc = include_str!("../../docs/pictures/unauthorized.svg")]
//! </div>

use std::sync::{OnceLock, Weak};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::runtime::Handle;
use tokio::sync::{Notify, broadcast};

use crate::clock::{Clock, Reading};
use crate::error::{Error, Result};
use crate::observability::{self, Cause, SessionLabel};
use crate::operation::Unauthorized;
use crate::random::Random;
use crate::sync::{Arc, Mutex, MutexGuard, lock, try_lock};
use crate::token::{Token, TokenInner, TokenResponse};
use crate::transport::{Authenticator, BoxFuture, Credential};

mod catch_panic;
mod keep_alive;
mod lease_guard;
pub(crate) mod lease_protocol;
mod policy;
mod refresh;
mod refresh_state;
pub(crate) mod registry;
mod share_later;
mod shared_store;
mod sharing;
pub(crate) mod single_flight;
mod source;
mod state_machine;
mod status;
mod store_health;
mod stored_source;
mod stored_token;
mod warm_up;

pub use keep_alive::KeepAlive;
pub use policy::RefreshPolicy;
pub use status::{EndCause, Event, Events, Status, TokenState};

pub(crate) use shared_store::SharedStore;
pub(crate) use source::{CredentialChange, Previous, PreviousTokenState, SessionIdentity, TokenSource};
pub(crate) use stored_source::StoredTokenSource;

use refresh::Run;
use refresh_state::RefreshState;
use state_machine::{KeyState, Query, Rejection, TokenStateMachine, too_short};

type State = RefreshState<TokenStateMachine, Run>;
type Step = refresh_state::Step<TokenStateMachine, Run>;

/// The settings that the lifecycles of a client share.
#[derive(Debug)]
pub(crate) struct LifecycleConfig {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) policy: RefreshPolicy,
}

/// The lifecycle of one session's token.
///
/// It connects three parts that don't know each other: the state machine that decides (`state_machine.rs`), the protocol by
/// which one caller refreshes and the others wait (`refresh_state.rs`), and the source that fetches tokens
/// ([`TokenSource`]). Reading a token takes no lock. Every change happens under one.
pub(crate) struct Lifecycle {
    current: ArcSwapOption<TokenInner>,
    config: Arc<LifecycleConfig>,
    source: Box<dyn TokenSource>,
    state: Mutex<State>,
    events: OnceLock<broadcast::Sender<Event>>,
    /// For refreshes: a running refresh does not keep a dropped session alive.
    this: Weak<Self>,
    entry: Option<registry::Entry>,
    /// Wakes what keeps the session alive when it ends.
    ended: OnceLock<Box<Notify>>,
    /// What shares a token that could not be shared.
    sharing: share_later::Sharing,
}

/// A generation beyond this was never counted.
pub(crate) const MOST_GENERATIONS: u64 = 1 << 53;

/// How many times a caller starts over after a refresh was lost with its runtime.
const LOST_REFRESHES: u32 = 3;

/// How many events a subscriber may lag behind.
const EVENTS_KEPT: usize = 64;

/// Minimum interval between refreshes that a 401 or `token_valid_for` forces. A server that refuses every token then does
/// not get a login per call.
const REFRESH_FLOOR: Duration = Duration::from_secs(1);

/// The age from which a token is discarded when a server refused either it or the credentials in the request. A younger
/// one is hardly the reason.
const DOUBTED_AFTER: Duration = Duration::from_secs(60);

impl Lifecycle {
    pub(crate) fn new(
        config: Arc<LifecycleConfig>,
        source: Box<dyn TokenSource>,
        entry: Option<registry::Entry>,
    ) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            current: ArcSwapOption::empty(),
            config,
            source,
            state: Mutex::new(State::new(TokenStateMachine::default())),
            events: OnceLock::new(),
            this: this.clone(),
            entry,
            ended: OnceLock::new(),
            sharing: share_later::Sharing::default(),
        })
    }

    /// A lifecycle that starts with the token of a login.
    pub(crate) fn with_token(
        config: Arc<LifecycleConfig>,
        source: Box<dyn TokenSource>,
        response: TokenResponse,
    ) -> Result<Arc<Self>> {
        let lifecycle = Self::new(config, source, None);
        let sample = lifecycle.config.sample();
        let token = lifecycle.accept(&mut lifecycle.lock().token, response, &sample)?;
        lifecycle.report_adopted(&token, Cause::First);
        Ok(lifecycle)
    }

    /// A valid token: the cached one, or the result of the shared refresh.
    pub(crate) async fn token(&self) -> Result<Token> {
        if let Some(token) = self.fresh() {
            return Ok(token);
        }
        // Boxed, so that the future of a cached read stays as small as a token.
        Box::pin(self.slow_token(Duration::ZERO)).await
    }

    /// A token that is valid for at least `need`.
    pub(crate) async fn token_valid_for(&self, need: Duration) -> Result<Token> {
        Box::pin(self.slow_token(need)).await
    }

    /// Whom the session belongs to.
    pub(crate) fn identity(&self) -> SessionIdentity {
        self.source.identity()
    }

    /// Tells the source what has changed about the credentials that it may keep.
    pub(crate) fn credentials_changed(&self, change: &CredentialChange<'_>) {
        self.source.credentials_changed(change);
    }

    /// Goes on after a token with this number that has expired. Returns whether there may be a newer one: the session's own,
    /// or one that another client has put into the store. The next caller finds out.
    pub(crate) fn continue_after(&self, generation: u64) -> bool {
        let now = self.config.clock.now();
        let mut state = self.lock();
        if state.token.token().is_some_and(|token| token.is_live(now)) {
            return true;
        }
        if !self.source.is_shared() || !state.token.continue_after(generation) {
            return false;
        }
        self.source.continue_after(generation);
        true
    }

    /// Whether the session's API key can be replaced without notice.
    pub(crate) fn has_changeable_key(&self) -> bool {
        self.source.has_changeable_key()
    }

    /// A valid token without waiting, if there is one. If a refresh is due, it starts in the background, as it would for a
    /// caller of [`token`](Self::token).
    pub(crate) fn cached_token(&self) -> Option<Token> {
        if let Some(token) = self.fresh() {
            return Some(token);
        }
        // Whoever holds the lock makes the same decision, so there is nothing to wait for.
        let caller = tracing::Span::current();
        if Handle::try_current().is_ok()
            && let Some(mut state) = try_lock(&self.state)
        {
            drop(self.locked_step(&mut state, Duration::ZERO, caller));
        }
        self.peek().filter(|token| token.is_live(self.config.clock.now()))
    }

    /// The current token, whatever its state.
    pub(crate) fn peek(&self) -> Option<Token> {
        self.current.load_full().map(Token::from)
    }

    /// The token, if no work is due for it.
    fn fresh(&self) -> Option<Token> {
        let token = self.peek()?;
        (!self.config.clock.now().reached(token.validity().refresh_at)).then_some(token)
    }

    async fn slow_token(&self, need: Duration) -> Result<Token> {
        for _ in 0..LOST_REFRESHES {
            let step = match self.step(need) {
                Step::Serve(token) => return Ok(token),
                Step::Refuse(error) => return Err(error),
                step @ (Step::Join(..) | Step::Started(_)) => step,
            };
            match self.wait(step).await {
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

    /// Says which session an event is about.
    fn label(&self) -> SessionLabel {
        SessionLabel::new(self.source.kind(), self.source.identity().key.as_ref())
    }

    fn step(&self, need: Duration) -> Step {
        // Asked before the lock is taken: a subscriber is a caller's code.
        let caller = tracing::Span::current();
        self.locked_step(&mut self.lock(), need, caller)
    }

    fn locked_step(&self, state: &mut State, need: Duration, caller: tracing::Span) -> Step {
        // Read under the lock: an earlier reading could be older than the token that it judges.
        let now = self.config.clock.now();
        let query = Query {
            now,
            need,
            refreshable: self.source.is_refreshable(),
            key_version: self.source.key_version(),
            floor: REFRESH_FLOOR,
        };
        state.step(&query, Self::is_lost(now), |machine, refresh| {
            self.start(machine, refresh, now, caller)
        })
    }

    fn key_state(&self) -> KeyState {
        KeyState {
            version: self.source.key_version(),
            changeable: self.source.has_changeable_key(),
        }
    }

    /// How long until a refresh is due. `None` when no refresh is possible any more.
    fn time_to_refresh(&self) -> Option<Duration> {
        let state = self.lock();
        state
            .token
            .time_to_refresh(self.config.clock.now(), self.source.key_version())
    }

    /// Waits for a refresh if one is due.
    async fn refresh_if_due(&self) -> Result<()> {
        let step = {
            let caller = tracing::Span::current();
            let mut state = self.lock();
            let now: Reading = self.config.clock.now();
            match state.token.time_to_refresh(now, self.source.key_version()) {
                Some(Duration::ZERO) => state.join_or_start(Self::is_lost(now), |machine, refresh| {
                    self.start(machine, refresh, now, caller)
                }),
                _ => return Ok(()),
            }
        };
        self.wait(step).await.map_or(Ok(()), |result| result.map(drop))
    }

    /// Drops the token because a server refused it, or said that it has expired. Returns whether the session can get another
    /// one.
    fn reject(&self, token: &Token, expired: bool) -> bool {
        let generation = token.generation();
        let rejection = {
            let mut state = self.lock();
            let now = self.config.clock.now();
            let rejection = state.token.rejected(generation, now, REFRESH_FLOOR, expired);
            if rejection == Rejection::Invalidated {
                self.current.store(None);
            }
            rejection
        };
        if rejection == Rejection::Invalidated {
            observability::rejected(&self.label(), generation, expired);
            self.emit(|| {
                if expired {
                    Event::ExpiredAtServer { generation }
                } else {
                    Event::Invalidated { generation }
                }
            });
        }
        rejection != Rejection::Repeated
    }

    /// Drops the token because its owner knows that it is no longer valid.
    pub(crate) fn invalidate(&self) {
        let generation = {
            let mut state = self.lock();
            let generation = state.token.generation();
            let dropped = state.token.invalidate();
            self.current.store(None);
            dropped.then_some(generation)
        };
        if let Some(generation) = generation {
            self.emit(|| Event::Invalidated { generation });
        }
    }

    /// Ends the session for good, at once: no later call gets a token, and a refresh that is under way doesn't count.
    ///
    /// Returns what is left to do and may take a moment: making a stored token useless to others.
    pub(crate) fn end(&self, cause: EndCause) -> Option<BoxFuture<'static, ()>> {
        let refresh = {
            let mut state = self.lock();
            if !state.token.end(cause) {
                return None;
            }
            self.current.store(None);
            state.give_up()
        };
        self.source.credentials_changed(&CredentialChange::Ended);
        if let Some((flight, run)) = refresh {
            run.task.abort();
            flight.preempt(Err(cause.error()));
        }
        if let Some(entry) = &self.entry {
            entry.leave(&self.this);
        }
        observability::ended(&self.label(), &cause.error());
        self.emit(|| Event::Ended { cause });
        if let Some(ended) = self.ended.get() {
            ended.notify_waiters();
        }
        self.source.forget()
    }

    pub(crate) fn status(&self) -> Status {
        let state = self.lock();
        let now = self.config.clock.now();
        Status::of(&state.token, now, state.is_refreshing())
    }

    pub(crate) fn subscribe(&self) -> Events {
        Events::new(
            self.events
                .get_or_init(|| broadcast::channel(EVENTS_KEPT).0)
                .subscribe(),
        )
    }

    fn emit(&self, event: impl FnOnce() -> Event) {
        if let Some(sender) = self.events.get() {
            // An error means that there are currently no subscribers.
            let _ = sender.send(event());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Drop for Lifecycle {
    fn drop(&mut self) {
        if let Some(run) = self.lock().running() {
            run.task.abort();
        }
        #[cfg(feature = "metrics")]
        if self.lock().token.generation() > 0 {
            observability::dropped(self.source.kind(), || self.source.identity().key);
        }
    }
}

/// The rule after a 401: the operation's declaration decides whether the token is dropped.
impl Authenticator for Lifecycle {
    fn credential(&self) -> BoxFuture<'_, Result<Credential>> {
        Box::pin(async { self.token().await.map(Credential::Token) })
    }

    fn on_unauthorized(&self, token: &Token, refused: Option<Unauthorized>, expired: bool) -> bool {
        if expired {
            // This is about the token, whatever the operation.
            return self.reject(token, true);
        }
        match refused {
            Some(Unauthorized::Token) => self.reject(token, false),
            Some(Unauthorized::Consumer) => false,
            Some(Unauthorized::Credentials) => {
                let age = self.config.clock.now().monotonic;
                let age = age.saturating_sub(token.validity().issued_at.monotonic);
                if age >= DOUBTED_AFTER && self.source.is_refreshable() {
                    self.reject(token, false);
                }
                false
            }
            // Endpoints that don't take a consumer answer 401 as well. A wrong guess costs a refreshable session one
            // refresh, and would end any other session.
            None => self.source.is_refreshable() && self.reject(token, false),
        }
    }

    fn on_refresh_helped(&self, token: &Token) {
        self.lock().token.refresh_helped(token.generation());
    }
}

#[cfg(test)]
mod tests;
