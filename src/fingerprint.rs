//! Names by which things are found again, without revealing what they are.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// Half of a SHA-256. Finding another input with the same one still takes 2^128 attempts, and every session stores it twice.
pub(crate) type Fingerprint = [u8; 16];

/// The fingerprint of these parts, none of which can be read from it.
pub(crate) fn fingerprint<'a>(parts: impl IntoIterator<Item = &'a str>) -> Fingerprint {
    let mut hash = Sha256::new();
    for part in parts {
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    let hash: [u8; 32] = hash.finalize().into();
    std::array::from_fn(|index| hash[index])
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
