//! Enums that Synerise may extend. A value that this version doesn't know is kept unchanged and is never an error.
//!
//! `build/enums.rs` writes their names, values and descriptions from the document. The macro here defines the types.

macro_rules! open_enum {
    ($(
        $(#[$docs:meta])*
        $name:ident {
            $($(#[$variant_docs:meta])* $variant:ident = $wire:literal,)*
        }
    )*) => {$(
        $(#[$docs])*
        ///
        /// Open: a value that this version doesn't know becomes [`Unknown`](Self::Unknown), and is sent unchanged. A known
        /// value is recognized in any letter case, also with white space around it, and is sent as the service documents
        /// it.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_docs])* $variant,)*
            /// A value that this version of the crate doesn't know.
            Unknown(::std::string::String),
        }

        impl $name {
            /// The values that this version knows.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns the value as it is sent.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $wire,)*
                    Self::Unknown(value) => value,
                }
            }

            fn known(value: &str) -> ::core::option::Option<Self> {
                let same_case = Self::KNOWN.iter().find(|known| known.as_str() == value);
                let value = value.trim();
                same_case
                    .or_else(|| Self::KNOWN.iter().find(|known| known.as_str().eq_ignore_ascii_case(value)))
                    .cloned()
            }
        }

        impl ::core::convert::From<&str> for $name {
            fn from(value: &str) -> Self {
                Self::known(value).unwrap_or_else(|| Self::Unknown(value.to_owned()))
            }
        }

        impl ::core::convert::From<::std::string::String> for $name {
            fn from(value: ::std::string::String) -> Self {
                Self::known(&value).unwrap_or(Self::Unknown(value))
            }
        }

        impl ::core::convert::AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl ::core::str::FromStr for $name {
            type Err = ::core::convert::Infallible;

            fn from_str(value: &str) -> ::core::result::Result<Self, Self::Err> {
                Ok(Self::from(value))
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::core::result::Result<Self, D::Error> {
                let value = <::std::string::String as ::serde::Deserialize>::deserialize(deserializer)?;
                Ok(Self::from(value))
            }
        }

        #[cfg(feature = "schemars")]
        impl ::schemars::JsonSchema for $name {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                ::schemars::json_schema!({ "type": "string", "examples": [$($wire),*] })
            }
        }
    )*};
}

include!(concat!(env!("OUT_DIR"), "/enums.rs"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_value_survives_a_round_trip() {
        let status: ConditionalLoginStatus = serde_json::from_str(r#""PIN_ACTIVATION_REQUIRED""#).unwrap();
        assert_eq!(
            status,
            ConditionalLoginStatus::Unknown("PIN_ACTIVATION_REQUIRED".into())
        );
        assert_eq!(
            serde_json::to_string(&status).unwrap(),
            r#""PIN_ACTIVATION_REQUIRED""#
        );
    }

    #[test]
    fn known_value_is_recognized_in_any_case_and_written_in_its_own() {
        for written in ["SUCCESS", "success", "Success", " SUCCESS\n"] {
            let status: ConditionalLoginStatus = serde_json::from_value(written.into()).unwrap();
            assert_eq!(status, ConditionalLoginStatus::Success, "{written}");
            assert_eq!(serde_json::to_value(&status).unwrap(), "SUCCESS");
        }
        assert_eq!(MfaMethod::from("email".to_owned()), MfaMethod::Email);
        assert_eq!("Email".parse::<MfaMethod>(), Ok(MfaMethod::Email));
    }

    #[test]
    fn every_known_value_reads_as_itself() {
        for known in TokenOrigin::KNOWN {
            assert_eq!(TokenOrigin::from(known.as_str()), *known);
            assert!(!matches!(known, TokenOrigin::Unknown(_)));
        }
        assert_eq!(IdentityProvider::from("UNKNOWN"), IdentityProvider::Unspecified);
        assert_eq!(IdentityProvider::Oauth.as_ref(), "OAUTH");
    }
}
