//! The state machine of a session's token, without any input or output: told what happened and what time it is, it
//! says what to do. All of its time is passed in, so that a test of a week takes microseconds.

use std::time::Duration;

use crate::clock::Reading;
use crate::error::{Error, ErrorKind};
use crate::token::Token;

use super::policy::RefreshPolicy;
use super::source::{Previous, PreviousTokenState};

/// What is to be done for a caller.
#[derive(Debug)]
pub(super) enum Decision {
    /// Give out the token.
    Serve(Token),
    /// Give out the token, and start a renewal if none runs.
    ServeAndRefresh(Token),
    /// Wait for the renewal that runs, or start one.
    Refresh,
    /// Say that the token, as new as one can be had, does not live as long as the caller needs.
    TooShort(Token),
    /// A renewal failed a short while ago; that failure is the answer until the backoff is over.
    Refuse(Error),
}

/// What is known of a session's token.
#[derive(Debug, Default)]
pub(super) struct TokenStateMachine {
    token: Option<Token>,
    /// The token before an invalidation: dead for callers, but it can still show the server whom to renew.
    rejected: Option<Token>,
    generation: u64,
    failures: u32,
    /// Until then no renewal is started. By either clock: a machine that slept need not wait for what it slept through.
    ///
    /// Boxed: a session has it only after a failure.
    quiet_until: Option<Box<Reading>>,
    last_error: Option<Error>,
    last_success: Option<Reading>,
    last_invalidation: Option<Duration>,
    /// The session can't be renewed any more.
    ended: bool,
}

impl TokenStateMachine {
    /// What to do for a caller who needs a token for at least `need`.
    ///
    /// `refreshable` is whether a renewal can be had before the token's end; a user's session has none. A token that is
    /// younger than `floor` is not renewed because it is too short for somebody: the next one would be as short.
    pub(super) fn decide(
        &self,
        now: Reading,
        need: Duration,
        refreshable: bool,
        floor: Duration,
    ) -> Decision {
        if let Some(token) = self.token.as_ref().filter(|token| token.is_live(now)) {
            let due = refreshable && now.reached(token.validity().refresh_at);
            if now.until(token.validity().expires_at) >= need {
                return if due && !self.ended && !self.is_quiet(now) {
                    Decision::ServeAndRefresh(token.clone())
                } else {
                    Decision::Serve(token.clone())
                };
            }
            if !refreshable || !now.reached(token.validity().issued_at.after(floor)) {
                return Decision::TooShort(token.clone());
            }
        }
        match &self.last_error {
            Some(error) if self.ended || self.is_quiet(now) => Decision::Refuse(error.clone()),
            _ => Decision::Refresh,
        }
    }

    fn is_quiet(&self, now: Reading) -> bool {
        self.quiet_until
            .as_deref()
            .is_some_and(|until| !now.reached(*until))
    }

    /// What a renewal starts from: the newest token, and what the server should think of it.
    pub(super) fn previous(&self, now: Reading) -> Option<Previous> {
        let (token, state) = match (&self.token, &self.rejected) {
            (Some(token), _) => (token, PreviousTokenState::Active),
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

    /// The number that the next token gets.
    pub(super) fn next_generation(&self) -> u64 {
        self.generation + 1
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

    /// A renewal failed. A token that is still live stays; the session can be renewed again after a while, unless the
    /// error says that it has ended.
    pub(super) fn failed(&mut self, error: Error, now: Reading, policy: &RefreshPolicy, fraction: f64) {
        self.failures = self.failures.saturating_add(1);
        self.quiet_until = Some(Box::new(now.after(policy.wait(self.failures, &error, fraction))));
        self.ended = error.kind() == ErrorKind::SessionExpired;
        self.last_error = Some(error);
    }

    /// A server answered 401 to the token of `generation`. Whether a renewal makes sense: not for a token that was
    /// replaced already, and not when the token before it was refused just now, or a server that refuses everything
    /// would get a login for each request.
    pub(super) fn rejected(&mut self, generation: u64, now: Reading, floor: Duration) -> Rejection {
        match &self.token {
            Some(token) if token.generation() > generation => return Rejection::Replaced,
            Some(token) if token.generation() == generation => {}
            _ => return Rejection::Known,
        }
        let repeated = self
            .last_invalidation
            .is_some_and(|last| now.monotonic < last.saturating_add(floor));
        if repeated {
            return Rejection::Repeated;
        }
        self.rejected = self.token.take();
        self.last_invalidation = Some(now.monotonic);
        Rejection::Invalidated
    }

    /// Drops the token because its owner says so.
    pub(super) fn invalidate(&mut self) -> bool {
        let token = self.token.take();
        let had = token.is_some();
        if had {
            self.rejected = token;
        }
        self.quiet_until = None;
        if !self.ended {
            self.last_error = None;
        }
        had
    }

    /// How long until a renewal is due and allowed; `None` when there can't be one.
    pub(super) fn time_to_refresh(&self, now: Reading) -> Option<Duration> {
        if self.ended {
            return None;
        }
        let due = self
            .token
            .as_ref()
            .map(|token| now.until(token.validity().refresh_at))
            .unwrap_or_default();
        let quiet = self
            .quiet_until
            .as_deref()
            .map(|until| now.until(*until))
            .unwrap_or_default();
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

    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }
}

/// What a 401 came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rejection {
    /// The token was dropped.
    Invalidated,
    /// A newer token is there already.
    Replaced,
    /// The token had been dropped before.
    Known,
    /// Its predecessor was refused as well, just now: the token isn't what is wrong.
    Repeated,
}
