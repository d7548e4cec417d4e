//! A customer's account of Synerise's own ("registration as a service"): registration and activation.

use std::fmt;

use serde_json::Value;

use crate::bindings::{conversions, types};
use crate::error::Result;
use crate::model::ProfileUuid;
use crate::model::input::{custom_id, optional, required, required_secret};
use crate::model::{Agreements, Attributes};
use crate::secret::Secret;
use crate::session::Session;
use crate::session::kind::{Anonymous, Customer};

/// A new account.
///
/// ```no_run
/// # async fn run(visitor: synerise_auth::Session<synerise_auth::kind::Anonymous>) -> synerise_auth::Result<()> {
/// use synerise_auth::account::NewAccount;
/// use synerise_auth::model::Agreements;
///
/// let uuid = "00000000-0000-4000-8000-000000000001";
/// let account = NewAccount::new("customer@shop.example", "not-a-real-Password-1", uuid)
///     .device_id("device-1")
///     .first_name("Jan")
///     .agreements(Agreements::new().with_email(true));
/// visitor.register(account).await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct NewAccount {
    email: String,
    password: Secret,
    uuid: ProfileUuid,
    custom_id: Option<Value>,
    agreements: Agreements,
    attributes: Attributes,
    texts: types::RegistrationRequest,
}

macro_rules! texts {
    ($($(#[$docs:meta])* $name:ident)+) => {
        $($(#[$docs])* #[must_use] pub fn $name(mut self, value: impl Into<String>) -> Self {
            self.texts.$name = Some(value.into());
            self
        })+
    };
}

impl NewAccount {
    /// An account of what a registration requires.
    pub fn new(email: impl Into<String>, password: impl Into<Secret>, uuid: impl Into<ProfileUuid>) -> Self {
        let texts = types::RegistrationRequest {
            email: String::new(),
            password: Secret::new(""),
            uuid: String::new(),
            address: None,
            agreements: None,
            attributes: None,
            city: None,
            company: None,
            country_code: None,
            custom_id: None,
            device_id: None,
            first_name: None,
            last_name: None,
            phone: None,
            province: None,
            sex: None,
            zip_code: None,
        };
        Self {
            email: email.into(),
            password: password.into(),
            uuid: uuid.into(),
            custom_id: None,
            agreements: Agreements::new(),
            attributes: Attributes::new(),
            texts,
        }
    }

    texts! {
        /// The identifier of the device. A PIN can be confirmed from the last device only that asked for one.
        device_id
        /// The first name.
        first_name
        /// The last name.
        last_name
        /// The sex, as your workspace writes it: Synerise's texts name no values.
        sex
        /// The telephone number.
        phone
        /// The company.
        company
        /// The street and house number.
        address
        /// The city.
        city
        /// The province.
        province
        /// The postal code.
        zip_code
        /// The country's code.
        country_code
    }

    /// An identifier of your own.
    #[must_use]
    pub fn custom_id(mut self, id: impl Into<Value>) -> Self {
        self.custom_id = Some(id.into());
        self
    }

    /// The marketing agreements.
    #[must_use]
    pub fn agreements(mut self, agreements: Agreements) -> Self {
        self.agreements = agreements;
        self
    }

    /// The attributes.
    #[must_use]
    pub fn attributes(mut self, attributes: Attributes) -> Self {
        self.attributes = attributes;
        self
    }

    fn body(self) -> Result<types::RegistrationRequest> {
        Ok(types::RegistrationRequest {
            email: required("e-mail address", &self.email)?,
            password: required_secret("password", &self.password)?,
            uuid: self.uuid.checked()?,
            custom_id: self.custom_id.as_ref().map(custom_id).transpose()?,
            device_id: optional("device id", self.texts.device_id.as_deref())?,
            agreements: conversions::agreements(self.agreements),
            attributes: conversions::attributes(self.attributes),
            ..self.texts
        })
    }
}

impl fmt::Debug for NewAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewAccount")
            .field("uuid", &self.uuid)
            .finish_non_exhaustive()
    }
}

/// An account on a device, as far as its activation by PIN needs to know.
#[derive(Clone)]
pub struct AccountDevice {
    email: String,
    uuid: ProfileUuid,
    device_id: String,
}

/// Without the e-mail address, which is personal.
impl fmt::Debug for AccountDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountDevice")
            .field("uuid", &self.uuid)
            .field("device_id", &self.device_id)
            .finish_non_exhaustive()
    }
}

impl AccountDevice {
    /// The account's e-mail address, the profile's UUID, and the device's identifier.
    pub fn new(email: impl Into<String>, uuid: impl Into<ProfileUuid>, device_id: impl Into<String>) -> Self {
        Self {
            email: email.into(),
            uuid: uuid.into(),
            device_id: device_id.into(),
        }
    }
}

impl Session<Anonymous> {
    /// Registers an account. It is never sent twice, whatever happens: if the answer is lost, the account may exist.
    ///
    /// Depending on the workspace's settings ([`Registration`](crate::settings::Registration)), it can be used at once or has to be activated first.
    ///
    /// Operation `registerProfile` (`POST /sauth/clients/registered`); the API key needs the permission
    /// `SAUTH_REGISTER_CLIENT_CREATE`.
    pub async fn register(&self, account: NewAccount) -> Result<()> {
        let body = account.body()?;
        self.raw().register_profile(&body).response().await.map(drop)
    }
}

impl<K: Customer> Session<K> {
    /// Activates an account by the PIN that was sent by e-mail.
    ///
    /// It must come from **the last device that asked for a PIN**: the one that registered, or the one that had the PIN sent
    /// again, whatever the settings are.
    ///
    /// Operation `confirmActivationByPin` (`POST /sauth/clients/activation/by-pin-code/confirmation`).
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

    /// Has the activation PIN sent again.
    ///
    /// Only the last device that asked for a PIN may, unless the settings allow it to others
    /// ([`Pin`](crate::settings::Pin)). From then on, the account can be activated from this device only.
    ///
    /// Operation `requestActivationPin` (`POST /sauth/clients/activation/by-pin-code/request`).
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

    /// Activates or confirms an account by the token in the e-mail. The workspace must have an e-mail sender.
    ///
    /// Operation `confirmActivationByToken` (`POST /sauth/clients/activation/confirmation`).
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

    /// Has the e-mail with the activation token sent again. The workspace must have an e-mail sender.
    ///
    /// Operation `requestActivationToken` (`POST /sauth/clients/activation/request`).
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
