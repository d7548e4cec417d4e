//! What a new account needs before it can be used.

use std::time::Duration;

use crate::model::{PinConfirmationType, RegistrationType};

/// What a new account needs before it can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Registration {
    /// Nothing.
    Automatic,
    /// The PIN that is sent by e-mail.
    Pin(Pin),
    /// A mode whose name Synerise does not publish. Confirmation and activation by e-mail are two of them.
    Other(RegistrationType),
    /// The service did not state it, or this version can't read it.
    Unstated,
}

impl Registration {
    /// Returns registration by a PIN with this many digits and this validity. The other options of PINs stay unchanged.
    pub fn pin(length: u32, valid_for: Duration) -> Self {
        Self::Pin(Pin::new().with_length(length).with_valid_for(valid_for))
    }

    pub(super) fn mode(&self) -> Option<RegistrationType> {
        match self {
            Self::Automatic => Some(RegistrationType::Automatic),
            Self::Pin(_) => Some(RegistrationType::RequirePinConfirmation),
            Self::Other(mode) => Some(mode.clone()),
            Self::Unstated => None,
        }
    }
}

/// How an account is confirmed by PIN. Options that are not set stay unchanged.
///
/// ```
/// use std::time::Duration;
/// use synerise_auth::model::PinConfirmationType;
/// use synerise_auth::settings::{Pin, Registration};
///
/// let pin = Pin::new()
///     .with_length(6)
///     .with_valid_for(Duration::from_secs(300))
///     .with_required_of(PinConfirmationType::Everyone);
/// let registration = Registration::Pin(pin);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pin {
    pub(super) length: Option<u32>,
    pub(super) valid_for: Option<Duration>,
    pub(super) required_of: Option<PinConfirmationType>,
    pub(super) resend_from_other_device: Option<bool>,
}

impl Pin {
    /// Creates a value with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the number of digits.
    #[must_use]
    pub fn with_length(mut self, digits: u32) -> Self {
        self.length = Some(digits);
        self
    }

    /// Sets how long a PIN is valid, in whole seconds.
    #[must_use]
    pub fn with_valid_for(mut self, duration: Duration) -> Self {
        self.valid_for = Some(duration);
        self
    }

    /// Sets who has to confirm by PIN.
    #[must_use]
    pub fn with_required_of(mut self, who: PinConfirmationType) -> Self {
        self.required_of = Some(who);
        self
    }

    /// Sets whether a device other than the last one may have the PIN sent again.
    #[must_use]
    pub fn with_resend_from_other_device(mut self, allowed: bool) -> Self {
        self.resend_from_other_device = Some(allowed);
        self
    }

    /// Returns the number of digits, if it is known.
    pub fn length(&self) -> Option<u32> {
        self.length
    }

    /// Returns how long a PIN is valid, if it is known.
    pub fn valid_for(&self) -> Option<Duration> {
        self.valid_for
    }

    /// Returns who has to confirm by PIN, if it is known.
    pub fn required_of(&self) -> Option<&PinConfirmationType> {
        self.required_of.as_ref()
    }

    /// Returns whether a device other than the last one may have the PIN sent again, if it is known.
    pub fn resend_from_other_device(&self) -> Option<bool> {
        self.resend_from_other_device
    }
}
