//! Activation of an account, by PIN or by the token of an e-mail.

use std::fmt;

use crate::bindings::types;
use crate::error::Result;
use crate::model::ProfileUuid;
use crate::model::input::{required, required_secret};
use crate::secret::Secret;
use crate::session::Session;
use crate::session::kind::Customer;

/// An account on a device, with the fields that activation by PIN needs.
#[derive(Clone)]
pub struct AccountDevice {
    email: String,
    uuid: ProfileUuid,
    device_id: String,
}

/// Omits the e-mail address, which is personal.
impl fmt::Debug for AccountDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountDevice")
            .field("uuid", &self.uuid)
            .field("device_id", &self.device_id)
            .finish_non_exhaustive()
    }
}

impl AccountDevice {
    /// Creates a value from the account's e-mail address, the profile's UUID, and the device's identifier.
    pub fn new(email: impl Into<String>, uuid: impl Into<ProfileUuid>, device_id: impl Into<String>) -> Self {
        Self {
            email: email.into(),
            uuid: uuid.into(),
            device_id: device_id.into(),
        }
    }
}

impl<K: Customer> Session<K> {
    /// Activates an account by the PIN from the e-mail.
    ///
    /// The call must come from **the last device that asked for a PIN**: the device that registered, or the one that had
    /// the PIN sent again. The settings do not change this.
    ///
    /// Operation [`confirmActivationByPin`](crate::raw::Client::confirm_activation_by_pin) (`POST /sauth/clients/activation/by-pin-code/confirmation`).
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when a value is empty, before anything is sent, and
    /// [`ErrorKind::Api`](crate::ErrorKind::Api) when the PIN is wrong or too old, or comes from another device.
    #[doc(alias("PIN", "pinCode"))]
    pub async fn activate_by_pin(&self, account: &AccountDevice, pin: impl Into<Secret>) -> Result<()> {
        let body = types::PinConfirmationRequest {
            email: required("e-mail address", &account.email)?,
            uuid: account.uuid.checked()?,
            device_id: required("device id", &account.device_id)?,
            pin_code: required_secret("PIN", &pin.into())?,
        };
        self.raw()
            .confirm_activation_by_pin(&body)
            .response()
            .await
            .map(drop)
    }

    /// Requests that the activation PIN is sent again.
    ///
    /// Only the last device that asked for a PIN may do this, unless the settings allow other devices
    /// ([`Pin`](crate::settings::Pin)). Afterwards, the account can be activated from this device only.
    ///
    /// Operation [`requestActivationPin`](crate::raw::Client::request_activation_pin) (`POST /sauth/clients/activation/by-pin-code/request`).
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when a value is empty, before anything is sent, and
    /// [`ErrorKind::Api`](crate::ErrorKind::Api) when the service refuses, for example another device than the last.
    pub async fn resend_pin(&self, account: &AccountDevice) -> Result<()> {
        let body = types::PinRequest {
            email: required("e-mail address", &account.email)?,
            uuid: account.uuid.checked()?,
            device_id: required("device id", &account.device_id)?,
        };
        self.raw()
            .request_activation_pin(&body)
            .response()
            .await
            .map(drop)
    }

    /// Activates or confirms an account by the token from the e-mail. The workspace must have an e-mail sender.
    ///
    /// Operation [`confirmActivationByToken`](crate::raw::Client::confirm_activation_by_token) (`POST /sauth/clients/activation/confirmation`).
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when the token is empty, before anything is sent, and
    /// [`ErrorKind::Api`](crate::ErrorKind::Api) when it is wrong or too old.
    pub async fn activate_by_token(&self, token: impl Into<Secret>) -> Result<()> {
        let body = types::ActivationTokenConfirmationRequest {
            token: required_secret("activation token", &token.into())?,
        };
        self.raw()
            .confirm_activation_by_token(&body)
            .response()
            .await
            .map(drop)
    }

    /// Requests that the e-mail with the activation token is sent again. The workspace must have an e-mail sender.
    ///
    /// Operation [`requestActivationToken`](crate::raw::Client::request_activation_token) (`POST /sauth/clients/activation/request`).
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when the address is empty, before anything is sent, and
    /// [`ErrorKind::Api`](crate::ErrorKind::Api) when the service refuses.
    pub async fn resend_activation_token(&self, email: &str) -> Result<()> {
        let body = types::ActivationTokenRequest {
            email: required("e-mail address", email)?,
        };
        self.raw()
            .request_activation_token(&body)
            .response()
            .await
            .map(drop)
    }
}
