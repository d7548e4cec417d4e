//! The end of a profile's sessions, and of its account.

use super::login::no_account_status;
use crate::consumer::{Consumer, ProfileId};
use crate::errors::ApiError;
use crate::request_context::{ApiResponse, RequestContext};

/// `logOut`: revokes the tokens of the profile on all devices.
pub(crate) fn log_out(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let consumer = context.consumer.clone();
    let Some(profile) = consumer.as_ref().and_then(Consumer::profile) else {
        return Err(ApiError::unauthorized("The token is missing"));
    };
    let anonymous = matches!(consumer, Some(Consumer::Anonymous { .. }));
    revoke(context, profile, anonymous);
    Ok(ApiResponse::empty(context.assumptions.empty_success_status))
}

/// `logOutProfile`: the same, by a backend of the profile's workspace.
pub(crate) fn log_out_profile(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let workspace = context.workspace()?;
    let number = context
        .path_parameters
        .get("clientID")
        .cloned()
        .unwrap_or_default();
    let found = context
        .state
        .profiles
        .iter()
        .position(|profile| profile.workspace == workspace && profile.number.to_string() == number);
    let Some(profile) = found else {
        return Err(ApiError::not_found("There is no such profile"));
    };
    revoke(context, profile, false);
    Ok(ApiResponse::empty(context.assumptions.empty_success_status))
}

/// `deleteAccount`: the profile stays, without an account, and its tokens are revoked.
pub(crate) fn delete_account(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let found = context.consumer.as_ref().and_then(Consumer::profile);
    let account = found.and_then(|profile| context.state.profiles[profile].account.as_ref());
    let Some((profile, account)) = found.zip(account) else {
        return Err(ApiError::new(
            no_account_status(context),
            "The profile has no account",
        ));
    };
    let provider = context.text("identityProvider");
    let confirmed = if let Some(password) = &account.password {
        provider == "SYNERISE" && context.text("password") == password
    } else {
        let key = (
            provider.to_owned(),
            context.text("identityProviderToken").to_owned(),
        );
        let known = context.state.third_party_tokens.get(&key);
        let email = context.state.profiles[profile].email.as_ref();
        provider == account.origin && known.is_some_and(|known| Some(&known.email) == email)
    };
    if !confirmed {
        return Err(ApiError::forbidden("The password or the token is wrong"));
    }
    let state = &mut *context.state;
    state.password_resets.retain(|_, reset| reset.profile != profile);
    state.email_changes.retain(|_, change| change.profile != profile);
    state.phone_changes.remove(&profile);
    let deleted = &mut state.profiles[profile];
    deleted.account = None;
    deleted.email = None;
    deleted.custom_id = None;
    revoke(context, profile, true);
    Ok(ApiResponse::empty(context.assumptions.empty_success_status))
}

/// Revokes the profile's tokens, those of its visits included if asked for.
fn revoke(context: &mut RequestContext<'_>, profile: ProfileId, visits_too: bool) {
    let visits_too = visits_too || context.text("action") == "LOGOUT_WITH_SESSION_CLEARING";
    context.state.tokens.revoke_where(|consumer| match consumer {
        Consumer::Profile { profile: own, .. } => *own == profile,
        Consumer::Anonymous { profile: own, .. } => visits_too && *own == profile,
        Consumer::User { .. } | Consumer::Workspace { .. } => false,
    });
}
