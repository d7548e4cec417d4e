//! Sessions: one consumer's authenticated access to Synerise, with a valid token at hand.
//!
//! ```no_run
//! # async fn run(workspace: synerise_auth::WorkspaceSession) -> synerise_auth::Result<()> {
//! let client = workspace
//!     .get("/v4/clients/by-custom-id/{id}")
//!     .path_param("id", "card 17")
//!     .await?;
//! let client: serde_json::Value = client.json()?;
//! # Ok(()) }
//! ```

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use crate::bindings;
use crate::error::Result;
use crate::lifecycle::{Events, KeepAlive, Lifecycle, Status};
use crate::model::UserInfo;
use crate::token::{Token, TokenFuture, TokenProvider};
use crate::transport::Authenticator;

pub(crate) mod anonymous;
#[cfg(doctest)]
mod boundaries;
mod context;
#[cfg(any(test, feature = "test-util"))]
mod fixed;
pub mod kind;
pub mod login_mode;
mod login_response;
pub(crate) mod profile_login;
mod profile_token;
mod repeatable_login;
mod request;
pub(crate) mod user;
pub(crate) mod workspace;

pub use profile_login::{ConditionalLoginOutcome, ProfileLoginRequest, ProfileLogins};
pub use request::{Body, Request, Response};
pub use user::{MfaChallenge, UserLoginOutcome, UserLoginRequest, UserLogins};
pub use workspace::PermissionCheck;

pub(crate) use context::Context;

use kind::Kind;

/// A session of one consumer.
///
/// It is cheap to clone and to keep: it holds no connection, and nothing runs for it while it is idle. Asking it for a token
/// gives one that is valid, or an error that says what to do.
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

    /// A token that is valid now.
    ///
    /// A cached token is returned at once, without a lock or an allocation. A token close to expiry is still returned, and a
    /// refresh starts in the background. Only without a valid token does the call wait: all callers wait for the same refresh
    /// and get its result, a token or an error. Dropping the future does not stop the refresh.
    ///
    /// # Errors
    /// What the login or the refresh failed with; the same error to all callers until a short backoff is over.
    /// [`ErrorKind::SessionExpired`](crate::ErrorKind::SessionExpired) when only a new login by its owner can help.
    pub async fn token(&self) -> Result<Token> {
        self.lifecycle.token().await
    }

    /// A token that is valid for at least `need`, for work that takes a while.
    ///
    /// ```no_run
    /// # async fn run(workspace: synerise_auth::WorkspaceSession) -> synerise_auth::Result<()> {
    /// use std::time::Duration;
    ///
    /// let token = workspace.token_valid_for(Duration::from_secs(600)).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`token`](Self::token), and [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when not even a new token is
    /// valid for that long.
    pub async fn token_valid_for(&self, need: Duration) -> Result<Token> {
        self.lifecycle.token_valid_for(need).await
    }

    /// The state of the session's token, for health checks. It starts nothing.
    pub fn status(&self) -> Status {
        self.lifecycle.status()
    }

    /// Subscribes to the token's events: refreshed, loaded from a store, refresh failed, invalidated, expired.
    pub fn subscribe(&self) -> Events {
        self.lifecycle.subscribe()
    }

    /// Discards the cached token, for callers that know it is no longer valid (after rotating a key, for example). The next
    /// call gets another one at once, also during a backoff.
    ///
    /// A 401 to a request of this session does that by itself, but not more than once a second while the new tokens are refused
    /// as well: see [`Request`]. This call has no such limit.
    pub fn invalidate(&self) {
        self.lifecycle.invalidate();
    }

    /// Keeps the token refreshed without callers, until the guard is dropped.
    ///
    /// An idle profile's session can't be refreshed any more once its token has expired; this is for those. When the session
    /// ends, it stops, and says so by [`Event::KeepAliveStopped`](crate::lifecycle::Event::KeepAliveStopped).
    ///
    /// ```no_run
    /// # async fn run(profile: synerise_auth::ProfileSession) -> synerise_auth::Result<()> {
    /// let guard = profile.keep_alive()?;
    /// // … as long as the customer may come back …
    /// drop(guard);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) for a session that can't be refreshed, such as a user's;
    /// [`ErrorKind::NoRuntime`](crate::ErrorKind::NoRuntime) outside a Tokio runtime.
    pub fn keep_alive(&self) -> Result<KeepAlive> {
        KeepAlive::start(&self.lifecycle)
    }

    /// The generated bindings, authenticated as this session.
    pub fn raw(&self) -> bindings::Client {
        bindings::Client::open(&self.context.transport, Some(self.authenticator()))
    }

    pub(crate) fn authenticator(&self) -> Arc<dyn Authenticator> {
        Arc::<Lifecycle>::clone(&self.lifecycle)
    }
}

impl<K: Kind> TokenProvider for Session<K> {
    fn token(&self) -> TokenFuture<'_> {
        Box::pin(Self::token(self))
    }

    fn invalidate(&self) {
        Self::invalidate(self);
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
