//! Checks the caller's values before anything is sent.

use serde_json::Value;

use crate::error::{Error, Result};
use crate::secret::Secret;

/// Rejects an empty value here, by name, instead of leaving it to the server.
pub(crate) fn required(what: &'static str, text: &str) -> Result<String> {
    if text.trim().is_empty() {
        return Err(Error::invalid_input(what, "is empty", "give its value"));
    }
    Ok(text.to_owned())
}

/// Like [`required`], for an optional value.
pub(crate) fn optional(what: &'static str, text: Option<&str>) -> Result<Option<String>> {
    text.map(|text| required(what, text)).transpose()
}

pub(crate) fn required_secret(what: &'static str, secret: &Secret) -> Result<Secret> {
    if secret.is_empty() {
        return Err(Error::invalid_input(what, "is empty", "give its value"));
    }
    Ok(secret.clone())
}

/// A custom identifier: any JSON except null and an empty text.
pub(crate) fn custom_id(id: &Value) -> Result<Value> {
    match id {
        Value::Null => Err(Error::invalid_input(
            "custom identifier",
            "is null",
            "give its value",
        )),
        Value::String(text) => required("custom identifier", text).map(Value::String),
        other => Ok(other.clone()),
    }
}
