//! Enums that Synerise may extend: a value that this version doesn't know is kept as it came, never an error.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! open_enum {
    ($(
        $(#[$docs:meta])*
        $name:ident {
            $($(#[$variant_docs:meta])* $variant:ident = $wire:literal,)+
        }
    )+) => {$(
        $(#[$docs])*
        ///
        /// Open: a value that this version doesn't know is [`Unknown`](Self::Unknown), and is sent as it came.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_docs])* $variant,)+
            /// A value that this version of the crate doesn't know.
            Unknown(String),
        }

        impl $name {
            /// The values that this version knows.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant,)+];

            /// The value as it is sent.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $wire,)+
                    Self::Unknown(value) => value,
                }
            }
        }

        impl From<&str> for $name {
            fn from(value: &str) -> Self {
                match value {
                    $($wire => Self::$variant,)+
                    other => Self::Unknown(other.to_owned()),
                }
            }
        }

        impl FromStr for $name {
            type Err = Infallible;

            fn from_str(value: &str) -> Result<Self, Self::Err> {
                Ok(Self::from(value))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Ok(Self::from(&*String::deserialize(deserializer)?))
            }
        }

        #[cfg(feature = "schemars")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "examples": [$($wire),+] })
            }
        }
    )+};
}

open_enum! {
    /// Who vouches for a profile.
    IdentityProvider {
        /// Synerise itself, by password: "registration as a service".
        Synerise = "SYNERISE",
        /// Facebook, by a user access token.
        Facebook = "FACEBOOK",
        /// Your own backend's access token, which Synerise checks with you.
        Oauth = "OAUTH",
        /// Sign in with Apple, by an identity token.
        Apple = "APPLE",
        /// Google Sign-In.
        Google = "GOOGLE",
        /// The service's own word for "unknown"; not to be sent.
        Unspecified = "UNKNOWN",
    }

    /// By what a user proves that it is them, beside the password.
    MfaMethod {
        /// A code of an authenticator app (RFC 6238).
        Totp = "TOTP_AUTHENTICATOR",
        /// A code that was sent by e-mail.
        Email = "EMAIL",
    }

    /// An identity provider for users of the portal.
    ExternalProviderType {
        /// Google.
        Google = "GOOGLE",
    }

    /// What came of a conditional login.
    ConditionalLoginStatus {
        /// The profile is logged in.
        Success = "SUCCESS",
        /// The credentials were refused.
        Unauthorized = "UNAUTHORIZED",
        /// The account has to be activated.
        ActivationRequired = "ACTIVATION_REQUIRED",
        /// There is no account.
        RegistrationRequired = "REGISTRATION_REQUIRED",
        /// Somebody has to approve the account.
        ApprovalRequired = "APPROVAL_REQUIRED",
        /// Terms have to be accepted.
        TermsAcceptanceRequired = "TERMS_ACCEPTANCE_REQUIRED",
        /// Another factor has to be shown.
        MfaRequired = "MFA_REQUIRED",
    }

    /// By what a profile's token was got.
    TokenOrigin {
        /// Not said.
        Unspecified = "UNKNOWN",
        /// An anonymous login.
        Anonymous = "ANONYMOUS",
        /// An anonymous login that leaves no trace.
        Incognito = "INCOGNITO",
        /// A password.
        Synerise = "SYNERISE",
        /// A mobile app's simple authentication.
        SimpleAuth = "SIMPLE_AUTH",
        /// Your own backend.
        Oauth = "OAUTH",
        /// Facebook.
        Facebook = "FACEBOOK",
        /// Apple.
        Apple = "APPLE",
        /// Google.
        Google = "GOOGLE",
    }

    /// What kind of consumer a user's login belongs to.
    ConsumerType {
        /// A user of the portal.
        User = "USER",
    }

    /// What a new account needs before it can be used. Only two of the four modes' names are published.
    RegistrationType {
        /// Nothing.
        Automatic = "AUTOMATIC",
        /// The PIN that is sent by e-mail.
        RequirePinConfirmation = "REQUIRE_PIN_CONFIRMATION",
    }

    /// Who has to confirm a registration by PIN.
    PinConfirmationType {
        /// Those whose identifier belongs to an account of another identity provider.
        OnConflictWithExternalAccount = "ON_CONFLICT_WITH_EXTERNAL_ACCOUNT",
        /// Everyone.
        Everyone = "EVERYONE",
    }

    /// How access to a workspace is restricted. Only one value is published.
    AccessRestriction {
        /// Not at all.
        Off = "OFF",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The document's values of an enum, and those that are written here.
    fn compare(name: &str, known: &[String]) {
        let document: serde_json::Value =
            serde_json::from_str(include_str!("../openapi/synerise-auth.json")).unwrap();
        let values = &document["components"]["schemas"][name]["enum"];
        assert_eq!(values, &serde_json::json!(known), "{name}");
    }

    #[test]
    fn the_enums_know_exactly_what_the_document_knows() {
        macro_rules! compare_all {
            ($($name:ident)+) => {$(
                let known: Vec<String> = $name::KNOWN.iter().map(ToString::to_string).collect();
                compare(stringify!($name), &known);
            )+};
        }
        compare_all!(IdentityProvider MfaMethod ExternalProviderType ConditionalLoginStatus TokenOrigin ConsumerType
            RegistrationType PinConfirmationType AccessRestriction);
    }

    #[test]
    fn an_unknown_value_makes_the_round_trip() {
        let status: ConditionalLoginStatus = serde_json::from_str(r#""PIN_ACTIVATION_REQUIRED""#).unwrap();
        assert_eq!(
            status,
            ConditionalLoginStatus::Unknown("PIN_ACTIVATION_REQUIRED".into())
        );
        assert_eq!(
            serde_json::to_string(&status).unwrap(),
            r#""PIN_ACTIVATION_REQUIRED""#
        );
        assert_eq!("EMAIL".parse::<MfaMethod>(), Ok(MfaMethod::Email));
    }
}
