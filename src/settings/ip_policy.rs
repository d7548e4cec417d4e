//! The addresses from which users may work in a workspace.

use crate::bindings::{Call, Client, RawObject};
use crate::error::{Error, Result};
use crate::operation::{self, Operation};
use crate::session::Session;
use crate::session::authentication::{Authentication, Tokens};
use crate::session::kind::WorkspaceAdmin;

use super::document::sealed::Document;
use super::document::{Fields, Settings, SettingsDocument};

const ENABLED: &str = "enabled";
const SUPPORT: &str = "enableSupportSubnets";
const ADDRESSES: &str = "ipPolicy";

/// The addresses from which users may work in a workspace.
///
/// It omits fields that this version does not know. An update writes them back unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[doc(alias("allowlist", "whitelist"))]
pub struct IpPolicy {
    /// Whether the policy is enforced.
    pub enabled: Option<bool>,
    /// Whether Synerise's support may connect from its own networks.
    pub support_allowed: Option<bool>,
    /// The allowed addresses and networks, as the service writes them.
    pub addresses: Vec<String>,
    unreadable: Vec<&'static str>,
}

impl IpPolicy {
    /// The names of existing fields that this version can't read, or can't read completely.
    pub fn unreadable_fields(&self) -> &[&'static str] {
        &self.unreadable
    }
}

impl SettingsDocument for IpPolicy {}

impl Document for IpPolicy {
    const READ: &'static Operation = &operation::GET_IP_POLICY;
    const REPLACE: &'static Operation = &operation::REPLACE_IP_POLICY;

    fn fetch(raw: &Client) -> Call<'_, RawObject> {
        raw.get_ip_policy()
    }

    fn replace<'a>(raw: &'a Client, document: &'a RawObject) -> Call<'a, RawObject> {
        raw.replace_ip_policy(document)
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self> {
        Ok(Self {
            enabled: fields.deciding_flag(ENABLED)?,
            support_allowed: fields.deciding_flag(SUPPORT)?,
            addresses: fields.texts(ADDRESSES),
            unreadable: fields.unreadable(),
        })
    }

    fn write(&self, before: &Self, document: &mut RawObject) -> Result<()> {
        if self.enabled != before.enabled {
            document.set(ENABLED, self.enabled.into());
        }
        if self.support_allowed != before.support_allowed {
            document.set(SUPPORT, self.support_allowed.into());
        }
        if self.addresses != before.addresses {
            if before.unreadable.contains(&ADDRESSES) {
                return Err(Error::invalid_input(
                    "IP policy",
                    "has addresses in a form that this version can't read, and would lose",
                    "change it in Synerise, or with Session::raw",
                ));
            }
            document.set(ADDRESSES, self.addresses.clone().into());
        }
        Ok(())
    }
}

/// A workspace's IP policy: [`Session::ip_policy`].
pub type IpPolicyApi<'a, K, A = Tokens> = Settings<'a, K, IpPolicy, A>;

impl<K: WorkspaceAdmin, A: Authentication> Session<K, A> {
    /// Returns the IP policy: the addresses from which users may work in the workspace.
    pub fn ip_policy(&self) -> IpPolicyApi<'_, K, A> {
        Settings::new(self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::document::tests::changed;
    use super::*;

    #[test]
    fn unreadable_addresses_are_never_lost_by_a_change() {
        for odd in [
            r#"{"ipPolicy":["192.0.2.1",{"network":"192.0.2.0/24"}]}"#,
            r#"{"ipPolicy":{"v4":["192.0.2.1"]}}"#,
            r#"{"ipPolicy":[null]}"#,
        ] {
            let written = changed(odd, |policy: &mut IpPolicy| policy.enabled = Some(true)).unwrap();
            assert_eq!(
                written,
                format!("{},\"enabled\":true}}", odd.strip_suffix('}').unwrap())
            );
            let lost = changed(odd, |policy: &mut IpPolicy| {
                policy.addresses.push("192.0.2.17".into());
            });
            assert!(lost.is_err(), "{odd}");
        }
        for empty in [r#"{"a":1}"#, r#"{"a":1,"ipPolicy":null}"#] {
            let written = changed(empty, |policy: &mut IpPolicy| {
                policy.addresses.push("192.0.2.17".into());
            });
            assert_eq!(written.unwrap(), r#"{"a":1,"ipPolicy":["192.0.2.17"]}"#);
        }
    }
}
