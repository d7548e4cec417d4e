//! An anonymous session: a visitor who is not known yet.

use std::sync::Arc;

use crate::client::Client;
use crate::error::Result;
use crate::identity::{Visitor, optional};
use crate::lifecycle::{Acquire, Previous, Standing};
use crate::raw::{self, types};
use crate::secret::ApiKey;
use crate::token::Grant;
use crate::transport::{BoxFuture, Transport};

use super::profile::{self, refresh};
use super::{Anonymous, Session};

impl Client {
    /// The session of a visitor who is not known yet, by a **profile** API key and the UUID that the visitor is tracked by.
    ///
    /// Nothing is sent until a token is needed. Whoever asks for the same key, UUID and device gets the same session, for as
    /// long as somebody holds it.
    ///
    /// Operation `authenticateAnonymously` (`POST /sauth/v3/auth/login/client/anonymous`).
    ///
    /// ```no_run
    /// # async fn run(client: synerise_auth::Client, key: synerise_auth::ApiKey) -> synerise_auth::Result<()> {
    /// use synerise_auth::Visitor;
    ///
    /// let uuid = "00000000-0000-4000-8000-000000000001";
    /// let visitor = client.anonymous(key, Visitor::new(uuid).device_id("device-1"));
    /// let token = visitor.token().await?;
    /// # Ok(()) }
    /// ```
    pub fn anonymous(&self, profile_key: ApiKey, visitor: impl Into<Visitor>) -> Session<Anonymous> {
        let visitor = visitor.into();
        let secret = profile_key.secret().clone();
        let device = visitor.device_id.clone().unwrap_or_default();
        let uuid = visitor.uuid.clone();
        let lifecycle = self.shared_lifecycle("anonymous", &secret, &[uuid.as_str(), &device], |transport| {
            AnonymousLogin {
                transport: Arc::clone(transport),
                key: profile_key,
                visitor,
            }
        });
        Session::new(self.clone(), lifecycle)
    }
}

/// Prolongs the token while it is active, which keeps the visitor's session one; logs in again otherwise.
struct AnonymousLogin {
    transport: Arc<Transport>,
    key: ApiKey,
    visitor: Visitor,
}

impl Acquire for AnonymousLogin {
    fn acquire(&self, previous: Option<Previous>) -> BoxFuture<'static, Result<Grant>> {
        let (transport, key, visitor) = (
            Arc::clone(&self.transport),
            self.key.clone(),
            self.visitor.clone(),
        );
        Box::pin(async move {
            if let Some(previous) = previous.filter(|previous| previous.standing != Standing::Over) {
                match refresh(&transport, &key, &previous.token).await {
                    Err(error) if profile::is_refused(&error) => {}
                    outcome => return outcome,
                }
            }
            log_in(&transport, &key, &visitor).await
        })
    }
}

async fn log_in(transport: &Arc<Transport>, key: &ApiKey, visitor: &Visitor) -> Result<Grant> {
    let body = types::AnonymousAuthenticationRequest {
        api_key: key.secret().clone(),
        device_id: optional("device id", visitor.device_id.as_deref())?,
        uuid: visitor.uuid.checked()?,
    };
    let exchange = raw::Exchange::new(transport, &raw::AUTHENTICATE_ANONYMOUSLY, None);
    let result = exchange.raw.authenticate_anonymously(&body).await;
    let (answer, reply) = exchange.finish(result)?;
    Ok(profile::grant(answer, &reply))
}
