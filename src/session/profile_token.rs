//! Refreshes a profile's token, and starts the session of a login.

use std::sync::Arc;

use crate::api_key::{ApiKey, ApiKeySource};
use crate::bindings::{self, types};
use crate::error::{Error, Result};
use crate::lifecycle::{
    CredentialChange, Lifecycle, LifecycleConfig, Previous, PreviousTokenState, SessionIdentity, TokenSource,
};
use crate::model::ProfileUuid;
use crate::observability::Cause;
use crate::operation;
use crate::token::{Token, TokenResponse};
use crate::transport::{BoxFuture, Transport};

use super::kept_login::KeptLogin;
use super::key_source::is_refused;
use super::kind::Profile;
use super::login_response::profile_token_response;
use super::{Context, Session};

/// Refreshes a profile's token while it is active. Afterwards it logs in again, if the session was told to keep the
/// password.
#[derive(Clone)]
pub(super) struct ProfileTokenSource {
    pub(super) transport: Arc<Transport>,
    pub(super) keys: ApiKeySource,
    pub(super) config: Arc<LifecycleConfig>,
    /// What identifies the session itself, over all of its tokens.
    pub(super) session: Box<str>,
    /// The profile that the login named.
    pub(super) uuid: Option<ProfileUuid>,
    pub(super) device_id: Option<String>,
    pub(super) login_again: Option<Arc<KeptLogin>>,
}

impl ProfileTokenSource {
    /// The session that a login starts.
    pub(super) fn session(self, context: &Arc<Context>, response: TokenResponse) -> Result<Session<Profile>> {
        let lifecycle = self.lifecycle(context);
        lifecycle.offer(response, 1, Cause::First)?;
        Ok(Session::new(Arc::clone(context), lifecycle))
    }

    /// The lifecycle of this session: the existing one, if the client has the session already.
    pub(super) fn lifecycle(self, context: &Context) -> Arc<Lifecycle> {
        let session = self.session.clone();
        context.lifecycle_of("profile", &session, self)
    }
}

impl TokenSource for ProfileTokenSource {
    fn fetch(&self, previous: Option<Previous>) -> BoxFuture<'static, Result<TokenResponse>> {
        let Self {
            transport,
            keys,
            config,
            login_again,
            ..
        } = self.clone();
        Box::pin(async move {
            let login = login_again.filter(|login| login.is_kept());
            let mut refusal = None;
            if let Some(previous) = previous.filter(|previous| previous.state != PreviousTokenState::Expired)
            {
                let key = keys.current(&*config.clock).await?;
                match refresh(&transport, &key, &previous.token).await {
                    // A refusal while the token is valid may be temporary: the session hasn't ended yet.
                    Err(error) if previous.state == PreviousTokenState::Active && login.is_none() => {
                        return Err(error);
                    }
                    Err(error) if is_refused(&error) => refusal = Some(error),
                    outcome => return outcome,
                }
            }
            let outcome = match login {
                Some(login) => login.send(&transport, &*config.clock).await,
                None => None,
            };
            outcome.unwrap_or_else(|| {
                Err(Error::session_expired(
                    "the profile's token has expired, and an expired token can't be refreshed",
                    "let the customer log in again (Session::keep_alive keeps an idle session, and \
                     keep_credentials lets a login by password be repeated)",
                    refusal,
                ))
            })
        })
    }

    fn identity(&self) -> SessionIdentity {
        SessionIdentity {
            key: self.keys.last_known(),
            session: Some(self.session.to_string()),
            uuid: self.uuid.clone(),
            device_id: self.device_id.clone(),
        }
    }

    fn credentials_changed(&self, change: &CredentialChange<'_>) {
        if let Some(login) = &self.login_again {
            login.follow(change);
        }
    }

    fn kind(&self) -> &'static str {
        "profile"
    }

    fn key_version(&self) -> u64 {
        self.keys.version()
    }

    fn has_changeable_key(&self) -> bool {
        self.keys.is_changeable()
    }
}

/// Refreshes a token with `POST /sauth/v3/auth/refresh/client`. The current token is sent, although the documents say that
/// the operation needs none (fact sheet 2.8).
pub(super) async fn refresh(
    transport: &Arc<Transport>,
    key: &ApiKey,
    current: &Token,
) -> Result<TokenResponse> {
    let client = bindings::Client::open(transport, Some(Arc::new(current.clone())));
    let body = types::RefreshProfileTokenRequest {
        api_key: key.secret().clone(),
    };
    let (answer, response) = client.refresh_profile_token(&body).read().await?;
    let operation = &operation::REFRESH_PROFILE_TOKEN;
    Ok(profile_token_response(operation, answer, &response))
}
