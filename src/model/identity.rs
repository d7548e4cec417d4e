//! Who logs in, and with which credential. The types enforce the service's rules about which fields go together.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::secret::Secret;

use super::IdentityProvider;
use super::input::required;

/// The UUID that a profile is tracked by, as your application stores it.
///
/// In Synerise's texts it always looks like a UUID, but they don't promise that, so any text is accepted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(transparent)]
#[doc(alias("clientUuid", "UUID"))]
pub struct ProfileUuid(String);

impl ProfileUuid {
    /// Derives the UUID of a recognized profile from its identifier, by Synerise's recipe: a version 5 UUID of `salt` and
    /// `identifier`.
    ///
    /// The same customer then has the same UUID on each device and in each system. The salt is a text of your own, the same
    /// wherever you derive UUIDs. The identifier is the e-mail address, or the custom identifier if the workspace uses that.
    /// Both are taken exactly as they are written, so write addresses in one letter case.
    ///
    /// ```
    /// use synerise_auth::ProfileUuid;
    ///
    /// // The example that Synerise publishes.
    /// let uuid = ProfileUuid::derived("someString", "customer@synerise.com");
    /// assert_eq!(uuid.as_str(), "345d4c8f-5aff-591d-a19c-1ca48923d9ee");
    /// ```
    pub fn derived(salt: &str, identifier: &str) -> Self {
        let name = format!("{salt}{identifier}");
        Self::from(Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()))
    }

    /// Returns the UUID as text.
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

/// The identifier of a profile. A setting of the workspace decides which of the two it uses.
///
/// Identifiers are sent unchanged, neither trimmed nor lower-cased.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum LoginId {
    /// The e-mail address. This is a workspace's default.
    Email(String),
    /// Your own identifier. In practice it is a text, but the service takes any JSON.
    CustomId(Value),
}

/// Omits the address or the identifier, which are personal.
impl fmt::Debug for LoginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Email(_) => "Email([redacted])",
            Self::CustomId(_) => "CustomId([redacted])",
        })
    }
}

impl LoginId {
    /// Creates a login id from an e-mail address.
    pub fn email(email: impl Into<String>) -> Self {
        Self::Email(email.into())
    }

    /// Creates a login id from your own identifier.
    pub fn custom_id(id: impl Into<Value>) -> Self {
        Self::CustomId(id.into())
    }
}

/// The identity that logs in as a profile.
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
#[doc(alias("identityProvider", "identityProviderToken", "OAuth"))]
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
    /// Creates the identity of an account in Synerise itself: identifier, password, and the UUID of the profile. The
    /// account must be registered already.
    pub fn synerise(login: LoginId, password: impl Into<Secret>, uuid: impl Into<ProfileUuid>) -> Self {
        Self(Proof::Password {
            login,
            password: password.into(),
            uuid: uuid.into(),
        })
    }

    /// Creates an identity from a Facebook user access token. A login creates the account if it does not exist.
    pub fn facebook(token: impl Into<Secret>) -> Self {
        Self::token(IdentityProvider::Facebook, token.into())
    }

    /// Creates an identity from an identity token of Sign in with Apple. A login creates the account if it does not exist.
    pub fn apple(token: impl Into<Secret>) -> Self {
        Self::token(IdentityProvider::Apple, token.into())
    }

    /// Creates an identity from a token of Google Sign-In. A login creates the account if it does not exist.
    pub fn google(token: impl Into<Secret>) -> Self {
        Self::token(IdentityProvider::Google, token.into())
    }

    /// Creates an identity from an access token of your own backend, which Synerise checks with your backend. This is not
    /// OAuth 2.0 (RFC 6749) between you and Synerise. A login creates the account if it does not exist.
    pub fn oauth(token: impl Into<Secret>) -> Self {
        Self::token(IdentityProvider::Oauth, token.into())
    }

    /// Creates an identity from a token of a provider that this version does not know.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) for `SYNERISE`, which takes a password, and for `UNKNOWN`, which is none.
    pub fn other(provider: impl AsRef<str>, token: impl Into<Secret>) -> Result<Self> {
        let provider = IdentityProvider::from(provider.as_ref());
        check_issues_tokens(&provider, "use Identity::synerise")?;
        Ok(Self::token(provider, token.into()))
    }

    fn token(provider: IdentityProvider, token: Secret) -> Self {
        Self(Proof::Token {
            provider,
            token,
            uuid: None,
        })
    }

    /// Sets the UUID that the profile was tracked by before, if the identity has none yet. The service joins the two.
    #[must_use]
    pub fn with_uuid(mut self, new: impl Into<ProfileUuid>) -> Self {
        match &mut self.0 {
            Proof::Password { uuid, .. } => *uuid = new.into(),
            Proof::Token { uuid, .. } => *uuid = Some(new.into()),
        }
        self
    }

    /// The identifier that an account in Synerise itself logs in by.
    pub(crate) fn login_id(&self) -> Option<&LoginId> {
        match &self.0 {
            Proof::Password { login, .. } => Some(login),
            Proof::Token { .. } => None,
        }
    }

    /// The UUID of the profile, if the identity has one.
    pub(crate) fn uuid(&self) -> Option<&ProfileUuid> {
        match &self.0 {
            Proof::Password { uuid, .. } => Some(uuid),
            Proof::Token { uuid, .. } => uuid.as_ref(),
        }
    }

    /// The same identity with another password. Another provider's identity has none and stays as it is.
    pub(crate) fn with_password(mut self, new: Secret) -> Self {
        if let Proof::Password { password, .. } = &mut self.0 {
            *password = new;
        }
        self
    }

    /// The same identity with another e-mail address, if that is what it logs in by.
    pub(crate) fn with_email(mut self, new: String) -> Self {
        if let Proof::Password {
            login: LoginId::Email(email),
            ..
        } = &mut self.0
        {
            *email = new;
        }
        self
    }

    /// Whether the same identity can log in again. A password can; a third party's token may be used up.
    pub(crate) fn is_repeatable(&self) -> bool {
        matches!(self.0, Proof::Password { .. })
    }
}

/// Refuses what is not a provider that issues tokens. `by_password` says what to use with a password.
pub(crate) fn check_issues_tokens(provider: &IdentityProvider, by_password: &'static str) -> Result<()> {
    match provider {
        IdentityProvider::Synerise => Err(Error::invalid_input(
            "identity provider",
            "SYNERISE takes a password and no token",
            by_password,
        )),
        IdentityProvider::Unspecified => Err(Error::invalid_input(
            "identity provider",
            "UNKNOWN is not a provider",
            "name the provider that issued the token",
        )),
        provider => required("identity provider", provider.as_str()).map(drop),
    }
}

/// The visitor of an anonymous session: the UUID that the visitor is tracked by and, preferably, the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    pub(crate) uuid: ProfileUuid,
    pub(crate) device_id: Option<String>,
}

impl Visitor {
    /// Creates a visitor whose device is not known.
    pub fn new(uuid: impl Into<ProfileUuid>) -> Self {
        Self {
            uuid: uuid.into(),
            device_id: None,
        }
    }

    /// Sets the device's identifier. Synerise recommends always sending it.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_uuid_is_the_published_one() {
        let uuid = ProfileUuid::derived("someString", "customer@synerise.com");
        assert_eq!(uuid.as_str(), "345d4c8f-5aff-591d-a19c-1ca48923d9ee");
        assert_ne!(uuid, ProfileUuid::derived("otherString", "customer@synerise.com"));
    }
}
