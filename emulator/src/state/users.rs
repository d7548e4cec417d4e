//! Users, who log in to the portal.

use std::collections::{HashMap, HashSet};
use std::time::SystemTime;

use totp_rs::Totp;

use crate::consumer::WorkspaceId;

/// A user of the portal.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) number: u64,
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) second_factor: SecondFactor,
    pub(crate) workspaces: Vec<WorkspaceId>,
    pub(crate) wrong_passwords: u32,
    /// Devices that passed the second factor, and until when they are trusted.
    pub(crate) trusted_devices: HashMap<String, SystemTime>,
    /// Time steps whose code was used: RFC 6238 forbids accepting a code twice.
    pub(crate) used_steps: HashSet<u64>,
    pub(crate) email_code: Option<EmailCode>,
}

/// What a user needs in addition to the password.
#[derive(Debug)]
pub(crate) enum SecondFactor {
    None,
    Totp(Box<Totp>),
    Email,
}

/// A code that was sent by e-mail.
#[derive(Debug)]
pub(crate) struct EmailCode {
    pub(crate) code: String,
    pub(crate) valid_until: SystemTime,
}

impl SecondFactor {
    /// The methods, as `mfaMethods` names them.
    pub(crate) fn methods(&self) -> &'static [&'static str] {
        match self {
            Self::None => &[],
            Self::Totp(_) => &["TOTP_AUTHENTICATOR"],
            Self::Email => &["EMAIL"],
        }
    }
}
