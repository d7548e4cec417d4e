//! The values that callers pass in and receive: identities, agreements, attributes, workspaces, open enums.
//!
//! Setters of values and policies begin with `with_`. Setters of requests and builders have no prefix. An enum that
//! Synerise may extend has a variant `Unknown`, which keeps a value that this version does not know.
//!
//! ```
//! use synerise_auth::model::{Agreements, Attributes, MfaMethod};
//!
//! let agreements = Agreements::new().with_email(true).with_sms(false);
//! let attributes = Attributes::new().set("favourite_colour", "green")?;
//! assert_eq!(MfaMethod::from("email"), MfaMethod::Email);
//! # Ok::<(), synerise_auth::Error>(())
//! ```

pub(crate) mod enums;
mod identity;
pub(crate) mod input;
mod profile_data;
mod tracker_key;
mod user_info;

pub use enums::*;
pub use identity::{Identity, LoginId, ProfileUuid, Visitor};
pub(crate) use identity::{Proof, check_issues_tokens};
pub use profile_data::{Agreements, Attributes};
pub use tracker_key::TrackerKey;
pub use user_info::{UserInfo, WorkspaceDetails, WorkspaceRestrictions, WorkspaceSummary};
