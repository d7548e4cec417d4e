//! How a workspace registers its customers, and how long their tokens live.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::model::{PinConfirmationType, RegistrationType};
use crate::operation;
use crate::session::Session;
use crate::session::kind::WorkspaceAdmin;

use super::changes::{self, Change, Document};

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

/// How a workspace registers its customers. What the service did not say is `None`; fields that this version does not know
/// are kept behind it, and written back.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct ProfileSettings {
    /// What a new account needs before it can be used.
    pub registration: Registration,
    /// How long a profile's token lives; whole seconds.
    pub token_lifetime: Option<Duration>,
    /// Where the link in an activation e-mail leads to in the end.
    pub confirmation_redirect: Option<String>,
    /// The pool of vouchers that custom identifiers are taken from.
    pub voucher_pool: Option<String>,
    /// Whether a profile's custom identifier may be overwritten.
    pub overwrite_custom_id: Option<bool>,
    /// Whether an e-mail address may be changed by a form on a web page.
    pub email_change_by_form: Option<bool>,
    document: Document,
}

/// What a new account needs before it can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Registration {
    /// Nothing.
    Automatic,
    /// The PIN that is sent by e-mail.
    Pin(Pin),
    /// A mode whose name Synerise does not publish: confirmation and activation by e-mail are two such.
    Other(RegistrationType),
    /// The service did not say.
    Unstated,
}

/// How an account is confirmed by PIN. What is `None` is left as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Pin {
    /// How many digits it has.
    pub length: Option<u32>,
    /// How long it is valid; whole seconds.
    pub valid_for: Option<Duration>,
    /// Who has to confirm by it.
    pub required_of: Option<PinConfirmationType>,
    /// Whether another device than the last one may have it sent again.
    pub resend_from_other_device: Option<bool>,
}

impl Registration {
    /// By a PIN of so many digits that is valid for so long.
    pub fn pin(length: u32, valid_for: Duration) -> Self {
        Self::Pin(Pin {
            length: Some(length),
            valid_for: Some(valid_for),
            ..Pin::default()
        })
    }
}

impl ProfileSettings {
    fn read(document: Document) -> Self {
        let text = |field: &str| document.get(field)?.as_str().map(str::to_owned);
        let flag = |field: &str| document.get(field)?.as_bool();
        let number = |field: &str| document.get(field)?.as_u64();
        let registration = match text(REGISTRATION_TYPE).as_deref().map(RegistrationType::from) {
            None => Registration::Unstated,
            Some(RegistrationType::Automatic) => Registration::Automatic,
            Some(RegistrationType::RequirePinConfirmation) => Registration::Pin(Pin {
                length: number(PIN_LENGTH).and_then(|length| length.try_into().ok()),
                valid_for: number(PIN_VALIDITY).map(Duration::from_secs),
                required_of: text(PIN_TYPE).as_deref().map(PinConfirmationType::from),
                resend_from_other_device: flag(PIN_RESEND),
            }),
            Some(other) => Registration::Other(other),
        };
        Self {
            registration,
            token_lifetime: number(TOKEN_LIFETIME).map(Duration::from_secs),
            confirmation_redirect: text(REDIRECT_LINK),
            voucher_pool: text(VOUCHER_POOL),
            overwrite_custom_id: flag(OVERWRITE_CUSTOM_ID),
            email_change_by_form: flag(EMAIL_CHANGE),
            document,
        }
    }

    /// The document to write: what was read, with what has been changed since. A field that was not touched is written as
    /// it came, even where this version can't read it.
    fn write(&self) -> Result<Document> {
        let before = Self::read(self.document.clone());
        let mut document = self.document.clone();
        let mut set = |field: &str, value: Value| {
            document.insert(field.to_owned(), value);
        };
        if self.registration != before.registration {
            match &self.registration {
                Registration::Automatic => {
                    set(REGISTRATION_TYPE, RegistrationType::Automatic.as_str().into());
                }
                Registration::Other(mode) => set(REGISTRATION_TYPE, mode.as_str().into()),
                Registration::Unstated => {
                    return Err(Error::invalid_input(
                        "registration",
                        "can't be made unstated",
                        "choose a mode",
                    ));
                }
                Registration::Pin(pin) => {
                    set(
                        REGISTRATION_TYPE,
                        RegistrationType::RequirePinConfirmation.as_str().into(),
                    );
                    if let Some(length) = pin.length {
                        set(PIN_LENGTH, length.into());
                    }
                    if let Some(valid_for) = pin.valid_for {
                        set(PIN_VALIDITY, whole_seconds("validity of a PIN", valid_for)?);
                    }
                    if let Some(required_of) = &pin.required_of {
                        set(PIN_TYPE, required_of.as_str().into());
                    }
                    if let Some(resend) = pin.resend_from_other_device {
                        set(PIN_RESEND, resend.into());
                    }
                }
            }
        }
        if self.token_lifetime != before.token_lifetime {
            let lifetime = self
                .token_lifetime
                .map(|lifetime| whole_seconds("token lifetime", lifetime))
                .transpose()?;
            set(TOKEN_LIFETIME, lifetime.unwrap_or_default());
        }
        if self.confirmation_redirect != before.confirmation_redirect {
            set(REDIRECT_LINK, self.confirmation_redirect.clone().into());
        }
        if self.voucher_pool != before.voucher_pool {
            set(VOUCHER_POOL, self.voucher_pool.clone().into());
        }
        if self.overwrite_custom_id != before.overwrite_custom_id {
            set(OVERWRITE_CUSTOM_ID, self.overwrite_custom_id.into());
        }
        if self.email_change_by_form != before.email_change_by_form {
            set(EMAIL_CHANGE, self.email_change_by_form.into());
        }
        Ok(document)
    }
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

impl fmt::Debug for ProfileSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProfileSettings")
            .field("registration", &self.registration)
            .field("token_lifetime", &self.token_lifetime)
            .finish_non_exhaustive()
    }
}

impl<K: WorkspaceAdmin> Session<K> {
    /// How the workspace registers its customers.
    ///
    /// Synerise's texts don't say whose token these settings need; a neighbouring one needs a user's, with a permission.
    pub fn profile_settings(&self) -> ProfileSettingsApi<'_, K> {
        ProfileSettingsApi(self)
    }
}

/// The way to a workspace's settings for its profiles.
#[derive(Debug)]
pub struct ProfileSettingsApi<'a, K>(&'a Session<K>);

impl<K: WorkspaceAdmin> ProfileSettingsApi<'_, K> {
    /// The settings as they are.
    ///
    /// Operation `getProfileSettings` (`GET /sauth/settings/general`).
    pub async fn get(&self) -> Result<ProfileSettings> {
        let response = self.0.raw().get_profile_settings().response().await?;
        changes::read(
            operation::GET_PROFILE_SETTINGS.id,
            response.status(),
            &response.body,
        )
        .map(ProfileSettings::read)
    }

    /// Changes settings: reads them, lets `change` change them, and writes all of them back, because the service resets
    /// what it is not sent. Nothing is written when nothing was changed.
    ///
    /// Returns what changed, by comparing what was read with what the service answered. Somebody who changes the settings
    /// between the read and the write is overwritten: the service has no way to notice.
    ///
    /// Operations `getProfileSettings`, `replaceProfileSettings` (`POST /sauth/settings/general`).
    ///
    /// ```no_run
    /// # async fn run(workspace: synerise_auth::Session<synerise_auth::kind::Workspace>) -> synerise_auth::Result<()> {
    /// use std::time::Duration;
    /// use synerise_auth::settings::Registration;
    ///
    /// let changes = workspace
    ///     .profile_settings()
    ///     .update(|settings| settings.registration = Registration::pin(6, Duration::from_secs(300)))
    ///     .await?;
    /// # Ok(()) }
    /// ```
    pub async fn update(&self, change: impl FnOnce(&mut ProfileSettings)) -> Result<Vec<Change>> {
        let mut settings = self.get().await?;
        change(&mut settings);
        let wanted = settings.write()?;
        if wanted == settings.document {
            return Ok(Vec::new());
        }
        let response = self.0.raw().replace_profile_settings(&wanted).response().await?;
        changes::written(
            operation::REPLACE_PROFILE_SETTINGS.id,
            &response,
            &settings.document,
            &wanted,
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings(value: &Value) -> ProfileSettings {
        ProfileSettings::read(value.as_object().cloned().unwrap())
    }

    #[test]
    fn what_is_not_touched_is_written_as_it_came() {
        let odd = json!({
            "registrationType": "SOMETHING_NEW", "tokenLifetimeInSeconds": "3600", "pinConfirmationLength": 6.5,
            "confirmationRedirectLink": null, "unknown": { "deep": [1, null] }
        });
        assert_eq!(Value::Object(settings(&odd).write().unwrap()), odd);
    }

    #[test]
    fn a_mode_that_is_left_keeps_its_options() {
        let pin = json!({ "registrationType": "REQUIRE_PIN_CONFIRMATION", "pinConfirmationLength": 8, "pinConfirmationType": "EVERYONE" });
        let mut changed = settings(&pin);
        changed.registration = Registration::Automatic;
        let written = changed.write().unwrap();
        assert_eq!(written["registrationType"], "AUTOMATIC");
        assert_eq!(
            (&written["pinConfirmationLength"], &written["pinConfirmationType"]),
            (&json!(8), &json!("EVERYONE"))
        );
    }

    #[test]
    fn durations_that_the_service_cannot_hold_are_refused() {
        let mut changed = settings(&json!({}));
        changed.token_lifetime = Some(Duration::from_millis(1500));
        assert!(changed.write().is_err());
        changed.token_lifetime = None;
        changed.registration = Registration::pin(6, Duration::ZERO);
        assert!(changed.write().is_err());
    }
}
