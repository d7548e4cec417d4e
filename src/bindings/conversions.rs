//! Converts between the facade's values and the generated types of requests and responses.

use std::time::SystemTime;

use uuid::Uuid;

use crate::api_key::ApiKey;
use crate::error::Result;
use crate::model::input::{custom_id, required, required_secret};
use crate::model::{
    Agreements, Attributes, Identity, IdentityProvider, LoginId, ProfileUuid, Proof, UserInfo,
    WorkspaceDetails, WorkspaceRestrictions, WorkspaceSummary,
};
use crate::observability::RESPONSE;

use super::types;

/// The login's body, without what is sent beside the identity.
pub(crate) fn login_request(
    identity: &Identity,
    key: &ApiKey,
) -> Result<types::ProfileAuthenticationRequest> {
    let mut body = types::ProfileAuthenticationRequest {
        api_key: key.secret().clone(),
        identity_provider: IdentityProvider::Synerise,
        identity_provider_token: None,
        email: None,
        custom_id: None,
        password: None,
        uuid: None,
        device_id: None,
        agreements: None,
        attributes: None,
        tags: Vec::new(),
    };
    match &identity.0 {
        Proof::Password {
            login,
            password,
            uuid,
        } => {
            match login {
                LoginId::Email(email) => body.email = Some(required("e-mail address", email)?),
                LoginId::CustomId(id) => body.custom_id = Some(custom_id(id)?),
            }
            body.password = Some(required_secret("password", password)?);
            body.uuid = Some(uuid.checked()?);
        }
        Proof::Token {
            provider,
            token,
            uuid,
        } => {
            body.identity_provider = provider.clone();
            body.identity_provider_token = Some(required_secret("identity provider's token", token)?);
            body.uuid = uuid.as_ref().map(ProfileUuid::checked).transpose()?;
        }
    }
    Ok(body)
}

pub(crate) fn agreements(agreements: Agreements) -> Option<types::Agreements> {
    let value = |agreed: Option<bool>| agreed.map(types::AgreementValue::Boolean);
    (agreements != Agreements::default()).then(|| types::Agreements {
        email: value(agreements.email),
        sms: value(agreements.sms),
        push: value(agreements.push),
        webpush: value(agreements.webpush),
        bluetooth: value(agreements.bluetooth),
        rfid: value(agreements.rfid),
        wifi: value(agreements.wifi),
    })
}

pub(crate) fn attributes(attributes: Attributes) -> Option<types::Attributes> {
    (!attributes.0.is_empty()).then_some(types::Attributes(attributes.0))
}

impl From<types::UserConsumer> for UserInfo {
    fn from(raw: types::UserConsumer) -> Self {
        Self {
            kind: raw.type_,
            id: raw.id,
            name: raw.name,
            workspace_id: raw.business_profile_id,
            authorities: raw.authorities,
            roles: raw.roles,
        }
    }
}

/// A workspace's GUID. An invalid one is reported and left out, because the rest of the workspace is still useful.
fn guid(text: Option<&str>) -> Option<Uuid> {
    let text = text?;
    let guid = Uuid::parse_str(text.trim()).ok();
    if guid.is_none() {
        tracing::warn!(
            target: RESPONSE,
            "a response differs from the documented one: a workspace's GUID can't be read, and is left out"
        );
    }
    guid
}

impl From<types::WorkspaceSummary> for WorkspaceSummary {
    fn from(raw: types::WorkspaceSummary) -> Self {
        Self {
            guid: guid(raw.business_profile_guid.as_deref()),
            id: raw.id,
            name: raw.name,
            logo: raw.logo,
            subdomain: raw.subdomain,
            created: raw.created.map(SystemTime::from),
            ip_restricted: raw.ip_restricted,
            mfa_required: raw.mfa_required,
        }
    }
}

impl From<types::WorkspaceAccess> for WorkspaceRestrictions {
    fn from(raw: types::WorkspaceAccess) -> Self {
        Self {
            id: raw.id,
            ip_restriction: raw.ip_restriction,
            mfa_restriction: raw.mfa_restriction,
            favorite: raw.favorite,
        }
    }
}

impl From<types::WorkspaceDetails> for WorkspaceDetails {
    fn from(raw: types::WorkspaceDetails) -> Self {
        Self {
            guid: guid(raw.business_profile_guid.as_deref()),
            id: raw.id,
            name: raw.name,
            logo: raw.logo,
            subdomain: raw.subdomain,
            created: raw.created.map(SystemTime::from),
            ip_restriction: raw.ip_restriction,
            mfa_restriction: raw.mfa_restriction,
            labels: raw.labels,
            email_attribute: raw.email_attribute_name,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn body(identity: &Identity) -> Result<Value> {
        let key = ApiKey::new("fake-key").unwrap();
        Ok(serde_json::to_value(login_request(identity, &key)?).unwrap())
    }

    #[test]
    fn each_identity_sends_exactly_what_it_needs() {
        let password = Identity::synerise(LoginId::email("a@b.example"), "pw", "u-1");
        let expected = serde_json::json!({ "apiKey": "fake-key", "identityProvider": "SYNERISE", "email": "a@b.example", "password": "pw", "uuid": "u-1" });
        assert_eq!(body(&password).unwrap(), expected);
        let custom = Identity::synerise(LoginId::custom_id(17), "pw", Uuid::nil());
        assert_eq!(body(&custom).unwrap()["customId"], 17);
        let token = Identity::oauth("token").with_uuid("u-2");
        let expected = serde_json::json!({ "apiKey": "fake-key", "identityProvider": "OAUTH", "identityProviderToken": "token", "uuid": "u-2" });
        assert_eq!(body(&token).unwrap(), expected);
        let unknown = Identity::other("TIKTOK", "token").unwrap();
        assert_eq!(body(&unknown).unwrap()["identityProvider"], "TIKTOK");
    }

    #[test]
    fn what_the_service_would_refuse_is_refused_here() {
        for identity in [
            Identity::synerise(LoginId::email(""), "pw", "u"),
            Identity::synerise(LoginId::email("a@b.example"), "", "u"),
            Identity::synerise(LoginId::email("a@b.example"), "pw", " "),
            Identity::synerise(LoginId::custom_id(Value::Null), "pw", "u"),
            Identity::facebook(""),
        ] {
            assert!(body(&identity).is_err(), "{identity:?}");
        }
        for guarded in [
            "SYNERISE",
            "synerise",
            "Synerise",
            " SYNERISE\n",
            "UNKNOWN",
            "unknown",
        ] {
            assert!(Identity::other(guarded, "t").is_err(), "{guarded:?}");
        }
        assert!(Identity::other("", "t").is_err());
    }
}
