//! The state machine of a session's token. It does no I/O: its inputs are events and the time, and its outputs are
//! decisions. The time is always passed in, so a test that spans a week takes microseconds.

use std::time::Duration;

use crate::clock::Reading;
use crate::error::{Error, ErrorKind};
use crate::token::Token;

use super::policy::RefreshPolicy;
use super::refresh_state::{Decision, StateMachine};
use super::source::{Previous, PreviousTokenState};
use super::status::EndCause;

/// What is known about a session's token.
#[derive(Debug, Default)]
pub(super) struct TokenStateMachine {
    token: Option<Token>,
    /// The token before an invalidation. It is not served any more, but can still authenticate a refresh.
    rejected: Option<Token>,
    /// Whether the server said that this token has expired. Then it authenticates no refresh either.
    rejected_as_expired: bool,
    generation: u64,
    failures: u32,
    /// No refresh starts before this time, by either clock: a backoff also ends while the computer is suspended.
    ///
    /// Boxed, because a session has it only after a failure.
    quiet_until: Option<Box<Quiet>>,
    last_error: Option<Error>,
    last_success: Option<Reading>,
    /// When a server last refused a token, on the monotonic clock, unless the refresh after it helped.
    last_rejection: Option<Duration>,
    /// The session can't be refreshed any more.
    ended: bool,
    /// Its owner ended it. Nothing revives it.
    end: Option<EndCause>,
}

/// The wait after a failed refresh.
#[derive(Debug, Clone, Copy)]
struct Quiet {
    until: Reading,
    /// Of the API key that failed: it ends the wait when another one is there.
    key_version: u64,
}

/// What is known about the API key that a refresh uses.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct KeyState {
    pub(super) version: u64,
    /// It can be replaced without notice.
    pub(super) changeable: bool,
}

/// A decision's inputs besides the token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Query {
    pub(super) now: Reading,
    /// How long the caller needs the token to be valid.
    pub(super) need: Duration,
    /// Whether a token can be replaced before it expires; a user's can't.
    pub(super) refreshable: bool,
    /// The version of the API key.
    pub(super) key_version: u64,
    /// A token younger than this is not replaced because it is too short: the next one would be just as short.
    pub(super) floor: Duration,
}

impl StateMachine for TokenStateMachine {
    type Token = Token;
    type Error = Error;
    type Query = Query;

    fn decide(&self, query: &Query) -> Decision<Token, Error> {
        let Query {
            now,
            need,
            refreshable,
            key_version,
            floor,
        } = *query;
        if let Some(token) = self.token.as_ref().filter(|token| token.is_live(now)) {
            let due = refreshable && now.reached(token.validity().refresh_at);
            if now.until(token.validity().expires_at) >= need {
                return if due && !self.ended && !self.is_quiet(now, key_version) {
                    Decision::ServeAndRefresh(token.clone())
                } else {
                    Decision::Serve(token.clone())
                };
            }
            if !refreshable || !now.reached(token.validity().issued_at.after(floor)) {
                return Decision::Refuse(too_short(token, need));
            }
        }
        match &self.last_error {
            Some(error) if self.ended || self.is_quiet(now, key_version) => Decision::Refuse(error.clone()),
            _ => Decision::Refresh,
        }
    }
}

/// The error for a token that is too short even when new.
pub(super) fn too_short(token: &Token, need: Duration) -> Error {
    Error::invalid_input(
        "required lifetime",
        format!(
            "is {need:?}, longer than what is left of the {:?} of the newest token",
            token.lifetime()
        ),
        "require less, or let Synerise issue longer tokens",
    )
}

impl TokenStateMachine {
    fn is_quiet(&self, now: Reading, key_version: u64) -> bool {
        !self.quiet_left(now, key_version).is_zero()
    }

    /// What is left of the wait after a failed refresh.
    pub(super) fn quiet_left(&self, now: Reading, key_version: u64) -> Duration {
        self.quiet_until
            .as_deref()
            .filter(|quiet| quiet.key_version == key_version)
            .map(|quiet| now.until(quiet.until))
            .unwrap_or_default()
    }

    /// A refresh's starting point: the newest token, and how the server is expected to judge it.
    pub(super) fn previous(&self, now: Reading) -> Option<Previous> {
        let (token, state) = match (&self.token, &self.rejected) {
            (Some(token), _) => (token, PreviousTokenState::Active),
            (None, Some(token)) if self.rejected_as_expired => (token, PreviousTokenState::Expired),
            (None, Some(token)) => (token, PreviousTokenState::Rejected),
            (None, None) => return None,
        };
        let state = if token.is_live(now) {
            state
        } else {
            PreviousTokenState::Expired
        };
        Some(Previous {
            token: token.clone(),
            state,
        })
    }

    /// The number of the next token.
    pub(super) fn next_generation(&self) -> u64 {
        self.generation + 1
    }

    /// Ends the session for good. The token is dropped, and not even a refresh sends it any more. Returns false if the
    /// session had been ended before.
    pub(super) fn end(&mut self, cause: EndCause) -> bool {
        if self.end.is_some() {
            return false;
        }
        self.end = Some(cause);
        self.ended = true;
        self.token = None;
        self.rejected = None;
        self.quiet_until = None;
        self.last_error = Some(cause.error());
        true
    }

    /// The error of a session whose owner ended it.
    pub(super) fn end_error(&self) -> Option<Error> {
        self.end.map(EndCause::error)
    }

    /// Whether the token with this number is newer than the session's own. If so, the next token gets this number.
    pub(super) fn continues_from(&mut self, generation: u64) -> bool {
        let newer = self.end.is_none() && generation > self.generation;
        if newer {
            self.generation = generation - 1;
        }
        newer
    }

    /// The next token follows one with this number that the session had elsewhere. A session that found no further token is
    /// asked again. Returns false if its owner ended it.
    pub(super) fn continue_after(&mut self, generation: u64) -> bool {
        if self.end.is_some() {
            return false;
        }
        self.generation = self.generation.max(generation);
        if self.ended {
            self.ended = false;
            self.last_error = None;
            self.quiet_until = None;
        }
        true
    }

    pub(super) fn succeeded(&mut self, token: Token, now: Reading) {
        self.generation = self.generation.max(token.generation());
        self.token = Some(token);
        self.rejected = None;
        self.failures = 0;
        self.quiet_until = None;
        self.last_error = None;
        self.last_success = Some(now);
        self.ended = false;
    }

    /// A refresh failed. A token that is still valid stays. The next attempt follows after a backoff, unless the error ends
    /// the session.
    pub(super) fn failed(
        &mut self,
        error: Error,
        now: Reading,
        policy: &RefreshPolicy,
        fraction: f64,
        key: KeyState,
    ) {
        self.failures = self.failures.saturating_add(1);
        let mut wait = policy.wait(self.failures, &error, fraction);
        if key.changeable {
            // The next key may be there at any time.
            let longest = policy.max_backoff().max(policy.refused_backoff());
            wait = wait.min(longest.max(error.retry_after().unwrap_or_default()));
        }
        self.quiet_until = Some(Box::new(Quiet {
            until: now.after(wait),
            key_version: key.version,
        }));
        self.ended = error.kind() == ErrorKind::SessionExpired;
        self.last_error = Some(error);
    }

    /// A server answered 401 to the token of `generation`, perhaps because it has `expired` by the server's clock.
    ///
    /// The token is kept if the one before it was refused less than `floor` ago and no request has succeeded since the
    /// refresh. Otherwise, a server that refuses every token would get a login for each request.
    pub(super) fn rejected(
        &mut self,
        generation: u64,
        now: Reading,
        floor: Duration,
        expired: bool,
    ) -> Rejection {
        match &self.token {
            Some(token) if token.generation() > generation => return Rejection::Replaced,
            Some(token) if token.generation() == generation => {}
            _ => return Rejection::Known,
        }
        let repeated = self
            .last_rejection
            .is_some_and(|last| now.monotonic < last.saturating_add(floor));
        if repeated {
            return Rejection::Repeated;
        }
        self.rejected = self.token.take();
        self.rejected_as_expired = expired;
        self.last_rejection = Some(now.monotonic);
        Rejection::Invalidated
    }

    /// A server accepted the token of `generation` after it had refused the one before. So it does not refuse every token,
    /// and the next refusal discards the token at once.
    pub(super) fn refresh_helped(&mut self, generation: u64) {
        if generation == self.generation {
            self.last_rejection = None;
        }
    }

    /// Drops the token because its owner knows that it is not valid.
    pub(super) fn invalidate(&mut self) -> bool {
        let token = self.token.take();
        let had = token.is_some();
        if had {
            self.rejected = token;
            self.rejected_as_expired = false;
        }
        self.quiet_until = None;
        if !self.ended {
            self.last_error = None;
        }
        had
    }

    /// How long until a refresh is due and allowed. `None` when no refresh is possible.
    pub(super) fn time_to_refresh(&self, now: Reading, key_version: u64) -> Option<Duration> {
        if self.ended {
            return None;
        }
        let due = self
            .token
            .as_ref()
            .map(|token| now.until(token.validity().refresh_at))
            .unwrap_or_default();
        let quiet = self.quiet_left(now, key_version);
        Some(due.max(quiet))
    }

    pub(super) fn token(&self) -> Option<&Token> {
        self.token.as_ref()
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn last_error(&self) -> Option<&Error> {
        self.last_error.as_ref()
    }

    pub(super) fn last_success(&self) -> Option<Reading> {
        self.last_success
    }

    /// How many refreshes have failed in a row.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }
}

/// The effect of a 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rejection {
    /// The token was dropped.
    Invalidated,
    /// There is a newer token already.
    Replaced,
    /// The token had been dropped before.
    Known,
    /// The token before it was refused just now as well, so the token is not the problem.
    Repeated,
}
