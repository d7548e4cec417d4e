//! Tokens of workspaces, and the workspaces of users.

use serde_json::{Map, Value, json};

use crate::consumer::{Consumer, WorkspaceId};
use crate::errors::ApiError;
use crate::request_context::{ApiResponse, RequestContext};
use crate::signing::encode_authorities;
use crate::state::keys::{Permissions, Scope};
use crate::state::workspaces::Workspace;

/// `workspaceLogin`.
pub(crate) fn log_in(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let (api_key, key) = context.api_key_of(Scope::Workspace)?;
    Ok(issue(context, key.workspace, api_key))
}

/// `refreshWorkspaceToken`: a new token in exchange for a valid one.
pub(crate) fn refresh(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let workspace = context.workspace()?;
    let api_key = context
        .consumer
        .as_ref()
        .and_then(Consumer::api_key)
        .unwrap_or_default()
        .to_owned();
    Ok(issue(context, workspace, api_key))
}

fn issue(context: &mut RequestContext<'_>, workspace: WorkspaceId, api_key: String) -> ApiResponse {
    let Workspace { number, name, .. } = &context.state.workspaces[workspace];
    let authorities: Vec<String> = match context.state.keys.get(&api_key).map(|key| &key.permissions) {
        Some(Permissions::Only(names)) => names.iter().cloned().collect(),
        Some(Permissions::All) | None => Vec::new(),
    };
    let mut claims = Map::new();
    claims.insert("eml".into(), name.as_str().into());
    claims.insert("auth".into(), encode_authorities(&authorities).into());
    claims.insert("bpi".into(), (*number).into());
    claims.insert("apk".into(), api_key.as_str().into());
    let lifetime = context.state.lifetimes.workspace;
    let issued = context.issue_token(
        Consumer::Workspace { workspace, api_key },
        "business_profile",
        claims,
        lifetime,
    );
    ApiResponse::json(&json!({ "token": issued.token }))
}

/// `listWorkspaces`.
#[expect(clippy::unnecessary_wraps, reason = "every handler has this form")]
pub(crate) fn list(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let summary = |workspace: &Workspace| {
        let mut summary = common(workspace);
        summary["ipRestricted"] = ip_restricted(workspace).into();
        summary["mfaRequired"] = workspace.mfa_required.into();
        summary
    };
    Ok(ApiResponse::json(&of_user(context, summary)))
}

/// `listWorkspaceIds`.
#[expect(clippy::unnecessary_wraps, reason = "every handler has this form")]
pub(crate) fn list_ids(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let on = context.assumptions.restriction_literal.clone();
    let favorite = user_workspaces(context).first().copied();
    let access = |workspace: &Workspace| {
        json!({
            "id": workspace.number,
            "ipRestriction": restriction(ip_restricted(workspace), &on),
            "mfaRestriction": restriction(workspace.mfa_required, &on),
            // The user's first workspace.
            "favorite": favorite.is_some_and(|id| context.state.workspaces[id].guid == workspace.guid),
        })
    };
    Ok(ApiResponse::json(&of_user(context, access)))
}

/// `getCurrentWorkspace`.
#[expect(clippy::unnecessary_wraps, reason = "every handler has this form")]
pub(crate) fn current(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let Some(workspace) = context.consumer.as_ref().and_then(Consumer::workspace) else {
        return Ok(ApiResponse::json(&json!({ "selected": false, "data": null })));
    };
    let workspace = &context.state.workspaces[workspace];
    let on = &context.assumptions.restriction_literal;
    let mut data = common(workspace);
    data["ipRestriction"] = restriction(ip_restricted(workspace), on).into();
    data["mfaRestriction"] = restriction(workspace.mfa_required, on).into();
    data["labels"] = json!([]);
    data["emailAttributeName"] = "email".into();
    Ok(ApiResponse::json(&json!({ "selected": true, "data": data })))
}

fn common(workspace: &Workspace) -> Value {
    json!({
        "id": workspace.number,
        "businessProfileGuid": workspace.guid,
        "name": workspace.name,
        "logo": format!("https://{}.example.com/logo.png", workspace.subdomain()),
        "created": humantime::format_rfc3339_seconds(workspace.created).to_string(),
        "subdomain": workspace.subdomain(),
    })
}

fn ip_restricted(workspace: &Workspace) -> bool {
    workspace
        .ip_policy
        .get("enabled")
        .and_then(Value::as_bool)
        .unwrap_or_default()
}

fn restriction(restricted: bool, on: &str) -> &str {
    if restricted { on } else { "OFF" }
}

fn user_workspaces(context: &RequestContext<'_>) -> Vec<WorkspaceId> {
    match context.consumer {
        Some(Consumer::User { user, .. }) => context.state.users[user].workspaces.clone(),
        _ => Vec::new(),
    }
}

fn of_user(context: &RequestContext<'_>, describe: impl Fn(&Workspace) -> Value) -> Value {
    user_workspaces(context)
        .into_iter()
        .map(|id| describe(&context.state.workspaces[id]))
        .collect()
}
