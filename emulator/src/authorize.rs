//! Authorization: whether the caller's token is valid and allows the operation.

use std::time::SystemTime;

use axum::http::{HeaderMap, StatusCode, header};

use crate::assumptions::Assumptions;
use crate::consumer::Consumer;
use crate::errors::ApiError;
use crate::operations::{Access, Operation};
use crate::state::State;
use crate::tokens::Rejection;

/// The consumer that calls `operation`, or the error.
pub(crate) fn authorize(
    operation: &Operation,
    headers: &HeaderMap,
    state: &State,
    assumptions: &Assumptions,
    now: SystemTime,
) -> Result<Option<Consumer>, ApiError> {
    let kinds = match operation.access {
        Access::Open => return Ok(None),
        Access::OpenOrBearer(_) if !headers.contains_key(header::AUTHORIZATION) => return Ok(None),
        Access::OpenOrBearer(kinds) | Access::Bearer(kinds) => kinds,
    };
    let consumer = bearer(headers, state, assumptions, now)?;
    if !kinds.contains(&consumer.kind()) {
        return Err(ApiError::forbidden(format!(
            "This consumer may not call the operation: {}",
            consumer.kind().name()
        )));
    }
    if let Some(permission) = operation.permission {
        let key = consumer.api_key().and_then(|key| state.keys.get(key));
        if !key.is_some_and(|key| key.permissions.allow(permission)) {
            return Err(ApiError::forbidden(format!(
                "The API key lacks the permission {permission}"
            )));
        }
    }
    Ok(Some(consumer))
}

/// The owner of the request's token, whatever their kind.
pub(crate) fn bearer(
    headers: &HeaderMap,
    state: &State,
    assumptions: &Assumptions,
    now: SystemTime,
) -> Result<Consumer, ApiError> {
    let status = StatusCode::from_u16(assumptions.expired_token_status).unwrap_or(StatusCode::UNAUTHORIZED);
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Err(ApiError::unauthorized("The token is missing"));
    };
    let (scheme, token) = value
        .to_str()
        .unwrap_or_default()
        .split_once(' ')
        .unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(ApiError::unauthorized(
            "The Authorization header is not \"Bearer <token>\"",
        ));
    }
    match state.tokens.check(token, now) {
        Ok(consumer) => Ok(consumer.clone()),
        // The text by which clients of the service tell an expired token from one that is refused for good.
        Err(rejection @ Rejection::Expired) => {
            Err(ApiError::new(status, rejection.message()).with_error("Token expired."))
        }
        Err(rejection) => Err(ApiError::new(status, rejection.message())),
    }
}
