//! The password of an account: forgotten and reset, or changed.

use std::fmt;

use crate::bindings::types;
use crate::error::Result;
use crate::model::input::{optional, required, required_secret};
use crate::secret::Secret;
use crate::session::Session;
use crate::session::kind::{Customer, Profile};

/// A change of the own password.
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
pub struct PasswordChange {
    old: Secret,
    new: Secret,
    device_id: Option<String>,
}

impl PasswordChange {
    /// The password until now, and the new one.
    pub fn new(old: impl Into<Secret>, new: impl Into<Secret>) -> Self {
        Self {
            old: old.into(),
            new: new.into(),
            device_id: None,
        }
    }

    /// The identifier of the customer's device.
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
    /// Has the e-mail sent that resets the password of an account. The workspace must have an e-mail sender.
    ///
    /// A visitor's session is enough. Whether the service tells that there is no such account is not published: don't show
    /// that to whoever asked.
    ///
    /// Operation `requestPasswordReset` (`POST /v4/clients/password-reset/request`, observed).
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) without an address, before anything is sent; otherwise as
    /// [`Request::send`](crate::session::Request::send).
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

    /// Sets a new password by the token in the e-mail. A visitor's session is enough.
    ///
    /// Operation `confirmPasswordReset` (`POST /v4/clients/password-reset/confirmation`, observed).
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) without a token or a password, before anything is sent;
    /// [`ErrorKind::Api`](crate::ErrorKind::Api) when the token is not valid any more: with which status is not published.
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
    /// Changes the customer's own password. The session goes on.
    ///
    /// A session that was told to keep its credentials keeps the old password: log in anew for one that has the new password.
    ///
    /// Operation `changePassword` (`POST /v4/my-account/change-password`, observed).
    ///
    /// # Errors
    /// [`ErrorKind::WrongCredential`](crate::ErrorKind::WrongCredential) when the old password is wrong;
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when a password is empty, before anything is sent.
    pub async fn change_password(&self, change: PasswordChange) -> Result<()> {
        let body = types::PasswordChangeRequest {
            old_password: required_secret("old password", &change.old)?,
            password: required_secret("new password", &change.new)?,
            device_id: optional("device id", change.device_id.as_deref())?,
        };
        self.raw().change_password(&body).response().await.map(drop)
    }
}
