//! An anonymous session: a visitor who is not known yet, or who must not be tracked.

use std::sync::Arc;

use crate::api_key::{ApiKey, ApiKeySource};
use crate::bindings::{self, types};
use crate::error::Result;
use crate::lifecycle::registry::Retention;
use crate::lifecycle::{Previous, PreviousTokenState, SessionIdentity};
use crate::model::Visitor;
use crate::model::input::optional;
use crate::operation;
use crate::token::TokenResponse;
use crate::transport::{BoxFuture, Transport};

use super::key_source::{KeyLogin, is_refused};
use super::kind::Anonymous;
use super::login_response::profile_token_response;
use super::profile_token::refresh;
use super::{Context, Session};

/// How a visitor is logged in. The tokens of the two are different, and never stand in for each other.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Visit {
    Anonymous,
    Incognito,
}

impl Visit {
    fn name(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Incognito => "incognito",
        }
    }
}

pub(crate) fn open(
    context: &Arc<Context>,
    visit: Visit,
    keys: ApiKeySource,
    visitor: Visitor,
) -> Session<Anonymous> {
    let login = AnonymousLogin {
        transport: Arc::clone(&context.transport),
        visit,
        visitor,
    };
    let lifecycle = context.shared_lifecycle(login, keys, Retention::WhileUsed);
    Session::new(Arc::clone(context), lifecycle)
}

/// Refreshes the token while it is active, which keeps the visitor in one session. Otherwise it logs in again.
#[derive(Clone)]
struct AnonymousLogin {
    transport: Arc<Transport>,
    visit: Visit,
    visitor: Visitor,
}

impl KeyLogin for AnonymousLogin {
    fn kind(&self) -> &'static str {
        self.visit.name()
    }

    fn transport(&self) -> &Transport {
        &self.transport
    }

    fn identity(&self) -> [&str; 2] {
        let device = self.visitor.device_id.as_deref().unwrap_or_default();
        [self.visitor.uuid.as_str(), device]
    }

    fn owner(&self) -> SessionIdentity {
        SessionIdentity {
            session: match self.visit {
                Visit::Anonymous => None,
                Visit::Incognito => Some(self.visit.name().to_owned()),
            },
            uuid: Some(self.visitor.uuid.clone()),
            device_id: self.visitor.device_id.clone(),
            ..SessionIdentity::default()
        }
    }

    fn fetch(&self, key: ApiKey, previous: Option<Previous>) -> BoxFuture<'static, Result<TokenResponse>> {
        let Self {
            transport,
            visit,
            visitor,
        } = self.clone();
        Box::pin(async move {
            if let Some(previous) = previous.filter(|previous| previous.state != PreviousTokenState::Expired)
            {
                match refresh(&transport, &key, &previous.token).await {
                    Err(error) if is_refused(&error) => {}
                    outcome => return outcome,
                }
            }
            log_in(&transport, visit, &key, &visitor).await
        })
    }
}

async fn log_in(
    transport: &Arc<Transport>,
    visit: Visit,
    key: &ApiKey,
    visitor: &Visitor,
) -> Result<TokenResponse> {
    let body = types::AnonymousAuthenticationRequest {
        api_key: key.secret().clone(),
        device_id: optional("device id", visitor.device_id.as_deref())?,
        uuid: visitor.uuid.checked()?,
    };
    let client = bindings::Client::open(transport, None);
    let (operation, call) = match visit {
        Visit::Anonymous => (
            &operation::AUTHENTICATE_ANONYMOUSLY,
            client.authenticate_anonymously(&body),
        ),
        Visit::Incognito => (
            &operation::AUTHENTICATE_INCOGNITO,
            client.authenticate_incognito(&body),
        ),
    };
    let (answer, response) = call.read().await?;
    Ok(profile_token_response(operation, answer, &response))
}
