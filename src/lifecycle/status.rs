//! What can be seen of a token's life from outside: its state now, and what happens to it.

use std::time::Duration;

use tokio::sync::broadcast;

use crate::clock::Reading;
use crate::error::Error;

use super::state_machine::TokenStateMachine;

/// The state of a session's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenState {
    /// There is none: none was asked for yet, or it was dropped.
    Empty,
    /// It is served as it is.
    Fresh,
    /// It is served, and its renewal is due.
    Stale,
    /// It is over; the next call waits for its renewal.
    Expired,
    /// It is over, and nothing is at hand to renew it with.
    SessionEnded,
}

/// A session's state at one moment, for health checks.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Status {
    /// What the token is good for.
    pub state: TokenState,
    /// How long it will live; zero if it doesn't.
    pub expires_in: Duration,
    /// The number of the newest token; 0 before the first.
    pub generation: u64,
    /// Whether a renewal is under way.
    pub refreshing: bool,
    /// Why the last renewal failed, unless one succeeded since.
    pub last_error: Option<Error>,
    /// How long ago the last renewal succeeded.
    pub last_refresh: Option<Duration>,
}

impl Status {
    pub(super) fn of(machine: &TokenStateMachine, now: Reading, refreshing: bool) -> Self {
        let life = machine.token().map(|token| *token.validity());
        let state = match life {
            Some(life) if now.reached(life.expires_at) && machine.has_ended() => TokenState::SessionEnded,
            None if machine.has_ended() => TokenState::SessionEnded,
            None => TokenState::Empty,
            Some(life) if now.reached(life.expires_at) => TokenState::Expired,
            Some(life) if now.reached(life.refresh_at) => TokenState::Stale,
            Some(_) => TokenState::Fresh,
        };
        Self {
            state,
            expires_in: life.map(|life| now.until(life.expires_at)).unwrap_or_default(),
            generation: machine.generation(),
            refreshing,
            last_error: machine.last_error().cloned(),
            last_refresh: machine
                .last_success()
                .map(|then| now.monotonic.saturating_sub(then.monotonic)),
        }
    }

    /// Whether a call made now would get a token without waiting.
    pub fn is_ready(&self) -> bool {
        matches!(self.state, TokenState::Fresh | TokenState::Stale)
    }
}

/// Something that happened to a session's token.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// A new token is there.
    Refreshed {
        /// Its number.
        generation: u64,
        /// How long it lives.
        lifetime: Duration,
    },
    /// A renewal failed; a token that is still live is served on.
    RefreshFailed {
        /// Why.
        error: Error,
    },
    /// The token was dropped before its end: a server refused it, or its owner said so.
    Invalidated {
        /// Its number.
        generation: u64,
    },
    /// The session has ended: nothing is at hand to renew it with.
    Expired {
        /// Why, and what to do.
        error: Error,
    },
}

/// The events of a session from now on.
#[derive(Debug)]
pub struct Events(broadcast::Receiver<Event>);

impl Events {
    pub(super) fn new(receiver: broadcast::Receiver<Event>) -> Self {
        Self(receiver)
    }

    /// The next event; `None` when the session is gone. One who is too slow misses the oldest events, never the newest.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            match self.0.recv().await {
                Ok(event) => return Some(event),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}
