//! A workspace's session: a backend with the workspace's API key.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::api_key::{ApiKey, ApiKeySource};
use crate::bindings::{self, types};
use crate::error::{Error, Result};
use crate::lifecycle::Previous;
use crate::lifecycle::registry::Retention;
use crate::operation;
use crate::secret::Secret;
use crate::token::{Token, TokenResponse};
use crate::transport::{BasicCredential, BoxFuture, Transport};

use super::authentication::{Authentication, Basic};
use super::key_source::KeyLogin;
use super::kind::Workspace;
use super::login_response::bare_token_response;
use super::{Context, Session};

pub(crate) fn open(context: &Arc<Context>, keys: ApiKeySource) -> Session<Workspace> {
    let login = WorkspaceLogin(Arc::clone(&context.transport));
    let lifecycle = context.shared_lifecycle(login, keys, Retention::UntilForgotten);
    Session::new(Arc::clone(context), lifecycle)
}

pub(crate) fn open_basic(
    context: &Arc<Context>,
    guid: Secret,
    key: ApiKey,
) -> Result<Session<Workspace, Basic>> {
    // A login shows the key once in a while, and this shows it with each request.
    if !context.transport.base().is_confidential() {
        return Err(Error::invalid_input(
            "base URL",
            "is plain HTTP to another machine, and Basic authentication sends the key with each request",
            "use https://",
        ));
    }
    let credential = BasicCredential::new(guid, key)?;
    Ok(Session::authenticated_by(Arc::clone(context), Basic(credential)))
}

pub(crate) fn forget(context: &Context, keys: &ApiKeySource) -> bool {
    let login = WorkspaceLogin(Arc::clone(&context.transport));
    context.registry.forget(&login.session_key(keys))
}

impl<A: Authentication> Session<Workspace, A> {
    /// Returns which of these permissions the session's key has. The result includes everything that the service returned,
    /// requested or not.
    ///
    /// Operation [`checkPermissions`](crate::raw::Client::check_permissions) (`POST /uauth/api-key/permission-check`).
    ///
    /// # Errors
    /// Fails like any [`Request`](crate::session::Request).
    #[doc(alias("permission-check"))]
    pub async fn check_permissions<T: Into<String>>(
        &self,
        permissions: impl IntoIterator<Item = T>,
    ) -> Result<PermissionCheck> {
        let names: Vec<String> = permissions.into_iter().map(Into::into).collect();
        let (answer, _) = self.raw().check_permissions(&names).read().await?;
        Ok(PermissionCheck {
            workspace_name: answer.business_profile_name,
            permissions: answer.permissions,
        })
    }
}

impl Session<Workspace> {
    /// Refreshes the session now, with its current token, and returns the new one.
    ///
    /// This is rarely needed: a workspace's session refreshes itself with its key. Use it for keys that are about to be
    /// withdrawn.
    ///
    /// Operation [`refreshWorkspaceToken`](crate::raw::Client::refresh_workspace_token) (`GET /v4/auth/refresh/profile`).
    ///
    /// # Errors
    /// Fails like any [`Request`](crate::session::Request). The current token stays in use while it is valid.
    #[doc(alias = "refreshToken")]
    pub async fn refresh(&self) -> Result<Token> {
        let (answer, response) = self.raw().refresh_workspace_token().read().await?;
        let operation = &operation::REFRESH_WORKSPACE_TOKEN;
        self.lifecycle()
            .adopt(bare_token_response(operation, answer.token, &response))
            .await
    }
}

/// The result of a permission check.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PermissionCheck {
    /// The workspace's name.
    pub workspace_name: Option<String>,
    /// For each permission, whether the key has it.
    pub permissions: BTreeMap<String, bool>,
}

impl PermissionCheck {
    /// Returns whether the key has a permission. A permission missing from the response counts as not granted.
    pub fn has(&self, permission: &str) -> bool {
        self.permissions.get(permission).copied().unwrap_or_default()
    }
}

/// Logs in with the key whenever a token is needed, like all of Synerise's server SDKs. A login needs no active token, so
/// no fallback is necessary.
#[derive(Clone)]
struct WorkspaceLogin(Arc<Transport>);

impl KeyLogin for WorkspaceLogin {
    fn kind(&self) -> &'static str {
        "workspace"
    }

    fn transport(&self) -> &Transport {
        &self.0
    }

    fn identity(&self) -> [&str; 2] {
        ["", ""]
    }

    fn fetch(&self, key: ApiKey, _: Option<Previous>) -> BoxFuture<'static, Result<TokenResponse>> {
        let client = bindings::Client::open(&self.0, None);
        Box::pin(async move {
            let body = types::WorkspaceLoginRequest {
                api_key: key.secret().clone(),
            };
            let (answer, response) = client.workspace_login(&body).read().await?;
            let operation = &operation::WORKSPACE_LOGIN;
            Ok(bare_token_response(operation, answer.token, &response))
        })
    }
}
