//! Activation of accounts, by PIN or by the token of an e-mail.

use std::time::SystemTime;

use crate::clock::later;
use crate::consumer::{ProfileId, WorkspaceId};
use crate::errors::Refusal;
use crate::outbox::MessageKind;
use crate::state::profiles::{Account, Activation};
use crate::state::{new_digits, new_uuid};
use crate::visit::{Answer, Visit};

/// A PIN for the account, sent to its address.
pub(crate) fn new_pin(
    visit: &mut Visit<'_>,
    workspace: WorkspaceId,
    email: &str,
    device: Option<String>,
    password: String,
) -> Activation {
    let settings = &visit.state.workspaces[workspace];
    let length = usize::try_from(settings.setting_number("pinConfirmationLength"))
        .unwrap_or(usize::MAX)
        .min(32);
    let valid_until = later(
        visit.now,
        settings.setting_number("pinConfirmationValidInSeconds"),
    );
    let pin = new_digits(length);
    visit
        .state
        .send(email, MessageKind::ActivationPin, &pin, visit.now);
    Activation::AwaitsPin {
        pin,
        valid_until,
        device,
        password,
    }
}

/// An activation token, sent to the address.
pub(crate) fn new_token(visit: &mut Visit<'_>, email: &str) -> (String, SystemTime) {
    let token = format!("activation-{}", new_uuid());
    visit
        .state
        .send(email, MessageKind::ActivationToken, &token, visit.now);
    (
        token,
        later(visit.now, visit.choices.activation_token_valid_in_seconds),
    )
}

/// The account of the body's `email` and `uuid` that awaits a PIN.
fn awaiting_pin(visit: &Visit<'_>) -> Result<ProfileId, Refusal> {
    let workspace = visit.workspace()?;
    let found = visit.state.profile_by_email(workspace, visit.text("email"));
    let own = found.filter(|profile| {
        let profile = &visit.state.profiles[*profile];
        let waits = matches!(
            &profile.account,
            Some(Account {
                activation: Activation::AwaitsPin { .. },
                ..
            })
        );
        // An account of a third party keeps its UUID when somebody registers it with a password.
        let external = profile
            .account
            .as_ref()
            .is_some_and(|account| account.origin != "SYNERISE");
        waits && (external || profile.uuid == visit.text("uuid"))
    });
    own.ok_or_else(|| Refusal::not_found("No account with this e-mail address and UUID waits for a PIN"))
}

/// `confirmActivationByPin`: from the device that asked last, before the PIN expires.
pub(crate) fn confirm_by_pin(visit: &mut Visit<'_>) -> Result<Answer, Refusal> {
    let profile = awaiting_pin(visit)?;
    let Some(account) = &visit.state.profiles[profile].account else {
        return Err(Refusal::not_found("There is no such account"));
    };
    let Activation::AwaitsPin {
        pin,
        valid_until,
        device,
        password,
    } = account.activation.clone()
    else {
        return Err(Refusal::not_found("The account waits for no PIN"));
    };
    if device.is_some_and(|device| device != visit.text("deviceId")) {
        return Err(
            Refusal::forbidden("The PIN has to come from the device that asked for it last")
                .with_field("deviceId", "is not the device that asked last"),
        );
    }
    if visit.now >= valid_until {
        return Err(Refusal::bad_request("The PIN has expired").with_field("pinCode", "has expired"));
    }
    if pin != visit.text("pinCode") {
        return Err(Refusal::bad_request("The PIN is not correct").with_field("pinCode", "is not correct"));
    }
    if let Some(account) = &mut visit.state.profiles[profile].account {
        account.activation = Activation::Active;
        account.email_confirmed = true;
        account.password = Some(password);
    }
    Ok(Answer::empty(visit.choices.empty_success_status))
}

/// `requestActivationPin`: a new PIN, the old one is void.
pub(crate) fn request_pin(visit: &mut Visit<'_>) -> Result<Answer, Refusal> {
    let workspace = visit.workspace()?;
    let profile = awaiting_pin(visit)?;
    let account = visit.state.profiles[profile].account.as_ref();
    let Some(Activation::AwaitsPin { device, password, .. }) =
        account.map(|account| account.activation.clone())
    else {
        return Err(Refusal::not_found("The account waits for no PIN"));
    };
    let asking = visit.text("deviceId").to_owned();
    let any_device = visit.state.workspaces[workspace].setting_flag("allowPinResendFromDifferentDeviceId");
    if !any_device && device.is_some_and(|device| device != asking) {
        return Err(Refusal::forbidden("Another device asked for the PIN")
            .with_field("deviceId", "is not the device that asked last"));
    }
    let email = visit.text("email").to_owned();
    let activation = new_pin(visit, workspace, &email, Some(asking), password);
    if let Some(account) = &mut visit.state.profiles[profile].account {
        account.activation = activation;
    }
    Ok(Answer::empty(visit.choices.empty_success_status))
}

/// `confirmActivationByToken`.
pub(crate) fn confirm_by_token(visit: &mut Visit<'_>) -> Result<Answer, Refusal> {
    let workspace = visit.workspace()?;
    let sent = visit.text("token").to_owned();
    let now = visit.now;
    let mut accounts = visit
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
            Ok(Answer::empty(visit.choices.empty_success_status))
        }
        Some((_, false)) => {
            Err(Refusal::bad_request("The activation token has expired").with_field("token", "has expired"))
        }
        None => {
            Err(Refusal::bad_request("The activation token is not valid").with_field("token", "is not valid"))
        }
    }
}

/// `requestActivationToken`: a new token, the old one is void.
pub(crate) fn request_token(visit: &mut Visit<'_>) -> Result<Answer, Refusal> {
    let workspace = visit.workspace()?;
    let email = visit.text("email").to_owned();
    let found = visit.state.profile_by_email(workspace, &email);
    let waiting = found.and_then(|profile| {
        let account = visit.state.profiles[profile].account.as_ref()?;
        let for_login = matches!(account.activation, Activation::AwaitsToken { .. });
        (for_login || matches!(account.activation, Activation::Unconfirmed { .. }))
            .then_some((profile, for_login))
    });
    let Some((profile, for_login)) = waiting else {
        return Err(Refusal::not_found(
            "No account with this e-mail address waits for a confirmation",
        ));
    };
    let (token, valid_until) = new_token(visit, &email);
    if let Some(account) = &mut visit.state.profiles[profile].account {
        account.activation = if for_login {
            Activation::AwaitsToken { token, valid_until }
        } else {
            Activation::Unconfirmed { token, valid_until }
        };
    }
    Ok(Answer::empty(visit.choices.empty_success_status))
}
