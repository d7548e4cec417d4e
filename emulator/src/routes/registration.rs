//! Registration of accounts.

use axum::http::StatusCode;
use serde_json::{Map, Value};

use super::activation::{new_pin, new_token};
use super::login::{agreements, custom_id, remember};
use crate::consumer::{ProfileId, WorkspaceId};
use crate::errors::ApiError;
use crate::request_context::{ApiResponse, RequestContext};
use crate::state::new_digits;
use crate::state::profiles::{Account, Activation};

/// Fields of a registration that are stored as attributes.
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
pub(crate) fn register(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let workspace = context.workspace()?;
    let email = context.text("email").to_owned();
    check(context, &email)?;
    let agreements = agreements(&context.body)?;
    let existing = context.state.profile_by_email(workspace, &email);
    let account = existing.and_then(|profile| context.state.profiles[profile].account.as_ref());
    let external = account.is_some_and(|account| account.password.is_none() && account.origin != "SYNERISE");
    let by_pin =
        context.state.workspaces[workspace].setting_text("registrationType") == "REQUIRE_PIN_CONFIRMATION";
    if account.is_some() && !(external && by_pin) {
        return Err(
            ApiError::new(StatusCode::CONFLICT, "The e-mail address is already in use")
                .with_field("email", "is taken"),
        );
    }
    let custom_id = custom_id(&context.body).or_else(|| loyalty_card(context, workspace));
    if let Some(id) = &custom_id {
        let owner = context.state.profile_by_custom_id(workspace, id);
        if owner.is_some() && owner != existing {
            return Err(
                ApiError::new(StatusCode::CONFLICT, "The customId is already in use")
                    .with_field("customId", "is taken"),
            );
        }
    }
    let profile = existing.unwrap_or_else(|| profile_for(context, workspace));
    let activation = activation_for(context, workspace, external, &email);
    let password = Some(context.text("password").to_owned()).filter(|_| !external);
    let person: Map<String, Value> = PERSONAL
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), context.body.get(*name)?.clone())))
        .collect();
    remember(context, profile, agreements);

    let profile = &mut context.state.profiles[profile];
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
                wrong_passwords: 0,
            });
        }
    }
    Ok(ApiResponse::empty(context.assumptions.empty_success_status))
}

fn check(context: &RequestContext<'_>, email: &str) -> Result<(), ApiError> {
    let invalid = || ApiError::bad_request("The request is not valid");
    let (name, domain) = email.split_once('@').unwrap_or_default();
    if name.is_empty() || domain.is_empty() || domain.contains('@') {
        return Err(invalid().with_field("email", "is not a valid e-mail address"));
    }
    for field in ["password", "uuid"] {
        if context.text(field).is_empty() {
            return Err(invalid().with_field(field, "must not be empty"));
        }
    }
    check_policy(context)
}

/// The `password` of the body, if there is a policy.
pub(super) fn check_policy(context: &RequestContext<'_>) -> Result<(), ApiError> {
    if context.assumptions.password_policy && !keeps_policy(context.text("password")) {
        return Err(ApiError::bad_request("The request is not valid").with_field(
            "password",
            "must have at least six characters, including upper case, lower case, a digit and another character",
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
fn loyalty_card(context: &RequestContext<'_>, workspace: WorkspaceId) -> Option<String> {
    let pool = context.state.workspaces[workspace].setting_text("voucherPoolUuid");
    (!pool.is_empty()).then(|| format!("card{}", new_digits(10)))
}

/// The anonymous profile that gets the account, or a new profile.
fn profile_for(context: &mut RequestContext<'_>, workspace: WorkspaceId) -> ProfileId {
    let uuid = context.text("uuid").to_owned();
    let visitor = context.state.profile_by_uuid(workspace, &uuid);
    let without_account = visitor.filter(|profile| context.state.profiles[*profile].account.is_none());
    without_account.unwrap_or_else(|| context.state.add_profile(workspace, &uuid))
}

/// The confirmation that the new account needs according to the settings. Sends the e-mail.
fn activation_for(
    context: &mut RequestContext<'_>,
    workspace: WorkspaceId,
    external: bool,
    email: &str,
) -> Activation {
    let settings = &context.state.workspaces[workspace];
    let mode = settings.setting_text("registrationType");
    let pin_for_everyone = settings.setting_text("pinConfirmationType") == "EVERYONE";
    if mode == "REQUIRE_PIN_CONFIRMATION" && (external || pin_for_everyone) {
        let device = context.optional_text("deviceId").map(str::to_owned);
        let password = context.text("password").to_owned();
        return new_pin(context, workspace, email, device, password);
    }
    if mode == context.assumptions.email_activation_literal {
        let (token, valid_until) = new_token(context, email);
        return Activation::AwaitsToken { token, valid_until };
    }
    if mode == context.assumptions.email_confirmation_literal {
        let (token, valid_until) = new_token(context, email);
        return Activation::Unconfirmed { token, valid_until };
    }
    Activation::Active
}
