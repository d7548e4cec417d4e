//! Registration of accounts.

use axum::http::StatusCode;
use serde_json::{Map, Value};

use super::activation::{new_pin, new_token};
use super::login::{agreements, custom_id, remember};
use crate::consumer::{ProfileId, WorkspaceId};
use crate::errors::Refusal;
use crate::state::new_digits;
use crate::state::profiles::{Account, Activation};
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
    remember(visit, profile, agreements);

    let profile = &mut visit.state.profiles[profile];
    profile.email = Some(email);
    profile.custom_id = custom_id.or(profile.custom_id.take());
    profile.attributes.extend(person);
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
