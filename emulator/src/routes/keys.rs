//! API keys and the signing key.

use serde_json::{Map, Value, json};

use crate::consumer::Consumer;
use crate::errors::ApiError;
use crate::request_context::{ApiResponse, RequestContext};

/// `checkPermissions`: which of these permissions the caller's API key has.
#[expect(clippy::unnecessary_wraps, reason = "every handler has this form")]
pub(crate) fn check_permissions(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let key = context
        .consumer
        .as_ref()
        .and_then(Consumer::api_key)
        .and_then(|key| context.state.keys.get(key));
    let names = context
        .body
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let verdict = |name| key.is_some_and(|key| key.permissions.allow(name));
    let permissions: Map<_, _> = names
        .map(|name| (name.to_owned(), verdict(name).into()))
        .collect();
    let workspace = key.map(|key| context.state.workspaces[key.workspace].name.as_str());
    Ok(ApiResponse::json(
        &json!({ "businessProfileName": workspace, "permissions": permissions }),
    ))
}

/// `getPublicKey`.
#[expect(clippy::unnecessary_wraps, reason = "every handler has this form")]
pub(crate) fn public_key(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    Ok(ApiResponse::text(
        "application/x-pem-file",
        context.state.tokens.public_key_pem(),
    ))
}
