//! Profiles: the logins, and the refresh.

use std::net::IpAddr;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use crate::choices::UnmetCondition;
use crate::consumer::{Consumer, ProfileId, WorkspaceId};
use crate::errors::Refusal;
use crate::signing::packed_authorities;
use crate::state::keys::{ApiKey, Scope};
use crate::state::new_uuid;
use crate::state::profiles::{Account, Activation};
use crate::tokens::Issued;
use crate::visit::{Answer, Visit};

/// `authenticateProfile`.
pub(crate) fn authenticate(visit: &mut Visit<'_>) -> Result<Answer, Refusal> {
    let (api_key, key) = visit.api_key_of(Scope::Profile)?;
    let profile = log_in(visit, &key, Missing::Create).map_err(Denial::into_refusal)?;
    Ok(issue_after_login(visit, profile, api_key, Map::new()))
}

/// `authenticateProfileServerSide`: the backend of the same workspace logs the profile in.
pub(crate) fn authenticate_server_side(visit: &mut Visit<'_>) -> Result<Answer, Refusal> {
    let (api_key, key) = visit.api_key_of(Scope::Profile)?;
    if key.workspace != visit.workspace()? {
        return Err(Refusal::forbidden("The profile key belongs to another workspace"));
    }
    if visit.text("ipAddress").parse::<IpAddr>().is_err() {
        return Err(
            Refusal::bad_request("The request is not valid").with_field("ipAddress", "is not an IP address")
        );
    }
    let profile = log_in(visit, &key, Missing::Create).map_err(Denial::into_refusal)?;
    Ok(issue_after_login(visit, profile, api_key, Map::new()))
}

/// `authenticateProfileConditionally`: never creates an account.
pub(crate) fn authenticate_conditionally(visit: &mut Visit<'_>) -> Result<Answer, Refusal> {
    let (api_key, key) = visit.api_key_of(Scope::Profile)?;
    if visit
        .consumer
        .as_ref()
        .and_then(Consumer::workspace)
        .is_some_and(|own| own != key.workspace)
    {
        return Err(Refusal::forbidden(
            "The anonymous token belongs to another workspace",
        ));
    }
    match log_in(visit, &key, Missing::Refuse) {
        Ok(profile) => {
            let mut answer = Map::new();
            answer.insert("conditions".into(), json!([]));
            answer.insert("status".into(), "SUCCESS".into());
            Ok(issue_after_login(visit, profile, api_key, answer))
        }
        Err(Denial::Unmet {
            status, conditions, ..
        }) if visit.choices.unmet_condition == UnmetCondition::Status200 => Ok(Answer::json(
            &json!({ "conditions": conditions, "status": status }),
        )),
        Err(denial) => Err(denial.into_refusal()),
    }
}

/// `authenticateAnonymously`: the same UUID is the same profile.
pub(crate) fn authenticate_anonymously(visit: &mut Visit<'_>) -> Result<Answer, Refusal> {
    let (api_key, key) = visit.api_key_of(Scope::Profile)?;
    let Some(uuid) = visit.optional_text("uuid").map(str::to_owned) else {
        return Err(Refusal::bad_request("The request is not valid").with_field("uuid", "must not be empty"));
    };
    let device = visit.optional_text("deviceId").map(str::to_owned);
    let known = visit.state.profile_by_uuid(key.workspace, &uuid);
    let profile = known.unwrap_or_else(|| visit.state.add_profile(key.workspace, &uuid));
    visit.state.profiles[profile].devices.extend(device);
    Ok(issue(
        visit,
        Consumer::Anonymous {
            profile,
            workspace: key.workspace,
            api_key,
        },
        "ANONYMOUS",
        Map::new(),
    ))
}

/// `refreshProfileToken`: another token for the bearer of one that is still good.
pub(crate) fn refresh(visit: &mut Visit<'_>) -> Result<Answer, Refusal> {
    let (_, key) = visit.api_key_of(Scope::Profile)?;
    if key.workspace != visit.workspace()? {
        return Err(Refusal::unauthorized(
            "The API key belongs to another workspace than the token",
        ));
    }
    let Some(consumer) = visit.consumer.clone() else {
        return Err(Refusal::unauthorized("The token is missing"));
    };
    let origin = match &consumer {
        Consumer::Profile { profile, .. } => origin_of(visit, *profile),
        _ => "ANONYMOUS".to_owned(),
    };
    // The refresh has its full body even where a login answers with the token alone.
    let issued = issue_token(visit, consumer.clone());
    Ok(full_answer(visit, &consumer, &issued, &origin, Map::new()))
}

/// What to do when the person has no account.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    /// Make one, if a third party vouches for the person.
    Create,
    Refuse,
}

/// Why a login fails.
enum Denial {
    Refused(Refusal),
    /// Known who it is, but something is to be done first.
    Unmet {
        status: String,
        conditions: Vec<String>,
        otherwise: Refusal,
    },
}

impl Denial {
    fn into_refusal(self) -> Refusal {
        match self {
            Self::Refused(refusal)
            | Self::Unmet {
                otherwise: refusal, ..
            } => refusal,
        }
    }
}

impl From<Refusal> for Denial {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

fn log_in(visit: &mut Visit<'_>, key: &ApiKey, missing: Missing) -> Result<ProfileId, Denial> {
    check_required(visit)?;
    let agreements = agreements(&visit.body)?;
    let provider = visit.text("identityProvider").to_owned();
    let own_accounts = provider == "SYNERISE";
    let has_device = visit.optional_text("deviceId").is_some();
    if own_accounts && visit.state.workspaces[key.workspace].device_control && !has_device {
        return Err(Refusal::bad_request("The device is required")
            .with_code("SAU-601")
            .with_field("deviceId", "must not be empty")
            .into());
    }
    let profile = if own_accounts {
        by_password(visit, key.workspace)?
    } else {
        by_third_party(visit, key.workspace, &provider, missing)?
    };
    if let Some((status, conditions)) = visit.state.profiles[profile].unmet.clone() {
        let otherwise = Refusal::forbidden(format!("A condition for logging in is not met: {status}"));
        return Err(Denial::Unmet {
            status,
            conditions,
            otherwise,
        });
    }
    remember(visit, profile, agreements);
    Ok(profile)
}

/// The fields that the identity provider makes required.
fn check_required(visit: &Visit<'_>) -> Result<(), Refusal> {
    let sent = |field: &str| visit.optional_text(field).is_some();
    let custom_id = custom_id(&visit.body).is_some();
    let mut refusal = Refusal::bad_request("The request is not valid");
    match visit.text("identityProvider") {
        "SYNERISE" => {
            if !sent("email") && !custom_id {
                refusal = refusal.with_field("email", "is required, or customId, with SYNERISE");
            }
            for field in ["password", "uuid"] {
                if !sent(field) {
                    refusal = refusal.with_field(field, "is required with SYNERISE");
                }
            }
        }
        "FACEBOOK" | "OAUTH" | "APPLE" | "GOOGLE" => {
            if !sent("identityProviderToken") {
                refusal =
                    refusal.with_field("identityProviderToken", "is required with this identity provider");
            }
        }
        // What UNKNOWN is for is not published. 406 is documented without its meaning.
        "UNKNOWN" => {
            return Err(Refusal::new(
                StatusCode::NOT_ACCEPTABLE,
                "The workspace accepts no such identity provider",
            ));
        }
        _ => refusal = refusal.with_field("identityProvider", "is not an identity provider"),
    }
    if refusal.fields.is_empty() {
        Ok(())
    } else {
        Err(refusal)
    }
}

fn by_password(visit: &mut Visit<'_>, workspace: WorkspaceId) -> Result<ProfileId, Denial> {
    let found = match (visit.optional_text("email"), custom_id(&visit.body)) {
        (Some(email), _) => visit.state.profile_by_email(workspace, email),
        (None, Some(id)) => visit.state.profile_by_custom_id(workspace, &id),
        (None, None) => None,
    };
    let found = found.filter(|profile| visit.state.profiles[*profile].account.is_some());
    let profile = found.ok_or_else(|| no_account(visit))?;
    let password = visit.text("password").to_owned();
    let limit = visit.choices.refused_passwords_before_lock;
    let Some(account) = &mut visit.state.profiles[profile].account else {
        return Err(no_account(visit));
    };
    if account.refused_passwords >= limit {
        return Err(Refusal::new(
            StatusCode::LOCKED,
            "The account is locked after too many refused passwords",
        )
        .into());
    }
    // The password of an account that awaits a PIN is not its own before the PIN came.
    let expected = match &account.activation {
        Activation::AwaitsPin { password, .. } => Some(password),
        _ => account.password.as_ref(),
    };
    if expected != Some(&password) {
        account.refused_passwords += 1;
        return Err(Refusal::unauthorized("The login or the password is not correct").into());
    }
    account.refused_passwords = 0;
    let (code, by) = match account.activation {
        Activation::Active | Activation::Unconfirmed { .. } => return Ok(profile),
        Activation::AwaitsToken { .. } => ("SAU-302", "the link in the e-mail"),
        Activation::AwaitsPin { .. } => ("SAU-303", "the PIN in the e-mail"),
    };
    let otherwise = Refusal::forbidden(format!("The account has to be activated by {by}")).with_code(code);
    Err(Denial::Unmet {
        status: "ACTIVATION_REQUIRED".into(),
        conditions: vec![code.into()],
        otherwise,
    })
}

fn by_third_party(
    visit: &mut Visit<'_>,
    workspace: WorkspaceId,
    provider: &str,
    missing: Missing,
) -> Result<ProfileId, Denial> {
    let token = (
        provider.to_owned(),
        visit.text("identityProviderToken").to_owned(),
    );
    let Some(known) = visit.state.third_party_tokens.get(&token).cloned() else {
        return Err(Refusal::unauthorized("The identity provider does not know the token").into());
    };
    if known.single_use {
        visit.state.third_party_tokens.remove(&token);
    }
    let found = visit.state.profile_by_email(workspace, &known.email);
    if let Some(profile) = found.filter(|profile| visit.state.profiles[*profile].account.is_some()) {
        return Ok(profile);
    }
    if missing == Missing::Refuse {
        return Err(no_account(visit));
    }
    let uuid = visit.optional_text("uuid").map_or_else(new_uuid, str::to_owned);
    let same_visitor = visit.state.profile_by_uuid(workspace, &uuid);
    let nobody_yet = same_visitor.filter(|profile| visit.state.profiles[*profile].account.is_none());
    let profile = found
        .or(nobody_yet)
        .unwrap_or_else(|| visit.state.add_profile(workspace, &uuid));
    visit.state.profiles[profile].email = Some(known.email);
    visit.state.profiles[profile].account = Some(Account {
        origin: provider.to_owned(),
        password: None,
        activation: Activation::Active,
        email_confirmed: false,
        refused_passwords: 0,
    });
    Ok(profile)
}

fn no_account(visit: &Visit<'_>) -> Denial {
    let status = StatusCode::from_u16(visit.choices.unknown_account_status).unwrap_or(StatusCode::NOT_FOUND);
    let otherwise = Refusal::new(status, "There is no such account");
    Denial::Unmet {
        status: "REGISTRATION_REQUIRED".into(),
        conditions: Vec::new(),
        otherwise,
    }
}

/// Keeps what a login says about the profile.
fn remember(visit: &mut Visit<'_>, profile: ProfileId, agreements: Map<String, Value>) {
    let attributes = visit
        .body
        .get("attributes")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let tags = visit
        .body
        .get("tags")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let device = visit.optional_text("deviceId").map(str::to_owned);
    let reserved = visit.reserved_attributes;
    let profile = &mut visit.state.profiles[profile];
    profile.agreements.extend(agreements);
    // As documented: reserved names are ignored without a word.
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

/// The agreements as booleans, from each of the forms that the service takes.
pub(crate) fn agreements(body: &Value) -> Result<Map<String, Value>, Refusal> {
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
            Refusal::bad_request("The request is not valid")
                .with_field(format!("agreements.{name}"), "is neither true nor false")
        })?;
        agreements.insert(name.clone(), agreed.into());
    }
    Ok(agreements)
}

/// `customId` may be of any type; a number is its digits.
pub(crate) fn custom_id(body: &Value) -> Option<String> {
    match body.get("customId")? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn origin_of(visit: &Visit<'_>, profile: ProfileId) -> String {
    visit.state.profiles[profile]
        .account
        .as_ref()
        .map_or("UNKNOWN", |account| &account.origin)
        .to_owned()
}

fn issue_after_login(
    visit: &mut Visit<'_>,
    profile: ProfileId,
    api_key: String,
    more: Map<String, Value>,
) -> Answer {
    let workspace = visit.state.profiles[profile].workspace;
    let origin = visit.text("identityProvider").to_owned();
    issue(
        visit,
        Consumer::Profile {
            profile,
            workspace,
            api_key,
        },
        &origin,
        more,
    )
}

fn issue(visit: &mut Visit<'_>, consumer: Consumer, origin: &str, more: Map<String, Value>) -> Answer {
    let issued = issue_token(visit, consumer.clone());
    if visit.choices.profile_token_alone && more.is_empty() {
        return Answer::json(&json!({ "token": issued.token }));
    }
    full_answer(visit, &consumer, &issued, origin, more)
}

fn full_answer(
    visit: &Visit<'_>,
    consumer: &Consumer,
    issued: &Issued,
    origin: &str,
    mut answer: Map<String, Value>,
) -> Answer {
    answer.insert("token".into(), issued.token.as_str().into());
    if let Some(expiration) = issued.expiration {
        answer.insert("expiration".into(), expiration.into());
    }
    answer.insert("created".into(), issued.created.into());
    answer.insert("origin".into(), origin.into());
    answer.insert("realm".into(), realm(consumer).into());
    let custom_id = consumer
        .profile()
        .and_then(|profile| visit.state.profiles[profile].custom_id.clone());
    answer.insert("customId".into(), custom_id.map_or(Value::Null, Value::from));
    Answer::json(&Value::Object(answer))
}

fn realm(consumer: &Consumer) -> &'static str {
    if matches!(consumer, Consumer::Anonymous { .. }) {
        "anonymous_client"
    } else {
        "client"
    }
}

fn issue_token(visit: &mut Visit<'_>, consumer: Consumer) -> Issued {
    let mut claims = Map::new();
    let workspace = consumer
        .workspace()
        .map(|workspace| &visit.state.workspaces[workspace]);
    if let Some(profile) = consumer.profile().map(|profile| &visit.state.profiles[profile]) {
        let known = profile.email.clone().filter(|_| realm(&consumer) == "client");
        let email = known.unwrap_or_else(|| format!("{}@anonymous.invalid", profile.uuid));
        claims.insert("eml".into(), email.into());
        claims.insert("clId".into(), profile.number.into());
    }
    claims.insert("auth".into(), packed_authorities(&[]).into());
    claims.insert("bpi".into(), workspace.map(|workspace| workspace.number).into());
    claims.insert("apk".into(), consumer.api_key().into());
    let lifetime = workspace.map_or(visit.state.lifetimes.profile, |own| own.profile_token_lifetime());
    let realm = realm(&consumer);
    visit.issue(consumer, realm, claims, lifetime)
}
