//! From which addresses users may work in a workspace.

use std::fmt;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::operation;
use crate::session::Session;
use crate::session::kind::WorkspaceAdmin;

use super::changes::{self, Change, Document};

/// From which addresses users may work in a workspace. Fields that this version does not know are kept behind it.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct IpPolicy {
    /// Whether the policy is enforced.
    pub enabled: Option<bool>,
    /// Whether Synerise's support may connect from its own networks.
    pub support_allowed: Option<bool>,
    /// The addresses and networks that are allowed, as the service writes them.
    pub addresses: Vec<String>,
    document: Document,
}

const ENABLED: &str = "enabled";
const SUPPORT: &str = "enableSupportSubnets";
const ADDRESSES: &str = "ipPolicy";

impl IpPolicy {
    fn read(document: Document) -> Self {
        let flag = |field: &str| document.get(field)?.as_bool();
        let list = document.get(ADDRESSES).and_then(Value::as_array);
        Self {
            enabled: flag(ENABLED),
            support_allowed: flag(SUPPORT),
            addresses: list
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            document,
        }
    }

    fn write(&self) -> Result<Document> {
        let before = Self::read(self.document.clone());
        let mut document = self.document.clone();
        if self.enabled != before.enabled {
            document.insert(ENABLED.to_owned(), self.enabled.into());
        }
        if self.support_allowed != before.support_allowed {
            document.insert(SUPPORT.to_owned(), self.support_allowed.into());
        }
        if self.addresses != before.addresses {
            if !is_readable(document.get(ADDRESSES)) {
                return Err(Error::invalid_input(
                    "IP policy",
                    "holds addresses in a form that this version can't read, and would lose",
                    "change it in Synerise, or with Session::raw",
                ));
            }
            document.insert(ADDRESSES.to_owned(), self.addresses.clone().into());
        }
        Ok(document)
    }
}

/// Whether `IpPolicy::addresses` shows all of the list, so that it can be written back without losing any of it.
fn is_readable(list: Option<&Value>) -> bool {
    match list {
        None | Some(Value::Null) => true,
        Some(Value::Array(items)) => items.iter().all(Value::is_string),
        Some(_) => false,
    }
}

impl fmt::Debug for IpPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IpPolicy")
            .field("enabled", &self.enabled)
            .field("support_allowed", &self.support_allowed)
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

impl<K: WorkspaceAdmin> Session<K> {
    /// From which addresses users may work in the workspace.
    pub fn ip_policy(&self) -> IpPolicyApi<'_, K> {
        IpPolicyApi(self)
    }
}

/// The way to a workspace's IP policy.
#[derive(Debug)]
pub struct IpPolicyApi<'a, K>(&'a Session<K>);

impl<K: WorkspaceAdmin> IpPolicyApi<'_, K> {
    /// The policy as it is.
    ///
    /// Operation `getIpPolicy` (`GET /uauth/settings/user-bp-ip-policy`).
    pub async fn get(&self) -> Result<IpPolicy> {
        let response = self.0.raw().get_ip_policy().response().await?;
        changes::read(operation::GET_IP_POLICY.id, response.status(), &response.body).map(IpPolicy::read)
    }

    /// Changes the policy: reads it, lets `change` change it, and writes all of it back, because the service overwrites the
    /// whole list. Nothing is written when nothing was changed. Returns what changed. Somebody who changes the policy between
    /// the read and the write is overwritten.
    ///
    /// Operations `getIpPolicy`, `replaceIpPolicy` (`POST /uauth/settings/user-bp-ip-policy`).
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput), with nothing written, when the addresses are to be changed and the list holds some that
    /// this version can't read.
    ///
    /// ```no_run
    /// # async fn run(workspace: synerise_auth::Session<synerise_auth::kind::WorkspaceUser>) -> synerise_auth::Result<()> {
    /// workspace.ip_policy().update(|policy| policy.addresses.push("192.0.2.17".into())).await?;
    /// # Ok(()) }
    /// ```
    pub async fn update(&self, change: impl FnOnce(&mut IpPolicy)) -> Result<Vec<Change>> {
        let mut policy = self.get().await?;
        change(&mut policy);
        let wanted = policy.write()?;
        if wanted == policy.document {
            return Ok(Vec::new());
        }
        let response = self.0.raw().replace_ip_policy(&wanted).response().await?;
        changes::written(
            operation::REPLACE_IP_POLICY.id,
            &response,
            &policy.document,
            &wanted,
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn policy(value: &Value) -> IpPolicy {
        IpPolicy::read(value.as_object().cloned().unwrap())
    }

    #[test]
    fn addresses_that_cannot_be_read_are_never_lost_by_a_change() {
        for odd in [
            json!({ "ipPolicy": ["192.0.2.1", { "network": "192.0.2.0/24" }] }),
            json!({ "ipPolicy": { "v4": ["192.0.2.1"] } }),
        ] {
            let mut changed = policy(&odd);
            changed.enabled = Some(true);
            assert_eq!(changed.write().unwrap()["ipPolicy"], odd["ipPolicy"]);
            changed.addresses.push("192.0.2.17".into());
            assert!(changed.write().is_err(), "{odd}");
        }
        for empty in [json!({}), json!({ "ipPolicy": null })] {
            let mut changed = policy(&empty);
            changed.addresses.push("192.0.2.17".into());
            assert_eq!(changed.write().unwrap()["ipPolicy"], json!(["192.0.2.17"]));
        }
    }
}
