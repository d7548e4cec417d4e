//! The three logins of a profile: by the customer, by the customer under conditions, and by a backend on the customer's
//! behalf.

use std::fmt;
use std::future::IntoFuture;
use std::net::IpAddr;
use std::sync::Arc;

use crate::api_key::ApiKeySource;
use crate::bindings::{self, conversions, types};
use crate::error::{Error, Result};
use crate::model::{Agreements, Attributes, ConditionalLoginStatus, Identity};
use crate::operation;
use crate::token::TokenResponse;
use crate::transport::{Authenticator, BoxFuture};

use super::authentication::Authentication;
use super::kept_login::KeptLogin;
use super::kind::{Anonymous, Profile, Workspace};
use super::login_mode::{Conditional, Direct, ServerSide};
use super::login_response::profile_token_response;
use super::profile_token::ProfileTokenSource;
use super::repeatable_login::RepeatableLogin;
use super::{Context, Session};

/// A profile API key, ready for customers to log in with.
#[derive(Debug, Clone)]
pub struct ProfileLogins {
    pub(super) context: Arc<Context>,
    pub(super) keys: ApiKeySource,
}

impl ProfileLogins {
    pub(crate) fn new(context: Arc<Context>, keys: ApiKeySource) -> Self {
        Self { context, keys }
    }

    /// Logs a customer in. The login is sent when the returned value is awaited.
    ///
    /// With any identity except [`Identity::synerise`], the login creates an account if there is none.
    ///
    /// Operation [`authenticateProfile`](crate::raw::Client::authenticate_profile) (`POST /sauth/v3/auth/login/client`).
    ///
    /// ```no_run
    /// # async fn run(client: synerise_auth::Client, key: synerise_auth::ApiKey) -> synerise_auth::Result<()> {
    /// use synerise_auth::{Identity, LoginId};
    ///
    /// let identity = Identity::synerise(LoginId::email("a@b.example"), "not-a-real-password", "u-1");
    /// let profile = client.profile(key).login(identity).device_id("device-1").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Awaiting the login returns [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when the identity can't be sent,
    /// [`ErrorKind::ActivationRequired`](crate::ErrorKind::ActivationRequired) and [`ErrorKind::DeviceIdRequired`](crate::ErrorKind::DeviceIdRequired) for
    /// what the customer has to do first, and [`ErrorKind::Api`](crate::ErrorKind::Api) with status 401 for a wrong password, token or API key.
    /// Otherwise it fails like any [`Request`](crate::session::Request).
    pub fn login(self, identity: Identity) -> ProfileLoginRequest<Direct> {
        ProfileLoginRequest::new(self.context, self.keys, identity, Direct { visitor: None })
    }

    /// Logs in a customer who has an account, and never creates one. Unmet conditions are an outcome, not an error.
    ///
    /// Operation [`authenticateProfileConditionally`](crate::raw::Client::authenticate_profile_conditionally) (`POST /sauth/v3/auth/login/client/conditional`).
    ///
    /// # Errors
    /// Awaiting the login fails like [`login`](Self::login). What the customer has to do first is an outcome here.
    #[doc(alias("conditional login"))]
    pub fn login_if_allowed(self, identity: Identity) -> ProfileLoginRequest<Conditional> {
        ProfileLoginRequest::new(self.context, self.keys, identity, Conditional { visitor: None })
    }
}

impl<A: Authentication> Session<Workspace, A> {
    /// Logs in a customer on their behalf, from a backend that handles the login, with the address of the customer's
    /// device.
    ///
    /// `profile_key` is a **profile** API key. The workspace's key needs the permission `SAUTH_SERVER_LOGIN_CLIENT_CREATE`.
    ///
    /// Operation [`authenticateProfileServerSide`](crate::raw::Client::authenticate_profile_server_side). Its path is not published: see
    /// [`ClientBuilder::operation_path`](crate::ClientBuilder::operation_path).
    ///
    /// # Errors
    /// Awaiting the login fails like [`ProfileLogins::login`], and returns [`ErrorKind::Api`](crate::ErrorKind::Api) with status 403 when the
    /// workspace's key lacks the permission, and with 404 when the path is another one.
    #[doc(alias = "server-side login")]
    pub fn login_profile(
        &self,
        profile_key: impl Into<ApiKeySource>,
        identity: Identity,
        device: IpAddr,
    ) -> ProfileLoginRequest<ServerSide> {
        let mode = ServerSide {
            workspace: self.authenticator(),
            device,
        };
        ProfileLoginRequest::new(Arc::clone(&self.context), profile_key.into(), identity, mode)
    }
}

/// A login under construction. Await it to send it.
#[must_use = "a login does nothing until it is awaited"]
pub struct ProfileLoginRequest<M> {
    context: Arc<Context>,
    request: RepeatableLogin,
    agreements: Agreements,
    attributes: Attributes,
    tags: Vec<String>,
    keep_credentials: bool,
    mode: M,
}

impl<M> ProfileLoginRequest<M> {
    fn new(context: Arc<Context>, keys: ApiKeySource, identity: Identity, mode: M) -> Self {
        Self {
            context,
            request: RepeatableLogin {
                keys,
                identity,
                device_id: None,
                behalf: None,
            },
            agreements: Agreements::new(),
            attributes: Attributes::new(),
            tags: Vec::new(),
            keep_credentials: false,
            mode,
        }
    }

    /// Sets the identifier of the customer's device. Synerise recommends always sending it, and requires it if the
    /// workspace checks for unknown devices ([`ErrorKind::DeviceIdRequired`](crate::ErrorKind::DeviceIdRequired)).
    #[doc(alias("deviceId"))]
    pub fn device_id(mut self, id: impl Into<String>) -> Self {
        self.request.device_id = Some(id.into());
        self
    }

    /// Sets the customer's marketing agreements.
    pub fn agreements(mut self, agreements: Agreements) -> Self {
        self.agreements = agreements;
        self
    }

    /// Sets the customer's attributes.
    pub fn attributes(mut self, attributes: Attributes) -> Self {
        self.attributes = attributes;
        self
    }

    /// Sets tags that group profiles.
    pub fn tags<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.tags = tags.into_iter().map(Into::into).collect();
        self
    }

    /// Keeps the password in memory, so that the session can log in again once its token has expired. Only the identity and the
    /// device are sent again, never agreements or attributes: those may have changed since.
    ///
    /// It follows what this session changes: a new password by [`change_password`](Session::change_password), and a new
    /// e-mail address that was requested and confirmed in this session. It can't follow what it does not see: a password
    /// reset (its token does not say whose account it is for), a change by another session, or a confirmation after several
    /// addresses were requested. The old password is then refused. It is dropped after that, because more attempts could
    /// lock the account: the session ends with
    /// [`ErrorKind::SessionExpired`](crate::ErrorKind::SessionExpired) and
    /// [`Event::Expired`](crate::lifecycle::Event::Expired). A refusal that may have another reason (the workspace's token in
    /// a server-side login, an API key that can be replaced) is repeated once.
    ///
    /// A third party's token may be valid for only one login, so combining it with this is an error when the login is
    /// awaited.
    pub fn keep_credentials(mut self) -> Self {
        self.keep_credentials = true;
        self
    }

    async fn body(&self) -> Result<types::ProfileAuthenticationRequest> {
        if self.keep_credentials && !self.request.identity.is_repeatable() {
            return Err(Error::invalid_input(
                "keep_credentials",
                "was asked for with a third party's token, which may be good for one login only",
                "leave it out, and log in with a new token when the session expires",
            ));
        }
        let mut body = self.request.body(&*self.context.config.clock).await?;
        body.agreements = conversions::agreements(self.agreements);
        body.attributes = conversions::attributes(self.attributes.clone());
        body.tags.clone_from(&self.tags);
        Ok(body)
    }

    fn session(self, response: TokenResponse) -> Result<Session<Profile>> {
        let RepeatableLogin {
            keys,
            identity,
            device_id,
            ..
        } = self.request.clone();
        let uuid = identity.uuid().cloned();
        let source = ProfileTokenSource {
            transport: Arc::clone(&self.context.transport),
            keys,
            config: Arc::clone(&self.context.config),
            session: self.context.new_session_id(response.text()),
            uuid: uuid.clone(),
            device_id,
            login_again: self
                .keep_credentials
                .then(|| Arc::new(KeptLogin::new(self.request))),
        };
        let session = source.session(&self.context, response)?;
        session.remember_owner(uuid.as_ref(), identity.login_id().as_slice());
        Ok(session)
    }
}

impl ProfileLoginRequest<Direct> {
    /// Sends the login as the visitor that the customer was until now, as Synerise's own apps do. Synerise then joins the
    /// visitor's history to the account.
    ///
    /// The visitor's session stays as it is, whatever becomes of the login: a customer who is refused is still this visitor.
    ///
    /// ```no_run
    /// # async fn run(client: synerise_auth::Client, key: synerise_auth::ApiKey, identity: synerise_auth::Identity) -> synerise_auth::Result<()> {
    /// let visitor = client.anonymous(key.clone(), "00000000-0000-4000-8000-000000000001");
    /// // … the visitor looks around, then logs in …
    /// let profile = client.profile(key).login(identity).as_anonymous(&visitor).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Awaiting the login returns [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when the visitor belongs to
    /// another API key, or to a client with another region or base URL.
    pub fn as_anonymous(mut self, visitor: &Session<Anonymous>) -> Self {
        self.mode.visitor = Some(self.fitting(visitor));
        self
    }
}

impl ProfileLoginRequest<Conditional> {
    /// Sends the login as an anonymous visitor: Synerise's texts recommend it, and also say that it needs no token.
    ///
    /// # Errors
    /// Awaiting the login returns [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when the visitor belongs to
    /// another API key, or to a client with another region or base URL.
    pub fn as_anonymous(mut self, visitor: &Session<Anonymous>) -> Self {
        self.mode.visitor = Some(self.fitting(visitor));
        self
    }
}

impl<M> ProfileLoginRequest<M> {
    /// The visitor's token, if it may be sent with this login.
    fn fitting(&self, visitor: &Session<Anonymous>) -> Result<Arc<dyn Authenticator>> {
        // A key that a provider has not named yet is not known to differ.
        let keys = visitor
            .lifecycle()
            .identity()
            .key
            .zip(self.request.keys.last_known());
        let keys_differ = keys.is_some_and(|(of_visitor, of_login)| of_visitor != of_login);
        let base = |context: &Context| context.transport.base().as_str().to_owned();
        let problem = if base(&visitor.context) != base(&self.context) {
            "belongs to another region or base URL than the login"
        } else if keys_differ {
            "belongs to another API key than the login"
        } else {
            return Ok(visitor.authenticator());
        };
        Err(Error::invalid_input(
            "as_anonymous",
            problem,
            "give it a visitor's session of the same client and profile key",
        ))
    }
}

impl IntoFuture for ProfileLoginRequest<Direct> {
    type Output = Result<Session<Profile>>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let visitor = self.mode.visitor.clone().transpose()?;
            let response = self
                .request
                .send_body(&self.context.transport, self.body().await?, visitor)
                .await?;
            self.session(response)
        })
    }
}

impl IntoFuture for ProfileLoginRequest<ServerSide> {
    type Output = Result<Session<Profile>>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(mut self) -> Self::IntoFuture {
        Box::pin(async move {
            self.request.behalf = Some((Arc::clone(&self.mode.workspace), self.mode.device));
            let response = self
                .request
                .send_body(&self.context.transport, self.body().await?, None)
                .await?;
            self.session(response)
        })
    }
}

/// The outcome of a conditional login.
///
/// Exhaustive on purpose: a new outcome in a later version must not go unnoticed.
#[derive(Debug)]
pub enum ConditionalLoginOutcome {
    /// The customer is logged in.
    LoggedIn(Session<Profile>),
    /// A condition is not met yet.
    Unmet {
        /// The status, which says what has to happen first.
        status: ConditionalLoginStatus,
        /// Details, which the service reserves for future use.
        conditions: Vec<String>,
    },
}

impl IntoFuture for ProfileLoginRequest<Conditional> {
    type Output = Result<ConditionalLoginOutcome>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let visitor = self.mode.visitor.clone().transpose()?;
            let body = self.body().await?;
            let operation = &operation::AUTHENTICATE_PROFILE_CONDITIONALLY;
            let client = bindings::Client::open(&self.context.transport, visitor);
            let (answer, response) = client.authenticate_profile_conditionally(&body).read().await?;
            let token = match (answer.status, answer.token) {
                (None | Some(ConditionalLoginStatus::Success), Some(token)) => token,
                (Some(status), _) if status != ConditionalLoginStatus::Success => {
                    return Ok(ConditionalLoginOutcome::Unmet {
                        status,
                        conditions: answer.conditions,
                    });
                }
                _ => {
                    let problem = "it names no unmet condition, and the field `token` is missing";
                    return Err(Error::unexpected_response(
                        operation.id.into(),
                        response.status(),
                        problem,
                    ));
                }
            };
            let answer = types::ProfileTokenResponse {
                token,
                expiration: answer.expiration,
                created: answer.created,
                origin: answer.origin,
                client_id: answer.client_id,
                client_uuid: answer.client_uuid,
                custom_id: answer.custom_id,
                realm: answer.realm,
            };
            self.session(profile_token_response(operation, answer, &response))
                .map(ConditionalLoginOutcome::LoggedIn)
        })
    }
}

impl<M> fmt::Debug for ProfileLoginRequest<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProfileLoginRequest")
            .field("identity", &self.request.identity)
            .finish_non_exhaustive()
    }
}
