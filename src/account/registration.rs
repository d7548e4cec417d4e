//! Registration of an account.

use std::fmt;

use serde_json::Value;

use crate::bindings::{conversions, types};
use crate::error::Result;
use crate::model::ProfileUuid;
use crate::model::input::{custom_id, optional, required, required_secret};
use crate::model::{Agreements, Attributes, Sex};
use crate::secret::Secret;
use crate::session::Session;
use crate::session::kind::Anonymous;

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
#[doc(alias("RaaS", "sign up"))]
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
    /// Creates an account from the values that a registration requires.
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
            tags: Vec::new(),
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
        /// Sets the identifier of the device. A PIN can only be confirmed from the last device that asked for one.
        device_id
        /// Sets the first name.
        first_name
        /// Sets the last name.
        last_name
        /// Sets the telephone number.
        phone
        /// Sets the company.
        company
        /// Sets the street and house number.
        address
        /// Sets the city.
        city
        /// Sets the province.
        province
        /// Sets the postal code.
        zip_code
        /// Sets the country's code.
        country_code
    }

    /// Sets your own identifier of the profile.
    #[must_use]
    pub fn custom_id(mut self, id: impl Into<Value>) -> Self {
        self.custom_id = Some(id.into());
        self
    }

    /// Sets the sex. It is left out if it is not set: Synerise has refused registrations with a value for "not specified".
    #[must_use]
    pub fn sex(mut self, sex: impl Into<Sex>) -> Self {
        self.texts.sex = Some(sex.into());
        self
    }

    /// Sets tags that group profiles.
    #[must_use]
    pub fn tags<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.texts.tags = tags.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the marketing agreements.
    #[must_use]
    pub fn agreements(mut self, agreements: Agreements) -> Self {
        self.agreements = agreements;
        self
    }

    /// Sets the attributes.
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

impl Session<Anonymous> {
    /// Registers an account. The request is never sent twice, whatever happens: if the response is lost, the account may
    /// exist.
    ///
    /// Depending on the workspace's settings ([`Registration`](crate::settings::Registration)), the account can be used at
    /// once, or has to be activated first.
    ///
    /// Operation [`registerProfile`](crate::raw::Client::register_profile) (`POST /sauth/clients/registered`); the API key needs the permission
    /// `SAUTH_REGISTER_CLIENT_CREATE`.
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when a required value is empty, before anything is sent, and
    /// [`ErrorKind::Api`](crate::ErrorKind::Api) when the service refuses, for example with 409 because the address is in use. A timeout may come
    /// after the account was created: it is never sent twice, so ask the customer to log in.
    pub async fn register(&self, account: NewAccount) -> Result<()> {
        let body = account.body()?;
        self.raw().register_profile(&body).response().await.map(drop)
    }
}
