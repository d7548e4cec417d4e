//! Profiles and their accounts.

use std::collections::HashSet;
use std::time::SystemTime;

use serde_json::{Map, Value};

use super::State;
use crate::consumer::{ProfileId, WorkspaceId};

/// A profile of a workspace, with or without an account.
#[derive(Debug)]
pub(crate) struct Profile {
    pub(crate) number: u64,
    pub(crate) workspace: WorkspaceId,
    pub(crate) uuid: String,
    pub(crate) email: Option<String>,
    pub(crate) custom_id: Option<String>,
    /// `None` for an anonymous profile.
    pub(crate) account: Option<Account>,
    pub(crate) agreements: Map<String, Value>,
    pub(crate) attributes: Map<String, Value>,
    pub(crate) tags: Vec<String>,
    pub(crate) devices: HashSet<String>,
    /// The UUIDs of the visitors whose history logins joined to it.
    pub(crate) linked_visitors: Vec<String>,
    /// A condition of the next logins, set by a test: the status and the conditions.
    pub(crate) unmet: Option<(String, Vec<String>)>,
}

/// The account with which a profile logs in.
#[derive(Debug)]
pub(crate) struct Account {
    /// The identity provider of the registration.
    pub(crate) origin: String,
    /// `None` for an account of a third party.
    pub(crate) password: Option<String>,
    pub(crate) activation: Activation,
    /// The attribute `snrs_email_confirmed`.
    pub(crate) email_confirmed: bool,
    pub(crate) wrong_passwords: u32,
}

/// Whether an account is usable, and which confirmation it waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Activation {
    Active,
    /// Usable. The address is not confirmed yet.
    Unconfirmed {
        token: String,
        valid_until: SystemTime,
    },
    /// Usable after the token of the e-mail is sent back.
    AwaitsToken {
        token: String,
        valid_until: SystemTime,
    },
    /// Usable after the PIN is sent back from the device that requested it last.
    AwaitsPin {
        pin: String,
        valid_until: SystemTime,
        device: Option<String>,
        password: String,
    },
}

/// What the token of a password reset e-mail is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PasswordReset {
    pub(crate) profile: ProfileId,
    pub(crate) valid_until: SystemTime,
}

/// What the token of an e-mail that confirms a new address is for.
#[derive(Debug, Clone)]
pub(crate) struct EmailChange {
    pub(crate) profile: ProfileId,
    pub(crate) email: String,
    pub(crate) valid_until: SystemTime,
}

/// A new telephone number that waits for the code of an SMS.
#[derive(Debug, Clone)]
pub(crate) struct PhoneChange {
    pub(crate) phone: String,
    pub(crate) code: String,
    pub(crate) valid_until: SystemTime,
}

/// A token of a third party.
#[derive(Debug, Clone)]
pub(crate) struct ThirdPartyToken {
    pub(crate) email: String,
    pub(crate) single_use: bool,
}

impl State {
    pub(crate) fn profile_by_email(&self, workspace: WorkspaceId, email: &str) -> Option<ProfileId> {
        self.find_profile(workspace, |profile| profile.email.as_deref() == Some(email))
    }

    pub(crate) fn profile_by_custom_id(&self, workspace: WorkspaceId, id: &str) -> Option<ProfileId> {
        self.find_profile(workspace, |profile| profile.custom_id.as_deref() == Some(id))
    }

    pub(crate) fn profile_by_uuid(&self, workspace: WorkspaceId, uuid: &str) -> Option<ProfileId> {
        self.find_profile(workspace, |profile| profile.uuid == uuid)
    }

    fn find_profile(&self, workspace: WorkspaceId, is: impl Fn(&Profile) -> bool) -> Option<ProfileId> {
        self.profiles
            .iter()
            .position(|profile| profile.workspace == workspace && is(profile))
    }

    /// Adds a profile without an account.
    pub(crate) fn add_profile(&mut self, workspace: WorkspaceId, uuid: &str) -> ProfileId {
        self.profiles.push(Profile {
            number: 433_230_001 + self.profiles.len() as u64,
            workspace,
            uuid: uuid.to_owned(),
            email: None,
            custom_id: None,
            account: None,
            agreements: Map::new(),
            attributes: Map::new(),
            tags: Vec::new(),
            devices: HashSet::new(),
            linked_visitors: Vec::new(),
            unmet: None,
        });
        self.profiles.len() - 1
    }
}
