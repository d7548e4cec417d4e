//! The consumer of the API: whom a token belongs to.

/// Index of a workspace in [`State`](crate::state::State).
pub(crate) type WorkspaceId = usize;
/// Index of a user in [`State`](crate::state::State).
pub(crate) type UserId = usize;
/// Index of a profile in [`State`](crate::state::State).
pub(crate) type ProfileId = usize;

/// The owner of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Consumer {
    User {
        user: UserId,
        confirmed: bool,
        workspace: Option<WorkspaceId>,
    },
    Workspace {
        workspace: WorkspaceId,
        api_key: String,
    },
    Profile {
        profile: ProfileId,
        workspace: WorkspaceId,
        api_key: String,
    },
    Anonymous {
        profile: ProfileId,
        workspace: WorkspaceId,
        api_key: String,
        incognito: bool,
    },
}

/// The kinds of consumers that operations distinguish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A user before the second factor.
    PendingUser,
    User,
    UserInWorkspace,
    Workspace,
    Profile,
    Anonymous,
}

impl Consumer {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::User { confirmed: false, .. } => Kind::PendingUser,
            Self::User { workspace: None, .. } => Kind::User,
            Self::User {
                workspace: Some(_), ..
            } => Kind::UserInWorkspace,
            Self::Workspace { .. } => Kind::Workspace,
            Self::Profile { .. } => Kind::Profile,
            Self::Anonymous { .. } => Kind::Anonymous,
        }
    }

    /// The API key with which the token was obtained.
    pub(crate) fn api_key(&self) -> Option<&str> {
        match self {
            Self::User { .. } => None,
            Self::Workspace { api_key, .. }
            | Self::Profile { api_key, .. }
            | Self::Anonymous { api_key, .. } => Some(api_key),
        }
    }

    pub(crate) fn workspace(&self) -> Option<WorkspaceId> {
        match self {
            Self::User { workspace, .. } => *workspace,
            Self::Workspace { workspace, .. }
            | Self::Profile { workspace, .. }
            | Self::Anonymous { workspace, .. } => Some(*workspace),
        }
    }

    pub(crate) fn profile(&self) -> Option<ProfileId> {
        match self {
            Self::Profile { profile, .. } | Self::Anonymous { profile, .. } => Some(*profile),
            Self::User { .. } | Self::Workspace { .. } => None,
        }
    }
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::PendingUser => "User without a confirmed second factor",
            Self::User => "User",
            Self::UserInWorkspace => "User in a workspace",
            Self::Workspace => "Workspace",
            Self::Profile => "Profile",
            Self::Anonymous => "Anonymous Profile",
        }
    }
}
