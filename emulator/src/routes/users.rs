//! Users: password, second factor, workspace.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use crate::clock::{later, unix_seconds};
use crate::consumer::{Consumer, UserId, WorkspaceId};
use crate::errors::Refusal;
use crate::outbox::MessageKind;
use crate::signing::packed_authorities;
use crate::state::new_digits;
use crate::state::users::{EmailCode, SecondFactor};
use crate::visit::{Answer, Visit};

/// How long a device that passed the second factor needs none (documented).
const TRUSTED_DEVICE_SECONDS: u64 = 8 * 3600;

/// What a user may do inside a workspace; every user is an administrator here.
const AUTHORITIES: [&str; 3] = [
    "ROLE_USER",
    "SETTINGS_IDENTITY_AND_ACCESS_MANAGEMENT_READ",
    "SETTINGS_IDENTITY_AND_ACCESS_MANAGEMENT_UPDATE",
];

/// `userLogin`.
pub(crate) fn log_in(visit: &mut Visit<'_>) -> Result<Answer, Refusal> {
    let refused = || Refusal::unauthorized("The username or the password is not correct");
    let username = visit.text("username");
    let user = visit
        .state
        .users
        .iter()
        .position(|user| user.username == username)
        .ok_or_else(refused)?;
    let limit = visit.choices.refused_passwords_before_lock;
    if visit.state.users[user].refused_passwords >= limit {
        return Err(Refusal::new(
            StatusCode::LOCKED,
            "The user is locked after too many refused passwords",
        ));
    }
    if visit.state.users[user].password != visit.text("password") {
        visit.state.users[user].refused_passwords += 1;
        return Err(refused());
    }
    check_external_provider(visit)?;
    visit.state.users[user].refused_passwords = 0;

    let trusted = visit.optional_text("deviceId").is_some_and(|device| {
        visit.state.users[user]
            .trusted_devices
            .get(device)
            .is_some_and(|until| visit.now < *until)
    });
    let confirmed = trusted || matches!(visit.state.users[user].second_factor, SecondFactor::None);
    if !confirmed && matches!(visit.state.users[user].second_factor, SecondFactor::Email) {
        send_code(visit, user);
    }
    Ok(issue(visit, user, confirmed, None))
}

fn send_code(visit: &mut Visit<'_>, user: UserId) {
    let valid_until = later(visit.now, visit.choices.email_code_valid_in_seconds);
    let code = new_digits(6);
    let to = visit.state.users[user].username.clone();
    visit.state.send(&to, MessageKind::LoginCode, &code, visit.now);
    visit.state.users[user].email_code = Some(EmailCode { code, valid_until });
}

/// The token of an external provider, where one is sent: it has to be known, and the user's.
fn check_external_provider(visit: &Visit<'_>) -> Result<(), Refusal> {
    let Some(token) = visit.optional_text("externalProviderToken") else {
        return Ok(());
    };
    let provider = visit.text("externalProviderType");
    if provider != "GOOGLE" {
        return Err(Refusal::bad_request("The external provider is not known")
            .with_field("externalProviderType", "must be GOOGLE"));
    }
    let key = (provider.to_owned(), token.to_owned());
    let owner = visit
        .state
        .third_party_tokens
        .get(&key)
        .map(|token| token.email.as_str());
    let username = match visit.consumer {
        Some(Consumer::User { user, .. }) => visit.state.users[user].username.as_str(),
        _ => visit.text("username"),
    };
    if owner == Some(username) {
        Ok(())
    } else {
        Err(Refusal::unauthorized(
            "The external provider does not vouch for the user",
        ))
    }
}

/// `userMfaLogin`.
pub(crate) fn verify_second_factor(visit: &mut Visit<'_>) -> Result<Answer, Refusal> {
    let Some(Consumer::User { user, .. }) = visit.consumer else {
        return Err(Refusal::forbidden("The token is not a user's"));
    };
    let method = visit.query.get("mfaType").cloned().unwrap_or_default();
    if !matches!(method.as_str(), "TOTP_AUTHENTICATOR" | "EMAIL") {
        return Err(Refusal::bad_request("The kind of second factor is not known")
            .with_field("mfaType", "must be TOTP_AUTHENTICATOR or EMAIL"));
    }
    if !visit.state.users[user]
        .second_factor
        .methods()
        .contains(&method.as_str())
    {
        return Err(Refusal::bad_request("The user has no second factor of this kind")
            .with_field("mfaType", "is not set up for the user"));
    }
    check_external_provider(visit)?;
    let code = visit.text("verificationCode").to_owned();
    if !takes_code(visit, user, &code) {
        return Err(Refusal::unauthorized("The verification code is not correct"));
    }
    if let Some(device) = visit.optional_text("deviceId").map(str::to_owned) {
        let until = later(visit.now, TRUSTED_DEVICE_SECONDS);
        visit.state.users[user].trusted_devices.insert(device, until);
    }
    Ok(issue(visit, user, true, None))
}

/// Whether the code is right. A right code is used up by it.
fn takes_code(visit: &mut Visit<'_>, user: UserId, code: &str) -> bool {
    let now = visit.now;
    let user = &mut visit.state.users[user];
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
pub(crate) fn select_workspace(visit: &mut Visit<'_>) -> Result<Answer, Refusal> {
    let Some(Consumer::User { user, .. }) = visit.consumer else {
        return Err(Refusal::forbidden("The token is not a user's"));
    };
    let guid = visit
        .path_parameters
        .get("businessProfileUUID")
        .map(String::as_str)
        .unwrap_or_default();
    let found = visit
        .state
        .workspaces
        .iter()
        .position(|workspace| workspace.guid.eq_ignore_ascii_case(guid));
    let workspace = found.ok_or_else(|| Refusal::not_found("There is no such workspace"))?;
    if !visit.state.users[user].workspaces.contains(&workspace) {
        return Err(Refusal::forbidden("The user does not belong to the workspace"));
    }
    if visit.state.workspaces[workspace].locked {
        return Err(Refusal::new(
            StatusCode::LOCKED,
            "The workspace's access policy locks the user out",
        ));
    }
    let has_second_factor = !visit.state.users[user].second_factor.methods().is_empty();
    if visit.state.workspaces[workspace].mfa_required && !has_second_factor {
        return Err(Refusal::new(
            StatusCode::LOCKED,
            "The workspace requires a second factor",
        ));
    }
    Ok(issue(visit, user, true, Some(workspace)))
}

fn issue(visit: &mut Visit<'_>, user: UserId, confirmed: bool, workspace: Option<WorkspaceId>) -> Answer {
    let number = workspace.map(|id| visit.state.workspaces[id].number);
    let authorities: Vec<String> = if workspace.is_some() {
        AUTHORITIES.map(str::to_owned).to_vec()
    } else {
        Vec::new()
    };
    let person = &visit.state.users[user];
    let owed = if confirmed {
        &[]
    } else {
        person.second_factor.methods()
    };
    let answer = json!({
        "type": "USER",
        "businessProfileId": number,
        "name": person.username,
        "id": person.number,
        "authorities": authorities,
        // "-2" is what the published example shows before a workspace is selected.
        "roles": if workspace.is_some() { "1" } else { "-2" },
        "mfaMethods": owed,
    });
    let mut claims = Map::new();
    claims.insert("eml".into(), person.username.as_str().into());
    claims.insert("auth".into(), packed_authorities(&authorities).into());
    claims.insert("bpi".into(), number.map_or(Value::Null, Value::from));
    let lifetime = visit.state.lifetimes.user;
    let issued = visit.issue(
        Consumer::User {
            user,
            confirmed,
            workspace,
        },
        "user",
        claims,
        lifetime,
    );
    Answer::json(&json!({ "consumer": answer, "token": issued.token }))
}
