//! The e-mail address and the telephone number of an account: changed by its owner, and confirmed by a message.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::Value;

use crate::clock::later;
use crate::consumer::{Consumer, ProfileId};
use crate::errors::ApiError;
use crate::outbox::MessageKind;
use crate::request_context::{ApiResponse, RequestContext};
use crate::state::profiles::{EmailChange, PhoneChange};
use crate::state::{new_digits, new_uuid};

/// `requestEmailChange`: sends a token to the new address, which replaces the one before.
pub(crate) fn request_email_change(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let (workspace, profile) = (context.workspace()?, owner(context)?);
    let email = context.text("email").to_owned();
    let (name, domain) = email.split_once('@').unwrap_or_default();
    if name.is_empty() || domain.is_empty() {
        return Err(ApiError::bad_request("The request is not valid")
            .with_field("email", "is not a valid e-mail address"));
    }
    if !is_confirmed(context, profile) {
        return Err(ApiError::forbidden("The password or the token is wrong"));
    }
    if context.state.profile_by_email(workspace, &email).is_some() {
        return Err(
            ApiError::new(StatusCode::CONFLICT, "The e-mail address is already in use")
                .with_field("email", "is taken"),
        );
    }
    let token = format!("change-{}", new_uuid());
    let valid = context.assumptions.email_change_token_valid_in_seconds;
    let change = EmailChange {
        profile,
        email: email.clone(),
        valid_until: later(context.now, Duration::from_secs(valid)),
    };
    let changes = &mut context.state.email_changes;
    changes.retain(|_, other| other.profile != profile);
    changes.insert(token.clone(), change);
    context
        .state
        .send(&email, MessageKind::EmailChange, &token, context.now);
    Ok(ApiResponse::empty(context.assumptions.empty_success_status))
}

/// `confirmEmailChange`: a token is good for one change, before it expires, in its workspace.
pub(crate) fn confirm_email_change(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let workspace = context.workspace()?;
    let token = context.text("token").to_owned();
    let change = context.state.email_changes.remove(&token);
    let valid = change.filter(|change| {
        context.now < change.valid_until && context.state.profiles[change.profile].workspace == workspace
    });
    let Some(EmailChange { profile, email, .. }) = valid else {
        return Err(ApiError::forbidden("The token is not valid"));
    };
    if context.state.profile_by_email(workspace, &email).is_some() {
        return Err(
            ApiError::new(StatusCode::CONFLICT, "The e-mail address is already in use")
                .with_field("email", "is taken"),
        );
    }
    let agreed = agreement(context, "newsletterAgreement");
    let profile = &mut context.state.profiles[profile];
    profile.email = Some(email);
    profile
        .agreements
        .extend(agreed.map(|agreed| ("email".to_owned(), agreed)));
    Ok(ApiResponse::empty(context.assumptions.empty_success_status))
}

/// `requestPhoneChange`: sends a code to the new number, which replaces the one before.
pub(crate) fn request_phone_change(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let profile = owner(context)?;
    let phone = context.text("phone").to_owned();
    if phone.is_empty() {
        return Err(
            ApiError::bad_request("The request is not valid").with_field("phone", "must not be empty")
        );
    }
    let code = new_digits(6);
    let valid = context.assumptions.phone_change_code_valid_in_seconds;
    let change = PhoneChange {
        phone: phone.clone(),
        code: code.clone(),
        valid_until: later(context.now, Duration::from_secs(valid)),
    };
    context.state.phone_changes.insert(profile, change);
    context
        .state
        .send(&phone, MessageKind::PhoneChange, &code, context.now);
    Ok(ApiResponse::empty(context.assumptions.empty_success_status))
}

/// `confirmPhoneChange`: a code is good for one change, before it expires, by the profile that requested it.
pub(crate) fn confirm_phone_change(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let profile = owner(context)?;
    let (phone, code) = (context.text("phone"), context.text("confirmationCode"));
    let waiting = context.state.phone_changes.get(&profile);
    let fits = waiting.is_some_and(|change| {
        change.phone == phone && change.code == code && context.now < change.valid_until
    });
    if !fits {
        return Err(ApiError::bad_request("The confirmation code is not valid")
            .with_field("confirmationCode", "is not valid"));
    }
    let phone = phone.to_owned();
    let agreed = agreement(context, "smsAgreement");
    context.state.phone_changes.remove(&profile);
    let profile = &mut context.state.profiles[profile];
    profile.attributes.insert("phone".to_owned(), phone.into());
    profile
        .agreements
        .extend(agreed.map(|agreed| ("sms".to_owned(), agreed)));
    Ok(ApiResponse::empty(context.assumptions.empty_success_status))
}

/// The profile of the token, if it has an account.
fn owner(context: &RequestContext<'_>) -> Result<ProfileId, ApiError> {
    let profile = context.consumer.as_ref().and_then(Consumer::profile);
    profile
        .filter(|profile| context.state.profiles[*profile].account.is_some())
        .ok_or_else(|| ApiError::not_found("The profile has no account"))
}

/// Whether the body has the account's password, or a token of its identity provider.
fn is_confirmed(context: &RequestContext<'_>, profile: ProfileId) -> bool {
    let profile = &context.state.profiles[profile];
    let Some(account) = &profile.account else {
        return false;
    };
    match (&account.password, context.optional_text("externalToken")) {
        (_, Some(token)) => {
            let key = (account.origin.clone(), token.to_owned());
            let known = context.state.third_party_tokens.get(&key);
            known.is_some_and(|known| Some(&known.email) == profile.email.as_ref())
        }
        (Some(password), None) => context.text("password") == password,
        (None, None) => false,
    }
}

fn agreement(context: &RequestContext<'_>, field: &str) -> Option<Value> {
    context.body.get(field).cloned()
}
