//! A token as the response of a login or refresh carries it.

use std::time::Duration;

use crate::bindings::coerce::UNREADABLE_TIME;
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
    let expiration = match answer.expiration {
        Some(UNREADABLE_TIME) => Some(soon(response)),
        expiration => expiration,
    };
    let details = Details {
        origin: answer.origin,
        custom_id: answer.custom_id,
        realm: answer.realm,
    };
    TokenResponse {
        expiration,
        created: answer.created,
        details: Some(Box::new(details)),
        ..bare_token_response(answer.token, response)
    }
}

/// How long a token is trusted whose end can't be read. One that has no end lives for the documented default.
const TRUSTED_WITHOUT_END: Duration = Duration::from_secs(60);

/// An end that is near, in seconds since the epoch.
fn soon(response: &BufferedResponse) -> i64 {
    let now = response.server_date().unwrap_or(response.arrived.wall);
    let end = now.saturating_add(TRUSTED_WITHOUT_END);
    end.as_secs().try_into().unwrap_or(i64::MAX)
}
