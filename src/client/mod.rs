//! The client: connects to Synerise, and creates sessions.
//!
//! ```no_run
//! # async fn run() -> synerise_auth::Result<()> {
//! use std::time::Duration;
//! use synerise_auth::client::RetryPolicy;
//! use synerise_auth::{ApiKey, Client, Region};
//!
//! let client = Client::builder()
//!     .region(Region::AzureEu)
//!     .call_timeout(Duration::from_secs(20))
//!     .retry_policy(RetryPolicy::default().with_max_attempts(2))
//!     .build()?;
//! let token = client.workspace(ApiKey::from_env("SYNERISE_API_KEY")?).token().await?;
//! # Ok(()) }
//! ```

use std::fmt;
use std::sync::Arc;

use crate::api_key::{ApiKey, ApiKeySource};
use crate::bindings;
use crate::error::{Error, Result};
use crate::model::Visitor;
use crate::operation;
use crate::secret::Secret;
use crate::session::{
    Context, ProfileLogins, Session, UserLogins,
    anonymous::{self, Visit},
    authentication::Basic,
    kind::{Anonymous, Workspace},
    workspace,
};

mod builder;

pub use crate::transport::RetryPolicy;
pub use builder::ClientBuilder;

/// A client of one Synerise environment. Cloning it copies a pointer. Clones share connections and sessions.
///
/// It has a method for each kind of consumer: [`workspace`](Self::workspace) (or
/// [`workspace_basic`](Self::workspace_basic)), [`anonymous`](Self::anonymous), [`profile`](Self::profile) and
/// [`user`](Self::user).
///
/// ```no_run
/// # async fn run() -> synerise_auth::Result<()> {
/// use synerise_auth::{ApiKey, Client, Region};
///
/// let client = Client::builder().region(Region::AzureEu).build()?;
/// let workspace = client.workspace(ApiKey::from_env("SYNERISE_API_KEY")?);
/// let token = workspace.token().await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client(
    Arc<Context>,
    #[cfg(feature = "verify")] Arc<crate::verify::PublishedKeys>,
);

impl Client {
    /// Starts configuring a client. Its region is [`Region::AzureEu`](crate::Region::AzureEu) unless another one is set.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Builds a client from the environment, like [`ClientBuilder::from_env`].
    ///
    /// ```no_run
    /// # async fn run() -> synerise_auth::Result<()> {
    /// use synerise_auth::{ApiKeySource, Client};
    ///
    /// let client = Client::from_env()?;
    /// let workspace = client.workspace(ApiKeySource::from_env("SYNERISE_API_KEY")?);
    /// let token = workspace.token().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Fails like [`ClientBuilder::from_env`] and [`ClientBuilder::build`].
    pub fn from_env() -> Result<Self> {
        ClientBuilder::from_env()?.build()
    }

    /// Returns the session of a workspace, by its API key.
    ///
    /// The key is an [`ApiKey`], or an [`ApiKeySource`] if it is replaced while the service runs.
    ///
    /// Nothing is sent until a token is needed. The same key returns the same session, because the client keeps it, so a
    /// handler may call this for each request. [`forget`](Self::forget) removes the session.
    ///
    /// Operation [`workspaceLogin`](crate::raw::Client::workspace_login) (`POST /uauth/v2/auth/login/profile`).
    #[doc(alias("workspace JWT"))]
    pub fn workspace(&self, key: impl Into<ApiKeySource>) -> Session<Workspace> {
        workspace::open(&self.0, key.into())
    }

    /// Returns a session of a workspace that authenticates each request by Basic authentication: with the workspace's GUID and
    /// API key, and without a token. It has the calls of [`workspace`](Self::workspace), except those that concern a token.
    ///
    /// Prefer [`workspace`](Self::workspace). A token expires, and its key is sent only at a login; here the key is sent with
    /// each request. Use this where a login for each process costs too much, as in a short-lived function. **Basic
    /// authentication has to be switched on for the key**, in Settings > API Keys in Synerise. That the permission check accepts
    /// it is shown by Synerise's own software. That the other operations of a workspace do is inferred from the general rule.
    ///
    /// The GUID is a text or a [`Uuid`](crate::uuid::Uuid), and is sent as it is written. This call sends nothing, and the
    /// workspace is never logged in. Neither the client nor a store keeps anything of it: to replace the key, call this again.
    ///
    /// A 401 is final, because there is nothing to refresh: the request is not sent again, and the error says what to check.
    /// Everything else works as with a token: time limits, retries, spans and metrics.
    ///
    /// ```no_run
    /// # async fn run(client: synerise_auth::Client) -> synerise_auth::Result<()> {
    /// use synerise_auth::ApiKey;
    ///
    /// let guid = "00000000-0000-4000-8000-000000000001";
    /// let workspace = client.workspace_basic(guid, ApiKey::from_env("SYNERISE_API_KEY")?)?;
    /// if workspace.check_permissions(["API_CLIENT_CREATE"]).await?.has("API_CLIENT_CREATE") {
    ///     let clients = workspace.get("/v4/clients").await?;
    ///     println!("{} bytes", clients.bytes().len());
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when the GUID is not one in its usual form
    /// (36 characters), and when the base URL is plain HTTP to another machine, even if
    /// [`ClientBuilder::allow_plain_http_to_any_host`] allows it for tokens. Plain HTTP to this machine is allowed, as for
    /// tokens.
    #[doc(alias("Basic", "basic authentication", "GUID"))]
    pub fn workspace_basic(&self, guid: impl fmt::Display, key: ApiKey) -> Result<Session<Workspace, Basic>> {
        workspace::open_basic(&self.0, Secret::new(guid.to_string()), key)
    }

    /// Forgets a workspace's session, for example after its key was withdrawn. Returns whether there was one.
    ///
    /// Existing handles to the session keep working. The next [`workspace`](Self::workspace) call with this key starts a
    /// new session.
    pub fn forget(&self, key: impl Into<ApiKeySource>) -> bool {
        workspace::forget(&self.0, &key.into())
    }

    /// Returns the session of an anonymous visitor, by a **profile** API key and the UUID that tracks the visitor.
    ///
    /// Nothing is sent until a token is needed. The same key, UUID and device return the same session as long as a handle
    /// to it exists. Unlike a workspace's session, the client does not keep it, because there may be many.
    ///
    /// Operation [`authenticateAnonymously`](crate::raw::Client::authenticate_anonymously) (`POST /sauth/v3/auth/login/client/anonymous`).
    ///
    /// ```no_run
    /// # async fn run(client: synerise_auth::Client, key: synerise_auth::ApiKey) -> synerise_auth::Result<()> {
    /// use synerise_auth::Visitor;
    ///
    /// let uuid = "00000000-0000-4000-8000-000000000001";
    /// let visitor = client.anonymous(key, Visitor::new(uuid).with_device_id("device-1"));
    /// let token = visitor.token().await?;
    /// # Ok(()) }
    /// ```
    pub fn anonymous(
        &self,
        profile_key: impl Into<ApiKeySource>,
        visitor: impl Into<Visitor>,
    ) -> Session<Anonymous> {
        anonymous::open(&self.0, Visit::Anonymous, profile_key.into(), visitor.into())
    }

    /// Returns the session of a visitor who must not be tracked, by a **profile** API key and a UUID.
    ///
    /// It works like that of [`anonymous`](Self::anonymous), and never shares a token with it, neither in the client nor in
    /// a store.
    ///
    /// Operation [`authenticateIncognito`](crate::raw::Client::authenticate_incognito) (`POST /sauth/v3/auth/login/client/incognito`, observed).
    pub fn incognito(
        &self,
        profile_key: impl Into<ApiKeySource>,
        visitor: impl Into<Visitor>,
    ) -> Session<Anonymous> {
        anonymous::open(&self.0, Visit::Incognito, profile_key.into(), visitor.into())
    }

    /// Returns the logins of customers, by a **profile** API key.
    pub fn profile(&self, profile_key: impl Into<ApiKeySource>) -> ProfileLogins {
        ProfileLogins::new(Arc::clone(&self.0), profile_key.into())
    }

    /// Returns the logins of users of the portal.
    pub fn user(&self) -> UserLogins {
        UserLogins::new(Arc::clone(&self.0))
    }

    /// Returns the base URL that requests are sent to.
    pub fn base_url(&self) -> &str {
        self.0.transport.base().as_str()
    }

    /// Fetches the public key of Synerise's token signatures, as PEM. It needs no login.
    ///
    /// Operation [`getPublicKey`](crate::raw::Client::get_public_key) (`GET /v4/public.pem`).
    ///
    /// # Errors
    /// Returns [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) when the response is not a public
    /// key in PEM.
    pub async fn public_key(&self) -> Result<String> {
        let operation = &operation::GET_PUBLIC_KEY;
        let response = self.raw().get_public_key().response().await?;
        match str::from_utf8(&response.body) {
            Ok(text) if text.contains("-----BEGIN PUBLIC KEY-----") => Ok(text.to_owned()),
            _ => Err(Error::unexpected_response(
                operation.id.into(),
                response.status(),
                "it is not a public key in PEM",
            )),
        }
    }

    /// Returns a verifier for tokens that your service receives. It uses the key that Synerise publishes.
    ///
    /// Nothing is sent until the first token is verified. All verifiers of a client and its clones share the key, so a
    /// handler may call this for each request.
    ///
    /// ```no_run
    /// # async fn run(client: synerise_auth::Client, authorization: &str) -> synerise_auth::Result<()> {
    /// let claims = client.verifier().verify(authorization).await?;
    /// println!("workspace {:?}", claims.workspace_id);
    /// # Ok(()) }
    /// ```
    #[doc(alias("JWKS", "public.pem", "RS512"))]
    #[cfg(feature = "verify")]
    pub fn verifier(&self) -> crate::verify::Verifier {
        crate::verify::Verifier::published(Arc::clone(&self.1))
    }

    #[cfg(any(test, feature = "test-util"))]
    pub(crate) fn into_context(self) -> Arc<Context> {
        self.0
    }

    /// Returns the generated bindings without a session, for the operations that need none.
    pub fn raw(&self) -> bindings::Client {
        self.0.raw()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.base_url())
            .field("sessions", &self.0.registry)
            .finish_non_exhaustive()
    }
}
