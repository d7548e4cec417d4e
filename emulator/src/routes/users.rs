//! Users: password, second factor, workspace.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use crate::clock::{later, unix_seconds};
use crate::consumer::{Consumer, UserId, WorkspaceId};
use crate::errors::ApiError;
use crate::outbox::MessageKind;
use crate::request_context::{ApiResponse, RequestContext};
use crate::signing::encode_authorities;
use crate::state::new_digits;
use crate::state::users::{EmailCode, SecondFactor};

/// How long a device that passed the second factor is trusted (documented).
const TRUSTED_DEVICE_DURATION: Duration = Duration::from_secs(8 * 3600);

/// The permissions of a user in a workspace. Every user is an administrator.
const AUTHORITIES: [&str; 3] = [
    "ROLE_USER",
    "SETTINGS_IDENTITY_AND_ACCESS_MANAGEMENT_READ",
    "SETTINGS_IDENTITY_AND_ACCESS_MANAGEMENT_UPDATE",
];

/// `userLogin`.
pub(crate) fn log_in(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let refused = || ApiError::unauthorized("The username or the password is wrong");
    let username = context.text("username");
    let user = context
        .state
        .users
        .iter()
        .position(|user| user.username == username)
        .ok_or_else(refused)?;
    let limit = context.assumptions.wrong_passwords_before_lock;
    if context.state.users[user].wrong_passwords >= limit {
        return Err(ApiError::new(
            StatusCode::LOCKED,
            "The user is locked after too many wrong passwords",
        ));
    }
    if context.state.users[user].password != context.text("password") {
        context.state.users[user].wrong_passwords += 1;
        return Err(refused());
    }
    check_external_provider(context)?;
    context.state.users[user].wrong_passwords = 0;

    let trusted = context.optional_text("deviceId").is_some_and(|device| {
        context.state.users[user]
            .trusted_devices
            .get(device)
            .is_some_and(|until| context.now < *until)
    });
    let confirmed = trusted || matches!(context.state.users[user].second_factor, SecondFactor::None);
    if !confirmed && matches!(context.state.users[user].second_factor, SecondFactor::Email) {
        send_code(context, user);
    }
    Ok(issue(context, user, confirmed, None))
}

fn send_code(context: &mut RequestContext<'_>, user: UserId) {
    let valid_until = later(
        context.now,
        Duration::from_secs(context.assumptions.email_code_valid_in_seconds),
    );
    let code = new_digits(6);
    let to = context.state.users[user].username.clone();
    context
        .state
        .send(&to, MessageKind::LoginCode, &code, context.now);
    context.state.users[user].email_code = Some(EmailCode { code, valid_until });
}

/// Checks the token of an external provider, if one is sent: it must be valid and belong to the user.
fn check_external_provider(context: &RequestContext<'_>) -> Result<(), ApiError> {
    let Some(token) = context.optional_text("externalProviderToken") else {
        return Ok(());
    };
    let provider = context.text("externalProviderType");
    if provider != "GOOGLE" {
        return Err(ApiError::bad_request("The external provider is not valid")
            .with_field("externalProviderType", "must be GOOGLE"));
    }
    let key = (provider.to_owned(), token.to_owned());
    let owner = context
        .state
        .third_party_tokens
        .get(&key)
        .map(|token| token.email.as_str());
    let username = match context.consumer {
        Some(Consumer::User { user, .. }) => context.state.users[user].username.as_str(),
        _ => context.text("username"),
    };
    if owner == Some(username) {
        Ok(())
    } else {
        Err(ApiError::unauthorized(
            "The token of the external provider does not belong to the user",
        ))
    }
}

/// `userMfaLogin`.
pub(crate) fn verify_second_factor(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let Some(Consumer::User { user, .. }) = context.consumer else {
        return Err(ApiError::forbidden("The token does not belong to a user"));
    };
    let method = context.query.get("mfaType").cloned().unwrap_or_default();
    if !matches!(method.as_str(), "TOTP_AUTHENTICATOR" | "EMAIL") {
        return Err(
            ApiError::bad_request("The type of the second factor is not valid")
                .with_field("mfaType", "must be TOTP_AUTHENTICATOR or EMAIL"),
        );
    }
    if !context.state.users[user]
        .second_factor
        .methods()
        .contains(&method.as_str())
    {
        return Err(
            ApiError::bad_request("The user does not have a second factor of this type")
                .with_field("mfaType", "is not set up for the user"),
        );
    }
    check_external_provider(context)?;
    let code = context.text("verificationCode").to_owned();
    if !takes_code(context, user, &code) {
        return Err(ApiError::unauthorized("The verification code is wrong"));
    }
    if let Some(device) = context.optional_text("deviceId").map(str::to_owned) {
        let until = later(context.now, TRUSTED_DEVICE_DURATION);
        context.state.users[user].trusted_devices.insert(device, until);
    }
    Ok(issue(context, user, true, None))
}

/// Checks a code. A correct code cannot be used again.
fn takes_code(context: &mut RequestContext<'_>, user: UserId, code: &str) -> bool {
    let now = context.now;
    let user = &mut context.state.users[user];
    match &user.second_factor {
        SecondFactor::Totp(totp) => totp
            .check(code, unix_seconds(now))
            .is_some_and(|step| user.used_steps.insert(step)),
        SecondFactor::Email => user
            .email_code
            .take_if(|sent| sent.code == code && now < sent.valid_until)
            .is_some(),
        SecondFactor::None => false,
    }
}

/// `selectWorkspace`.
pub(crate) fn select_workspace(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let Some(Consumer::User { user, .. }) = context.consumer else {
        return Err(ApiError::forbidden("The token does not belong to a user"));
    };
    let guid = context
        .path_parameters
        .get("businessProfileUUID")
        .map(String::as_str)
        .unwrap_or_default();
    let found = context
        .state
        .workspaces
        .iter()
        .position(|workspace| workspace.guid.eq_ignore_ascii_case(guid));
    let workspace = found.ok_or_else(|| ApiError::not_found("There is no such workspace"))?;
    if !context.state.users[user].workspaces.contains(&workspace) {
        return Err(ApiError::forbidden("The user does not belong to the workspace"));
    }
    if context.state.workspaces[workspace].locked {
        return Err(ApiError::new(
            StatusCode::LOCKED,
            "The workspace's access policy locks the user out",
        ));
    }
    let has_second_factor = !context.state.users[user].second_factor.methods().is_empty();
    if context.state.workspaces[workspace].mfa_required && !has_second_factor {
        return Err(ApiError::new(
            StatusCode::LOCKED,
            "The workspace requires a second factor",
        ));
    }
    Ok(issue(context, user, true, Some(workspace)))
}

fn issue(
    context: &mut RequestContext<'_>,
    user: UserId,
    confirmed: bool,
    workspace: Option<WorkspaceId>,
) -> ApiResponse {
    let number = workspace.map(|id| context.state.workspaces[id].number);
    let authorities: Vec<String> = if workspace.is_some() {
        AUTHORITIES.map(str::to_owned).to_vec()
    } else {
        Vec::new()
    };
    let person = &context.state.users[user];
    let mfa_methods = if confirmed {
        &[]
    } else {
        person.second_factor.methods()
    };
    let body = json!({
        "type": "USER",
        "businessProfileId": number,
        "name": person.username,
        "id": person.number,
        "authorities": authorities,
        // "-2" is what the published example shows before a workspace is selected.
        "roles": if workspace.is_some() { "1" } else { "-2" },
        "mfaMethods": mfa_methods,
    });
    let mut claims = Map::new();
    claims.insert("eml".into(), person.username.as_str().into());
    claims.insert("auth".into(), encode_authorities(&authorities).into());
    claims.insert("bpi".into(), number.map_or(Value::Null, Value::from));
    let lifetime = context.state.lifetimes.user;
    let issued = context.issue_token(
        Consumer::User {
            user,
            confirmed,
            workspace,
        },
        "user",
        claims,
        lifetime,
    );
    ApiResponse::json(&json!({ "consumer": body, "token": issued.token }))
}
