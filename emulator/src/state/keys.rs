//! API keys.

use std::collections::BTreeSet;

use crate::consumer::WorkspaceId;

/// An API key of a workspace.
#[derive(Debug, Clone)]
pub(crate) struct ApiKey {
    pub(crate) workspace: WorkspaceId,
    pub(crate) scope: Scope,
    pub(crate) permissions: Permissions,
    /// What `X-Simple-Auth-Hash` has to be, for a key with a salt.
    pub(crate) simple_auth_hash: Option<String>,
    /// Whether Basic authentication is switched on for it.
    pub(crate) basic: bool,
}

/// What a key is for. A key of one scope is not accepted for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Workspace,
    Profile,
}

impl Scope {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::Profile => "profile",
        }
    }
}

/// What a key allows.
#[derive(Debug, Clone)]
pub(crate) enum Permissions {
    All,
    Only(BTreeSet<String>),
}

impl Permissions {
    pub(crate) fn allow(&self, permission: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(permission),
        }
    }
}
