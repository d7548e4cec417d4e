//! Users of the portal: login, second factor, and the workspaces they may work in.

use std::future::IntoFuture;
use std::sync::Arc;

use uuid::Uuid;

use crate::client::Client;
use crate::error::{Error, Result};
use crate::identity::{optional, required, required_secret};
use crate::lifecycle::{Acquire, Lifecycle, Previous};
use crate::raw::{self, types};
use crate::reply::Reply;
use crate::secret::Secret;
use crate::token::{Details, Grant};
use crate::transport::BoxFuture;
use crate::user_info::{UserInfo, WorkspaceAccess, WorkspaceDetails, WorkspaceSummary};
use crate::{ExternalProviderType, MfaMethod};

use super::{Kind, PortalUser, Session, User, WorkspaceUser, bare_grant};

impl Client {
    /// Begins the login of a user of the portal.
    pub fn user(&self) -> UserAccess {
        UserAccess { client: self.clone() }
    }
}

/// The way in for users of the portal.
#[derive(Debug, Clone)]
pub struct UserAccess {
    client: Client,
}

impl UserAccess {
    /// Logs a user in. The login is sent when the returned value is awaited.
    ///
    /// Operation `userLogin` (`POST /uauth/auth/login/user`).
    ///
    /// ```no_run
    /// # async fn run(client: synerise_auth::Client, code: &str) -> synerise_auth::Result<()> {
    /// use synerise_auth::{MfaMethod, UserLogin};
    ///
    /// let user = match client.user().login("user@shop.example", "not-a-real-password").await? {
    ///     UserLogin::Complete(user) => user,
    ///     UserLogin::MfaRequired(challenge) => challenge.verify(MfaMethod::Totp, code).await?,
    /// };
    /// # Ok(()) }
    /// ```
    pub fn login(self, username: impl Into<String>, password: impl Into<Secret>) -> LoginUser {
        let device = Device::default();
        LoginUser {
            client: self.client,
            username: username.into(),
            password: password.into(),
            device,
        }
    }
}

/// What goes with a login and with its second factor alike.
#[derive(Debug, Clone, Default)]
struct Device {
    id: Option<String>,
    provider: Option<(ExternalProviderType, Secret)>,
}

impl Device {
    fn checked_id(&self) -> Result<Option<String>> {
        optional("device id", self.id.as_deref())
    }
}

/// A login that is being put together. It is sent when it is awaited.
#[derive(Debug)]
#[must_use = "a login does nothing until it is awaited"]
pub struct LoginUser {
    client: Client,
    username: String,
    password: Secret,
    device: Device,
}

impl LoginUser {
    /// The identifier of the user's device. After a second factor, the same device is asked for none for 8 hours.
    pub fn device_id(mut self, id: impl Into<String>) -> Self {
        self.device.id = Some(id.into());
        self
    }

    /// The token of an external identity provider. Synerise's texts name the fields, not when they are needed.
    pub fn external_provider(mut self, provider: ExternalProviderType, token: impl Into<Secret>) -> Self {
        self.device.provider = Some((provider, token.into()));
        self
    }
}

impl IntoFuture for LoginUser {
    type Output = Result<UserLogin>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (external_provider_type, external_provider_token) = self.device.provider.clone().unzip();
            let body = types::UserLoginRequest {
                username: required("user name", &self.username)?,
                password: required_secret("password", &self.password)?,
                device_id: self.device.checked_id()?,
                external_provider_token,
                external_provider_type,
            };
            let exchange = raw::Exchange::new(self.client.transport(), &raw::USER_LOGIN, None);
            let result = exchange.raw.user_login(&body).await;
            let (answer, reply) = exchange.finish(result)?;
            let methods = answer
                .consumer
                .as_ref()
                .map(|consumer| consumer.mfa_methods.clone())
                .unwrap_or_default();
            let session: Session<User> = session(self.client, answer, &reply)?;
            Ok(if methods.is_empty() {
                UserLogin::Complete(session)
            } else {
                UserLogin::MfaRequired(MfaChallenge {
                    session,
                    methods,
                    device: self.device,
                })
            })
        })
    }
}

/// What came of a user's login.
#[derive(Debug)]
pub enum UserLogin {
    /// The user is logged in, and can select a workspace.
    Complete(Session<User>),
    /// The user has to show a second factor first.
    MfaRequired(MfaChallenge),
}

/// A login that waits for a second factor.
#[derive(Debug)]
pub struct MfaChallenge {
    session: Session<User>,
    methods: Vec<MfaMethod>,
    device: Device,
}

impl MfaChallenge {
    /// By what the user may show who they are.
    pub fn methods(&self) -> &[MfaMethod] {
        &self.methods
    }

    /// Shows the second factor. A wrong code is an error, after which another can be shown.
    ///
    /// Operation `userMfaLogin` (`POST /uauth/auth/login/user/mfa/verification?mfaType=…`).
    pub async fn verify(&self, method: MfaMethod, code: impl Into<Secret>) -> Result<Session<User>> {
        let (external_provider_type, external_provider_token) = self.device.provider.clone().unzip();
        let body = types::MfaVerificationRequest {
            verification_code: required_secret("verification code", &code.into())?,
            device_id: self.device.checked_id()?,
            external_provider_token,
            external_provider_type,
        };
        // As the token itself and not as the session: 401 is what a wrong code is answered with, and must not end it.
        let token = Arc::new(self.session.token().await?);
        let exchange = raw::Exchange::new(self.session.client.transport(), &raw::USER_MFA_LOGIN, Some(token));
        let result = exchange.raw.user_mfa_login(&method, &body).await;
        let (answer, reply) = exchange.finish(result)?;
        session(self.session.client.clone(), answer, &reply)
    }
}

impl<K: PortalUser> Session<K> {
    /// Who the user is, as the login said it; `None` when the session's token was dropped.
    pub fn user_info(&self) -> Option<UserInfo> {
        self.lifecycle.peek()?.user().cloned()
    }

    /// The workspaces that the user may work in.
    ///
    /// Operation `listWorkspaces` (`GET /uauth/business-profile/`).
    pub async fn workspaces(&self) -> Result<Vec<WorkspaceSummary>> {
        let exchange = self.exchange(&raw::LIST_WORKSPACES);
        let result = exchange.raw.list_workspaces().await;
        let (list, _) = exchange.finish(result)?;
        Ok(list.into_iter().map(WorkspaceSummary::from).collect())
    }

    /// The ids of the workspaces that the user may work in, with how access to them is restricted.
    ///
    /// Operation `listWorkspaceIds` (`GET /uauth/business-profile/ids`).
    pub async fn workspace_access(&self) -> Result<Vec<WorkspaceAccess>> {
        let exchange = self.exchange(&raw::LIST_WORKSPACE_IDS);
        let result = exchange.raw.list_workspace_ids().await;
        let (list, _) = exchange.finish(result)?;
        Ok(list.into_iter().map(WorkspaceAccess::from).collect())
    }

    /// The workspace that is selected; `None` when none is.
    ///
    /// Operation `getCurrentWorkspace` (`GET /uauth/business-profile/current`).
    pub async fn current_workspace(&self) -> Result<Option<WorkspaceDetails>> {
        let exchange = self.exchange(&raw::GET_CURRENT_WORKSPACE);
        let result = exchange.raw.get_current_workspace().await;
        let (current, _) = exchange.finish(result)?;
        Ok(current
            .data
            .filter(|_| current.selected != Some(false))
            .map(WorkspaceDetails::from))
    }

    /// Selects a workspace by its GUID: a new session, with a new token, inside of it.
    ///
    /// Operation `selectWorkspace` (`POST /uauth/auth/login/user/profile/{businessProfileUUID}`).
    ///
    /// # Errors
    /// [`Error::InvalidInput`] when it is no GUID; status 423 when access is locked.
    pub async fn select_workspace(&self, guid: impl TryInto<Uuid>) -> Result<Session<WorkspaceUser>> {
        let guid = guid.try_into().map_err(|_| {
            Error::invalid_input(
                "workspace",
                "is no GUID",
                "take it from Session::workspaces, for example",
            )
        })?;
        let exchange = self.exchange(&raw::SELECT_WORKSPACE);
        let result = exchange.raw.select_workspace(&guid).await;
        let (answer, reply) = exchange.finish(result)?;
        session(self.client.clone(), answer, &reply)
    }
}

/// A user's token can't be prolonged by anything that Synerise publishes.
struct UserTokenEnds;

impl Acquire for UserTokenEnds {
    fn acquire(&self, _: Option<Previous>) -> BoxFuture<'static, Result<Grant>> {
        Box::pin(std::future::ready(Err(Error::session_expired(
            "a user's token can't be prolonged",
            "let the user log in again, and select the workspace again",
            None,
        ))))
    }

    fn is_renewable(&self) -> bool {
        false
    }
}

fn session<K: Kind>(
    client: Client,
    answer: types::UserAuthenticationResponse,
    reply: &Reply,
) -> Result<Session<K>> {
    let details = Details {
        user: answer.consumer.map(|consumer| Box::new(UserInfo::from(consumer))),
        ..Details::default()
    };
    let grant = Grant {
        details: Some(Box::new(details)),
        ..bare_grant(answer.token, reply)
    };
    let surroundings = Arc::clone(client.surroundings());
    let lifecycle = Lifecycle::with_grant(surroundings, Box::new(UserTokenEnds), grant)?;
    Ok(Session::new(client, Arc::new(lifecycle)))
}
