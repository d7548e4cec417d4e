//! Profiles and their accounts.

use std::collections::HashSet;
use std::time::SystemTime;

use serde_json::{Map, Value};

use super::State;
use crate::consumer::{ProfileId, WorkspaceId};

/// A customer of a workspace, known or not.
#[derive(Debug)]
pub(crate) struct Profile {
    pub(crate) number: u64,
    pub(crate) workspace: WorkspaceId,
    pub(crate) uuid: String,
    pub(crate) email: Option<String>,
    pub(crate) custom_id: Option<String>,
    /// Absent: the profile is anonymous.
    pub(crate) account: Option<Account>,
    pub(crate) agreements: Map<String, Value>,
    pub(crate) attributes: Map<String, Value>,
    pub(crate) tags: Vec<String>,
    pub(crate) devices: HashSet<String>,
    /// A condition that a test put before the next logins: status, and what is to be done.
    pub(crate) unmet: Option<(String, Vec<String>)>,
}

/// What a profile logs in with.
#[derive(Debug)]
pub(crate) struct Account {
    /// The identity provider that it was registered with.
    pub(crate) origin: String,
    /// Absent for an account of a third party.
    pub(crate) password: Option<String>,
    pub(crate) activation: Activation,
    /// The attribute `snrs_email_confirmed`.
    pub(crate) email_confirmed: bool,
    pub(crate) refused_passwords: u32,
}

/// Whether an account works, and what it waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Activation {
    Active,
    /// Works already; its address is to be confirmed.
    Unconfirmed {
        token: String,
        valid_until: SystemTime,
    },
    /// Works once the token of the e-mail comes back.
    AwaitsToken {
        token: String,
        valid_until: SystemTime,
    },
    /// Works once the PIN comes back from the device that asked last.
    AwaitsPin {
        pin: String,
        valid_until: SystemTime,
        device: Option<String>,
        password: String,
    },
}

/// A token of a third party, and whose it is.
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

    /// A new profile without an account.
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
            unmet: None,
        });
        self.profiles.len() - 1
    }
}
