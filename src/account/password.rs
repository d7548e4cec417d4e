//! An account's password: resets and changes.

use std::fmt;

use crate::bindings::types;
use crate::error::Result;
use crate::lifecycle::CredentialChange;
use crate::model::input::{optional, required, required_secret};
use crate::secret::Secret;
use crate::session::Session;
use crate::session::kind::{Customer, Profile};

/// A change of the customer's own password.
///
/// ```no_run
/// # async fn run(profile: synerise_auth::ProfileSession) -> synerise_auth::Result<()> {
/// use synerise_auth::ErrorKind;
/// use synerise_auth::account::PasswordChange;
///
/// let change = PasswordChange::new("not-a-real-Password-1", "not-a-real-Password-2");
/// match profile.change_password(change).await {
///     Err(error) if error.kind() == ErrorKind::WrongCredential => println!("the old password is wrong"),
///     other => other?,
/// }
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[doc(alias = "oldPassword")]
pub struct PasswordChange {
    old: Secret,
    new: Secret,
    device_id: Option<String>,
}

impl PasswordChange {
    /// Creates a change from the current password to the new one.
    pub fn new(old: impl Into<Secret>, new: impl Into<Secret>) -> Self {
        Self {
            old: old.into(),
            new: new.into(),
            device_id: None,
        }
    }

    /// Sets the identifier of the customer's device.
    #[must_use]
    pub fn device_id(mut self, id: impl Into<String>) -> Self {
        self.device_id = Some(id.into());
        self
    }
}

impl fmt::Debug for PasswordChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordChange").finish_non_exhaustive()
    }
}

impl<K: Customer> Session<K> {
    /// Requests the e-mail that resets an account's password. The workspace must have an e-mail sender.
    ///
    /// A visitor's session is enough. Synerise does not publish whether the service reveals that an account does not exist,
    /// so don't show the result to the visitor.
    ///
    /// Operation [`requestPasswordReset`](crate::raw::Client::request_password_reset) (`POST /v4/clients/password-reset/request`, observed).
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when the address is empty, before anything is
    /// sent. Otherwise fails like any [`Request`](crate::session::Request).
    pub async fn request_password_reset(&self, email: &str) -> Result<()> {
        let body = types::PasswordResetRequest {
            email: required("e-mail address", email)?,
        };
        self.raw()
            .request_password_reset(&body)
            .response()
            .await
            .map(drop)
    }

    /// Sets a new password by the token from the e-mail. A visitor's session is enough.
    ///
    /// Operation [`confirmPasswordReset`](crate::raw::Client::confirm_password_reset) (`POST /v4/clients/password-reset/confirmation`, observed).
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when the token or the password is empty, before
    /// anything is sent, and [`ErrorKind::Api`](crate::ErrorKind::Api) when the token is no longer valid (Synerise does not
    /// publish with which status).
    pub async fn reset_password(
        &self,
        token: impl Into<Secret>,
        new_password: impl Into<Secret>,
    ) -> Result<()> {
        let body = types::PasswordResetConfirmationRequest {
            token: required_secret("password reset token", &token.into())?,
            password: required_secret("password", &new_password.into())?,
        };
        self.raw()
            .confirm_password_reset(&body)
            .response()
            .await
            .map(drop)
    }
}

impl Session<Profile> {
    /// Changes the customer's own password. The session stays valid.
    ///
    /// A session that keeps its credentials then has the new password. Other sessions of the account still have the old one.
    ///
    /// Operation [`changePassword`](crate::raw::Client::change_password) (`POST /v4/my-account/change-password`, observed).
    ///
    /// # Errors
    /// Returns [`ErrorKind::WrongCredential`](crate::ErrorKind::WrongCredential) when the old password is wrong, and
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when a password is empty, before anything is sent.
    pub async fn change_password(&self, change: PasswordChange) -> Result<()> {
        let body = types::PasswordChangeRequest {
            old_password: required_secret("old password", &change.old)?,
            password: required_secret("new password", &change.new)?,
            device_id: optional("device id", change.device_id.as_deref())?,
        };
        self.raw().change_password(&body).response().await?;
        self.credentials_changed(&CredentialChange::Password(&change.new));
        Ok(())
    }
}
