//! API keys and the signing key.

use serde_json::{Map, Value, json};

use crate::consumer::Consumer;
use crate::errors::Refusal;
use crate::visit::{Answer, Visit};

/// `checkPermissions`: of the names sent, which the caller's API key has.
#[expect(clippy::unnecessary_wraps, reason = "every handler has this form")]
pub(crate) fn check_permissions(visit: &mut Visit<'_>) -> Result<Answer, Refusal> {
    let key = visit
        .consumer
        .as_ref()
        .and_then(Consumer::api_key)
        .and_then(|key| visit.state.keys.get(key));
    let names = visit
        .body
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let verdict = |name| key.is_some_and(|key| key.permissions.allow(name));
    let permissions: Map<_, _> = names
        .map(|name| (name.to_owned(), verdict(name).into()))
        .collect();
    let workspace = key.map(|key| visit.state.workspaces[key.workspace].name.as_str());
    Ok(Answer::json(
        &json!({ "businessProfileName": workspace, "permissions": permissions }),
    ))
}

/// `getPublicKey`.
#[expect(clippy::unnecessary_wraps, reason = "every handler has this form")]
pub(crate) fn public_key(visit: &mut Visit<'_>) -> Result<Answer, Refusal> {
    Ok(Answer::text(
        "application/x-pem-file",
        visit.state.tokens.public_key_pem(),
    ))
}
