//! Synerise's three environments.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::Error;

/// An environment of Synerise. A workspace lives in exactly one, and its keys are unknown in the others.
///
/// A configuration can name it: `azure-eu`, `azure-us` or `gcp`.
///
/// ```
/// use synerise_auth::Region;
///
/// let region: Region = "azure-us".parse()?;
/// assert_eq!(region, Region::AzureUs);
/// assert_eq!(region.to_string(), "azure-us");
/// assert_eq!(region.base_url(), "https://api.azu.synerise.com");
/// # Ok::<(), synerise_auth::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
#[doc(alias("host", "environment", "api.synerise.com"))]
pub enum Region {
    /// Microsoft Azure, Europe: `https://api.synerise.com`. The default.
    #[default]
    AzureEu,
    /// Microsoft Azure, USA: `https://api.azu.synerise.com`.
    AzureUs,
    /// Google Cloud Platform: `https://api.geb.synerise.com`.
    Gcp,
}

impl Region {
    /// All regions.
    pub const ALL: &'static [Self] = &[Self::AzureEu, Self::AzureUs, Self::Gcp];

    /// Returns the region's name in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::AzureEu => "azure-eu",
            Self::AzureUs => "azure-us",
            Self::Gcp => "gcp",
        }
    }

    /// Returns the base URL of the region's API.
    pub fn base_url(self) -> &'static str {
        match self {
            Self::AzureEu => "https://api.synerise.com",
            Self::AzureUs => "https://api.azu.synerise.com",
            Self::Gcp => "https://api.geb.synerise.com",
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Region {
    type Err = Error;

    /// Parses a region's name, in any letter case.
    fn from_str(name: &str) -> Result<Self, Error> {
        let region = Self::ALL
            .iter()
            .find(|region| name.eq_ignore_ascii_case(region.name()));
        region.copied().ok_or_else(|| {
            Error::invalid_input(
                "region",
                "is not one that this version knows",
                "use azure-eu, azure-us or gcp; ClientBuilder::base_url takes any other host",
            )
        })
    }
}

impl Serialize for Region {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Region {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for Region {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Region".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<&str> = Self::ALL.iter().map(|region| region.name()).collect();
        schemars::json_schema!({ "type": "string", "enum": names })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_survives_a_configuration() {
        for region in Region::ALL {
            assert_eq!(region.to_string().parse::<Region>().unwrap(), *region);
            let json = serde_json::to_string(region).unwrap();
            assert_eq!(serde_json::from_str::<Region>(&json).unwrap(), *region);
        }
        assert_eq!("Azure-EU".parse::<Region>().unwrap(), Region::AzureEu);
        assert!("mars".parse::<Region>().is_err());
    }
}
