//! An answer of a server, read whole, and how it is read further without quoting it.

use std::time::Duration;

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde::de::DeserializeOwned;

use crate::clock::Reading;
use crate::error::{Error, Result};

use super::retry_after::server_date;

/// An answer, read whole.
#[derive(Clone)]
pub(crate) struct BufferedResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// When the request left.
    pub(crate) sent: Reading,
    /// When the answer's head arrived.
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

    /// What to say of a body that is not JSON: its kind, never its content.
    pub(crate) fn not_json(&self) -> String {
        // One of these names, not what the server wrote: a header can quote a secret as well as a body can.
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

    /// Reads the body as JSON. What is wrong with it is told by line and column, never by content.
    pub(crate) fn json<T: DeserializeOwned>(&self, label: &str) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let problem = match error.classify() {
                serde_json::error::Category::Data => {
                    format!(
                        "its JSON is not of the type asked for (line {}, column {})",
                        error.line(),
                        error.column()
                    )
                }
                _ => self.not_json(),
            };
            Error::unexpected_response(label.to_owned().into(), self.status(), problem)
        })
    }
}
