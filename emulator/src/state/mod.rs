//! The state of the emulator.

pub(crate) mod keys;
pub(crate) mod profiles;
pub(crate) mod users;
pub(crate) mod workspaces;

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use uuid::Uuid;

use crate::consumer::ProfileId;
use crate::outbox::{Message, MessageKind};
use crate::tokens::TokenStore;
use keys::ApiKey;
use profiles::{EmailChange, PasswordReset, PhoneChange, Profile, ThirdPartyToken};
use users::User;
use workspaces::Workspace;

/// The state of the service. Handlers change it under one lock, so each request is atomic.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) workspaces: Vec<Workspace>,
    pub(crate) keys: HashMap<String, ApiKey>,
    pub(crate) users: Vec<User>,
    pub(crate) profiles: Vec<Profile>,
    /// By identity provider and token.
    pub(crate) third_party_tokens: HashMap<(String, String), ThirdPartyToken>,
    /// By the token in the e-mail.
    pub(crate) password_resets: HashMap<String, PasswordReset>,
    /// By the token in the e-mail.
    pub(crate) email_changes: HashMap<String, EmailChange>,
    pub(crate) phone_changes: HashMap<ProfileId, PhoneChange>,
    pub(crate) tokens: TokenStore,
    pub(crate) outbox: Vec<Message>,
    pub(crate) lifetimes: Lifetimes,
}

/// Lifetimes of tokens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lifetimes {
    pub(crate) workspace: Duration,
    /// The default of the setting `tokenLifetimeInSeconds`.
    pub(crate) profile: Duration,
    pub(crate) user: Duration,
}

impl State {
    pub(crate) fn new(lifetimes: Lifetimes) -> Self {
        Self {
            workspaces: Vec::new(),
            keys: HashMap::new(),
            users: Vec::new(),
            profiles: Vec::new(),
            third_party_tokens: HashMap::new(),
            password_resets: HashMap::new(),
            email_changes: HashMap::new(),
            phone_changes: HashMap::new(),
            tokens: TokenStore::new(),
            outbox: Vec::new(),
            lifetimes,
        }
    }

    pub(crate) fn send(&mut self, to: &str, kind: MessageKind, secret: &str, now: SystemTime) {
        self.outbox.push(Message {
            to: to.to_owned(),
            kind,
            secret: secret.to_owned(),
            sent_at: now,
        });
    }
}

/// A random UUID, for keys and GUIDs.
pub(crate) fn new_uuid() -> String {
    Uuid::new_v4().to_string()
}

/// A random code with this many digits.
pub(crate) fn new_digits(length: usize) -> String {
    let mut random = Uuid::new_v4().as_u128();
    let mut digits = String::with_capacity(length);
    for _ in 0..length {
        digits.push(char::from(b'0' + u8::try_from(random % 10).unwrap_or_default()));
        random /= 10;
    }
    digits
}
