//! The three logins of a profile: by itself, by itself under conditions, and by a backend on its behalf.

use std::fmt;
use std::future::IntoFuture;
use std::net::IpAddr;
use std::sync::Arc;

use crate::ConditionalLoginStatus;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::identity::{Identity, optional};
use crate::lifecycle::Lifecycle;
use crate::profile_data::{Agreements, Attributes};
use crate::raw::{self, types};
use crate::secret::ApiKey;
use crate::token::Grant;
use crate::transport::{Authorize, BoxFuture, Transport};

use super::profile::{ProfileRenewal, grant};
use super::{Anonymous, Profile, Session, Workspace};

impl Client {
    /// Begins what a profile API key lets customers do: log in.
    pub fn profile(&self, profile_key: ApiKey) -> ProfileAccess {
        ProfileAccess {
            client: self.clone(),
            key: profile_key,
        }
    }
}

/// A profile API key, ready for customers to log in with.
#[derive(Debug, Clone)]
pub struct ProfileAccess {
    client: Client,
    key: ApiKey,
}

impl ProfileAccess {
    /// Logs a customer in. The login is sent when the returned value is awaited.
    ///
    /// With any identity but [`Identity::synerise`], an account is created if there is none.
    ///
    /// Operation `authenticateProfile` (`POST /sauth/v3/auth/login/client`).
    ///
    /// ```no_run
    /// # async fn run(client: synerise_auth::Client, key: synerise_auth::ApiKey) -> synerise_auth::Result<()> {
    /// use synerise_auth::{Identity, LoginId};
    ///
    /// let identity = Identity::synerise(LoginId::email("a@b.example"), "not-a-real-password", "u-1");
    /// let profile = client.profile(key).login(identity).device_id("device-1").await?;
    /// # Ok(()) }
    /// ```
    pub fn login(self, identity: Identity) -> ProfileLogin<Direct> {
        ProfileLogin::new(self.client, self.key, identity, Direct(()))
    }

    /// Logs a customer in who has an account, and never creates one. Conditions that are not met are an outcome,
    /// not an error.
    ///
    /// Operation `authenticateProfileConditionally` (`POST /sauth/v3/auth/login/client/conditional`).
    pub fn login_if_allowed(self, identity: Identity) -> ProfileLogin<Conditional> {
        ProfileLogin::new(self.client, self.key, identity, Conditional { anonymous: None })
    }
}

impl Session<Workspace> {
    /// Logs a customer in on their behalf: from a backend that handles the login, with the address of the customer's device.
    ///
    /// `profile_key` is a **profile** API key. The workspace's key needs the permission `SAUTH_SERVER_LOGIN_CLIENT_CREATE`.
    ///
    /// Operation `authenticateProfileServerSide`. Its path is not published: see
    /// [`ClientBuilder::server_side_login_path`](crate::ClientBuilder::server_side_login_path).
    pub fn login_profile(
        &self,
        profile_key: ApiKey,
        identity: Identity,
        device: IpAddr,
    ) -> ProfileLogin<ServerSide> {
        let kind = ServerSide {
            workspace: Arc::clone(&self.lifecycle),
            device,
        };
        ProfileLogin::new(self.client.clone(), profile_key, identity, kind)
    }
}

/// A login of a customer by themselves.
#[derive(Debug)]
pub struct Direct(());

/// A login of a customer who has an account.
pub struct Conditional {
    anonymous: Option<Arc<dyn Authorize>>,
}

/// A login of a customer by a backend.
pub struct ServerSide {
    workspace: Arc<Lifecycle>,
    device: IpAddr,
}

/// A login that is being put together. It is sent when it is awaited.
#[must_use = "a login does nothing until it is awaited"]
pub struct ProfileLogin<K> {
    client: Client,
    request: LoginRequest,
    agreements: Agreements,
    attributes: Attributes,
    tags: Vec<String>,
    keep_credentials: bool,
    kind: K,
}

impl<K> ProfileLogin<K> {
    fn new(client: Client, key: ApiKey, identity: Identity, kind: K) -> Self {
        Self {
            client,
            request: LoginRequest {
                key,
                identity,
                device_id: None,
                behalf: None,
            },
            agreements: Agreements::new(),
            attributes: Attributes::new(),
            tags: Vec::new(),
            keep_credentials: false,
            kind,
        }
    }

    /// The identifier of the customer's device. Synerise recommends to send it always, and requires it where the workspace
    /// controls unknown devices ([`Error::DeviceIdRequired`]).
    pub fn device_id(mut self, id: impl Into<String>) -> Self {
        self.request.device_id = Some(id.into());
        self
    }

    /// The customer's marketing agreements.
    pub fn agreements(mut self, agreements: Agreements) -> Self {
        self.agreements = agreements;
        self
    }

    /// The customer's attributes.
    pub fn attributes(mut self, attributes: Attributes) -> Self {
        self.attributes = attributes;
        self
    }

    /// Tags that group profiles.
    pub fn tags<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.tags = tags.into_iter().map(Into::into).collect();
        self
    }

    /// Keeps the password in memory, so that the session can log in again once its token is over. Only the identity and the
    /// device are sent again, never agreements or attributes: those may have changed since.
    ///
    /// A third party's token may be good for one login only: awaiting a login that should keep one is an error.
    pub fn keep_credentials(mut self) -> Self {
        self.keep_credentials = true;
        self
    }

    fn body(&self) -> Result<types::ProfileAuthenticationRequest> {
        if self.keep_credentials && !self.request.identity.is_repeatable() {
            return Err(Error::invalid_input(
                "keep_credentials",
                "was asked for with a third party's token, which may be good for one login only",
                "leave it out, and log in with a new token when the session expires",
            ));
        }
        let mut body = self.request.body()?;
        body.agreements = self.agreements.wire();
        body.attributes = self.attributes.clone().wire();
        body.tags.clone_from(&self.tags);
        Ok(body)
    }

    fn session(self, transport: Arc<Transport>, grant: Grant) -> Result<Session<Profile>> {
        let key = self.request.key.clone();
        let login_again = self.keep_credentials.then(|| Arc::new(self.request));
        ProfileRenewal {
            transport,
            key,
            login_again,
        }
        .session(&self.client, grant)
    }
}

impl ProfileLogin<Conditional> {
    /// Sends the login as an anonymous visitor: Synerise's texts recommend it, and also say that it needs no token.
    pub fn as_anonymous(mut self, visitor: &Session<Anonymous>) -> Self {
        self.kind.anonymous = Some(visitor.authorize());
        self
    }
}

impl IntoFuture for ProfileLogin<Direct> {
    type Output = Result<Session<Profile>>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let transport = Arc::clone(self.client.transport());
            let grant = self.request.send_body(&transport, self.body()?).await?;
            self.session(transport, grant)
        })
    }
}

impl IntoFuture for ProfileLogin<ServerSide> {
    type Output = Result<Session<Profile>>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(mut self) -> Self::IntoFuture {
        Box::pin(async move {
            let transport = Arc::clone(self.client.transport());
            self.request.behalf = Some((Arc::clone(&self.kind.workspace), self.kind.device));
            let grant = self.request.send_body(&transport, self.body()?).await?;
            self.session(transport, grant)
        })
    }
}

/// What came of a conditional login.
#[derive(Debug)]
pub enum ConditionalLogin {
    /// The customer is logged in.
    LoggedIn(Session<Profile>),
    /// Something has to happen first.
    Unmet {
        /// What has to happen.
        status: ConditionalLoginStatus,
        /// Details, which the service reserves for future use.
        conditions: Vec<String>,
    },
}

impl IntoFuture for ProfileLogin<Conditional> {
    type Output = Result<ConditionalLogin>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let transport = Arc::clone(self.client.transport());
            let body = self.body()?;
            let operation = &raw::AUTHENTICATE_PROFILE_CONDITIONALLY;
            let exchange = raw::Exchange::new(&transport, operation, self.kind.anonymous.clone());
            let result = exchange.raw.authenticate_profile_conditionally(&body).await;
            let (answer, reply) = exchange.finish(result)?;
            let token = match (answer.status, answer.token) {
                (None | Some(ConditionalLoginStatus::Success), Some(token)) => token,
                (Some(status), _) if status != ConditionalLoginStatus::Success => {
                    return Ok(ConditionalLogin::Unmet {
                        status,
                        conditions: answer.conditions,
                    });
                }
                _ => {
                    let problem = "it names no unmet condition, and the field `token` is missing";
                    return Err(Error::unexpected_response(
                        operation.id.into(),
                        reply.status(),
                        problem,
                    ));
                }
            };
            let answer = types::ProfileTokenResponse {
                token,
                expiration: answer.expiration,
                created: answer.created,
                origin: answer.origin,
                custom_id: answer.custom_id,
                realm: answer.realm,
            };
            self.session(transport, grant(answer, &reply))
                .map(ConditionalLogin::LoggedIn)
        })
    }
}

/// A login that can be sent, and sent again.
#[derive(Clone)]
pub(super) struct LoginRequest {
    key: ApiKey,
    identity: Identity,
    device_id: Option<String>,
    /// The workspace that logs the customer in, and the address of the customer's device.
    behalf: Option<(Arc<Lifecycle>, IpAddr)>,
}

impl LoginRequest {
    pub(super) async fn send(&self, transport: &Arc<Transport>) -> Result<Grant> {
        self.send_body(transport, self.body()?).await
    }

    fn body(&self) -> Result<types::ProfileAuthenticationRequest> {
        let mut body = self.identity.body(&self.key)?;
        body.device_id = optional("device id", self.device_id.as_deref())?;
        Ok(body)
    }

    async fn send_body(
        &self,
        transport: &Arc<Transport>,
        body: types::ProfileAuthenticationRequest,
    ) -> Result<Grant> {
        let (answer, reply) = match &self.behalf {
            None => {
                let exchange = raw::Exchange::new(transport, &raw::AUTHENTICATE_PROFILE, None);
                let result = exchange.raw.authenticate_profile(&body).await;
                exchange.finish(result)?
            }
            Some((workspace, device)) => {
                let authorize: Arc<dyn Authorize> = Arc::new(Arc::clone(workspace));
                let exchange =
                    raw::Exchange::new(transport, &raw::AUTHENTICATE_PROFILE_SERVER_SIDE, Some(authorize));
                let result = exchange
                    .raw
                    .authenticate_profile_server_side(&on_behalf(body, *device))
                    .await;
                exchange.finish(result)?
            }
        };
        Ok(grant(answer, &reply))
    }
}

fn on_behalf(
    body: types::ProfileAuthenticationRequest,
    device: IpAddr,
) -> types::ServerSideAuthenticationRequest {
    types::ServerSideAuthenticationRequest {
        ip_address: device.to_string(),
        api_key: body.api_key,
        identity_provider: body.identity_provider,
        identity_provider_token: body.identity_provider_token,
        email: body.email,
        custom_id: body.custom_id,
        password: body.password,
        uuid: body.uuid,
        device_id: body.device_id,
        agreements: body.agreements,
        attributes: body.attributes,
        tags: body.tags,
    }
}

impl<K> fmt::Debug for ProfileLogin<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProfileLogin")
            .field("identity", &self.request.identity)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Conditional {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conditional")
            .field("anonymous", &self.anonymous.is_some())
            .finish()
    }
}

impl fmt::Debug for ServerSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerSide")
            .field("device", &self.device)
            .finish_non_exhaustive()
    }
}
