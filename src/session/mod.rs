//! Sessions: who is logged in, with a token that is always there.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use crate::bindings;
use crate::error::Result;
use crate::lifecycle::{Events, KeepAlive, Lifecycle, Status};
use crate::model::UserInfo;
use crate::token::Token;
use crate::transport::{Authenticator, BoxFuture};

pub(crate) mod anonymous;
#[cfg(doctest)]
mod boundaries;
mod context;
pub mod kind;
mod login_response;
pub(crate) mod profile_login;
mod profile_token;
mod repeatable_login;
mod request;
pub(crate) mod user;
pub(crate) mod workspace;

pub use profile_login::{
    Conditional, ConditionalLoginOutcome, Direct, ProfileLoginRequest, ProfileLogins, ServerSide,
};
pub use request::{Request, Response};
pub use user::{MfaChallenge, UserLoginOutcome, UserLoginRequest, UserLogins};
pub use workspace::PermissionCheck;

pub(crate) use context::Context;

use kind::Kind;

/// A session of one consumer.
///
/// It is cheap to clone and to keep: it holds no connection, and nothing runs for it while it is idle. Whoever asks it for
/// a token gets one that is live, or an error that says what to do.
pub struct Session<K> {
    context: Arc<Context>,
    lifecycle: Arc<Lifecycle>,
    /// What the login said of a user: it belongs to the session and not to its token.
    user: Option<Arc<UserInfo>>,
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> Session<K> {
    pub(crate) fn new(context: Arc<Context>, lifecycle: Arc<Lifecycle>) -> Self {
        Self {
            context,
            lifecycle,
            user: None,
            kind: PhantomData,
        }
    }

    /// A token that is live now.
    ///
    /// A cached one is returned at once, without a lock or an allocation. One whose end is near is returned as well, while
    /// a renewal begins behind it. Only when there is none that is live does the call wait: all callers wait for the same
    /// renewal, and get its result, whatever it is. Dropping the future loses nothing: the renewal goes on.
    ///
    /// # Errors
    /// What the login or the refresh failed with; the same error to all callers until a short backoff is over.
    /// [`ErrorKind::SessionExpired`](crate::ErrorKind::SessionExpired) when only a new login by its owner can help.
    pub async fn token(&self) -> Result<Token> {
        self.lifecycle.token().await
    }

    /// A token that lives for at least `need`, for work that takes a while.
    ///
    /// # Errors
    /// As [`token`](Self::token), and [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when not even a new token lives
    /// that long.
    pub async fn token_valid_for(&self, need: Duration) -> Result<Token> {
        self.lifecycle.token_valid_for(need).await
    }

    /// The state of the session's token, for health checks. It starts nothing.
    pub fn status(&self) -> Status {
        self.lifecycle.status()
    }

    /// What happens to the session's token from now on.
    pub fn subscribe(&self) -> Events {
        self.lifecycle.subscribe()
    }

    /// Drops the token, for who knows that it is no good any more (a key was rotated, say). The next call gets another.
    ///
    /// A 401 that comes to a request of this session does that by itself.
    pub fn invalidate(&self) {
        self.lifecycle.invalidate();
    }

    /// Keeps the token renewed without callers, until the guard is dropped.
    ///
    /// An idle profile's session can't be prolonged any more once its token is over; this is for those.
    ///
    /// # Errors
    /// [`ErrorKind::NoRuntime`](crate::ErrorKind::NoRuntime) outside of a Tokio runtime.
    pub fn keep_alive(&self) -> Result<KeepAlive> {
        KeepAlive::start(Arc::clone(&self.lifecycle))
    }

    /// The generated bindings, authenticated as this session.
    pub fn raw(&self) -> bindings::Client {
        bindings::Client::open(&self.context.transport, Some(self.authenticator()))
    }

    pub(crate) fn authenticator(&self) -> Arc<dyn Authenticator> {
        Arc::new(Arc::clone(&self.lifecycle))
    }

    /// The bindings for operations that answer 401 to some consumers whatever their token is.
    pub(crate) fn raw_keeping_token(&self) -> bindings::Client {
        let token = Arc::new(KeepTokenOn401(Arc::clone(&self.lifecycle)));
        bindings::Client::open(&self.context.transport, Some(token))
    }
}

/// A session's token, of which a 401 says nothing: an endpoint may refuse the consumer and not the token. For sessions
/// that can't get another one, because there a wrong guess would end the session.
pub(crate) struct KeepTokenOn401(pub(crate) Arc<Lifecycle>);

impl Authenticator for KeepTokenOn401 {
    fn token(&self) -> BoxFuture<'_, Result<Token>> {
        Box::pin(self.0.token())
    }

    fn on_unauthorized(&self, _: &Token) -> bool {
        false
    }
}

impl<K> Clone for Session<K> {
    fn clone(&self) -> Self {
        Self {
            context: Arc::clone(&self.context),
            lifecycle: Arc::clone(&self.lifecycle),
            user: self.user.clone(),
            kind: PhantomData,
        }
    }
}

impl<K> fmt::Debug for Session<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("kind", &kind::name::<K>())
            .field("status", &self.lifecycle.status())
            .finish_non_exhaustive()
    }
}
