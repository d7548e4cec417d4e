//! How a workspace registers its customers, and how long their tokens live.

use std::time::Duration;

use serde_json::Value;

use crate::bindings::{Call, Client, RawObject};
use crate::error::{Error, Result};
use crate::model::{PinConfirmationType, RegistrationType};
use crate::operation::{self, Operation};
use crate::session::Session;
use crate::session::authentication::{Authentication, Tokens};
use crate::session::kind::WorkspaceAdmin;

use super::document::sealed::Document;
use super::document::{Fields, Settings, SettingsDocument};
use super::registration::{Pin, Registration};

const REGISTRATION_TYPE: &str = "registrationType";
const TOKEN_LIFETIME: &str = "tokenLifetimeInSeconds";
const REDIRECT_LINK: &str = "confirmationRedirectLink";
const VOUCHER_POOL: &str = "voucherPoolUuid";
const OVERWRITE_CUSTOM_ID: &str = "allowOverwriteCustomIdentify";
const EMAIL_CHANGE: &str = "allowEmailChangeFromWebForm";
const PIN_TYPE: &str = "pinConfirmationType";
const PIN_LENGTH: &str = "pinConfirmationLength";
const PIN_VALIDITY: &str = "pinConfirmationValidInSeconds";
const PIN_RESEND: &str = "allowPinResendFromDifferentDeviceId";

/// How a workspace registers its customers.
///
/// Anything that the service does not state is `None`. Fields that this version does not know are omitted. An update writes
/// them back unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProfileSettings {
    /// What a new account needs before it can be used.
    pub registration: Registration,
    /// The lifetime of a profile's token, in whole seconds.
    pub token_lifetime: Option<Duration>,
    /// The final target of the link in an activation e-mail.
    pub confirmation_redirect: Option<String>,
    /// The pool of vouchers that supplies custom identifiers.
    pub voucher_pool: Option<String>,
    /// Whether a profile's custom identifier may be overwritten.
    pub overwrite_custom_id: Option<bool>,
    /// Whether a form on a web page may change an e-mail address.
    pub email_change_by_form: Option<bool>,
    /// The options of PINs, in any mode.
    pin: Pin,
    unreadable: Vec<&'static str>,
}

impl ProfileSettings {
    /// The names of existing fields that this version can't read. They look as if they were missing. An update writes them
    /// back unchanged unless it sets them.
    pub fn unreadable_fields(&self) -> &[&'static str] {
        &self.unreadable
    }
}

impl SettingsDocument for ProfileSettings {}

impl Document for ProfileSettings {
    const READ: &'static Operation = &operation::GET_PROFILE_SETTINGS;
    const REPLACE: &'static Operation = &operation::REPLACE_PROFILE_SETTINGS;

    fn fetch(raw: &Client) -> Call<'_, RawObject> {
        raw.get_profile_settings()
    }

    fn replace<'a>(raw: &'a Client, document: &'a RawObject) -> Call<'a, RawObject> {
        raw.replace_profile_settings(document)
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self> {
        let pin = Pin {
            length: fields.number(PIN_LENGTH),
            valid_for: fields.number(PIN_VALIDITY).map(Duration::from_secs),
            required_of: fields.text(PIN_TYPE).map(PinConfirmationType::from),
            resend_from_other_device: fields.flag(PIN_RESEND),
        };
        let registration = match fields.text(REGISTRATION_TYPE).map(RegistrationType::from) {
            None => Registration::Unstated,
            Some(RegistrationType::Automatic) => Registration::Automatic,
            Some(RegistrationType::RequirePinConfirmation) => Registration::Pin(pin.clone()),
            Some(other) => Registration::Other(other),
        };
        Ok(Self {
            registration,
            token_lifetime: fields.number(TOKEN_LIFETIME).map(Duration::from_secs),
            confirmation_redirect: fields.text(REDIRECT_LINK),
            voucher_pool: fields.text(VOUCHER_POOL),
            overwrite_custom_id: fields.flag(OVERWRITE_CUSTOM_ID),
            email_change_by_form: fields.flag(EMAIL_CHANGE),
            pin,
            unreadable: fields.unreadable(),
        })
    }

    fn write(&self, before: &Self, document: &mut RawObject) -> Result<()> {
        if self.registration != before.registration {
            let mode = match &self.registration {
                Registration::Automatic => &RegistrationType::Automatic,
                Registration::Pin(_) => &RegistrationType::RequirePinConfirmation,
                Registration::Other(mode) => mode,
                Registration::Unstated => {
                    return Err(Error::invalid_input(
                        "registration",
                        "can't be made unstated",
                        "choose a mode",
                    ));
                }
            };
            if before.registration.mode().as_ref() != Some(mode) {
                document.set(REGISTRATION_TYPE, mode.as_str().into());
            }
            if let Registration::Pin(pin) = &self.registration {
                write_pin(pin, &before.pin, document)?;
            }
        }
        if self.token_lifetime != before.token_lifetime {
            let lifetime = self
                .token_lifetime
                .map(|lifetime| whole_seconds("token lifetime", lifetime));
            document.set(TOKEN_LIFETIME, lifetime.transpose()?.unwrap_or_default());
        }
        if self.confirmation_redirect != before.confirmation_redirect {
            document.set(REDIRECT_LINK, self.confirmation_redirect.clone().into());
        }
        if self.voucher_pool != before.voucher_pool {
            document.set(VOUCHER_POOL, self.voucher_pool.clone().into());
        }
        if self.overwrite_custom_id != before.overwrite_custom_id {
            document.set(OVERWRITE_CUSTOM_ID, self.overwrite_custom_id.into());
        }
        if self.email_change_by_form != before.email_change_by_form {
            document.set(EMAIL_CHANGE, self.email_change_by_form.into());
        }
        Ok(())
    }
}

/// A field that is `None`, or is the same as before, is left alone.
fn write_pin(pin: &Pin, before: &Pin, document: &mut RawObject) -> Result<()> {
    if let Some(length) = pin.length.filter(|_| pin.length != before.length) {
        document.set(PIN_LENGTH, length.into());
    }
    if let Some(valid_for) = pin.valid_for.filter(|_| pin.valid_for != before.valid_for) {
        document.set(PIN_VALIDITY, whole_seconds("validity of a PIN", valid_for)?);
    }
    if let Some(required_of) = pin
        .required_of
        .as_ref()
        .filter(|_| pin.required_of != before.required_of)
    {
        document.set(PIN_TYPE, required_of.as_str().into());
    }
    let resend = pin.resend_from_other_device;
    if let Some(resend) = resend.filter(|_| resend != before.resend_from_other_device) {
        document.set(PIN_RESEND, resend.into());
    }
    Ok(())
}

fn whole_seconds(what: &'static str, duration: Duration) -> Result<Value> {
    if duration.subsec_nanos() != 0 || duration.is_zero() {
        return Err(Error::invalid_input(
            what,
            "is not a whole number of seconds above zero",
            "round it",
        ));
    }
    Ok(duration.as_secs().into())
}

/// A workspace's settings for its profiles: [`Session::profile_settings`].
pub type ProfileSettingsApi<'a, K, A = Tokens> = Settings<'a, K, ProfileSettings, A>;

impl<K: WorkspaceAdmin, A: Authentication> Session<K, A> {
    /// Returns the settings of customers' registration.
    ///
    /// Synerise's texts don't say whose token these settings need. A neighbouring operation needs a user's token, with a
    /// permission.
    pub fn profile_settings(&self) -> ProfileSettingsApi<'_, K, A> {
        Settings::new(self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::document::tests::changed;
    use super::*;

    #[test]
    fn what_is_not_changed_keeps_every_byte() {
        let odd = r#"{"registrationType":"SOMETHING_NEW","tokenLifetimeInSeconds":"3600","pinConfirmationLength":6.50,"confirmationRedirectLink":null,"unknown":{ "deep" : [1, null] },"big":18446744073709551616,"e":1E400,"voucherPoolUuid":7}"#;
        assert_eq!(changed(odd, |_: &mut ProfileSettings| {}).unwrap(), odd);
        let written = changed(odd, |settings: &mut ProfileSettings| {
            settings.overwrite_custom_id = Some(true);
        });
        let expected = odd.replace(
            "\"voucherPoolUuid\":7}",
            "\"voucherPoolUuid\":7,\"allowOverwriteCustomIdentify\":true}",
        );
        assert_eq!(written.unwrap(), expected);
    }

    #[test]
    fn option_of_a_pin_that_stays_keeps_every_byte() {
        let pin = r#"{"registrationType":"require_pin_confirmation","pinConfirmationLength":"6","pinConfirmationValidInSeconds":300.0}"#;
        let written = changed(pin, |settings: &mut ProfileSettings| {
            settings.registration = Registration::pin(6, Duration::from_secs(60));
        });
        assert_eq!(
            written.unwrap(),
            r#"{"registrationType":"require_pin_confirmation","pinConfirmationLength":"6","pinConfirmationValidInSeconds":60}"#
        );
    }

    #[test]
    fn unreadable_fields_are_named() {
        let names = |text: &str| {
            let mut names = Vec::new();
            changed(text, |settings: &mut ProfileSettings| {
                names.extend_from_slice(settings.unreadable_fields());
            })
            .unwrap();
            names
        };
        assert_eq!(
            names(r#"{"registrationType":"AUTOMATIC","tokenLifetimeInSeconds":null}"#),
            [""; 0]
        );
        assert_eq!(
            names(
                r#"{"tokenLifetimeInSeconds":-1,"pinConfirmationLength":6.5,"allowEmailChangeFromWebForm":"no","registrationType":{}}"#
            ),
            [PIN_LENGTH, REGISTRATION_TYPE, TOKEN_LIFETIME, EMAIL_CHANGE]
        );
    }

    #[test]
    fn mode_that_is_left_keeps_its_options() {
        let pin = r#"{"registrationType":"REQUIRE_PIN_CONFIRMATION","pinConfirmationLength":8,"pinConfirmationType":"EVERYONE"}"#;
        let written = changed(pin, |settings: &mut ProfileSettings| {
            settings.registration = Registration::Automatic;
        });
        assert_eq!(
            written.unwrap(),
            pin.replace("REQUIRE_PIN_CONFIRMATION", "AUTOMATIC")
        );
    }

    #[test]
    fn durations_that_the_service_cannot_hold_are_refused() {
        let lifetime = |settings: &mut ProfileSettings| {
            settings.token_lifetime = Some(Duration::from_millis(1500));
        };
        assert!(changed("{}", lifetime).is_err());
        let validity = |settings: &mut ProfileSettings| {
            settings.registration = Registration::pin(6, Duration::ZERO);
        };
        assert!(changed("{}", validity).is_err());
    }
}
