//! Accounts: registration, and activation by PIN or by the token of an e-mail.

use std::time::{Duration, SystemTime};

use axum::http::StatusCode;
use serde_json::{Map, Value};

use super::login::{agreements, custom_id};
use crate::consumer::{ProfileId, WorkspaceId};
use crate::errors::Refusal;
use crate::outbox::MessageKind;
use crate::state::profiles::{Account, Activation};
use crate::state::{new_digits, new_uuid};
use crate::visit::{Answer, Visit};

/// What a registration may say about the person, kept as attributes.
const PERSONAL: [&str; 10] = [
    "firstName",
    "lastName",
    "sex",
    "phone",
    "company",
    "address",
    "city",
    "province",
    "zipCode",
    "countryCode",
];

/// `registerProfile`.
pub(crate) fn register(visit: &mut Visit<'_>) -> Result<Answer, Refusal> {
    let workspace = visit.workspace()?;
    let email = visit.text("email").to_owned();
    check(visit, &email)?;
    let agreements = agreements(&visit.body)?;
    let existing = visit.state.profile_by_email(workspace, &email);
    let account = existing.and_then(|profile| visit.state.profiles[profile].account.as_ref());
    let external = account.is_some_and(|account| account.password.is_none() && account.origin != "SYNERISE");
    let by_pin =
        visit.state.workspaces[workspace].setting_text("registrationType") == "REQUIRE_PIN_CONFIRMATION";
    if account.is_some() && !(external && by_pin) {
        return Err(Refusal::new(
            StatusCode::CONFLICT,
            "There is an account with this e-mail address",
        )
        .with_field("email", "is taken"));
    }
    let custom_id = custom_id(&visit.body).or_else(|| loyalty_card(visit, workspace));
    if let Some(id) = &custom_id {
        let owner = visit.state.profile_by_custom_id(workspace, id);
        if owner.is_some() && owner != existing {
            return Err(
                Refusal::new(StatusCode::CONFLICT, "There is an account with this customId")
                    .with_field("customId", "is taken"),
            );
        }
    }
    let profile = existing.unwrap_or_else(|| profile_for(visit, workspace));
    let activation = activation_for(visit, workspace, external, &email);
    let password = Some(visit.text("password").to_owned()).filter(|_| !external);
    let person: Map<String, Value> = PERSONAL
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), visit.body.get(*name)?.clone())))
        .collect();
    let attributes = visit
        .body
        .get("attributes")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let device = visit.optional_text("deviceId").map(str::to_owned);
    let reserved = visit.reserved_attributes;

    let profile = &mut visit.state.profiles[profile];
    profile.email = Some(email);
    profile.custom_id = custom_id.or(profile.custom_id.take());
    profile.agreements.extend(agreements);
    profile.attributes.extend(
        attributes
            .into_iter()
            .filter(|(name, _)| !reserved.contains(name)),
    );
    profile.attributes.extend(person);
    profile.devices.extend(device);
    match &mut profile.account {
        Some(account) => account.activation = activation,
        None => {
            profile.account = Some(Account {
                origin: "SYNERISE".to_owned(),
                password,
                activation,
                email_confirmed: false,
                refused_passwords: 0,
            });
        }
    }
    Ok(Answer::empty(visit.choices.empty_success_status))
}

fn check(visit: &Visit<'_>, email: &str) -> Result<(), Refusal> {
    let invalid = || Refusal::bad_request("The request is not valid");
    let (name, domain) = email.split_once('@').unwrap_or_default();
    if name.is_empty() || domain.is_empty() || domain.contains('@') {
        return Err(invalid().with_field("email", "is not an e-mail address"));
    }
    for field in ["password", "uuid"] {
        if visit.text(field).is_empty() {
            return Err(invalid().with_field(field, "must not be empty"));
        }
    }
    if visit.choices.password_policy && !keeps_policy(visit.text("password")) {
        return Err(invalid().with_field(
            "password",
            "must have six characters: upper case, lower case, a digit and another one among them",
        ));
    }
    Ok(())
}

fn keeps_policy(password: &str) -> bool {
    let has = |is: fn(char) -> bool| password.chars().any(is);
    password.chars().count() >= 6
        && has(char::is_uppercase)
        && has(char::is_lowercase)
        && has(char::is_numeric)
        && has(|letter| !letter.is_alphanumeric())
}

/// The customId that a voucher pool assigns.
fn loyalty_card(visit: &Visit<'_>, workspace: WorkspaceId) -> Option<String> {
    let pool = visit.state.workspaces[workspace].setting_text("voucherPoolUuid");
    (!pool.is_empty()).then(|| format!("card{}", new_digits(10)))
}

/// The anonymous profile that becomes the account, or a new one.
fn profile_for(visit: &mut Visit<'_>, workspace: WorkspaceId) -> ProfileId {
    let uuid = visit.text("uuid").to_owned();
    let visitor = visit.state.profile_by_uuid(workspace, &uuid);
    let nobody_yet = visitor.filter(|profile| visit.state.profiles[*profile].account.is_none());
    nobody_yet.unwrap_or_else(|| visit.state.add_profile(workspace, &uuid))
}

/// What the new account waits for by the workspace's settings. Sends the e-mail.
fn activation_for(visit: &mut Visit<'_>, workspace: WorkspaceId, external: bool, email: &str) -> Activation {
    let settings = &visit.state.workspaces[workspace];
    let mode = settings.setting_text("registrationType");
    let pin_for_everyone = settings.setting_text("pinConfirmationType") == "EVERYONE";
    if mode == "REQUIRE_PIN_CONFIRMATION" && (external || pin_for_everyone) {
        let device = visit.optional_text("deviceId").map(str::to_owned);
        let password = visit.text("password").to_owned();
        return new_pin(visit, workspace, email, device, password);
    }
    if mode == visit.choices.email_activation_literal {
        let (token, valid_until) = new_token(visit, email);
        return Activation::AwaitsToken { token, valid_until };
    }
    if mode == visit.choices.email_confirmation_literal {
        let (token, valid_until) = new_token(visit, email);
        return Activation::Unconfirmed { token, valid_until };
    }
    Activation::Active
}

fn new_pin(
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

fn new_token(visit: &mut Visit<'_>, email: &str) -> (String, SystemTime) {
    let token = format!("activation-{}", new_uuid());
    visit
        .state
        .send(email, MessageKind::ActivationToken, &token, visit.now);
    (
        token,
        later(visit.now, visit.choices.activation_token_valid_in_seconds),
    )
}

fn later(now: SystemTime, seconds: u64) -> SystemTime {
    // Out of range is as far away as the clock goes.
    now.checked_add(Duration::from_secs(seconds))
        .unwrap_or(now + Duration::from_secs(u64::from(u32::MAX)))
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
