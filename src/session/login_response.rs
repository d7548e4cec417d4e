//! A token as the response of a login or refresh carries it.

use crate::bindings::types;
use crate::secret::Secret;
use crate::token::{Details, TokenResponse};
use crate::transport::BufferedResponse;

/// A token as a login gave it, with nothing said about it: its life is read from its claims.
pub(super) fn bare_token_response(token: Secret, response: &BufferedResponse) -> TokenResponse {
    TokenResponse {
        token,
        expiration: None,
        created: None,
        details: None,
        server_date: response.server_date(),
        sent: response.sent,
        arrived: response.arrived,
    }
}

/// A token of a profile, with what the service says about it.
pub(super) fn profile_token_response(
    answer: types::ProfileTokenResponse,
    response: &BufferedResponse,
) -> TokenResponse {
    let details = Details {
        origin: answer.origin,
        custom_id: answer.custom_id,
        realm: answer.realm,
    };
    TokenResponse {
        expiration: answer.expiration,
        created: answer.created,
        details: Some(Box::new(details)),
        ..bare_token_response(answer.token, response)
    }
}
