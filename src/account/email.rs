//! A change of an account's e-mail address.

use std::fmt;

use crate::bindings::types;
use crate::error::Result;
use crate::lifecycle::CredentialChange;
use crate::model::input::{required, required_secret};
use crate::secret::Secret;
use crate::session::Session;
use crate::session::kind::Profile;

use super::identifiers::{Checked, Identifiers, identifier_setters};

/// A change of the customer's own e-mail address, which a credential has to confirm.
///
/// ```no_run
/// # async fn run(profile: synerise_auth::ProfileSession, from_the_email: String) -> synerise_auth::Result<()> {
/// use synerise_auth::account::{EmailChange, EmailConfirmation};
///
/// let change = EmailChange::by_password("new@shop.example", "not-a-real-Password-1");
/// profile.request_email_change(change).await?;
/// // … the customer follows the link in the e-mail …
/// profile.confirm_email_change(EmailConfirmation::new(from_the_email)).await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct EmailChange {
    email: String,
    credential: Credential,
    identifiers: Identifiers,
}

#[derive(Clone)]
enum Credential {
    Password(Secret),
    ProviderToken(Secret),
}

impl EmailChange {
    /// Creates a change to this address, confirmed by the account's password.
    pub fn by_password(new_email: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self::new(new_email.into(), Credential::Password(password.into()))
    }

    /// Creates a change to this address, confirmed by a token of the account's identity provider (Facebook, Apple, Google,
    /// or your own backend).
    pub fn by_provider_token(new_email: impl Into<String>, token: impl Into<Secret>) -> Self {
        Self::new(new_email.into(), Credential::ProviderToken(token.into()))
    }

    fn new(email: String, credential: Credential) -> Self {
        Self {
            email,
            credential,
            identifiers: Identifiers::default(),
        }
    }

    identifier_setters!();

    fn body(&self) -> Result<types::EmailChangeRequest> {
        let (password, external_token) = match &self.credential {
            Credential::Password(password) => (Some(required_secret("password", password)?), None),
            Credential::ProviderToken(token) => {
                (None, Some(required_secret("identity provider's token", token)?))
            }
        };
        let email = required("new e-mail address", &self.email)?;
        let Checked {
            custom_id,
            uuid,
            device_id,
        } = self.identifiers.checked()?;
        Ok(types::EmailChangeRequest {
            email,
            password,
            external_token,
            custom_id,
            uuid,
            device_id,
        })
    }
}

/// Omits the address and the identifier, which are personal.
impl fmt::Debug for EmailChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmailChange")
            .field("uuid", &self.identifiers.uuid)
            .field("device_id", &self.identifiers.device_id)
            .finish_non_exhaustive()
    }
}

/// The confirmation of a new e-mail address.
#[derive(Debug, Clone)]
pub struct EmailConfirmation {
    token: Secret,
    newsletter_agreement: Option<bool>,
}

impl EmailConfirmation {
    /// Creates a confirmation with the token from the e-mail.
    pub fn new(token: impl Into<Secret>) -> Self {
        Self {
            token: token.into(),
            newsletter_agreement: None,
        }
    }

    /// Sets whether the customer agrees to a newsletter at the new address. Synerise's own apps always send it. It is left
    /// out if it is not set.
    #[must_use]
    pub fn newsletter_agreement(mut self, agreed: bool) -> Self {
        self.newsletter_agreement = Some(agreed);
        self
    }
}

impl Session<Profile> {
    /// Requests the e-mail that confirms a new address. It is sent to the new address, and the old one stays until it is
    /// confirmed.
    ///
    /// Operation [`requestEmailChange`](crate::raw::Client::request_email_change) (`POST /sauth/v2/my-account/email-change/request`, observed).
    ///
    /// # Errors
    /// Returns [`ErrorKind::WrongCredential`](crate::ErrorKind::WrongCredential) when the password or the provider's token
    /// is wrong, and [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when a value is empty, before anything is
    /// sent. Otherwise fails like any [`Request`](crate::session::Request).
    pub async fn request_email_change(&self, change: EmailChange) -> Result<()> {
        let body = change.body()?;
        let outcome = self.raw().request_email_change(&body).response().await;
        // Without a response, the e-mail may have been sent.
        if outcome
            .as_ref()
            .err()
            .is_none_or(|error| error.status().is_none())
        {
            self.credentials_changed(&CredentialChange::EmailRequested(&change.email));
        }
        outcome.map(drop)
    }

    /// Changes the customer's e-mail address by the token from the e-mail. The session stays valid.
    ///
    /// Operation [`confirmEmailChange`](crate::raw::Client::confirm_email_change) (`POST /sauth/my-account/email-change/confirmation`, observed).
    ///
    /// # Errors
    /// Returns [`ErrorKind::WrongCredential`](crate::ErrorKind::WrongCredential) when the token is not valid, and
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when it is empty, before anything is sent.
    pub async fn confirm_email_change(&self, confirmation: EmailConfirmation) -> Result<()> {
        let body = types::EmailChangeConfirmationRequest {
            token: required_secret("e-mail change token", &confirmation.token)?,
            newsletter_agreement: confirmation.newsletter_agreement,
        };
        self.raw().confirm_email_change(&body).response().await?;
        self.credentials_changed(&CredentialChange::EmailConfirmed);
        Ok(())
    }
}
