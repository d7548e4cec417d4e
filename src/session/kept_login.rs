//! The login that a session keeps to repeat it, with the credentials as they are now.

use std::sync::Arc;

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::lifecycle::CredentialChange;
use crate::model::Identity;
use crate::sync::{Mutex, lock};
use crate::token::TokenResponse;
use crate::transport::Transport;

use super::repeatable_login::RepeatableLogin;

/// A login that its session repeats. It follows what the customer changes in this session, and is given up once its password
/// is refused: each further attempt would count towards a lock of the account.
pub(super) struct KeptLogin(Mutex<Kept>);

struct Kept {
    /// `None` once it is given up.
    login: Option<Arc<RepeatableLogin>>,
    /// How often the password was refused in a row.
    refusals: u32,
    requested_email: RequestedEmail,
}

/// The e-mail address that the next confirmation is about.
enum RequestedEmail {
    None,
    One(String),
    /// Which of several, its token does not say.
    Unknown,
}

/// What follows from a refused password.
enum Refused {
    /// It has been changed since: the new one was not refused.
    Changed,
    /// The refusal may have another reason.
    Doubted,
    GivenUp,
}

impl KeptLogin {
    pub(super) fn new(login: RepeatableLogin) -> Self {
        Self(Mutex::new(Kept {
            login: Some(Arc::new(login)),
            refusals: 0,
            requested_email: RequestedEmail::None,
        }))
    }

    /// Whether the session can still log in again.
    pub(super) fn is_kept(&self) -> bool {
        lock(&self.0).login.is_some()
    }

    /// Logs in again. `None` when the login was given up before.
    pub(super) async fn send(
        &self,
        transport: &Arc<Transport>,
        clock: &dyn Clock,
    ) -> Option<Result<TokenResponse>> {
        loop {
            let login = lock(&self.0).login.clone()?;
            let error = match login.send(transport, clock).await {
                Err(error) if error.status() == Some(401) => error,
                outcome => {
                    if outcome.is_ok() {
                        lock(&self.0).refusals = 0;
                    }
                    return Some(outcome);
                }
            };
            match self.refused(&login) {
                Refused::Changed => {}
                Refused::Doubted => return Some(Err(error)),
                Refused::GivenUp => {
                    return Some(Err(Error::session_expired(
                        "the kept password was refused, so the session does not log in again",
                        "let the customer log in with the current password",
                        Some(error),
                    )));
                }
            }
        }
    }

    fn refused(&self, sent: &Arc<RepeatableLogin>) -> Refused {
        let mut kept = lock(&self.0);
        if kept
            .login
            .as_ref()
            .is_some_and(|current| !Arc::ptr_eq(current, sent))
        {
            return Refused::Changed;
        }
        kept.refusals = kept.refusals.saturating_add(1);
        // The workspace's token or a key that is being replaced may be the reason, but hardly twice.
        if kept.refusals < 2 && (sent.behalf.is_some() || sent.keys.is_changeable()) {
            return Refused::Doubted;
        }
        kept.login = None;
        Refused::GivenUp
    }

    pub(super) fn follow(&self, change: &CredentialChange<'_>) {
        let mut kept = lock(&self.0);
        match change {
            CredentialChange::Password(new) => {
                kept.change(|identity| identity.with_password((*new).clone()));
            }
            CredentialChange::EmailRequested(new) => {
                kept.requested_email = match &kept.requested_email {
                    RequestedEmail::None => RequestedEmail::One((*new).to_owned()),
                    RequestedEmail::One(known) if known == new => return,
                    RequestedEmail::One(_) | RequestedEmail::Unknown => RequestedEmail::Unknown,
                };
            }
            CredentialChange::EmailConfirmed => {
                let requested = std::mem::replace(&mut kept.requested_email, RequestedEmail::None);
                if let RequestedEmail::One(new) = requested {
                    kept.change(|identity| identity.with_email(new));
                }
            }
            CredentialChange::Ended => kept.login = None,
        }
    }
}

impl Kept {
    fn change(&mut self, change: impl FnOnce(Identity) -> Identity) {
        if let Some(login) = &self.login {
            let mut changed = RepeatableLogin::clone(login);
            changed.identity = change(changed.identity);
            self.login = Some(Arc::new(changed));
            self.refusals = 0;
        }
    }
}
