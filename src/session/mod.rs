//! Sessions: one consumer's authenticated access to Synerise, always with a valid token.
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
use crate::lifecycle::{CredentialChange, EndCause, Events, KeepAlive, Lifecycle, Status};
use crate::model::UserInfo;
use crate::token::{Token, TokenFuture, TokenProvider};
use crate::transport::Authenticator;

pub(crate) mod anonymous;
pub mod authentication;
#[cfg(doctest)]
mod boundaries;
mod context;
#[cfg(any(test, feature = "test-util"))]
mod fixed;
mod kept_login;
mod key_source;
pub mod kind;
pub mod login_mode;
mod login_response;
pub(crate) mod profile_login;
mod profile_token;
mod repeatable_login;
mod request;
mod resume;
mod saved;
mod simple_login;
pub(crate) mod user;
mod uuid_owners;
pub(crate) mod workspace;

pub use profile_login::{ConditionalLoginOutcome, ProfileLoginRequest, ProfileLogins};
pub use request::{Body, Request, Response};
pub use saved::SavedSession;
pub use simple_login::SimpleLoginRequest;
pub use user::{MfaChallenge, UserLoginOutcome, UserLoginRequest, UserLogins};
pub use workspace::PermissionCheck;

pub(crate) use context::Context;
#[cfg(fuzzing)]
pub(crate) use saved::judge;
pub(crate) use uuid_owners::UuidOwners;

use authentication::{Authentication, Tokens};
use kind::Kind;

/// A session of one consumer.
///
/// A session is cheap to clone and to keep. It holds no connection, and nothing runs for it while it is idle. When asked
/// for a token, it returns a valid one, or an error that says what to do.
///
/// `K` is the [kind] of the consumer, and decides which of Synerise's operations the session has. `A` is how it
/// [authenticates](authentication) its requests: by a token, unless it is from
/// [`Client::workspace_basic`](crate::Client::workspace_basic). What concerns tokens exists for sessions with tokens alone.
pub struct Session<K, A = Tokens> {
    context: Arc<Context>,
    authentication: A,
    /// What the login said about a user. It belongs to the session, not to its token.
    user: Option<Arc<UserInfo>>,
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> Session<K> {
    pub(crate) fn new(context: Arc<Context>, lifecycle: Arc<Lifecycle>) -> Self {
        Self::authenticated_by(context, Tokens(lifecycle))
    }

    /// Returns a token that is valid now.
    ///
    /// A cached token is returned at once, without a lock or an allocation. If it is close to expiry, a refresh starts in
    /// the background. The call waits only when there is no valid token: all callers then wait for the same refresh and get
    /// its result, a token or an error. Dropping the future does not stop the refresh.
    ///
    /// A workspace's session refreshes by another login. A visitor's or customer's token is refreshed with itself while it is valid:
    /// operation [`refreshProfileToken`](crate::raw::Client::refresh_profile_token) (`POST /sauth/v3/auth/refresh/client`).
    ///
    /// # Errors
    /// Returns the error of the login or refresh. All callers get the same error until a short backoff has passed.
    /// [`ErrorKind::SessionExpired`](crate::ErrorKind::SessionExpired) means that the session's owner has to log in again.
    pub async fn token(&self) -> Result<Token> {
        self.lifecycle().token().await
    }

    /// Returns a token that is valid for at least `need`, for longer work.
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
    /// Fails like [`token`](Self::token), and with [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when even a
    /// new token is not valid for that long.
    pub async fn token_valid_for(&self, need: Duration) -> Result<Token> {
        self.lifecycle().token_valid_for(need).await
    }

    /// Returns a token that is valid now, without waiting. `None` when a caller would have to wait for one.
    ///
    /// Nothing is awaited and no lock is waited for, so it can be called anywhere: in a gRPC interceptor, in a `Drop`, on a
    /// thread without a runtime.
    ///
    /// Inside a Tokio runtime, it starts what [`token`](Self::token) would start, a login or a refresh, and a later call
    /// finds its result. Outside a runtime it starts nothing, so keep the token refreshed with
    /// [`keep_alive`](Self::keep_alive), and wait for the first one when your program starts:
    ///
    /// ```no_run
    /// # async fn run(workspace: synerise_auth::WorkspaceSession) -> synerise_auth::Result<()> {
    /// workspace.token().await?;
    /// let guard = workspace.keep_alive()?;
    /// std::thread::spawn(move || match workspace.cached_token() {
    ///     Some(token) => println!("a header of {} bytes", token.header().len()),
    ///     None => println!("no token now: {:?}", workspace.status().last_error),
    /// });
    /// # Ok(()) }
    /// ```
    ///
    /// A failed refresh is not reported here: it is in [`status`](Self::status).
    pub fn cached_token(&self) -> Option<Token> {
        self.lifecycle().cached_token()
    }

    /// Gets the first token, for a service that starts: until then, [`Status::is_ready`] is false.
    ///
    /// A failed login is tried again after its backoff until `limit` has passed. A failure is not remembered: later calls try
    /// again, and so does this.
    ///
    /// ```no_run
    /// # async fn run(workspace: synerise_auth::WorkspaceSession) {
    /// use std::time::Duration;
    ///
    /// if let Err(error) = workspace.warm_up(Duration::from_secs(30)).await {
    ///     eprintln!("started without a token: {error}"); // the readiness probe waits, calls keep trying
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns the error of the last login when the limit has passed or would pass before the next attempt,
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) when no login ended in time, and at once
    /// [`ErrorKind::SessionExpired`](crate::ErrorKind::SessionExpired) when no login is possible.
    pub async fn warm_up(&self, limit: Duration) -> Result<()> {
        self.lifecycle().warm_up(limit).await
    }

    /// Returns the state of the session's token, for health checks. This starts no refresh.
    pub fn status(&self) -> Status {
        self.lifecycle().status()
    }

    /// Subscribes to the token's events: refreshed, loaded from a store, refresh failed, invalidated, expired,
    /// ended.
    pub fn subscribe(&self) -> Events {
        self.lifecycle().subscribe()
    }

    /// Discards the cached token, for callers that know it is no longer valid (after rotating a key, for example). The next
    /// call gets a new token at once, even during a backoff.
    ///
    /// When a request of this session gets a 401, the session discards the token itself, but at most once a second while
    /// new tokens are refused too: see [`Request`]. This call has no such limit. An HTTP client of your own reports a 401 with
    /// [`TokenProvider::token_refused`].
    pub fn invalidate(&self) {
        self.lifecycle().invalidate();
    }

    /// Keeps the token refreshed without callers, until the guard is dropped.
    ///
    /// Use it for profiles' sessions that may be idle: once their token has expired, they can't be refreshed any more. When
    /// the session ends, it stops and sends [`Event::KeepAliveStopped`](crate::lifecycle::Event::KeepAliveStopped).
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
    /// Returns [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) for a session that can't be refreshed, such as a
    /// user's, and [`ErrorKind::NoRuntime`](crate::ErrorKind::NoRuntime) outside a Tokio runtime.
    pub fn keep_alive(&self) -> Result<KeepAlive> {
        KeepAlive::start(self.lifecycle())
    }

    /// Tells the session what has changed about the credentials that it may keep.
    pub(crate) fn credentials_changed(&self, change: &CredentialChange<'_>) {
        self.lifecycle().credentials_changed(change);
    }

    /// Ends the session for good: no later request carries its token.
    pub(crate) async fn end(&self, cause: EndCause) {
        if let Some(rest) = self.lifecycle().end(cause) {
            rest.await;
        }
    }
}

impl<K> Session<K> {
    fn lifecycle(&self) -> &Arc<Lifecycle> {
        &self.authentication.0
    }
}

impl<K: Kind, A: Authentication> Session<K, A> {
    /// Returns the generated bindings, authenticated as this session.
    pub fn raw(&self) -> bindings::Client {
        bindings::Client::open(&self.context.transport, Some(self.authenticator()))
    }

    pub(crate) fn authenticator(&self) -> Arc<dyn Authenticator> {
        self.authentication.shared()
    }
}

impl<K, A> Session<K, A> {
    fn authenticated_by(context: Arc<Context>, authentication: A) -> Self {
        Self {
            context,
            authentication,
            user: None,
            kind: PhantomData,
        }
    }
}

impl<K: Kind> TokenProvider for Session<K> {
    fn token(&self) -> TokenFuture<'_> {
        Box::pin(Self::token(self))
    }

    fn allows_url(&self, url: &str) -> bool {
        self.context.transport.base().covers(url)
    }

    fn token_refused(&self, token: &Token) -> bool {
        self.lifecycle().on_unauthorized(token, None, false)
    }

    fn token_accepted(&self, token: &Token) {
        self.lifecycle().on_refresh_helped(token);
    }
}

impl<K, A: Authentication> Clone for Session<K, A> {
    fn clone(&self) -> Self {
        Self {
            context: Arc::clone(&self.context),
            authentication: self.authentication.clone(),
            user: self.user.clone(),
            kind: PhantomData,
        }
    }
}

impl<K, A: Authentication> fmt::Debug for Session<K, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("kind", &kind::name::<K>())
            .field("authentication", &self.authentication)
            .finish_non_exhaustive()
    }
}
