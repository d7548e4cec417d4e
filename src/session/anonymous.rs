//! An anonymous session: a visitor who is not known yet.

use std::sync::Arc;

use crate::bindings::{self, types};
use crate::error::Result;
use crate::lifecycle::registry::Retention;
use crate::lifecycle::{Previous, PreviousTokenState, SessionIdentity, TokenSource};
use crate::model::Visitor;
use crate::model::input::optional;
use crate::operation;
use crate::secret::ApiKey;
use crate::token::TokenResponse;
use crate::transport::{BoxFuture, Transport};

use super::kind::Anonymous;
use super::login_response::profile_token_response;
use super::profile_token::{is_refused, refresh};
use super::{Context, Session};

pub(crate) fn open(context: &Arc<Context>, profile_key: ApiKey, visitor: Visitor) -> Session<Anonymous> {
    let device = visitor.device_id.as_deref().unwrap_or_default();
    let identity = [visitor.uuid.as_str(), device];
    let key = context.session_key("anonymous", profile_key.secret(), &identity);
    let lifecycle = context.shared_lifecycle(key, Retention::WhileUsed, |transport| AnonymousTokenSource {
        transport: Arc::clone(transport),
        key: profile_key,
        visitor,
    });
    Session::new(Arc::clone(context), lifecycle)
}

/// Refreshes the token while it is active, which keeps the visitor in one session. Otherwise it logs in again.
struct AnonymousTokenSource {
    transport: Arc<Transport>,
    key: ApiKey,
    visitor: Visitor,
}

impl TokenSource for AnonymousTokenSource {
    fn fetch(&self, previous: Option<Previous>) -> BoxFuture<'static, Result<TokenResponse>> {
        let (transport, key, visitor) = (
            Arc::clone(&self.transport),
            self.key.clone(),
            self.visitor.clone(),
        );
        Box::pin(async move {
            if let Some(previous) = previous.filter(|previous| previous.state != PreviousTokenState::Expired)
            {
                match refresh(&transport, &key, &previous.token).await {
                    Err(error) if is_refused(&error) => {}
                    outcome => return outcome,
                }
            }
            log_in(&transport, &key, &visitor).await
        })
    }

    fn identity(&self) -> SessionIdentity<'_> {
        SessionIdentity {
            key: Some(&self.key),
            session: None,
            uuid: Some(self.visitor.uuid.clone()),
            device_id: self.visitor.device_id.clone(),
        }
    }
}

async fn log_in(transport: &Arc<Transport>, key: &ApiKey, visitor: &Visitor) -> Result<TokenResponse> {
    let body = types::AnonymousAuthenticationRequest {
        api_key: key.secret().clone(),
        device_id: optional("device id", visitor.device_id.as_deref())?,
        uuid: visitor.uuid.checked()?,
    };
    let client = bindings::Client::open(transport, None);
    let (answer, response) = client.authenticate_anonymously(&body).read().await?;
    let operation = &operation::AUTHENTICATE_ANONYMOUSLY;
    Ok(profile_token_response(operation, answer, &response))
}
