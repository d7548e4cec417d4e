//! Reads the token from the response of a login or refresh.

use std::time::Duration;

use crate::bindings::types;
use crate::model::ProfileUuid;
use crate::operation::Operation;
use crate::secret::Secret;
use crate::token::{Details, TokenResponse, TokenTimes};
use crate::transport::BufferedResponse;

/// A token without further fields: its lifetime is read from its claims.
pub(super) fn bare_token_response(
    operation: &Operation,
    token: Secret,
    response: &BufferedResponse,
) -> TokenResponse {
    TokenResponse {
        operation: operation.id,
        token,
        times: TokenTimes::default(),
        details: None,
        stored: false,
        shared_as: None,
        age: Duration::ZERO,
        server_date: response.server_date(),
        sent: response.sent,
        arrived: response.arrived,
    }
}

/// A profile's token, with what the service says about it.
pub(super) fn profile_token_response(
    operation: &Operation,
    answer: types::ProfileTokenResponse,
    response: &BufferedResponse,
) -> TokenResponse {
    let details = Details {
        origin: answer.origin,
        custom_id: answer.custom_id,
        realm: answer.realm,
        profile_id: answer.client_id.and_then(|id| id.trim().parse().ok()),
        profile_uuid: answer
            .client_uuid
            .filter(|uuid| !uuid.trim().is_empty())
            .map(ProfileUuid::from),
    };
    TokenResponse {
        // Read from the body, because the generated type can't hold a fraction or an unreadable value.
        times: TokenTimes::of_body(&response.body),
        details: Some(Box::new(details)),
        ..bare_token_response(operation, answer.token, response)
    }
}
