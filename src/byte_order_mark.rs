//! The byte order mark, which some servers put in front of JSON.

/// The bytes without a byte order mark in front of them.
pub(crate) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes)
}
