//! A workspace's session: a backend with the workspace's API key.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::client::Client;
use crate::error::Result;
use crate::lifecycle::{Acquire, Previous};
use crate::raw::{self, types};
use crate::secret::ApiKey;
use crate::token::{Grant, Token};
use crate::transport::{BoxFuture, Transport};

use super::{Session, Workspace, bare_grant};

impl Client {
    /// The session of a workspace. Nothing is sent until a token is needed, and whoever asks for the same key gets the same
    /// session, for as long as somebody holds it: keep one for as long as you need tokens.
    ///
    /// Operation `workspaceLogin` (`POST /uauth/v2/auth/login/profile`).
    pub fn workspace(&self, key: ApiKey) -> Session<Workspace> {
        let secret = key.secret().clone();
        let lifecycle = self.shared_lifecycle("workspace", &secret, &[], |transport| WorkspaceLogin {
            transport: Arc::clone(transport),
            key,
        });
        Session::new(self.clone(), lifecycle)
    }
}

impl Session<Workspace> {
    /// Which of these permissions the session's key has. Returns all that the service says, asked for or not.
    ///
    /// Operation `checkPermissions` (`POST /uauth/api-key/permission-check`).
    pub async fn check_permissions<T: Into<String>>(
        &self,
        permissions: impl IntoIterator<Item = T>,
    ) -> Result<PermissionCheck> {
        let names: Vec<String> = permissions.into_iter().map(Into::into).collect();
        let exchange = self.exchange(&raw::CHECK_PERMISSIONS);
        let result = exchange.raw.check_permissions(&names).await;
        let (answer, _) = exchange.finish(result)?;
        Ok(PermissionCheck {
            workspace_name: answer.business_profile_name,
            permissions: answer.permissions,
        })
    }

    /// Prolongs the session now, by its current token, and returns the new one.
    ///
    /// There is rarely a reason to: a workspace's session renews itself by its key. It is here for keys that are about to be
    /// withdrawn.
    ///
    /// Operation `refreshWorkspaceToken` (`GET /v4/auth/refresh/profile`).
    pub async fn refresh(&self) -> Result<Token> {
        let exchange = self.exchange(&raw::REFRESH_WORKSPACE_TOKEN);
        let result = exchange.raw.refresh_workspace_token().await;
        let (answer, reply) = exchange.finish(result)?;
        self.lifecycle.adopt(bare_grant(answer.token, &reply))
    }
}

/// What a permission check answered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PermissionCheck {
    /// The workspace's name.
    pub workspace_name: Option<String>,
    /// For each permission, whether the key has it.
    pub permissions: BTreeMap<String, bool>,
}

impl PermissionCheck {
    /// Whether the key has a permission. One that the service did not answer for is not had.
    pub fn has(&self, permission: &str) -> bool {
        self.permissions.get(permission).copied().unwrap_or_default()
    }
}

/// Logs in by the key whenever a token is needed, as all of Synerise's server SDKs do: it needs no token that is still
/// active, so that there is nothing to fall back from.
struct WorkspaceLogin {
    transport: Arc<Transport>,
    key: ApiKey,
}

impl Acquire for WorkspaceLogin {
    fn acquire(&self, _: Option<Previous>) -> BoxFuture<'static, Result<Grant>> {
        let exchange = raw::Exchange::new(&self.transport, &raw::WORKSPACE_LOGIN, None);
        let body = types::WorkspaceLoginRequest {
            api_key: self.key.secret().clone(),
        };
        Box::pin(async move {
            let result = exchange.raw.workspace_login(&body).await;
            let (answer, reply) = exchange.finish(result)?;
            Ok(bare_grant(answer.token, &reply))
        })
    }
}
