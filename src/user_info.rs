//! What Synerise says of a user of the portal, and of the workspaces that the user may work in.
//!
//! Everything is optional, because Synerise's texts promise none of it.

use chrono::{DateTime, Utc};

use crate::raw::types;
use crate::{AccessRestriction, ConsumerType};

macro_rules! info {
    (
        $(#[$docs:meta])* $name:ident from $raw:ident {
            $($(#[$field_docs:meta])* $field:ident: $type:ty = $from:ident,)+
        }
    ) => {
        $(#[$docs])*
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_docs])* pub $field: $type,)+
        }

        impl From<types::$raw> for $name {
            fn from(raw: types::$raw) -> Self {
                Self { $($field: raw.$from,)+ }
            }
        }
    };
}

info! {
    /// Who a user is, as a login says it.
    UserInfo from UserConsumer {
        /// The kind of consumer.
        kind: Option<ConsumerType> = type_,
        /// The user's numeric id.
        id: Option<i64> = id,
        /// The user's login name.
        name: Option<String> = name,
        /// The numeric id of the selected workspace; `None` before one is selected.
        workspace_id: Option<i64> = business_profile_id,
        /// The user's permissions; empty before a workspace is selected.
        authorities: Vec<String> = authorities,
        /// The ids of the user's roles, in one text as the service sends it.
        roles: Option<String> = roles,
    }
}

info! {
    /// A workspace in the list of those that a user may work in.
    WorkspaceSummary from WorkspaceSummary {
        /// The GUID, by which it is selected.
        guid: Option<String> = business_profile_guid,
        /// The numeric id.
        id: Option<i64> = id,
        /// The name.
        name: Option<String> = name,
        /// The address of the logo.
        logo: Option<String> = logo,
        /// The subdomain.
        subdomain: Option<String> = subdomain,
        /// When it was created.
        created: Option<DateTime<Utc>> = created,
        /// Whether it can be used from some addresses only.
        ip_restricted: Option<bool> = ip_restricted,
        /// Whether it needs a second factor.
        mfa_required: Option<bool> = mfa_required,
    }
}

info! {
    /// How a user's access to a workspace is restricted.
    WorkspaceAccess from WorkspaceAccess {
        /// The workspace's numeric id.
        id: Option<i64> = id,
        /// The restriction by address.
        ip_restriction: Option<AccessRestriction> = ip_restriction,
        /// The restriction by second factor.
        mfa_restriction: Option<AccessRestriction> = mfa_restriction,
        /// Whether the user marked it as a favourite.
        favorite: Option<bool> = favorite,
    }
}

info! {
    /// The workspace that is selected.
    WorkspaceDetails from WorkspaceDetails {
        /// The GUID.
        guid: Option<String> = business_profile_guid,
        /// The numeric id.
        id: Option<i64> = id,
        /// The name.
        name: Option<String> = name,
        /// The address of the logo.
        logo: Option<String> = logo,
        /// The subdomain.
        subdomain: Option<String> = subdomain,
        /// When it was created.
        created: Option<DateTime<Utc>> = created,
        /// The restriction by address.
        ip_restriction: Option<AccessRestriction> = ip_restriction,
        /// The restriction by second factor.
        mfa_restriction: Option<AccessRestriction> = mfa_restriction,
        /// Labels.
        labels: Vec<String> = labels,
        /// The attribute that holds a profile's e-mail address.
        email_attribute: Option<String> = email_attribute_name,
    }
}
