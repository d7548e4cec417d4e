//! Users of the portal: login, second factor, and the workspaces they may work in.

use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;

use uuid::Uuid;

use crate::bindings::{self, types};
use crate::error::{Error, Result};
use crate::lifecycle::{Lifecycle, Previous, TokenSource};
use crate::model::input::{optional, required, required_secret};
use crate::model::{
    ExternalProviderType, MfaMethod, UserInfo, WorkspaceDetails, WorkspaceRestrictions, WorkspaceSummary,
};
use crate::operation::{self, Operation};
use crate::secret::Secret;
use crate::token::TokenResponse;
use crate::transport::{BoxFuture, BufferedResponse};

use super::kind::{Kind, PortalUser, User, WorkspaceUser};
use super::login_response::bare_token_response;
use super::{Context, Session};

/// The logins of users of the portal.
#[derive(Debug, Clone)]
pub struct UserLogins {
    pub(super) context: Arc<Context>,
}

impl UserLogins {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self { context }
    }

    /// Logs a user in. The login is sent when the returned value is awaited.
    ///
    /// Operation [`userLogin`](crate::raw::Client::user_login) (`POST /uauth/auth/login/user`).
    ///
    /// ```no_run
    /// # async fn run(client: synerise_auth::Client, code: &str) -> synerise_auth::Result<()> {
    /// use synerise_auth::model::MfaMethod;
    /// use synerise_auth::UserLoginOutcome;
    ///
    /// let user = match client.user().login("user@shop.example", "not-a-real-password").await? {
    ///     UserLoginOutcome::Complete(user) => user,
    ///     UserLoginOutcome::MfaRequired(challenge) => challenge.verify(MfaMethod::Totp, code).await?,
    /// };
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Awaiting the login returns [`ErrorKind::Api`](crate::ErrorKind::Api) with status 401 for a wrong user name or password, and with 423 for
    /// a locked account. Otherwise it fails like any [`Request`](crate::session::Request).
    pub fn login(self, username: impl Into<String>, password: impl Into<Secret>) -> UserLoginRequest {
        let device = Device::default();
        UserLoginRequest {
            context: self.context,
            username: username.into(),
            password: password.into(),
            device,
        }
    }
}

/// The values that a login and its second factor share.
#[derive(Debug, Clone, Default)]
pub(super) struct Device {
    pub(super) id: Option<String>,
    pub(super) provider: Option<(ExternalProviderType, Secret)>,
}

impl Device {
    fn checked_id(&self) -> Result<Option<String>> {
        optional("device id", self.id.as_deref())
    }
}

/// A login under construction. Await it to send it.
#[must_use = "a login does nothing until it is awaited"]
pub struct UserLoginRequest {
    context: Arc<Context>,
    username: String,
    password: Secret,
    device: Device,
}

/// Omits the user name, which is an e-mail address.
impl fmt::Debug for UserLoginRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserLoginRequest")
            .field("device", &self.device)
            .finish_non_exhaustive()
    }
}

impl UserLoginRequest {
    /// Sets the identifier of the user's device. After a second factor, the service asks the same device for none for 8
    /// hours.
    pub fn device_id(mut self, id: impl Into<String>) -> Self {
        self.device.id = Some(id.into());
        self
    }

    /// Sets the token of an external identity provider. Synerise's texts name the fields, but not when they are needed.
    pub fn external_provider(mut self, provider: ExternalProviderType, token: impl Into<Secret>) -> Self {
        self.device.provider = Some((provider, token.into()));
        self
    }
}

impl IntoFuture for UserLoginRequest {
    type Output = Result<UserLoginOutcome>;
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
            let (answer, response) = self.context.raw().user_login(&body).read().await?;
            let methods = answer
                .consumer
                .as_ref()
                .map(|consumer| consumer.mfa_methods.clone())
                .unwrap_or_default();
            let session: Session<User> = session(self.context, &operation::USER_LOGIN, answer, &response)?;
            Ok(if methods.is_empty() {
                UserLoginOutcome::Complete(session)
            } else {
                UserLoginOutcome::MfaRequired(MfaChallenge {
                    session,
                    methods,
                    device: self.device,
                })
            })
        })
    }
}

/// The outcome of a user's login.
///
/// Exhaustive on purpose: a new outcome in a later version must not go unnoticed.
#[derive(Debug)]
pub enum UserLoginOutcome {
    /// No second factor is due. The user can select a workspace if the same device passed the second factor within the last
    /// 8 hours, or if the login came through SAML.
    ///
    /// Synerise requires a second factor of every user. One who has set up none yet gets this outcome too, and can enter no
    /// workspace: [`select_workspace`](Session::select_workspace) is refused until the user has set one up in the portal.
    Complete(Session<User>),
    /// The user has to provide a second factor first. This is the normal case, because Synerise requires one of every user.
    MfaRequired(MfaChallenge),
}

/// A login that waits for a second factor.
#[doc(alias("mfaType", "2FA", "TOTP", "second factor", "authenticator"))]
#[derive(Debug)]
pub struct MfaChallenge {
    pub(super) session: Session<User>,
    pub(super) methods: Vec<MfaMethod>,
    pub(super) device: Device,
}

impl MfaChallenge {
    /// Returns the second factors that the user can choose from.
    #[doc(alias("mfaMethods"))]
    pub fn methods(&self) -> &[MfaMethod] {
        &self.methods
    }

    /// Sends the second factor. A wrong code is an error, and the challenge accepts another code afterwards.
    ///
    /// Operation [`userMfaLogin`](crate::raw::Client::user_mfa_login) (`POST /uauth/auth/login/user/mfa/verification?mfaType=…`).
    ///
    /// # Errors
    /// Returns [`ErrorKind::Api`](crate::ErrorKind::Api) with status 401 when the code is wrong; the challenge can be tried again.
    #[doc(alias = "verificationCode")]
    pub async fn verify(&self, method: MfaMethod, code: impl Into<Secret>) -> Result<Session<User>> {
        let (external_provider_type, external_provider_token) = self.device.provider.clone().unzip();
        let body = types::MfaVerificationRequest {
            verification_code: required_secret("verification code", &code.into())?,
            device_id: self.device.checked_id()?,
            external_provider_token,
            external_provider_type,
        };
        // Authenticated with the token itself and not as the session: a wrong code is answered with 401, which must not end
        // the session.
        let token = Arc::new(self.session.token().await?);
        let client = bindings::Client::open(&self.session.context.transport, Some(token));
        let (answer, response) = client.user_mfa_login(&method, &body).read().await?;
        let context = Arc::clone(&self.session.context);
        session(context, &operation::USER_MFA_LOGIN, answer, &response)
    }
}

impl<K: PortalUser> Session<K> {
    /// Returns the user, as the login's response described them. `None` when it did not.
    pub fn user_info(&self) -> Option<&UserInfo> {
        self.user.as_deref()
    }

    /// Returns the workspaces that the user may work in.
    ///
    /// Operation [`listWorkspaces`](crate::raw::Client::list_workspaces) (`GET /uauth/business-profile/`).
    ///
    /// # Errors
    /// Fails like any [`Request`](crate::session::Request).
    pub async fn workspaces(&self) -> Result<Vec<WorkspaceSummary>> {
        let (list, _) = self.raw().list_workspaces().read().await?;
        Ok(list.into_iter().map(WorkspaceSummary::from).collect())
    }

    /// Returns the ids of the workspaces that the user may work in, with the restrictions of access to them.
    ///
    /// Operation [`listWorkspaceIds`](crate::raw::Client::list_workspace_ids) (`GET /uauth/business-profile/ids`).
    ///
    /// # Errors
    /// Fails like any [`Request`](crate::session::Request).
    pub async fn workspace_restrictions(&self) -> Result<Vec<WorkspaceRestrictions>> {
        let (list, _) = self.raw().list_workspace_ids().read().await?;
        Ok(list.into_iter().map(WorkspaceRestrictions::from).collect())
    }

    /// Returns the selected workspace. `None` when none is selected.
    ///
    /// Operation [`getCurrentWorkspace`](crate::raw::Client::get_current_workspace) (`GET /uauth/business-profile/current`).
    ///
    /// # Errors
    /// Fails like any [`Request`](crate::session::Request).
    pub async fn current_workspace(&self) -> Result<Option<WorkspaceDetails>> {
        let (current, response) = self.raw().get_current_workspace().read().await?;
        match (current.selected, current.data) {
            (None, None) => flat_workspace(&response),
            (Some(false), _) => Ok(None),
            (_, Some(data)) => Ok(Some(data.into())),
            (Some(true), None) => Err(Error::unexpected_response(
                operation::GET_CURRENT_WORKSPACE.id.into(),
                response.status(),
                "it says that a workspace is selected, and the field `data` is missing",
            )),
        }
    }

    /// Selects a workspace by its GUID. Returns a new session in that workspace, with a new token.
    ///
    /// Operation [`selectWorkspace`](crate::raw::Client::select_workspace) (`POST /uauth/auth/login/user/profile/{businessProfileUUID}`).
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when the text is not a GUID, and
    /// [`ErrorKind::Api`](crate::ErrorKind::Api) with status 423 when access is locked. Otherwise it fails like any
    /// [`Request`](crate::session::Request).
    #[doc(alias("businessProfile", "business profile", "businessProfileUUID"))]
    pub async fn select_workspace(&self, guid: impl TryInto<Uuid>) -> Result<Session<WorkspaceUser>> {
        let guid = guid.try_into().map_err(|_| {
            Error::invalid_input(
                "workspace",
                "is not a GUID",
                "take it from Session::workspaces, for example",
            )
        })?;
        let (answer, response) = self.raw().select_workspace(&guid).read().await?;
        let context = Arc::clone(&self.context);
        session(context, &operation::SELECT_WORKSPACE, answer, &response)
    }
}

/// Nothing that Synerise publishes refreshes a user's token.
pub(super) struct UserTokenSource {
    pub(super) kind: &'static str,
}

impl TokenSource for UserTokenSource {
    fn fetch(&self, _: Option<Previous>) -> BoxFuture<'static, Result<TokenResponse>> {
        Box::pin(std::future::ready(Err(Error::session_expired(
            "a user's token can't be refreshed",
            "let the user log in again, and select the workspace again",
            None,
        ))))
    }

    fn is_refreshable(&self) -> bool {
        false
    }

    fn kind(&self) -> &'static str {
        self.kind
    }
}

fn session<K: Kind>(
    context: Arc<Context>,
    operation: &Operation,
    answer: types::UserAuthenticationResponse,
    response: &BufferedResponse,
) -> Result<Session<K>> {
    let token = bare_token_response(operation, answer.token, response);
    let source = UserTokenSource { kind: K::NAME };
    let lifecycle = Lifecycle::with_token(Arc::clone(&context.config), Box::new(source), token)?;
    let user = answer.consumer.map(|consumer| Arc::new(UserInfo::from(consumer)));
    Ok(Session {
        user,
        ..Session::new(context, lifecycle)
    })
}

/// The selected workspace in the older form of the response, in which its fields stand alone. `None` when none of them does.
fn flat_workspace(response: &BufferedResponse) -> Result<Option<WorkspaceDetails>> {
    let operation = &operation::GET_CURRENT_WORKSPACE;
    let deciding = ["id", "businessProfileGuid"];
    let workspace: types::WorkspaceDetails = bindings::read_as_field(operation, "data", &deciding, response)?;
    let names_one = workspace.id.is_some() || workspace.business_profile_guid.is_some();
    Ok(names_one.then(|| workspace.into()))
}
