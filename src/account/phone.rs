//! A change of an account's telephone number.

use std::fmt;

use crate::bindings::types;
use crate::error::Result;
use crate::model::input::{required, required_secret};
use crate::secret::Secret;
use crate::session::Session;
use crate::session::kind::Profile;

/// The confirmation of a new telephone number.
///
/// ```no_run
/// # async fn run(profile: synerise_auth::ProfileSession, from_the_sms: String) -> synerise_auth::Result<()> {
/// use synerise_auth::account::PhoneConfirmation;
///
/// profile.request_phone_change("+48000000000").await?;
/// // … the customer enters the code from the SMS …
/// let confirmation = PhoneConfirmation::new("+48000000000", from_the_sms).sms_agreement(true);
/// profile.confirm_phone_change(confirmation).await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct PhoneConfirmation {
    phone: String,
    code: Secret,
    sms_agreement: Option<bool>,
}

impl PhoneConfirmation {
    /// Creates a confirmation of this number with the code from the SMS.
    pub fn new(phone: impl Into<String>, code: impl Into<Secret>) -> Self {
        Self {
            phone: phone.into(),
            code: code.into(),
            sms_agreement: None,
        }
    }

    /// Sets whether the customer agrees to messages at the new number. Synerise's own apps always send it. It is left out
    /// if it is not set.
    #[must_use]
    pub fn sms_agreement(mut self, agreed: bool) -> Self {
        self.sms_agreement = Some(agreed);
        self
    }
}

/// Omits the number, which is personal, and the code.
impl fmt::Debug for PhoneConfirmation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PhoneConfirmation")
            .field("sms_agreement", &self.sms_agreement)
            .finish_non_exhaustive()
    }
}

impl Session<Profile> {
    /// Requests the SMS that confirms a new telephone number. The old one stays until the new one is confirmed.
    ///
    /// Operation [`requestPhoneChange`](crate::raw::Client::request_phone_change) (`POST /v4/my-account/phone-update/request`, observed).
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when the number is empty, before anything is
    /// sent. Otherwise fails like any [`Request`](crate::session::Request).
    pub async fn request_phone_change(&self, new_phone: &str) -> Result<()> {
        let body = types::PhoneChangeRequest {
            phone: required("new telephone number", new_phone)?,
        };
        self.raw().request_phone_change(&body).response().await.map(drop)
    }

    /// Changes the customer's telephone number by the code from the SMS.
    ///
    /// Operation [`confirmPhoneChange`](crate::raw::Client::confirm_phone_change) (`POST /v4/my-account/phone-update/confirmation`, observed).
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when the number or the code is empty, before
    /// anything is sent, and [`ErrorKind::Api`](crate::ErrorKind::Api) when the code is not valid (Synerise does not publish
    /// with which status).
    #[doc(alias = "confirmationCode")]
    pub async fn confirm_phone_change(&self, confirmation: PhoneConfirmation) -> Result<()> {
        let body = types::PhoneChangeConfirmationRequest {
            phone: required("new telephone number", &confirmation.phone)?,
            confirmation_code: required_secret("confirmation code", &confirmation.code)?,
            sms_agreement: confirmation.sms_agreement,
        };
        self.raw().confirm_phone_change(&body).response().await.map(drop)
    }
}
