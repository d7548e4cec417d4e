//! The password of an account: reset by the token of an e-mail, or changed by its owner.

use std::time::Duration;

use super::registration::check_policy;
use crate::clock::later;
use crate::consumer::Consumer;
use crate::errors::ApiError;
use crate::outbox::MessageKind;
use crate::request_context::{ApiResponse, RequestContext};
use crate::state::new_uuid;
use crate::state::profiles::{Account, PasswordReset};

/// `requestPasswordReset`: sends a token, which replaces the one before.
pub(crate) fn request_reset(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let workspace = context.workspace()?;
    let email = context.text("email").to_owned();
    let found = context.state.profile_by_email(workspace, &email);
    let own = found.filter(|profile| {
        let account = context.state.profiles[*profile].account.as_ref();
        account.is_some_and(|account| account.password.is_some())
    });
    let Some(profile) = own else {
        return Err(ApiError::not_found(
            "No account with this e-mail address has a password",
        ));
    };
    let token = format!("reset-{}", new_uuid());
    let valid_until = later(
        context.now,
        Duration::from_secs(context.assumptions.password_reset_token_valid_in_seconds),
    );
    let resets = &mut context.state.password_resets;
    resets.retain(|_, other| other.profile != profile);
    resets.insert(token.clone(), PasswordReset { profile, valid_until });
    context
        .state
        .send(&email, MessageKind::PasswordReset, &token, context.now);
    Ok(ApiResponse::empty(context.assumptions.empty_success_status))
}

/// `confirmPasswordReset`: a token is good for one new password, before it expires, in its workspace.
pub(crate) fn confirm_reset(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let workspace = context.workspace()?;
    check_new_password(context)?;
    let token = context.text("token").to_owned();
    let known = context.state.password_resets.get(&token).copied();
    let here = known.filter(|reset| context.state.profiles[reset.profile].workspace == workspace);
    let Some(reset) = here else {
        return Err(ApiError::bad_request("The password reset token is not valid")
            .with_field("token", "is not valid"));
    };
    context.state.password_resets.remove(&token);
    if context.now >= reset.valid_until {
        return Err(
            ApiError::bad_request("The password reset token has expired").with_field("token", "has expired")
        );
    }
    let password = context.text("password").to_owned();
    if let Some(account) = &mut context.state.profiles[reset.profile].account {
        set_password(account, password);
    }
    Ok(ApiResponse::empty(context.assumptions.empty_success_status))
}

/// `changePassword`, by the account's owner. It needs the old password.
pub(crate) fn change(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    check_new_password(context)?;
    let (old, new) = (
        context.text("oldPassword").to_owned(),
        context.text("password").to_owned(),
    );
    let profile = context.consumer.as_ref().and_then(Consumer::profile);
    let account = profile.and_then(|profile| context.state.profiles[profile].account.as_mut());
    match account {
        Some(account) if account.password.as_ref() == Some(&old) => set_password(account, new),
        _ => return Err(ApiError::forbidden("The old password is wrong")),
    }
    Ok(ApiResponse::empty(context.assumptions.empty_success_status))
}

fn check_new_password(context: &RequestContext<'_>) -> Result<(), ApiError> {
    if context.text("password").is_empty() {
        return Err(
            ApiError::bad_request("The request is not valid").with_field("password", "must not be empty")
        );
    }
    check_policy(context)
}

fn set_password(account: &mut Account, password: String) {
    account.password = Some(password);
    account.wrong_passwords = 0;
}
