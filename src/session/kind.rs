//! The kinds of consumer. A session's kind decides which calls it has.
//!
//! ```no_run
//! # async fn run(client: synerise_auth::Client, key: synerise_auth::ApiKey) -> synerise_auth::Result<()> {
//! use synerise_auth::{Session, kind};
//!
//! async fn count(session: &Session<kind::Workspace>) -> synerise_auth::Result<usize> {
//!     Ok(session.get("/v4/clients").await?.bytes().len())
//! }
//!
//! count(&client.workspace(key)).await?;
//! # Ok(()) }
//! ```

mod sealed {
    pub trait Sealed {
        /// In `snake_case`, for traces and metrics.
        const NAME: &'static str;
    }
}

use sealed::Sealed;

/// A kind of consumer. Its sessions have the calls that Synerise lets it make, and no others.
pub trait Kind: Sealed + 'static {}

/// A user of the portal, in a workspace or before one is selected.
pub trait PortalUser: Kind {}

/// A consumer that may read and change a workspace's settings.
pub trait WorkspaceAdmin: Kind {}

/// A customer, recognized or anonymous.
pub trait Customer: Kind {}

/// A consumer whose session can be saved and resumed. A workspace's is not among them: any process with its key has it.
pub trait Resumable: Kind {
    /// What a saved session calls its kind.
    #[doc(hidden)]
    const SAVED_AS: &'static str;
}

/// What a saved login that waits for a second factor calls its kind.
pub(super) const MFA_CHALLENGE: &str = "mfa-challenge";

impl Resumable for Profile {
    const SAVED_AS: &'static str = "profile";
}
impl Resumable for Anonymous {
    const SAVED_AS: &'static str = "anonymous";
}
impl Resumable for User {
    const SAVED_AS: &'static str = "user";
}
impl Resumable for WorkspaceUser {
    const SAVED_AS: &'static str = "workspace-user";
}
impl PortalUser for User {}
impl PortalUser for WorkspaceUser {}
impl WorkspaceAdmin for Workspace {}
impl WorkspaceAdmin for WorkspaceUser {}
impl Customer for Profile {}
impl Customer for Anonymous {}

macro_rules! kinds {
    ($($(#[$docs:meta])* $name:ident $word:literal,)+) => {$(
        $(#[$docs])*
        #[derive(Debug, Clone, Copy)]
        pub enum $name {}

        impl Sealed for $name {
            const NAME: &'static str = $word;
        }

        impl Kind for $name {}
    )+};
}

kinds! {
    /// A backend that acts for a workspace, by the workspace's API key.
    Workspace "workspace",
    /// A recognized customer, who can see only their own data.
    Profile "profile",
    /// A customer who has not been recognized yet: a visitor.
    Anonymous "anonymous",
    /// A user of the portal who has not selected a workspace.
    User "user",
    /// A user of the portal in a workspace.
    WorkspaceUser "workspace_user",
}

/// The name of a kind, for printing.
pub(super) fn name<K>() -> &'static str {
    std::any::type_name::<K>().rsplit("::").next().unwrap_or_default()
}
