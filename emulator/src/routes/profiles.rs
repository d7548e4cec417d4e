//! Logins and refresh of profiles.

use std::net::IpAddr;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::login::{LoginError, MissingAccount, agreements, custom_id, log_in, remember};
use crate::assumptions::UnmetCondition;
use crate::consumer::{Consumer, ProfileId};
use crate::errors::ApiError;
use crate::request_context::{ApiResponse, RequestContext};
use crate::signing::encode_authorities;
use crate::state::keys::{ApiKey, Scope};
use crate::state::new_uuid;
use crate::state::profiles::{Account, Activation};
use crate::state::workspaces::Workspace;
use crate::tokens::TokenResponse;

/// `authenticateProfile`.
pub(crate) fn authenticate(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let (api_key, key) = context.api_key_of(Scope::Profile)?;
    check_visitor(context, &key)?;
    let profile = log_in(context, &key, MissingAccount::Create).map_err(LoginError::into_error)?;
    link_visitor(context, profile);
    Ok(issue_after_login(context, profile, api_key, Map::new()))
}

/// The anonymous token of a login, if there is one, belongs to the key's workspace.
fn check_visitor(context: &RequestContext<'_>, key: &ApiKey) -> Result<(), ApiError> {
    let own = context.consumer.as_ref().and_then(Consumer::workspace);
    if own.is_some_and(|own| own != key.workspace) {
        return Err(ApiError::forbidden(
            "The anonymous token belongs to another workspace",
        ));
    }
    Ok(())
}

/// A login that carries a visitor's token joins the visitor's history to the account. What else the service does is not
/// documented.
fn link_visitor(context: &mut RequestContext<'_>, profile: ProfileId) {
    let Some(visitor) = context.consumer.as_ref().and_then(Consumer::profile) else {
        return;
    };
    let uuid = context.state.profiles[visitor].uuid.clone();
    let linked = &mut context.state.profiles[profile].linked_visitors;
    if visitor != profile && !linked.contains(&uuid) {
        linked.push(uuid);
    }
}

/// `authenticateProfileServerSide`: the backend of the same workspace logs the profile in.
pub(crate) fn authenticate_server_side(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let (api_key, key) = context.api_key_of(Scope::Profile)?;
    if key.workspace != context.workspace()? {
        return Err(ApiError::forbidden(
            "The profile key belongs to another workspace",
        ));
    }
    if context.text("ipAddress").parse::<IpAddr>().is_err() {
        return Err(
            ApiError::bad_request("The request is not valid").with_field("ipAddress", "is not an IP address")
        );
    }
    let profile = log_in(context, &key, MissingAccount::Create).map_err(LoginError::into_error)?;
    Ok(issue_after_login(context, profile, api_key, Map::new()))
}

/// `authenticateProfileConditionally`: never creates an account.
pub(crate) fn authenticate_conditionally(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let (api_key, key) = context.api_key_of(Scope::Profile)?;
    check_visitor(context, &key)?;
    match log_in(context, &key, MissingAccount::Refuse) {
        Ok(profile) => {
            link_visitor(context, profile);
            let mut response = Map::new();
            response.insert("conditions".into(), json!([]));
            response.insert("status".into(), "SUCCESS".into());
            Ok(issue_after_login(context, profile, api_key, response))
        }
        Err(LoginError::Unmet {
            status, conditions, ..
        }) if context.assumptions.unmet_condition == UnmetCondition::Status200 => Ok(ApiResponse::json(
            &json!({ "conditions": conditions, "status": status }),
        )),
        Err(denial) => Err(denial.into_error()),
    }
}

/// `authenticateAnonymously`. The same UUID means the same profile.
pub(crate) fn authenticate_anonymously(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    visit(context, false)
}

/// `authenticateIncognito`. The device is not remembered.
pub(crate) fn authenticate_incognito(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    visit(context, true)
}

fn visit(context: &mut RequestContext<'_>, incognito: bool) -> Result<ApiResponse, ApiError> {
    let (api_key, key) = context.api_key_of(Scope::Profile)?;
    let Some(uuid) = context.optional_text("uuid").map(str::to_owned) else {
        return Err(ApiError::bad_request("The request is not valid").with_field("uuid", "must not be empty"));
    };
    let device = context.optional_text("deviceId").filter(|_| !incognito);
    let device = device.map(str::to_owned);
    let known = context.state.profile_by_uuid(key.workspace, &uuid);
    let profile = known.unwrap_or_else(|| context.state.add_profile(key.workspace, &uuid));
    context.state.profiles[profile].devices.extend(device);
    Ok(issue(
        context,
        &Consumer::Anonymous {
            profile,
            workspace: key.workspace,
            api_key,
            incognito,
        },
        visit_origin(incognito),
        Map::new(),
    ))
}

fn visit_origin(incognito: bool) -> &'static str {
    if incognito { "INCOGNITO" } else { "ANONYMOUS" }
}

/// `authenticateSimply`: the owner of an identifier, without a password. A missing account is created.
pub(crate) fn authenticate_simply(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let workspace = context.workspace()?;
    let caller = context.consumer.clone();
    let Some((visitor, api_key)) = caller
        .as_ref()
        .and_then(|caller| Some((caller.profile()?, caller.api_key()?.to_owned())))
    else {
        return Err(ApiError::unauthorized("The token is missing"));
    };
    check_hash(context, &api_key)?;
    let email = context.optional_text("email").map(str::to_owned);
    let custom_id = custom_id(&context.body);
    let found = match (&email, &custom_id) {
        (Some(email), _) => context.state.profile_by_email(workspace, email),
        (None, Some(id)) => context.state.profile_by_custom_id(workspace, id),
        (None, None) => {
            return Err(ApiError::new(
                StatusCode::PRECONDITION_FAILED,
                "An e-mail address or a customId is needed",
            ));
        }
    };
    let agreements = agreements(&context.body)?;
    let without_account = Some(visitor).filter(|id| context.state.profiles[*id].account.is_none());
    let profile = found
        .or(without_account)
        .unwrap_or_else(|| context.state.add_profile(workspace, &new_uuid()));
    remember(context, profile, agreements);
    let recognized = &mut context.state.profiles[profile];
    recognized.email = email.or(recognized.email.take());
    recognized.custom_id = custom_id.or(recognized.custom_id.take());
    recognized.account.get_or_insert_with(|| Account {
        origin: "SIMPLE_AUTH".to_owned(),
        password: None,
        activation: Activation::Active,
        email_confirmed: false,
        wrong_passwords: 0,
    });
    let consumer = Consumer::Profile {
        profile,
        workspace,
        api_key,
    };
    Ok(issue(context, &consumer, "SIMPLE_AUTH", Map::new()))
}

/// A key with a salt needs the header that only an owner of the salt can make.
fn check_hash(context: &RequestContext<'_>, api_key: &str) -> Result<(), ApiError> {
    let key = context.state.keys.get(api_key);
    let Some(expected) = key.and_then(|key| key.simple_auth_hash.as_deref()) else {
        return Ok(());
    };
    let sent = context.headers.get("x-simple-auth-hash");
    if sent.is_some_and(|sent| sent.as_bytes() == expected.as_bytes()) {
        return Ok(());
    }
    let status = context.assumptions.wrong_simple_auth_hash_status;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
    Err(ApiError::new(
        status,
        "The header X-Simple-Auth-Hash is missing or wrong",
    ))
}

/// `refreshProfileToken`: a new token in exchange for a valid one.
pub(crate) fn refresh(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let (_, key) = context.api_key_of(Scope::Profile)?;
    if key.workspace != context.workspace()? {
        return Err(ApiError::unauthorized(
            "The API key belongs to another workspace than the token",
        ));
    }
    let Some(consumer) = context.consumer.clone() else {
        return Err(ApiError::unauthorized("The token is missing"));
    };
    let origin = match &consumer {
        Consumer::Profile { profile, .. } => origin_of(context, *profile),
        Consumer::Anonymous { incognito, .. } => visit_origin(*incognito).to_owned(),
        _ => "UNKNOWN".to_owned(),
    };
    // A refresh returns its full body even if a login returns only the token.
    let issued = issue_token(context, consumer.clone());
    Ok(full_response(context, &consumer, &issued, &origin, Map::new()))
}

fn origin_of(context: &RequestContext<'_>, profile: ProfileId) -> String {
    context.state.profiles[profile]
        .account
        .as_ref()
        .map_or("UNKNOWN", |account| &account.origin)
        .to_owned()
}

fn issue_after_login(
    context: &mut RequestContext<'_>,
    profile: ProfileId,
    api_key: String,
    more: Map<String, Value>,
) -> ApiResponse {
    let workspace = context.state.profiles[profile].workspace;
    let origin = context.text("identityProvider").to_owned();
    issue(
        context,
        &Consumer::Profile {
            profile,
            workspace,
            api_key,
        },
        &origin,
        more,
    )
}

fn issue(
    context: &mut RequestContext<'_>,
    consumer: &Consumer,
    origin: &str,
    more: Map<String, Value>,
) -> ApiResponse {
    let issued = issue_token(context, consumer.clone());
    if context.assumptions.profile_token_alone && more.is_empty() {
        return ApiResponse::json(&json!({ "token": issued.token }));
    }
    full_response(context, consumer, &issued, origin, more)
}

fn full_response(
    context: &RequestContext<'_>,
    consumer: &Consumer,
    issued: &TokenResponse,
    origin: &str,
    mut response: Map<String, Value>,
) -> ApiResponse {
    response.insert("token".into(), issued.token.as_str().into());
    if let Some(expiration) = issued.expiration {
        response.insert("expiration".into(), expiration.into());
    }
    response.insert("created".into(), issued.created.into());
    response.insert("origin".into(), origin.into());
    response.insert("realm".into(), realm(consumer).into());
    let profile = consumer.profile().map(|profile| &context.state.profiles[profile]);
    let text = |text: Option<String>| text.map_or(Value::Null, Value::from);
    let custom_id = profile.and_then(|profile| profile.custom_id.clone());
    response.insert("customId".into(), text(custom_id));
    // A text here, and a number in the claims.
    let number = profile.map(|profile| profile.number.to_string());
    response.insert("clientId".into(), text(number));
    response.insert(
        "clientUuid".into(),
        text(profile.map(|profile| profile.uuid.clone())),
    );
    ApiResponse::json(&Value::Object(response))
}

fn realm(consumer: &Consumer) -> &'static str {
    if matches!(consumer, Consumer::Anonymous { .. }) {
        "anonymous_client"
    } else {
        "client"
    }
}

fn issue_token(context: &mut RequestContext<'_>, consumer: Consumer) -> TokenResponse {
    let mut claims = Map::new();
    let workspace = consumer
        .workspace()
        .map(|workspace| &context.state.workspaces[workspace]);
    if let Some(profile) = consumer.profile().map(|profile| &context.state.profiles[profile]) {
        let known = profile.email.clone().filter(|_| realm(&consumer) == "client");
        let email = known.unwrap_or_else(|| format!("{}@anonymous.invalid", profile.uuid));
        claims.insert("eml".into(), email.into());
        claims.insert("clId".into(), profile.number.into());
        claims.insert("uuid".into(), profile.uuid.as_str().into());
    }
    claims.insert("auth".into(), encode_authorities(&[]).into());
    claims.insert("bpi".into(), workspace.map(|workspace| workspace.number).into());
    claims.insert("apk".into(), consumer.api_key().into());
    let lifetime = workspace.map_or(context.state.lifetimes.profile, Workspace::profile_token_lifetime);
    let realm = realm(&consumer);
    context.issue_token(consumer, realm, claims, lifetime)
}
