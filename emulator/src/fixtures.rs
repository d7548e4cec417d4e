//! Test data: what an emulator starts with, and the types that describe it.

use std::collections::{HashMap, HashSet};
use std::time::SystemTime;

use serde_json::Value;
use totp_rs::{Builder as TotpBuilder, Secret};

use crate::assumptions::Assumptions;
use crate::consumer::WorkspaceId;
use crate::state::keys::{ApiKey, Permissions, Scope};
use crate::state::users::{SecondFactor, User};
use crate::state::workspaces::{Workspace, default_settings};
use crate::state::{State, new_uuid};

/// A workspace, with keys that have every permission.
#[derive(Clone)]
#[non_exhaustive]
pub struct WorkspaceFixture {
    /// The GUID with which users select it.
    pub guid: String,
    /// The workspace API key, for `workspaceLogin`.
    pub workspace_api_key: String,
    /// Another workspace API key, for which Basic authentication is switched on: the password to the GUID.
    pub basic_api_key: String,
    /// The profile API key, for the operations of profiles.
    pub profile_api_key: String,
    /// The tracker key, for the query parameter `token` of endpoints other than authentication.
    pub tracker_key: String,
}

/// A user, with their credentials.
#[derive(Clone)]
#[non_exhaustive]
pub struct UserFixture {
    /// The username, an e-mail address.
    pub username: String,
    /// The password.
    pub password: String,
    /// The secret of the authenticator in Base32 (SHA-1, 6 digits, 30 seconds). Empty for a user without one.
    pub totp_secret: String,
}

// The values are fake, but in test output they would look like a leak.
impl std::fmt::Debug for WorkspaceFixture {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("WorkspaceFixture")
            .field("guid", &self.guid)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for UserFixture {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("UserFixture")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// The state of a profile; see [`Emulator::profile`](crate::Emulator::profile).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ProfileSnapshot {
    /// Its UUID.
    pub uuid: String,
    /// Its e-mail address, if it has an account.
    pub email: Option<String>,
    /// Its identifier in the workspace (`customId`).
    pub custom_id: Option<String>,
    /// The identity provider of its account. `None` without an account.
    pub origin: Option<String>,
    /// Whether the account can be used.
    pub active: bool,
    /// The attribute `snrs_email_confirmed`.
    pub email_confirmed: bool,
    /// Its marketing agreements.
    pub agreements: serde_json::Map<String, Value>,
    /// Its attributes, without those whose names the service reserves.
    pub attributes: serde_json::Map<String, Value>,
    /// Its tags, in the order of arrival.
    pub tags: Vec<String>,
    /// Its devices, sorted.
    pub devices: Vec<String>,
    /// The UUIDs of the visitors whose history was joined to it, because a login carried their token.
    pub linked_visitors: Vec<String>,
}

/// What every emulator starts with.
#[derive(Debug)]
pub(crate) struct Fixtures {
    pub(crate) workspace: WorkspaceFixture,
    pub(crate) user: UserFixture,
}

impl Fixtures {
    pub(crate) fn create(state: &mut State, assumptions: &Assumptions, now: SystemTime) -> Self {
        let workspace = add_workspace(state, assumptions, "Demo", now);
        let secret = Secret::from(new_uuid().into_bytes());
        let totp_secret = secret.to_base32();
        let factor = totp(secret).map_or(SecondFactor::None, |totp| SecondFactor::Totp(Box::new(totp)));
        let mut user = add_user(state, "operator@example.com", "Fake-Passw0rd!", factor);
        user.totp_secret = totp_secret;
        Self { workspace, user }
    }
}

pub(crate) fn totp(secret: Secret) -> Option<totp_rs::Totp> {
    TotpBuilder::new().with_secret(secret).build().ok()
}

pub(crate) fn add_workspace(
    state: &mut State,
    assumptions: &Assumptions,
    name: &str,
    now: SystemTime,
) -> WorkspaceFixture {
    let id = state.workspaces.len();
    let mut workspace = Workspace::new(48 + id as u64, new_uuid(), name, now);
    workspace.settings = default_settings(state.lifetimes.profile, assumptions);
    let fixture = WorkspaceFixture {
        guid: workspace.guid.clone(),
        workspace_api_key: add_key(state, id, Scope::Workspace, Permissions::All, false),
        basic_api_key: add_key(state, id, Scope::Workspace, Permissions::All, true),
        profile_api_key: add_key(state, id, Scope::Profile, Permissions::All, false),
        tracker_key: new_uuid(),
    };
    state.workspaces.push(workspace);
    for user in &mut state.users {
        user.workspaces.push(id);
    }
    fixture
}

pub(crate) fn add_key(
    state: &mut State,
    workspace: WorkspaceId,
    scope: Scope,
    permissions: Permissions,
    basic: bool,
) -> String {
    let key = new_uuid();
    state.keys.insert(
        key.clone(),
        ApiKey {
            workspace,
            scope,
            permissions,
            simple_auth_hash: None,
            basic,
        },
    );
    key
}

pub(crate) fn add_user(
    state: &mut State,
    username: &str,
    password: &str,
    second_factor: SecondFactor,
) -> UserFixture {
    let known = state.users.iter().position(|user| user.username == username);
    let index = known.unwrap_or(state.users.len());
    let user = User {
        number: 1_000 + index as u64,
        username: username.to_owned(),
        password: password.to_owned(),
        second_factor,
        workspaces: (0..state.workspaces.len()).collect(),
        wrong_passwords: 0,
        trusted_devices: HashMap::new(),
        used_steps: HashSet::new(),
        email_code: None,
    };
    // Tokens refer to users by index, so a replaced user keeps the index.
    match state.users.get_mut(index) {
        Some(place) => *place = user,
        None => state.users.push(user),
    }
    UserFixture {
        username: username.to_owned(),
        password: password.to_owned(),
        totp_secret: String::new(),
    }
}
