//! Workspaces: their tokens, and what users see of them.

use serde_json::{Map, Value, json};

use crate::consumer::{Consumer, WorkspaceId};
use crate::errors::Refusal;
use crate::signing::packed_authorities;
use crate::state::keys::{Permissions, Scope};
use crate::state::workspaces::Workspace;
use crate::visit::{Answer, Visit};

/// `workspaceLogin`.
pub(crate) fn log_in(visit: &mut Visit<'_>) -> Result<Answer, Refusal> {
    let (api_key, key) = visit.api_key_of(Scope::Workspace)?;
    Ok(issue(visit, key.workspace, api_key))
}

/// `refreshWorkspaceToken`: another token for the bearer of one that is still good.
pub(crate) fn refresh(visit: &mut Visit<'_>) -> Result<Answer, Refusal> {
    let workspace = visit.workspace()?;
    let api_key = visit
        .consumer
        .as_ref()
        .and_then(Consumer::api_key)
        .unwrap_or_default()
        .to_owned();
    Ok(issue(visit, workspace, api_key))
}

fn issue(visit: &mut Visit<'_>, workspace: WorkspaceId, api_key: String) -> Answer {
    let Workspace { number, name, .. } = &visit.state.workspaces[workspace];
    let authorities: Vec<String> = match visit.state.keys.get(&api_key).map(|key| &key.permissions) {
        Some(Permissions::Only(names)) => names.iter().cloned().collect(),
        Some(Permissions::All) | None => Vec::new(),
    };
    let mut claims = Map::new();
    claims.insert("eml".into(), name.as_str().into());
    claims.insert("auth".into(), packed_authorities(&authorities).into());
    claims.insert("bpi".into(), (*number).into());
    claims.insert("apk".into(), api_key.as_str().into());
    let lifetime = visit.state.lifetimes.workspace;
    let issued = visit.issue(
        Consumer::Workspace { workspace, api_key },
        "business_profile",
        claims,
        lifetime,
    );
    Answer::json(&json!({ "token": issued.token }))
}

/// `listWorkspaces`.
#[expect(clippy::unnecessary_wraps, reason = "every handler has this form")]
pub(crate) fn list(visit: &mut Visit<'_>) -> Result<Answer, Refusal> {
    let summary = |workspace: &Workspace| {
        let mut summary = common(workspace);
        summary["ipRestricted"] = ip_restricted(workspace).into();
        summary["mfaRequired"] = workspace.mfa_required.into();
        summary
    };
    Ok(Answer::json(&of_user(visit, summary)))
}

/// `listWorkspaceIds`.
#[expect(clippy::unnecessary_wraps, reason = "every handler has this form")]
pub(crate) fn list_ids(visit: &mut Visit<'_>) -> Result<Answer, Refusal> {
    let on = visit.choices.restriction_literal.clone();
    let favorite = user_workspaces(visit).first().copied();
    let access = |workspace: &Workspace| {
        json!({
            "id": workspace.number,
            "ipRestriction": restriction(ip_restricted(workspace), &on),
            "mfaRestriction": restriction(workspace.mfa_required, &on),
            // The user's first workspace.
            "favorite": favorite.is_some_and(|id| visit.state.workspaces[id].guid == workspace.guid),
        })
    };
    Ok(Answer::json(&of_user(visit, access)))
}

/// `getCurrentWorkspace`.
#[expect(clippy::unnecessary_wraps, reason = "every handler has this form")]
pub(crate) fn current(visit: &mut Visit<'_>) -> Result<Answer, Refusal> {
    let Some(workspace) = visit.consumer.as_ref().and_then(Consumer::workspace) else {
        return Ok(Answer::json(&json!({ "selected": false, "data": null })));
    };
    let workspace = &visit.state.workspaces[workspace];
    let on = &visit.choices.restriction_literal;
    let mut data = common(workspace);
    data["ipRestriction"] = restriction(ip_restricted(workspace), on).into();
    data["mfaRestriction"] = restriction(workspace.mfa_required, on).into();
    data["labels"] = json!([]);
    data["emailAttributeName"] = "email".into();
    Ok(Answer::json(&json!({ "selected": true, "data": data })))
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

fn user_workspaces(visit: &Visit<'_>) -> Vec<WorkspaceId> {
    match visit.consumer {
        Some(Consumer::User { user, .. }) => visit.state.users[user].workspaces.clone(),
        _ => Vec::new(),
    }
}

fn of_user(visit: &Visit<'_>, describe: impl Fn(&Workspace) -> Value) -> Value {
    user_workspaces(visit)
        .into_iter()
        .map(|id| describe(&visit.state.workspaces[id]))
        .collect()
}
