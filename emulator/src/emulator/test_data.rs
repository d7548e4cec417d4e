//! Methods that add and read test data: workspaces, users, accounts, keys, tokens of third parties, events.

use totp_rs::Secret;

use crate::calendar::Day;
use crate::consumer::Consumer;
use crate::emulator::Emulator;
use crate::fixtures::{
    ProfileSnapshot, UserFixture, WorkspaceFixture, add_key, add_user, add_workspace, totp,
};
use crate::state::keys::{Permissions, Scope};
use crate::state::new_uuid;
use crate::state::profiles::{Account, Activation, ThirdPartyToken};
use crate::state::users::SecondFactor;
use crate::state::workspaces::Workspace;
use crate::sync::lock;

/// Test data. Each call takes effect at once.
impl Emulator {
    /// Adds a workspace with its own keys. Every user belongs to it.
    pub fn add_workspace(&self, name: &str) -> WorkspaceFixture {
        let now = self.clock().now();
        add_workspace(&mut lock(&self.shared.state), &self.shared.assumptions, name, now)
    }

    /// Adds a user without a second factor, who belongs to every workspace. A user with the same name is replaced.
    ///
    /// This is a shortcut for tests: the service requires a second factor of every user, as
    /// [`add_user_with_totp`](Self::add_user_with_totp) and
    /// [`add_user_with_email_codes`](Self::add_user_with_email_codes) add them. The workspaces of
    /// [`require_second_factor`](Self::require_second_factor) do not accept the shortcut.
    pub fn add_user(&self, username: &str, password: &str) -> UserFixture {
        add_user(
            &mut lock(&self.shared.state),
            username,
            password,
            SecondFactor::None,
        )
    }

    /// Adds a user whose second factor is a code by e-mail; see [`outbox`](Self::outbox).
    pub fn add_user_with_email_codes(&self, username: &str, password: &str) -> UserFixture {
        add_user(
            &mut lock(&self.shared.state),
            username,
            password,
            SecondFactor::Email,
        )
    }

    /// Adds a user whose second factor is a TOTP authenticator; see [`totp_code_of`](Self::totp_code_of).
    pub fn add_user_with_totp(&self, username: &str, password: &str) -> UserFixture {
        let secret = Secret::from(new_uuid().into_bytes());
        let totp_secret = secret.to_base32();
        let factor = totp(secret).map_or(SecondFactor::None, |totp| SecondFactor::Totp(Box::new(totp)));
        let user = add_user(&mut lock(&self.shared.state), username, password, factor);
        UserFixture { totp_secret, ..user }
    }

    /// Locks a workspace's users out: selecting it gets 423.
    ///
    /// # Panics
    /// If there is no workspace with that GUID.
    #[track_caller]
    pub fn lock_workspace(&self, guid: &str) {
        self.edit_workspace(guid, |workspace| workspace.locked = true);
    }

    /// Requires a second factor of a workspace's users.
    ///
    /// # Panics
    /// If there is no workspace with that GUID.
    #[track_caller]
    pub fn require_second_factor(&self, guid: &str) {
        self.edit_workspace(guid, |workspace| workspace.mfa_required = true);
    }

    /// Turns on the check for unknown devices: a profile that logs in by password must send a device id.
    pub fn require_device_id(&self) {
        self.edit_workspace(&self.workspace().guid, |workspace| {
            workspace.device_control = true;
        });
    }

    #[track_caller]
    fn edit_workspace(&self, guid: &str, change: impl FnOnce(&mut Workspace)) {
        let mut state = lock(&self.shared.state);
        let found = state
            .workspaces
            .iter_mut()
            .find(|workspace| workspace.guid == guid);
        assert!(found.is_some(), "there is no workspace {guid}");
        found.map(change);
    }

    /// Adds an active account of the identity provider SYNERISE to the first workspace.
    pub fn add_account(&self, email: &str, password: &str) {
        let mut state = lock(&self.shared.state);
        let known = state.profile_by_email(0, email);
        let profile = known.unwrap_or_else(|| state.add_profile(0, &new_uuid()));
        state.profiles[profile].email = Some(email.to_owned());
        state.profiles[profile].account = Some(Account {
            origin: "SYNERISE".to_owned(),
            password: Some(password.to_owned()),
            activation: Activation::Active,
            email_confirmed: true,
            wrong_passwords: 0,
        });
    }

    /// Sets the identifier of a profile in the first workspace (`customId`). Returns false if there is no such profile.
    pub fn set_custom_id(&self, email: &str, custom_id: &str) -> bool {
        let mut state = lock(&self.shared.state);
        let Some(profile) = state.profile_by_email(0, email) else {
            return false;
        };
        state.profiles[profile].custom_id = Some(custom_id.to_owned());
        true
    }

    /// Adds a condition to the logins of an account, for instance `TERMS_ACCEPTANCE_REQUIRED`. The conditional login
    /// reports it, and the other logins get 403. Returns false if there is no such profile.
    pub fn require_at_login(&self, email: &str, status: &str, conditions: &[&str]) -> bool {
        let mut state = lock(&self.shared.state);
        let Some(profile) = state.profile_by_email(0, email) else {
            return false;
        };
        let conditions = conditions
            .iter()
            .map(|condition| (*condition).to_owned())
            .collect();
        state.profiles[profile].unmet = Some((status.to_owned(), conditions));
        true
    }

    /// Adds a token of an identity provider (`FACEBOOK`, `GOOGLE`, `APPLE`, `OAUTH`) for the owner of an e-mail address.
    /// Tokens that were not added are refused.
    pub fn add_third_party_token(&self, provider: &str, token: &str, email: &str) {
        self.insert_third_party_token(provider, token, email, false);
    }

    /// Adds a token of an identity provider that is valid for one login.
    pub fn add_single_use_token(&self, provider: &str, token: &str, email: &str) {
        self.insert_third_party_token(provider, token, email, true);
    }

    fn insert_third_party_token(&self, provider: &str, token: &str, email: &str, single_use: bool) {
        let key = (provider.to_owned(), token.to_owned());
        let token = ThirdPartyToken {
            email: email.to_owned(),
            single_use,
        };
        lock(&self.shared.state).third_party_tokens.insert(key, token);
    }

    /// Adds a workspace API key with only these permissions.
    pub fn add_workspace_api_key(&self, permissions: &[&str]) -> String {
        self.insert_key(Scope::Workspace, permissions)
    }

    /// Adds a profile API key with only these permissions.
    pub fn add_profile_api_key(&self, permissions: &[&str]) -> String {
        self.insert_key(Scope::Profile, permissions)
    }

    fn insert_key(&self, scope: Scope, permissions: &[&str]) -> String {
        let only = permissions
            .iter()
            .map(|permission| (*permission).to_owned())
            .collect();
        let mut state = lock(&self.shared.state);
        add_key(&mut state, 0, scope, Permissions::Only(only), false)
    }

    /// Switches Basic authentication on or off for an API key, as it can be done in Synerise. It is off for every key but
    /// [`basic_api_key`](crate::WorkspaceFixture::basic_api_key). Returns false if there is no such key.
    pub fn set_basic_authentication(&self, key: &str, on: bool) -> bool {
        let mut state = lock(&self.shared.state);
        let key = state.keys.get_mut(key);
        key.map(|key| key.basic = on).is_some()
    }

    /// Gives a profile API key a salt: a login without a password then needs this value in its header `X-Simple-Auth-Hash`.
    ///
    /// How the service computes the value is not published, so the test decides which one is right. Returns false if there
    /// is no such key.
    pub fn require_simple_auth_hash(&self, key: &str, hash: &str) -> bool {
        let mut state = lock(&self.shared.state);
        let known = state.keys.get_mut(key);
        known.is_some_and(|key| {
            key.simple_auth_hash = Some(hash.to_owned());
            true
        })
    }

    /// Deletes an API key and revokes the tokens obtained with it. Returns false if there is no such key.
    pub fn revoke_api_key(&self, key: &str) -> bool {
        let mut state = lock(&self.shared.state);
        state
            .tokens
            .revoke_where(|consumer: &Consumer| consumer.api_key() == Some(key));
        state.keys.remove(key).is_some()
    }

    /// Adds events to a day (`2025-05-29`, UTC) of the first workspace, for the statistics.
    ///
    /// # Panics
    /// If `day` is not a date in this form: no report would ever show the events.
    #[track_caller]
    pub fn record_events(&self, day: &str, action: &str, count: u64) {
        assert!(Day::parse(day).is_some(), "{day:?} is not a date like 2025-05-29");
        let mut state = lock(&self.shared.state);
        *state.workspaces[0]
            .events
            .entry(day.to_owned())
            .or_default()
            .entry(action.to_owned())
            .or_default() += count;
    }

    /// Returns the profile with this e-mail address in the first workspace.
    pub fn profile(&self, email: &str) -> Option<ProfileSnapshot> {
        let state = lock(&self.shared.state);
        let profile = &state.profiles[state.profile_by_email(0, email)?];
        let account = profile.account.as_ref();
        let works = |account: &Account| match account.activation {
            Activation::Active | Activation::Unconfirmed { .. } => true,
            Activation::AwaitsToken { .. } | Activation::AwaitsPin { .. } => account.origin != "SYNERISE",
        };
        let mut devices: Vec<_> = profile.devices.iter().cloned().collect();
        devices.sort();
        Some(ProfileSnapshot {
            uuid: profile.uuid.clone(),
            email: profile.email.clone(),
            custom_id: profile.custom_id.clone(),
            origin: account.map(|account| account.origin.clone()),
            active: account.is_some_and(works),
            email_confirmed: account.is_some_and(|account| account.email_confirmed),
            agreements: profile.agreements.clone(),
            attributes: profile.attributes.clone(),
            tags: profile.tags.clone(),
            devices,
            linked_visitors: profile.linked_visitors.clone(),
        })
    }
}
