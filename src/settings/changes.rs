//! Settings that a service replaces whole: read, changed in place, and written back with everything that was there.

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::transport::BufferedResponse;

/// A settings document as the service sent it, unknown fields and nulls included.
pub(crate) type Document = Map<String, Value>;

/// One field that a change of settings changed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// The field's name in the service's document.
    pub field: String,
    /// Its value before; null when it was not there.
    pub before: Value,
    /// Its value after, as the service answered it; null when it is not there.
    pub after: Value,
}

/// The fields in which two documents differ, by name.
fn changes(before: &Document, after: &Document) -> Vec<Change> {
    let new = after.keys().filter(|field| !before.contains_key(*field));
    let value = |document: &Document, field: &str| document.get(field).cloned().unwrap_or_default();
    let pairs = before.keys().chain(new).map(|field| Change {
        field: field.clone(),
        before: value(before, field),
        after: value(after, field),
    });
    pairs.filter(|change| change.before != change.after).collect()
}

/// Reads a settings document, which has to be an object: what isn't can't be written back.
pub(crate) fn read(operation: &'static str, status: u16, body: &[u8]) -> Result<Document> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(document)) => Ok(document),
        _ => Err(Error::unexpected_response(
            operation.into(),
            status,
            "it is no JSON object of settings",
        )),
    }
}

/// What a write of `sent` changed of `before`: by what the service answered; without an answer, by what it accepted.
pub(crate) fn written(
    operation: &'static str,
    response: &BufferedResponse,
    before: &Document,
    sent: &Document,
) -> Result<Vec<Change>> {
    if response.body.is_empty() {
        return Ok(changes(before, sent));
    }
    let answered = read(operation, response.status(), &response.body)?;
    Ok(changes(before, &answered))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn changes_name_what_differs_and_nothing_else() {
        let document = |value: Value| value.as_object().cloned().unwrap();
        let before = document(json!({ "a": 1, "b": null, "gone": true }));
        let after = document(json!({ "a": 2, "b": null, "new": "x" }));
        let names: Vec<_> = changes(&before, &after)
            .into_iter()
            .map(|change| (change.field, change.after))
            .collect();
        assert_eq!(
            names,
            [
                ("a".into(), json!(2)),
                ("gone".into(), json!(null)),
                ("new".into(), json!("x"))
            ]
        );
    }
}
