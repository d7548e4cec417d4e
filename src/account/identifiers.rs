//! Whose account is changed: the identifiers that Synerise's own apps send beside the credential that confirms it.

use serde_json::Value;

use crate::error::Result;
use crate::model::ProfileUuid;
use crate::model::input::{custom_id, optional};

/// The identifiers of a change under construction.
#[derive(Clone, Default)]
pub(super) struct Identifiers {
    pub(super) custom_id: Option<Value>,
    pub(super) uuid: Option<ProfileUuid>,
    pub(super) device_id: Option<String>,
}

/// As a request's body has them.
pub(super) struct Checked {
    pub(super) custom_id: Option<Value>,
    pub(super) uuid: Option<String>,
    pub(super) device_id: Option<String>,
}

impl Identifiers {
    pub(super) fn checked(&self) -> Result<Checked> {
        Ok(Checked {
            custom_id: self.custom_id.as_ref().map(custom_id).transpose()?,
            uuid: self.uuid.as_ref().map(ProfileUuid::checked).transpose()?,
            device_id: optional("device id", self.device_id.as_deref())?,
        })
    }
}

/// The setters of a type with [`Identifiers`] in its field `identifiers`.
macro_rules! identifier_setters {
    () => {
        /// Sets your own identifier of the profile.
        #[must_use]
        pub fn custom_id(mut self, id: impl Into<serde_json::Value>) -> Self {
            self.identifiers.custom_id = Some(id.into());
            self
        }

        /// Sets the UUID of the profile. Synerise's own apps always send it.
        #[must_use]
        pub fn uuid(mut self, uuid: impl Into<$crate::model::ProfileUuid>) -> Self {
            self.identifiers.uuid = Some(uuid.into());
            self
        }

        /// Sets the identifier of the customer's device. Synerise's own apps always send it.
        #[must_use]
        pub fn device_id(mut self, id: impl Into<String>) -> Self {
            self.identifiers.device_id = Some(id.into());
            self
        }
    };
}

pub(super) use identifier_setters;
