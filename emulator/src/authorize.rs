//! Authorization: whether the caller's credential is valid and allows the operation.

use std::time::SystemTime;

use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::assumptions::Assumptions;
use crate::consumer::Consumer;
use crate::errors::ApiError;
use crate::operations::{Access, Operation};
use crate::state::State;
use crate::state::keys::Scope;
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
    if is_basic(headers) && !operation.basic {
        return Err(ApiError::unauthorized(
            "The operation does not take Basic authentication",
        ));
    }
    let consumer = caller(headers, state, assumptions, now)?;
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

/// Whether the request has a credential of the scheme `Basic`.
pub(crate) fn is_basic(headers: &HeaderMap) -> bool {
    credential(headers).is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
}

/// The scheme of the request's credential, and the rest of it. Both are empty for a header that is not like this.
fn credential(headers: &HeaderMap) -> Option<(&str, &str)> {
    let value = headers.get(header::AUTHORIZATION)?;
    Some(
        value
            .to_str()
            .unwrap_or_default()
            .split_once(' ')
            .unwrap_or_default(),
    )
}

/// The owner of the request's token, whatever their kind, or the workspace of its Basic credential.
pub(crate) fn caller(
    headers: &HeaderMap,
    state: &State,
    assumptions: &Assumptions,
    now: SystemTime,
) -> Result<Consumer, ApiError> {
    let status = StatusCode::from_u16(assumptions.expired_token_status).unwrap_or(StatusCode::UNAUTHORIZED);
    let Some((scheme, token)) = credential(headers) else {
        return Err(ApiError::unauthorized("The token is missing"));
    };
    if scheme.eq_ignore_ascii_case("basic") {
        return workspace(token, state).ok_or_else(|| ApiError::unauthorized("Basic authentication failed"));
    }
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

/// The workspace with this GUID, by one of its keys for which Basic authentication is switched on.
fn workspace(encoded: &str, state: &State) -> Option<Consumer> {
    let pair = String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?;
    let (guid, name) = pair.split_once(':')?;
    let key = state.keys.get(name)?;
    let workspace = state.workspaces.get(key.workspace)?;
    let is_valid = key.scope == Scope::Workspace && key.basic && workspace.guid == guid;
    is_valid.then(|| Consumer::Workspace {
        workspace: key.workspace,
        api_key: name.to_owned(),
    })
}
