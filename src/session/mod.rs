//! Sessions: who is logged in, with a token that is always there.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use crate::client::Client;
use crate::error::Result;
use crate::lifecycle::{Events, KeepAlive, Lifecycle, Status};
use crate::raw;
use crate::reply::Reply;
use crate::secret::Secret;
use crate::token::{Grant, Token};
use crate::transport::{Authorize, BoxFuture};

mod anonymous;
#[cfg(doctest)]
mod boundaries;
mod profile;
mod profile_login;
mod request;
mod user;
mod workspace;

pub use profile_login::{Conditional, ConditionalLogin, Direct, ProfileAccess, ProfileLogin, ServerSide};
pub use request::{Request, Response};
pub use user::{LoginUser, MfaChallenge, UserAccess, UserLogin};
pub use workspace::PermissionCheck;

mod sealed {
    pub trait Sealed {
        const NAME: &'static str;
    }
}

/// A kind of consumer. Each has the calls that Synerise lets it make, and no others.
pub trait Kind: sealed::Sealed + 'static {}

/// A user of the portal, in a workspace or before one is selected.
pub trait PortalUser: Kind {}

/// One who may read and change a workspace's settings.
pub trait WorkspaceAdmin: Kind {}

/// A customer, known or not known yet.
pub trait Customer: Kind {}

impl PortalUser for User {}
impl PortalUser for WorkspaceUser {}
impl WorkspaceAdmin for Workspace {}
impl WorkspaceAdmin for WorkspaceUser {}
impl Customer for Profile {}
impl Customer for Anonymous {}

macro_rules! kinds {
    ($($(#[$docs:meta])* $name:ident = $text:literal,)+) => {$(
        $(#[$docs])*
        #[derive(Debug, Clone, Copy)]
        pub enum $name {}

        impl sealed::Sealed for $name {
            const NAME: &'static str = $text;
        }

        impl Kind for $name {}
    )+};
}

kinds! {
    /// A backend that acts for a workspace, by the workspace's API key.
    Workspace = "workspace",
    /// A recognized customer, who sees its own data only.
    Profile = "profile",
    /// A customer who is not known yet.
    Anonymous = "anonymous",
    /// A user of the portal who has not selected a workspace.
    User = "user",
    /// A user of the portal inside of a workspace.
    WorkspaceUser = "user in a workspace",
}

/// A session of one consumer.
///
/// It is cheap to clone and to keep: it holds no connection, and nothing runs for it while it is idle. Whoever asks it for
/// a token gets one that is live, or an error that says what to do.
pub struct Session<K: Kind> {
    client: Client,
    lifecycle: Arc<Lifecycle>,
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> Session<K> {
    pub(crate) fn new(client: Client, lifecycle: Arc<Lifecycle>) -> Self {
        Self {
            client,
            lifecycle,
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
    /// [`Error::SessionExpired`](crate::Error::SessionExpired) when only a new login by its owner can help.
    pub async fn token(&self) -> Result<Token> {
        self.lifecycle.token().await
    }

    /// A token that lives for at least `need`, for work that takes a while.
    ///
    /// # Errors
    /// As [`token`](Self::token), and [`Error::InvalidInput`](crate::Error::InvalidInput) when not even a new token lives
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
    /// [`Error::NoRuntime`](crate::Error::NoRuntime) outside of a Tokio runtime.
    pub fn keep_alive(&self) -> Result<KeepAlive> {
        KeepAlive::start(Arc::clone(&self.lifecycle))
    }

    /// The client that the session belongs to.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The generated bindings, authenticated as this session.
    pub fn raw(&self) -> raw::Client {
        raw::Client::open(Arc::clone(self.client.transport()), Some(self.authorize()))
    }

    pub(crate) fn authorize(&self) -> Arc<dyn Authorize> {
        Arc::new(Arc::clone(&self.lifecycle))
    }

    /// A call of an operation that answers 401 to some consumers whatever their token is.
    pub(crate) fn exchange_as_is(&self, operation: &'static raw::Operation) -> raw::Exchange {
        let token = Arc::new(TokenAsItIs(Arc::clone(&self.lifecycle)));
        raw::Exchange::new(self.client.transport(), operation, Some(token))
    }

    /// A call of one of the document's operations as this session.
    pub(crate) fn exchange(&self, operation: &'static raw::Operation) -> raw::Exchange {
        raw::Exchange::new(self.client.transport(), operation, Some(self.authorize()))
    }
}

/// A token as a login gave it, with nothing said about it: its life is read from its claims.
fn bare_grant(token: Secret, reply: &Reply) -> Grant {
    Grant {
        token,
        expiration: None,
        created: None,
        details: None,
        server_date: reply.server_date(),
        sent: reply.sent,
        arrived: reply.arrived,
    }
}

/// A session's token, of which a 401 says nothing: an endpoint may refuse the consumer and not the token. For sessions
/// that can't get another one, because there a wrong guess would end the session.
pub(crate) struct TokenAsItIs(pub(crate) Arc<Lifecycle>);

impl Authorize for TokenAsItIs {
    fn token(&self) -> BoxFuture<'_, Result<Token>> {
        Box::pin(self.0.token())
    }

    fn rejected(&self, _: &Token) -> bool {
        false
    }
}

impl<K: Kind> Clone for Session<K> {
    fn clone(&self) -> Self {
        Self::new(self.client.clone(), Arc::clone(&self.lifecycle))
    }
}

impl<K: Kind> fmt::Debug for Session<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("kind", &K::NAME)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}
