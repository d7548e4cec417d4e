//! Activation of accounts, with a PIN or with the token of an e-mail.

use std::time::{Duration, SystemTime};

use crate::clock::later;
use crate::consumer::{ProfileId, WorkspaceId};
use crate::errors::ApiError;
use crate::outbox::MessageKind;
use crate::request_context::{ApiResponse, RequestContext};
use crate::state::profiles::{Account, Activation};
use crate::state::{new_digits, new_uuid};

/// Sends a PIN to the address of an account.
pub(crate) fn new_pin(
    context: &mut RequestContext<'_>,
    workspace: WorkspaceId,
    email: &str,
    device: Option<String>,
    password: String,
) -> Activation {
    let settings = &context.state.workspaces[workspace];
    let length = usize::try_from(settings.setting_number("pinConfirmationLength"))
        .unwrap_or(usize::MAX)
        .min(32);
    let valid_until = later(
        context.now,
        Duration::from_secs(settings.setting_number("pinConfirmationValidInSeconds")),
    );
    let pin = new_digits(length);
    context
        .state
        .send(email, MessageKind::ActivationPin, &pin, context.now);
    Activation::AwaitsPin {
        pin,
        valid_until,
        device,
        password,
    }
}

/// Sends an activation token to an address.
pub(crate) fn new_token(context: &mut RequestContext<'_>, email: &str) -> (String, SystemTime) {
    let token = format!("activation-{}", new_uuid());
    context
        .state
        .send(email, MessageKind::ActivationToken, &token, context.now);
    (
        token,
        later(
            context.now,
            Duration::from_secs(context.assumptions.activation_token_valid_in_seconds),
        ),
    )
}

/// The account with the body's `email` and `uuid` that waits for a PIN.
fn awaiting_pin(context: &RequestContext<'_>) -> Result<ProfileId, ApiError> {
    let workspace = context.workspace()?;
    let found = context.state.profile_by_email(workspace, context.text("email"));
    let own = found.filter(|profile| {
        let profile = &context.state.profiles[*profile];
        let waits = matches!(
            &profile.account,
            Some(Account {
                activation: Activation::AwaitsPin { .. },
                ..
            })
        );
        // An account of a third party keeps its UUID when it is registered with a password.
        let external = profile
            .account
            .as_ref()
            .is_some_and(|account| account.origin != "SYNERISE");
        waits && (external || profile.uuid == context.text("uuid"))
    });
    own.ok_or_else(|| ApiError::not_found("No account with this e-mail address and UUID waits for a PIN"))
}

/// `confirmActivationByPin`, from the device that requested the PIN last, before it expires.
pub(crate) fn confirm_by_pin(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let profile = awaiting_pin(context)?;
    let Some(account) = &context.state.profiles[profile].account else {
        return Err(ApiError::not_found("There is no such account"));
    };
    let Activation::AwaitsPin {
        pin,
        valid_until,
        device,
        password,
    } = account.activation.clone()
    else {
        return Err(ApiError::not_found("The account does not wait for a PIN"));
    };
    if device.is_some_and(|device| device != context.text("deviceId")) {
        return Err(
            ApiError::forbidden("The PIN must be sent from the device that requested it last")
                .with_field("deviceId", "is not the device that requested the last PIN"),
        );
    }
    if context.now >= valid_until {
        return Err(ApiError::bad_request("The PIN has expired").with_field("pinCode", "has expired"));
    }
    if pin != context.text("pinCode") {
        return Err(ApiError::bad_request("The PIN is not correct").with_field("pinCode", "is not correct"));
    }
    if let Some(account) = &mut context.state.profiles[profile].account {
        account.activation = Activation::Active;
        account.email_confirmed = true;
        account.password = Some(password);
    }
    Ok(ApiResponse::empty(context.assumptions.empty_success_status))
}

/// `requestActivationPin`: sends a new PIN, which replaces the old one.
pub(crate) fn request_pin(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let workspace = context.workspace()?;
    let profile = awaiting_pin(context)?;
    let account = context.state.profiles[profile].account.as_ref();
    let Some(Activation::AwaitsPin { device, password, .. }) =
        account.map(|account| account.activation.clone())
    else {
        return Err(ApiError::not_found("The account does not wait for a PIN"));
    };
    let asking = context.text("deviceId").to_owned();
    let any_device = context.state.workspaces[workspace].setting_flag("allowPinResendFromDifferentDeviceId");
    if !any_device && device.is_some_and(|device| device != asking) {
        return Err(ApiError::forbidden("Another device requested the PIN")
            .with_field("deviceId", "is not the device that requested the last PIN"));
    }
    let email = context.text("email").to_owned();
    let activation = new_pin(context, workspace, &email, Some(asking), password);
    if let Some(account) = &mut context.state.profiles[profile].account {
        account.activation = activation;
    }
    Ok(ApiResponse::empty(context.assumptions.empty_success_status))
}

/// `confirmActivationByToken`.
pub(crate) fn confirm_by_token(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let workspace = context.workspace()?;
    let sent = context.text("token").to_owned();
    let now = context.now;
    let mut accounts = context
        .state
        .profiles
        .iter_mut()
        .filter(|profile| profile.workspace == workspace);
    let found =
        accounts.find_map(|profile| {
            let account = profile.account.as_mut()?;
            let (Activation::AwaitsToken { token, valid_until }
            | Activation::Unconfirmed { token, valid_until }) = &account.activation
            else {
                return None;
            };
            let valid = now < *valid_until;
            (*token == sent).then_some((account, valid))
        });
    match found {
        Some((account, true)) => {
            account.activation = Activation::Active;
            account.email_confirmed = true;
            Ok(ApiResponse::empty(context.assumptions.empty_success_status))
        }
        Some((_, false)) => {
            Err(ApiError::bad_request("The activation token has expired").with_field("token", "has expired"))
        }
        None => {
            Err(ApiError::bad_request("The activation token is not valid")
                .with_field("token", "is not valid"))
        }
    }
}

/// `requestActivationToken`: sends a new token, which replaces the old one.
pub(crate) fn request_token(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let workspace = context.workspace()?;
    let email = context.text("email").to_owned();
    let found = context.state.profile_by_email(workspace, &email);
    let waiting = found.and_then(|profile| {
        let account = context.state.profiles[profile].account.as_ref()?;
        let for_login = matches!(account.activation, Activation::AwaitsToken { .. });
        (for_login || matches!(account.activation, Activation::Unconfirmed { .. }))
            .then_some((profile, for_login))
    });
    let Some((profile, for_login)) = waiting else {
        return Err(ApiError::not_found(
            "No account with this e-mail address waits for a confirmation",
        ));
    };
    let (token, valid_until) = new_token(context, &email);
    if let Some(account) = &mut context.state.profiles[profile].account {
        account.activation = if for_login {
            Activation::AwaitsToken { token, valid_until }
        } else {
            Activation::Unconfirmed { token, valid_until }
        };
    }
    Ok(ApiResponse::empty(context.assumptions.empty_success_status))
}
