//! Where Synerise is: its three environments, or a host of one's own in front of one.

use std::fmt;

/// An environment of Synerise. A workspace lives in exactly one; a key of one is unknown in the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
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
    /// The base URL of the region's API.
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
        f.write_str(self.base_url())
    }
}
