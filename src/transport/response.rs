//! A server's response, read completely, and its parsing without quoting it.

use std::time::Duration;

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde::de::DeserializeOwned;

use crate::clock::Reading;
use crate::error::{Error, Redactor, Result, beginning};
use crate::foreign_json::without_mark;

use super::retry_after::server_date;

/// A response, read completely.
#[derive(Clone)]
pub(crate) struct BufferedResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// When the request was sent.
    pub(crate) sent: Reading,
    /// When the response's head arrived.
    pub(crate) arrived: Reading,
}

impl BufferedResponse {
    pub(crate) fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// The server's clock when it answered.
    pub(crate) fn server_date(&self) -> Option<Duration> {
        server_date(&self.headers)
    }

    /// A description of a body that is not JSON: its kind, never its content.
    pub(crate) fn not_json(&self) -> String {
        // One of these names, not the server's text: a header can quote a secret just as a body can.
        const KINDS: [&str; 5] = [
            "application/json",
            "application/xml",
            "text/html",
            "text/plain",
            "text/xml",
        ];
        let kind = self
            .headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let kind = kind.map(|kind| kind.split(';').next().unwrap_or_default().trim());
        let kind = match kind {
            Some(kind) => KINDS.into_iter().find(|known| kind.eq_ignore_ascii_case(known)),
            None => Some("of no stated type"),
        };
        let kind = kind.unwrap_or("of another type");
        format!(
            "it is not the JSON that was asked for, but {} bytes, {kind}",
            self.body.len()
        )
    }

    /// Parses the body as JSON. A problem is described by the field's name and place, never by its value.
    pub(crate) fn json<T: DeserializeOwned>(&self, label: &str) -> Result<T> {
        let mut deserializer = serde_json::Deserializer::from_slice(without_mark(&self.body));
        let read = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
            let path = error.path().to_string();
            (path, error.into_inner())
        });
        let read = read.and_then(|value| match deserializer.end() {
            Ok(()) => Ok(value),
            Err(error) => Err((".".to_owned(), error)),
        });
        read.map_err(|(path, error)| {
            if error.classify() != serde_json::error::Category::Data {
                return Error::unexpected_response(label.to_owned().into(), self.status(), self.not_json());
            }
            let place = match path.as_str() {
                "." => "its JSON".to_owned(),
                // A map's keys come from the server.
                path => format!("its field `{}`", Redactor::default().clean(path)),
            };
            // serde's message can quote a value of any length.
            let problem = match missing_field(&beginning(&error, 200)) {
                Some(field) => format!("{place} has no field `{field}`"),
                None => format!("{place} is not of the type asked for"),
            };
            Error::unusable_response(
                label.to_owned().into(),
                self.status(),
                format!("{problem} (line {}, column {})", error.line(), error.column()),
                "check the type that it is read as against the endpoint's documentation",
            )
        })
    }
}

/// The name in serde's `missing field`, which comes from the type. Other messages quote values.
fn missing_field(message: &str) -> Option<&str> {
    let (name, _) = message.strip_prefix("missing field `")?.split_once('`')?;
    let is_name = name.len() <= 64
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-$@.".contains(c));
    is_name.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_field_name_is_taken_from_a_message() {
        assert_eq!(
            missing_field("missing field `client_id` at line 1"),
            Some("client_id")
        );
        for other in [
            "invalid type: string \"a\"",
            "missing field `two words`",
            &format!("missing field `{}`", "a".repeat(65)),
        ] {
            assert_eq!(missing_field(other), None, "{other}");
        }
    }
}
