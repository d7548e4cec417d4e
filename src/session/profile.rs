//! A profile's session: a customer who logged in, and how the session is prolonged.

use std::sync::Arc;

use crate::client::Client;
use crate::error::{Error, Result};
use crate::lifecycle::{Acquire, Lifecycle, Previous, Standing};
use crate::raw::{self, types};
use crate::reply::Reply;
use crate::secret::ApiKey;
use crate::token::{Details, Grant, Token};
use crate::transport::{BoxFuture, Transport};

use super::profile_login::LoginRequest;
use super::{Profile, Session, bare_grant};

/// Prolongs a profile's session while its token is active; logs in again afterwards if it was asked to keep the password.
pub(super) struct ProfileRenewal {
    pub(super) transport: Arc<Transport>,
    pub(super) key: ApiKey,
    pub(super) login_again: Option<Arc<LoginRequest>>,
}

impl ProfileRenewal {
    /// The session that a login's answer begins.
    pub(super) fn session(self, client: &Client, grant: Grant) -> Result<Session<Profile>> {
        let surroundings = Arc::clone(client.surroundings());
        let lifecycle = Lifecycle::with_grant(surroundings, Box::new(self), grant)?;
        Ok(Session::new(client.clone(), Arc::new(lifecycle)))
    }
}

impl Acquire for ProfileRenewal {
    fn acquire(&self, previous: Option<Previous>) -> BoxFuture<'static, Result<Grant>> {
        let (transport, key, login) = (
            Arc::clone(&self.transport),
            self.key.clone(),
            self.login_again.clone(),
        );
        Box::pin(async move {
            let mut refusal = None;
            if let Some(previous) = previous.filter(|previous| previous.standing != Standing::Over) {
                match refresh(&transport, &key, &previous.token).await {
                    // What is refused while the token is good may be granted later: the session hasn't ended yet.
                    Err(error) if previous.standing == Standing::Active && login.is_none() => {
                        return Err(error);
                    }
                    Err(error) if is_refused(&error) => refusal = Some(error),
                    outcome => return outcome,
                }
            }
            match login {
                Some(login) => login.send(&transport).await,
                None => Err(Error::session_expired(
                    "the profile's token is over, and one that is over can't be prolonged",
                    "let the customer log in again (Session::keep_alive keeps an idle session, and \
                     keep_credentials lets a login by password be repeated)",
                    refusal,
                )),
            }
        })
    }
}

/// Whether a refresh was refused, and not just impossible at the moment.
pub(super) fn is_refused(error: &Error) -> bool {
    error.api().is_some() && !error.is_retryable()
}

/// Prolongs a session: `POST /sauth/v3/auth/refresh/client`, with the current token, although the documents say that it
/// needs none (fact sheet 2.8).
pub(super) async fn refresh(transport: &Arc<Transport>, key: &ApiKey, current: &Token) -> Result<Grant> {
    let exchange = raw::Exchange::new(
        transport,
        &raw::REFRESH_PROFILE_TOKEN,
        Some(Arc::new(current.clone())),
    );
    let body = types::RefreshProfileTokenRequest {
        api_key: key.secret().clone(),
    };
    let result = exchange.raw.refresh_profile_token(&body).await;
    let (answer, reply) = exchange.finish(result)?;
    Ok(grant(answer, &reply))
}

pub(super) fn grant(answer: types::ProfileTokenResponse, reply: &Reply) -> Grant {
    let details = Details {
        origin: answer.origin,
        custom_id: answer.custom_id,
        realm: answer.realm,
        user: None,
    };
    Grant {
        expiration: answer.expiration,
        created: answer.created,
        details: Some(Box::new(details)),
        ..bare_grant(answer.token, reply)
    }
}
