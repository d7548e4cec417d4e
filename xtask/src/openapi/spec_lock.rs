//! `spec.lock`: where each byte of the result came from.

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::config::is_source_name;
use super::failure::{Failure, Result, fail};
use super::parse;

const FORMAT: u32 = 1;
const HEAD: &str =
    "# Written by `cargo xtask update-spec`, proved by `cargo xtask verify-spec`. Not edited by hand.\n\n";

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SpecLock {
    format: u32,
    pub(crate) generator: String,
    pub(crate) selection_sha256: String,
    pub(crate) overlay_sha256: String,
    pub(crate) result_sha256: String,
    #[serde(rename = "source", default)]
    pub(crate) sources: Vec<LockedSource>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LockedSource {
    pub(crate) name: String,
    /// The address that it was fetched from, or the name of the file that it was read from.
    pub(crate) origin: String,
    /// The byte-exact copy, below `upstream/`.
    pub(crate) file: String,
    pub(crate) date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) etag: Option<String>,
    pub(crate) sha256: String,
}

impl SpecLock {
    pub(crate) fn new(
        generator: String,
        selection: &[u8],
        overlay: &[u8],
        result: &[u8],
        sources: Vec<LockedSource>,
    ) -> Self {
        Self {
            format: FORMAT,
            generator,
            selection_sha256: sha256(selection),
            overlay_sha256: sha256(overlay),
            result_sha256: sha256(result),
            sources,
        }
    }

    pub(crate) fn parse(bytes: &[u8]) -> Result<Self> {
        let lock: Self = parse::toml(bytes).map_err(|failure| failure.within("spec.lock"))?;
        if lock.format != FORMAT {
            fail!("spec.lock: format {} is not known to this version", lock.format);
        }
        for source in &lock.sources {
            let stem = source
                .file
                .strip_suffix(".yaml")
                .or_else(|| source.file.strip_suffix(".json"));
            if !is_source_name(&source.name) || stem != Some(&source.name) {
                fail!(
                    "spec.lock: `{}` is not a file of `upstream/`",
                    source.file.escape_debug()
                );
            }
        }
        Ok(lock)
    }

    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        let text = toml::to_string(self).map_err(|error| Failure::failed(format!("spec.lock: {error}")))?;
        Ok(format!("{HEAD}{text}").into_bytes())
    }
}

/// The SHA-256 of some bytes in hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut digits, byte| {
            // Writing to a string cannot fail.
            let _ = write!(digits, "{byte:02x}");
            digits
        })
}
