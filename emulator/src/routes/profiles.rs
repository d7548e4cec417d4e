//! Profiles: the logins, and the refresh.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::login::{Denial, Missing, log_in};
use crate::choices::UnmetCondition;
use crate::consumer::{Consumer, ProfileId};
use crate::errors::Refusal;
use crate::signing::packed_authorities;
use crate::state::keys::Scope;
use crate::state::workspaces::Workspace;
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
        &Consumer::Anonymous {
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
        &Consumer::Profile {
            profile,
            workspace,
            api_key,
        },
        &origin,
        more,
    )
}

fn issue(visit: &mut Visit<'_>, consumer: &Consumer, origin: &str, more: Map<String, Value>) -> Answer {
    let issued = issue_token(visit, consumer.clone());
    if visit.choices.profile_token_alone && more.is_empty() {
        return Answer::json(&json!({ "token": issued.token }));
    }
    full_answer(visit, consumer, &issued, origin, more)
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
    let lifetime = workspace.map_or(visit.state.lifetimes.profile, Workspace::profile_token_lifetime);
    let realm = realm(&consumer);
    visit.issue(consumer, realm, claims, lifetime)
}
