//! A user of the portal, and the workspaces that the user may work in, as Synerise describes them.
//!
//! Every field is optional, because Synerise's texts promise none of them.

use std::fmt;
use std::time::SystemTime;

use uuid::Uuid;

use super::{AccessRestriction, ConsumerType};

/// A user, as described by a login.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct UserInfo {
    /// The kind of consumer.
    pub kind: Option<ConsumerType>,
    /// The user's numeric id.
    pub id: Option<i64>,
    /// The user's login name.
    pub name: Option<String>,
    /// The numeric id of the selected workspace; `None` before one is selected.
    pub workspace_id: Option<i64>,
    /// The user's permissions; empty before a workspace is selected.
    pub authorities: Vec<String>,
    /// The ids of the user's roles, in one text, as the service sends it.
    pub roles: Option<String>,
}

/// Omits the name, which is an e-mail address.
impl fmt::Debug for UserInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserInfo")
            .field("kind", &self.kind)
            .field("id", &self.id)
            .field("name", &self.name.as_ref().map(|_| "[redacted]"))
            .field("workspace_id", &self.workspace_id)
            .field("authorities", &self.authorities)
            .field("roles", &self.roles)
            .finish()
    }
}

/// An entry in the list of workspaces that a user may work in.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct WorkspaceSummary {
    /// The GUID, which selects the workspace.
    pub guid: Option<Uuid>,
    /// The numeric id.
    pub id: Option<i64>,
    /// The name.
    pub name: Option<String>,
    /// The address of the logo.
    pub logo: Option<String>,
    /// The subdomain.
    pub subdomain: Option<String>,
    /// When it was created.
    pub created: Option<SystemTime>,
    /// Whether it can only be used from certain addresses.
    pub ip_restricted: Option<bool>,
    /// Whether it needs a second factor.
    pub mfa_required: Option<bool>,
}

/// How a user's access to a workspace is restricted.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct WorkspaceRestrictions {
    /// The workspace's numeric id.
    pub id: Option<i64>,
    /// The restriction by address.
    pub ip_restriction: Option<AccessRestriction>,
    /// The restriction by second factor.
    pub mfa_restriction: Option<AccessRestriction>,
    /// Whether the user marked it as a favourite.
    pub favorite: Option<bool>,
}

/// The selected workspace.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct WorkspaceDetails {
    /// The GUID.
    pub guid: Option<Uuid>,
    /// The numeric id.
    pub id: Option<i64>,
    /// The name.
    pub name: Option<String>,
    /// The address of the logo.
    pub logo: Option<String>,
    /// The subdomain.
    pub subdomain: Option<String>,
    /// When it was created.
    pub created: Option<SystemTime>,
    /// The restriction by address.
    pub ip_restriction: Option<AccessRestriction>,
    /// The restriction by second factor.
    pub mfa_restriction: Option<AccessRestriction>,
    /// Labels.
    pub labels: Vec<String>,
    /// The attribute that holds a profile's e-mail address.
    pub email_attribute: Option<String>,
}
