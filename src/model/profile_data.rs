//! A profile's data in a login or a registration, besides its identity: agreements, attributes, tags.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::operation::RESERVED_ATTRIBUTES;

/// A profile's marketing agreements. Only the agreements that are set are sent.
///
/// ```
/// use synerise_auth::model::Agreements;
///
/// let agreements = Agreements::new().with_email(true).with_sms(false);
/// // In all the forms that the service takes:
/// let same: Agreements = serde_json::from_str(r#"{ "email": "TRUE", "sms": 0 }"#).unwrap();
/// assert_eq!(agreements, same);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[doc(alias("newsletterAgreement", "smsAgreement", "consent"))]
pub struct Agreements {
    #[serde(deserialize_with = "agreement")]
    pub(crate) email: Option<bool>,
    #[serde(deserialize_with = "agreement")]
    pub(crate) sms: Option<bool>,
    #[serde(deserialize_with = "agreement")]
    pub(crate) push: Option<bool>,
    #[serde(deserialize_with = "agreement")]
    pub(crate) webpush: Option<bool>,
    #[serde(deserialize_with = "agreement")]
    pub(crate) bluetooth: Option<bool>,
    #[serde(deserialize_with = "agreement")]
    pub(crate) rfid: Option<bool>,
    #[serde(deserialize_with = "agreement")]
    pub(crate) wifi: Option<bool>,
}

macro_rules! setters {
    ($($(#[$docs:meta])* $name:ident: $field:ident)+) => {
        $($(#[$docs])* #[must_use] pub fn $name(mut self, agreed: bool) -> Self {
            self.$field = Some(agreed);
            self
        })+
    };
}

impl Agreements {
    /// Creates a value with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Agreement to e-mail.
        with_email: email
        /// Agreement to SMS.
        with_sms: sms
        /// Agreement to push messages.
        with_push: push
        /// Agreement to push messages in the browser. Documented for the previous generation of the API only.
        with_webpush: webpush
        /// Agreement to messages by Bluetooth.
        with_bluetooth: bluetooth
        /// Agreement to messages by RFID.
        with_rfid: rfid
        /// Agreement to messages by Wi-Fi.
        with_wifi: wifi
    }
}

/// A boolean, its spelling as text, or 1 and 0.
fn agreement<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(Some(match Value::deserialize(deserializer)? {
        Value::Null => return Ok(None),
        Value::Bool(agreed) => agreed,
        Value::Number(number) if number.as_i64() == Some(1) => true,
        Value::Number(number) if number.as_i64() == Some(0) => false,
        Value::String(text) if text.eq_ignore_ascii_case("true") => true,
        Value::String(text) if text.eq_ignore_ascii_case("false") => false,
        _ => return Err(D::Error::custom("an agreement is neither true nor false")),
    }))
}

/// A profile's own attributes: any JSON under any name, except the names that Synerise reserves.
///
/// The service silently drops a reserved name. Here it is refused, so that nothing gets lost.
///
/// ```
/// use synerise_auth::model::Attributes;
///
/// let attributes = Attributes::new().set("favourite_colour", "green")?.set("visits", 3)?;
/// let refused = Attributes::new().set("email", "x@y.example").unwrap_err();
/// assert!(refused.to_string().contains("`email`"));
/// # Ok::<(), synerise_auth::Error>(())
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct Attributes(pub(crate) Map<String, Value>);

/// Shows only the names, because the values are personal.
impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Attributes {
    /// Creates an empty set of attributes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets an attribute.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when the name is reserved: the error names it.
    pub fn set(self, name: impl Into<String>, value: impl Into<Value>) -> Result<Self> {
        let name = name.into();
        if Self::is_reserved(&name) {
            return Err(Error::invalid_input(
                "attribute",
                format!("`{name}` is reserved, and the service would drop it without a word"),
                "choose another name, or send it anyway with Attributes::set_even_if_reserved",
            ));
        }
        Ok(self.set_even_if_reserved(name, value))
    }

    /// Sets an attribute without checking whether its name is reserved. Use it for a name that Synerise no longer reserves.
    #[must_use]
    pub fn set_even_if_reserved(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// Returns whether the service drops an attribute with this name.
    pub fn is_reserved(name: &str) -> bool {
        RESERVED_ATTRIBUTES.contains(&name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreements_are_taken_in_every_form_and_nothing_else() {
        for (form, agreed) in [
            ("true", true),
            ("\"True\"", true),
            ("1", true),
            ("false", false),
            ("\"FALSE\"", false),
            ("0", false),
        ] {
            let read: Agreements = serde_json::from_str(&format!("{{\"rfid\":{form}}}")).unwrap();
            assert_eq!(read, Agreements::new().with_rfid(agreed), "{form}");
        }
        for wrong in ["2", "\"yes\"", "[]", "1.5"] {
            assert!(
                serde_json::from_str::<Agreements>(&format!("{{\"rfid\":{wrong}}}")).is_err(),
                "{wrong}"
            );
        }
        assert!(
            serde_json::from_str::<Agreements>("{\"fax\":true}").is_err(),
            "an agreement that would be lost"
        );
        assert_eq!(
            serde_json::from_str::<Agreements>("{\"wifi\":null}").unwrap(),
            Agreements::new()
        );
    }

    #[test]
    fn reserved_names_are_refused_unless_sent_deliberately() {
        for name in ["email", "ApiKey", "geo_loc_zip", "correlationId"] {
            assert!(
                Attributes::new()
                    .set(name, 1)
                    .unwrap_err()
                    .to_string()
                    .contains(name)
            );
        }
        let wire = Attributes::new().set_even_if_reserved("email", 1);
        assert_eq!(wire.0["email"], 1);
    }
}
