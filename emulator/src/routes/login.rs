//! The rules that all logins of profiles share.

use axum::http::StatusCode;
use serde_json::{Map, Value};

use crate::consumer::{ProfileId, WorkspaceId};
use crate::errors::ApiError;
use crate::request_context::RequestContext;
use crate::state::keys::ApiKey;
use crate::state::new_uuid;
use crate::state::profiles::{Account, Activation};

/// What to do when there is no account.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum MissingAccount {
    /// Create one, if a third party confirms the identity.
    Create,
    Refuse,
}

/// Why a login fails.
pub(crate) enum LoginError {
    Refused(ApiError),
    /// The identity is known, but a condition is not met.
    Unmet {
        status: String,
        conditions: Vec<String>,
        otherwise: Box<ApiError>,
    },
}

impl LoginError {
    pub(crate) fn into_error(self) -> ApiError {
        match self {
            Self::Refused(error) => error,
            Self::Unmet { otherwise, .. } => *otherwise,
        }
    }
}

impl From<ApiError> for LoginError {
    fn from(error: ApiError) -> Self {
        Self::Refused(error)
    }
}

/// Logs in with the identity of the body.
pub(crate) fn log_in(
    context: &mut RequestContext<'_>,
    key: &ApiKey,
    missing: MissingAccount,
) -> Result<ProfileId, LoginError> {
    check_required(context)?;
    let agreements = agreements(&context.body)?;
    let provider = context.text("identityProvider").to_owned();
    let own_accounts = provider == "SYNERISE";
    let has_device = context.optional_text("deviceId").is_some();
    if own_accounts && context.state.workspaces[key.workspace].device_control && !has_device {
        return Err(ApiError::bad_request("The device is required")
            .with_code("SAU-601")
            .with_field("deviceId", "must not be empty")
            .into());
    }
    let profile = if own_accounts {
        by_password(context, key.workspace)?
    } else {
        by_third_party(context, key.workspace, &provider, missing)?
    };
    if let Some((status, conditions)) = context.state.profiles[profile].unmet.clone() {
        let otherwise = ApiError::forbidden(format!("A condition for logging in is not met: {status}"));
        return Err(LoginError::Unmet {
            status,
            conditions,
            otherwise: Box::new(otherwise),
        });
    }
    remember(context, profile, agreements);
    Ok(profile)
}

/// Checks the fields that the identity provider requires.
fn check_required(context: &RequestContext<'_>) -> Result<(), ApiError> {
    let sent = |field: &str| context.optional_text(field).is_some();
    let custom_id = custom_id(&context.body).is_some();
    let mut error = ApiError::bad_request("The request is not valid");
    match context.text("identityProvider") {
        "SYNERISE" => {
            if !sent("email") && !custom_id {
                error = error.with_field("email", "is required, or customId, with SYNERISE");
            }
            for field in ["password", "uuid"] {
                if !sent(field) {
                    error = error.with_field(field, "is required with SYNERISE");
                }
            }
        }
        "FACEBOOK" | "OAUTH" | "APPLE" | "GOOGLE" => {
            if !sent("identityProviderToken") {
                error = error.with_field("identityProviderToken", "is required with this identity provider");
            }
        }
        // The use of UNKNOWN is not documented, nor is the meaning of 406.
        "UNKNOWN" => {
            return Err(ApiError::new(
                StatusCode::NOT_ACCEPTABLE,
                "The workspace does not accept this identity provider",
            ));
        }
        _ => error = error.with_field("identityProvider", "is not a valid identity provider"),
    }
    if error.fields.is_empty() {
        Ok(())
    } else {
        Err(error)
    }
}

fn by_password(context: &mut RequestContext<'_>, workspace: WorkspaceId) -> Result<ProfileId, LoginError> {
    let found = match (context.optional_text("email"), custom_id(&context.body)) {
        (Some(email), _) => context.state.profile_by_email(workspace, email),
        (None, Some(id)) => context.state.profile_by_custom_id(workspace, &id),
        (None, None) => None,
    };
    let found = found.filter(|profile| context.state.profiles[*profile].account.is_some());
    let profile = found.ok_or_else(|| no_account(context))?;
    let password = context.text("password").to_owned();
    let limit = context.assumptions.wrong_passwords_before_lock;
    let Some(account) = &mut context.state.profiles[profile].account else {
        return Err(no_account(context));
    };
    if account.wrong_passwords >= limit {
        return Err(ApiError::new(
            StatusCode::LOCKED,
            "The account is locked after too many wrong passwords",
        )
        .into());
    }
    // An account that waits for a PIN gets its password when the PIN arrives.
    let expected = match &account.activation {
        Activation::AwaitsPin { password, .. } => Some(password),
        _ => account.password.as_ref(),
    };
    if expected != Some(&password) {
        account.wrong_passwords += 1;
        return Err(ApiError::unauthorized("The login or the password is wrong").into());
    }
    account.wrong_passwords = 0;
    let (code, by) = match account.activation {
        Activation::Active | Activation::Unconfirmed { .. } => return Ok(profile),
        Activation::AwaitsToken { .. } => ("SAU-302", "the link in the e-mail"),
        Activation::AwaitsPin { .. } => ("SAU-303", "the PIN in the e-mail"),
    };
    let otherwise = ApiError::forbidden(format!("Activate the account first, with {by}")).with_code(code);
    Err(LoginError::Unmet {
        status: "ACTIVATION_REQUIRED".into(),
        conditions: vec![code.into()],
        otherwise: Box::new(otherwise),
    })
}

fn by_third_party(
    context: &mut RequestContext<'_>,
    workspace: WorkspaceId,
    provider: &str,
    missing: MissingAccount,
) -> Result<ProfileId, LoginError> {
    let token = (
        provider.to_owned(),
        context.text("identityProviderToken").to_owned(),
    );
    let Some(known) = context.state.third_party_tokens.get(&token).cloned() else {
        return Err(ApiError::unauthorized("The token of the identity provider is not valid").into());
    };
    if known.single_use {
        context.state.third_party_tokens.remove(&token);
    }
    let found = context.state.profile_by_email(workspace, &known.email);
    if let Some(profile) = found.filter(|profile| context.state.profiles[*profile].account.is_some()) {
        return Ok(profile);
    }
    if missing == MissingAccount::Refuse {
        return Err(no_account(context));
    }
    let uuid = context.optional_text("uuid").map_or_else(new_uuid, str::to_owned);
    let same_visitor = context.state.profile_by_uuid(workspace, &uuid);
    let without_account = same_visitor.filter(|profile| context.state.profiles[*profile].account.is_none());
    let profile = found
        .or(without_account)
        .unwrap_or_else(|| context.state.add_profile(workspace, &uuid));
    context.state.profiles[profile].email = Some(known.email);
    context.state.profiles[profile].account = Some(Account {
        origin: provider.to_owned(),
        password: None,
        activation: Activation::Active,
        email_confirmed: false,
        wrong_passwords: 0,
    });
    Ok(profile)
}

/// The status for an account that does not exist.
pub(crate) fn no_account_status(context: &RequestContext<'_>) -> StatusCode {
    StatusCode::from_u16(context.assumptions.unknown_account_status).unwrap_or(StatusCode::NOT_FOUND)
}

fn no_account(context: &RequestContext<'_>) -> LoginError {
    let otherwise = ApiError::new(no_account_status(context), "There is no such account");
    LoginError::Unmet {
        status: "REGISTRATION_REQUIRED".into(),
        conditions: Vec::new(),
        otherwise: Box::new(otherwise),
    }
}

/// Stores what a login or a registration says about the profile.
pub(crate) fn remember(context: &mut RequestContext<'_>, profile: ProfileId, agreements: Map<String, Value>) {
    let attributes = context
        .body
        .get("attributes")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let tags = context
        .body
        .get("tags")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let device = context.optional_text("deviceId").map(str::to_owned);
    let reserved = context.reserved_attributes;
    let profile = &mut context.state.profiles[profile];
    profile.agreements.extend(agreements);
    // As documented, reserved names are ignored silently.
    profile.attributes.extend(
        attributes
            .into_iter()
            .filter(|(name, _)| !reserved.contains(name)),
    );
    for tag in tags.iter().filter_map(Value::as_str) {
        if !profile.tags.iter().any(|known| known == tag) {
            profile.tags.push(tag.to_owned());
        }
    }
    profile.devices.extend(device);
}

/// The agreements as booleans, from every form that the service accepts.
pub(crate) fn agreements(body: &Value) -> Result<Map<String, Value>, ApiError> {
    let mut agreements = Map::new();
    for (name, value) in body
        .get("agreements")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let agreed = match value {
            Value::Bool(agreed) => Some(*agreed),
            Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
            Value::Number(number) if number.as_i64() == Some(1) => Some(true),
            Value::Number(number) if number.as_i64() == Some(0) => Some(false),
            _ => None,
        };
        let agreed = agreed.ok_or_else(|| {
            ApiError::bad_request("The request is not valid")
                .with_field(format!("agreements.{name}"), "must be true or false")
        })?;
        agreements.insert(name.clone(), agreed.into());
    }
    Ok(agreements)
}

/// The `customId`, which may be a string or a number.
pub(crate) fn custom_id(body: &Value) -> Option<String> {
    match body.get("customId")? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
