//! Where a session's tokens come from.

use std::future::ready;
use std::time::Duration;

use crate::api_key::ApiKey;
use crate::error::Result;
use crate::model::ProfileUuid;
use crate::secret::Secret;
use crate::token::{Token, TokenResponse};
use crate::transport::BoxFuture;

use super::Event;

/// Fetches a session's tokens.
pub(crate) trait TokenSource: Send + Sync {
    /// Fetches a token: by refreshing `previous`, by a login, or by a login after a refused refresh.
    fn fetch(&self, previous: Option<Previous>) -> BoxFuture<'static, Result<TokenResponse>>;

    /// The session has ended for good: whatever would let another session go on with its token is removed. `None` when
    /// there is nothing to remove.
    fn forget(&self) -> Option<BoxFuture<'static, ()>> {
        None
    }

    /// Whom its tokens belong to, for saving a session, and for traces and metrics.
    fn identity(&self) -> SessionIdentity {
        SessionIdentity::default()
    }

    /// Whether a token can be replaced before it expires.
    fn is_refreshable(&self) -> bool {
        true
    }

    /// How much longer than a login a fetch may take.
    fn extra_time(&self) -> Duration {
        Duration::ZERO
    }

    /// Passes on a token that the session got without this source.
    fn share(&self, response: &TokenResponse) -> BoxFuture<'static, ()> {
        let _ = response;
        Box::pin(ready(()))
    }

    /// The session goes on after a token with this number, which it had elsewhere.
    fn continue_after(&self, generation: u64) {
        let _ = generation;
    }

    /// Whether another client may have a newer token of the same session.
    fn is_shared(&self) -> bool {
        false
    }

    /// What the session logs in again with has changed.
    fn credentials_changed(&self, change: &CredentialChange<'_>) {
        let _ = change;
    }

    /// Whether the session's token could not be passed on, and how long to wait before that is tried again.
    fn share_later(&self) -> Option<Duration> {
        None
    }

    /// Passes on the session's token, which could not be passed on before. Returns whether nothing is left to do.
    fn offer(&self, token: &Token) -> BoxFuture<'static, bool> {
        let _ = token;
        Box::pin(ready(true))
    }

    /// What happened beside the tokens since the last call.
    fn take_news(&self) -> Vec<Event> {
        Vec::new()
    }

    /// The kind of the session, for traces and metrics.
    fn kind(&self) -> &'static str;

    /// A number that changes when the API key is known to have been replaced. The wait after a refused login then ends.
    fn key_version(&self) -> u64 {
        0
    }

    /// Whether the API key can be replaced without notice, so that a refused one is tried again sooner.
    fn has_changeable_key(&self) -> bool {
        false
    }
}

/// A change of what a session logs in again with, if it keeps that.
pub(crate) enum CredentialChange<'a> {
    /// The account has this password now.
    Password(&'a Secret),
    /// The account gets this e-mail address once it is confirmed.
    EmailRequested(&'a str),
    /// The requested e-mail address is confirmed.
    EmailConfirmed,
    /// Nobody logs in again.
    Ended,
}

/// The newest token so far.
#[derive(Debug, Clone)]
pub(crate) struct Previous {
    pub(crate) token: Token,
    pub(crate) state: PreviousTokenState,
}

/// How the server is expected to judge a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PreviousTokenState {
    /// It is valid.
    Active,
    /// A server refused it before it expired, or its owner invalidated it.
    Rejected,
    /// It has expired.
    Expired,
}

/// Whom a session belongs to, as far as its tokens don't say it.
#[derive(Default)]
pub(crate) struct SessionIdentity {
    /// The API key that is in use, as far as it is known.
    pub(crate) key: Option<ApiKey>,
    /// What identifies the session itself, over all of its tokens.
    pub(crate) session: Option<String>,
    pub(crate) uuid: Option<ProfileUuid>,
    pub(crate) device_id: Option<String>,
}
