//! A workspace's session: a backend with the workspace's API key.

use std::sync::Arc;

use crate::client::Client;
use crate::error::Result;
use crate::lifecycle::{Acquire, Previous};
use crate::raw::{self, types};
use crate::secret::ApiKey;
use crate::token::Grant;
use crate::transport::{BoxFuture, Reply, Transport};

use super::{Session, Workspace};

impl Client {
    /// The session of a workspace. Nothing is sent until a token is needed, and whoever asks for the same key gets the same
    /// session.
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
            Ok(grant(answer, &reply))
        })
    }
}

fn grant(answer: types::WorkspaceTokenResponse, reply: &Reply) -> Grant {
    // The token is all that this login returns: its life is read from its claims.
    Grant {
        token: answer.token,
        expiration: None,
        created: None,
        details: None,
        server_date: reply.server_date(),
        sent: reply.sent,
        arrived: reply.arrived,
    }
}
