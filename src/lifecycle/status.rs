//! A session's view of its token: its current state, and its events.

use std::fmt;
use std::time::Duration;

use serde::ser::{Serialize, SerializeStruct, Serializer};
use tokio::sync::broadcast;

use crate::clock::Reading;
use crate::error::Error;

use super::state_machine::TokenStateMachine;

/// The state of a session's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenState {
    /// No token: none was requested yet, or it was invalidated.
    Empty,
    /// Valid, and no refresh is due.
    Fresh,
    /// Valid, and its refresh is due.
    Stale,
    /// Expired; the next call waits for a refresh.
    Expired,
    /// The session has ended: its token has expired and it has no credentials to obtain a new one, or its owner logged out
    /// or deleted the account.
    SessionEnded,
}

impl TokenState {
    /// Returns the state as one word in `snake_case`, as it is printed and serialized.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Fresh => "fresh",
            Self::Stale => "stale",
            Self::Expired => "expired",
            Self::SessionEnded => "session_ended",
        }
    }
}

impl fmt::Display for TokenState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for TokenState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The state of a session at one moment, for health checks. Its `Display` is one line; it can be serialized for a health endpoint,
/// with `ready` and with times in seconds. Neither contains a secret.
///
/// ```no_run
/// # fn run(workspace: synerise_auth::WorkspaceSession) {
/// let status = workspace.status();
/// if !status.is_ready() {
///     println!("not ready: {:?}, last error {:?}", status.state, status.last_error);
/// }
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Status {
    /// The state of the token.
    pub state: TokenState,
    /// How long the token is still valid. Zero if it is not.
    pub expires_in: Duration,
    /// The generation of the newest token; 0 before the first.
    pub generation: u64,
    /// Whether a refresh is under way.
    pub refreshing: bool,
    /// Why the last refresh failed, unless one has succeeded since.
    pub last_error: Option<Error>,
    /// How long ago the session last received a token.
    pub last_refresh: Option<Duration>,
}

impl Status {
    pub(super) fn of(machine: &TokenStateMachine, now: Reading, refreshing: bool) -> Self {
        let validity = machine.token().map(|token| *token.validity());
        let state = match validity {
            Some(validity) if now.reached(validity.expires_at) && machine.has_ended() => {
                TokenState::SessionEnded
            }
            None if machine.has_ended() => TokenState::SessionEnded,
            None => TokenState::Empty,
            Some(validity) if now.reached(validity.expires_at) => TokenState::Expired,
            Some(validity) if now.reached(validity.refresh_at) => TokenState::Stale,
            Some(_) => TokenState::Fresh,
        };
        Self {
            state,
            expires_in: validity
                .map(|validity| now.until(validity.expires_at))
                .unwrap_or_default(),
            generation: machine.generation(),
            refreshing,
            last_error: machine.last_error().cloned(),
            last_refresh: machine
                .last_success()
                .map(|then| now.monotonic.saturating_sub(then.monotonic)),
        }
    }

    /// Returns whether a call would get a token now, without waiting.
    ///
    /// For a readiness probe. A session gets its first token only when somebody asks for it, so call
    /// [`Session::warm_up`](crate::Session::warm_up) at start-up: otherwise the probe never lets a request in that would ask. It
    /// never fails for good: the session is ready again as soon as it has a token.
    ///
    /// A liveness probe should not ask a session at all. Restarting a service helps neither Synerise nor a refused key, and a
    /// session recovers by itself.
    pub fn is_ready(&self) -> bool {
        matches!(self.state, TokenState::Fresh | TokenState::Stale)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.state)?;
        if self.is_ready() {
            write!(f, ", valid for {} s", self.expires_in.as_secs())?;
        }
        write!(f, ", generation {}", self.generation)?;
        if self.refreshing {
            f.write_str(", refreshing")?;
        }
        match &self.last_error {
            Some(error) => write!(f, ", last refresh failed: {error}"),
            None => Ok(()),
        }
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Status", 8)?;
        fields.serialize_field("ready", &self.is_ready())?;
        fields.serialize_field("state", &self.state)?;
        fields.serialize_field("expires_in_seconds", &self.expires_in.as_secs())?;
        fields.serialize_field("generation", &self.generation)?;
        fields.serialize_field("refreshing", &self.refreshing)?;
        let error = self.last_error.as_ref();
        fields.serialize_field("last_error_kind", &error.map(|error| error.kind().as_str()))?;
        fields.serialize_field("last_error", &error.map(ToString::to_string))?;
        let ago = self.last_refresh.map(|time| time.as_secs());
        fields.serialize_field("last_refresh_seconds_ago", &ago)?;
        fields.end()
    }
}

/// Something that happened to a session's token.
///
/// ```no_run
/// # async fn run(workspace: synerise_auth::WorkspaceSession) {
/// use synerise_auth::lifecycle::Event;
///
/// let mut events = workspace.subscribe();
/// while let Some(event) = events.next().await {
///     match event {
///         Event::Refreshed { generation, .. } => println!("token {generation}"),
///         Event::RefreshFailed { error } => println!("refresh failed: {error}"),
///         other => println!("{other:?}"),
///     }
/// }
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// The session got a new token from the server.
    Refreshed {
        /// The token's generation.
        generation: u64,
        /// How long it is valid.
        lifetime: Duration,
    },
    /// The session took a token from the store, without a login.
    Loaded {
        /// The token's generation in this session.
        generation: u64,
        /// How long it is valid.
        lifetime: Duration,
    },
    /// The store failed, took too long or panicked. The clients that share it log in for themselves until it answers again.
    /// Of several sessions of a client, the one that noticed has the event.
    StoreFailed {
        /// What it failed to do, and why.
        problem: String,
    },
    /// The store answers again, and tokens are shared.
    StoreRecovered,
    /// A refresh failed. A token that is still valid is served as before.
    RefreshFailed {
        /// The error of the refresh.
        error: Error,
    },
    /// The token was discarded before it expired: a server refused it, or its owner invalidated it.
    Invalidated {
        /// The token's generation.
        generation: u64,
    },
    /// A server said that the token has expired, although it is still valid by this process's clock. It was discarded, and
    /// the next call gets another one.
    ExpiredAtServer {
        /// The token's generation.
        generation: u64,
    },
    /// The session has ended: it has no credentials to obtain a new token.
    Expired {
        /// The reason, and what to do.
        error: Error,
    },
    /// The session's owner ended it. This happens once, and nothing revives the session.
    Ended {
        /// What the owner did.
        cause: EndCause,
    },
    /// [`keep_alive`](crate::Session::keep_alive) has stopped, because the session has ended.
    KeepAliveStopped {
        /// The reason, and what to do.
        error: Error,
    },
}

/// How a session's owner ended it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndCause {
    /// The customer logged out.
    LoggedOut,
    /// The customer deleted the account.
    AccountDeleted,
}

impl EndCause {
    pub(super) fn error(self) -> Error {
        match self {
            Self::LoggedOut => Error::session_ended(
                "the customer logged out",
                "log in again: Client::profile, or Client::anonymous for a visitor",
            ),
            Self::AccountDeleted => Error::session_ended(
                "the customer deleted the account",
                "go on with a visitor's session, Client::anonymous",
            ),
        }
    }
}

/// The events of a session since [`subscribe`](crate::Session::subscribe).
#[derive(Debug)]
pub struct Events(broadcast::Receiver<Event>);

impl Events {
    /// The next event, if there is one already.
    #[cfg(test)]
    pub(super) fn try_next(&mut self) -> Option<Event> {
        self.0.try_recv().ok()
    }

    pub(super) fn new(receiver: broadcast::Receiver<Event>) -> Self {
        Self(receiver)
    }

    /// Returns the next event, or `None` when the session was dropped. A slow subscriber misses the oldest events, never
    /// the newest.
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
