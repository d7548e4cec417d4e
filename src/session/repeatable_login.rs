//! A profile's login that can be sent more than once.

use std::net::IpAddr;
use std::sync::Arc;

use crate::api_key::ApiKeySource;
use crate::bindings::{self, conversions, types};
use crate::clock::Clock;
use crate::error::Result;
use crate::model::Identity;
use crate::model::input::optional;
use crate::operation;
use crate::token::TokenResponse;
use crate::transport::{Authenticator, Transport};

use super::login_response::profile_token_response;

/// A login that can be sent more than once.
#[derive(Clone)]
pub(super) struct RepeatableLogin {
    pub(super) keys: ApiKeySource,
    pub(super) identity: Identity,
    pub(super) device_id: Option<String>,
    /// The workspace that logs the customer in, and the address of the customer's device.
    pub(super) behalf: Option<(Arc<dyn Authenticator>, IpAddr)>,
}

impl RepeatableLogin {
    pub(super) async fn send(&self, transport: &Arc<Transport>, clock: &dyn Clock) -> Result<TokenResponse> {
        self.send_body(transport, self.body(clock).await?, None).await
    }

    pub(super) async fn body(&self, clock: &dyn Clock) -> Result<types::ProfileAuthenticationRequest> {
        let key = self.keys.current(clock).await?;
        let mut body = conversions::login_request(&self.identity, &key)?;
        body.device_id = optional("device id", self.device_id.as_deref())?;
        Ok(body)
    }

    pub(super) async fn send_body(
        &self,
        transport: &Arc<Transport>,
        body: types::ProfileAuthenticationRequest,
        visitor: Option<Arc<dyn Authenticator>>,
    ) -> Result<TokenResponse> {
        let (operation, (answer, response)) = match &self.behalf {
            None => {
                let client = bindings::Client::open(transport, visitor);
                let operation = &operation::AUTHENTICATE_PROFILE;
                (operation, client.authenticate_profile(&body).read().await?)
            }
            Some((workspace, device)) => {
                let client = bindings::Client::open(transport, Some(Arc::clone(workspace)));
                let body = on_behalf(body, *device);
                let operation = &operation::AUTHENTICATE_PROFILE_SERVER_SIDE;
                (
                    operation,
                    client.authenticate_profile_server_side(&body).read().await?,
                )
            }
        };
        Ok(profile_token_response(operation, answer, &response))
    }
}

fn on_behalf(
    body: types::ProfileAuthenticationRequest,
    device: IpAddr,
) -> types::ServerSideAuthenticationRequest {
    types::ServerSideAuthenticationRequest {
        ip_address: device.to_string(),
        api_key: body.api_key,
        identity_provider: body.identity_provider,
        identity_provider_token: body.identity_provider_token,
        email: body.email,
        custom_id: body.custom_id,
        password: body.password,
        uuid: body.uuid,
        device_id: body.device_id,
        agreements: body.agreements,
        attributes: body.attributes,
        tags: body.tags,
    }
}
