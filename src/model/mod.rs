//! The values that callers pass in and get back: identities, agreements, attributes, workspaces, open enums.

pub(crate) mod enums;
mod identity;
pub(crate) mod input;
mod profile_data;
mod tracker_key;
mod user_info;

pub use enums::*;
pub(crate) use identity::Proof;
pub use identity::{Identity, LoginId, ProfileUuid, Visitor};
pub use profile_data::{Agreements, Attributes};
pub use tracker_key::TrackerKey;
pub use user_info::{UserInfo, WorkspaceDetails, WorkspaceRestrictions, WorkspaceSummary};
