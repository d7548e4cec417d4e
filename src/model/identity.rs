//! Who logs in, and with what. The service's rules about which fields go together are the shape of these types.

use std::fmt;

use serde_json::Value;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::secret::Secret;

use super::IdentityProvider;
use super::input::required;

/// The UUID by which a profile is tracked, as your application keeps it.
///
/// It looks like a UUID everywhere in Synerise's texts, which don't promise it: any text is taken.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProfileUuid(String);

impl ProfileUuid {
    /// The UUID as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn checked(&self) -> Result<String> {
        required("profile UUID", &self.0)
    }
}

impl AsRef<str> for ProfileUuid {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<Uuid> for ProfileUuid {
    fn from(uuid: Uuid) -> Self {
        Self(uuid.to_string())
    }
}

impl From<&str> for ProfileUuid {
    fn from(uuid: &str) -> Self {
        Self(uuid.to_owned())
    }
}

impl From<String> for ProfileUuid {
    fn from(uuid: String) -> Self {
        Self(uuid)
    }
}

impl fmt::Display for ProfileUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What identifies a profile of Synerise: which of the two a workspace uses is one of its settings.
///
/// Identifiers are sent as they are, never trimmed or lowered.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum LoginId {
    /// The e-mail address: the default of a workspace.
    Email(String),
    /// Your own identifier. A text in practice; the service takes any JSON.
    CustomId(Value),
}

/// Without the address or the identifier, which are personal.
impl fmt::Debug for LoginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Email(_) => "Email([redacted])",
            Self::CustomId(_) => "CustomId([redacted])",
        })
    }
}

impl LoginId {
    /// An e-mail address.
    pub fn email(email: impl Into<String>) -> Self {
        Self::Email(email.into())
    }

    /// An identifier of your own.
    pub fn custom_id(id: impl Into<Value>) -> Self {
        Self::CustomId(id.into())
    }
}

/// Who logs in as a profile.
///
/// ```
/// use synerise_auth::{Identity, LoginId};
///
/// let by_password = Identity::synerise(
///     LoginId::email("customer@shop.example"),
///     "not-a-real-password",
///     "00000000-0000-4000-8000-000000000001",
/// );
/// let by_facebook = Identity::facebook("not-a-real-token");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Identity(pub(crate) Proof);

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Proof {
    Password {
        login: LoginId,
        password: Secret,
        uuid: ProfileUuid,
    },
    Token {
        provider: IdentityProvider,
        token: Secret,
        uuid: Option<ProfileUuid>,
    },
}

impl Identity {
    /// An account of Synerise's own: identifier, password, and the UUID of the profile. It must have been registered.
    pub fn synerise(login: LoginId, password: impl Into<Secret>, uuid: impl Into<ProfileUuid>) -> Self {
        Self(Proof::Password {
            login,
            password: password.into(),
            uuid: uuid.into(),
        })
    }

    /// A Facebook user access token. A login creates the account if there is none.
    pub fn facebook(token: impl Into<Secret>) -> Self {
        Self::token(IdentityProvider::Facebook, token.into())
    }

    /// An identity token of Sign in with Apple. A login creates the account if there is none.
    pub fn apple(token: impl Into<Secret>) -> Self {
        Self::token(IdentityProvider::Apple, token.into())
    }

    /// A token of Google Sign-In. A login creates the account if there is none.
    pub fn google(token: impl Into<Secret>) -> Self {
        Self::token(IdentityProvider::Google, token.into())
    }

    /// An access token of your own backend, which Synerise checks with you. This is not OAuth 2.0 (RFC 6749) between you and
    /// Synerise. A login creates the account if there is none.
    pub fn oauth(token: impl Into<Secret>) -> Self {
        Self::token(IdentityProvider::Oauth, token.into())
    }

    /// A token of a provider that this version does not know.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) for `SYNERISE`, which takes a password, and for `UNKNOWN`, which is none.
    pub fn other(provider: impl AsRef<str>, token: impl Into<Secret>) -> Result<Self> {
        match IdentityProvider::from(provider.as_ref()) {
            IdentityProvider::Synerise => Err(Error::invalid_input(
                "identity provider",
                "SYNERISE takes a password and no token",
                "use Identity::synerise",
            )),
            IdentityProvider::Unspecified => Err(Error::invalid_input(
                "identity provider",
                "UNKNOWN is not a provider",
                "name the provider that issued the token",
            )),
            provider => {
                required("identity provider", provider.as_str())?;
                Ok(Self::token(provider, token.into()))
            }
        }
    }

    fn token(provider: IdentityProvider, token: Secret) -> Self {
        Self(Proof::Token {
            provider,
            token,
            uuid: None,
        })
    }

    /// The UUID that the profile was tracked by before, where the identity has none yet: the service joins the two.
    #[must_use]
    pub fn with_uuid(mut self, new: impl Into<ProfileUuid>) -> Self {
        match &mut self.0 {
            Proof::Password { uuid, .. } => *uuid = new.into(),
            Proof::Token { uuid, .. } => *uuid = Some(new.into()),
        }
        self
    }

    /// Whether the same identity can log in again: a password can, a third party's token may be used up.
    pub(crate) fn is_repeatable(&self) -> bool {
        matches!(self.0, Proof::Password { .. })
    }
}

/// Whom an anonymous session is for: the UUID that the visitor is tracked by and, best, the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    pub(crate) uuid: ProfileUuid,
    pub(crate) device_id: Option<String>,
}

impl Visitor {
    /// A visitor whose device is not known.
    pub fn new(uuid: impl Into<ProfileUuid>) -> Self {
        Self {
            uuid: uuid.into(),
            device_id: None,
        }
    }

    /// The device's identifier. Synerise recommends to send it always.
    #[must_use]
    pub fn with_device_id(mut self, id: impl Into<String>) -> Self {
        self.device_id = Some(id.into());
        self
    }
}

impl<T: Into<ProfileUuid>> From<T> for Visitor {
    fn from(uuid: T) -> Self {
        Self::new(uuid)
    }
}
