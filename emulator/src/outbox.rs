//! The e-mails and text messages that the real service would have sent.

use std::time::SystemTime;

/// An e-mail or text message that is kept for the test instead of being sent.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// The address, or the telephone number.
    pub to: String,
    /// Why it was sent.
    pub kind: MessageKind,
    /// The PIN, the code or the token in it.
    pub secret: String,
    /// When it was sent, by the emulator's clock.
    pub sent_at: SystemTime,
}

// Test output must not contain the secret.
impl std::fmt::Debug for Message {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            to,
            kind,
            secret: _,
            sent_at,
        } = self;
        formatter
            .debug_struct("Message")
            .field("to", to)
            .field("kind", kind)
            .field("secret", &"[redacted]")
            .field("sent_at", sent_at)
            .finish()
    }
}

/// The purpose of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageKind {
    /// The PIN that activates an account.
    ActivationPin,
    /// The token (in the real service, a link) that confirms an address or activates an account.
    ActivationToken,
    /// The token (in the real service, a link) that sets a new password.
    PasswordReset,
    /// The token (in the real service, a link) that confirms a new e-mail address.
    EmailChange,
    /// The code that confirms a new telephone number.
    PhoneChange,
    /// The code that a user enters as a second factor.
    LoginCode,
}
