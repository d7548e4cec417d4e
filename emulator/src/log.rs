//! The log of requests, with secrets redacted.

use std::collections::BTreeSet;
use std::sync::Mutex;

use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use tokio::sync::watch;

use crate::sync::lock;

const REDACTED: &str = "[redacted]";

/// A request as it arrived, with secrets redacted. [`bearer_is`](Self::bearer_is), [`basic_is`](Self::basic_is) and [`body_is`](Self::body_is)
/// compare with the original, so that a test can check a secret without printing it.
#[derive(Clone)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The operation's id in the document, or `METHOD /path` for a path that is not in it. For a stub, the path is the one
    /// that it was added with.
    pub operation: String,
    /// The method.
    pub method: String,
    /// The path as sent, still encoded.
    pub path: String,
    /// The query as sent, still encoded. Values of secret parameters, such as `token` (the tracker key), are redacted.
    pub query: Option<String>,
    /// The headers: names in lower case, one pair for each value.
    pub headers: Vec<(String, String)>,
    /// The body, if it was JSON.
    pub body: Option<Value>,
    /// The status of the response. `None` before there is one, which is forever if a fault prevents it.
    pub status: Option<u16>,
    bearer: Option<String>,
    basic: Option<String>,
    sent: Option<Value>,
}

impl RecordedRequest {
    pub(crate) fn new(
        operation: String,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        secret_fields: &BTreeSet<String>,
    ) -> Self {
        let pair = |(name, value): (&header::HeaderName, &header::HeaderValue)| {
            let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
            let text = match name.as_str() {
                "authorization" | "proxy-authorization" => redacted_authorization(&text),
                "cookie" | "x-api-key" => REDACTED.to_owned(),
                _ => text,
            };
            (name.as_str().to_owned(), text)
        };
        let authorization = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        Self {
            operation,
            method: method.to_string(),
            path: uri.path().to_owned(),
            query: uri.query().map(|query| redacted_query(query, secret_fields)),
            headers: headers.iter().map(pair).collect(),
            body: None,
            status: None,
            bearer: authorization
                .and_then(|text| text.strip_prefix("Bearer "))
                .map(str::to_owned),
            basic: authorization
                .and_then(|text| text.strip_prefix("Basic "))
                .map(str::to_owned),
            sent: None,
        }
    }

    /// Returns every value of a header. Pass the name in lower case.
    pub fn header_values(&self, name: &str) -> Vec<&str> {
        self.headers
            .iter()
            .filter(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// Returns whether the request carried `Authorization: Bearer` with exactly this token.
    pub fn bearer_is(&self, token: &str) -> bool {
        self.bearer.as_deref() == Some(token)
    }

    /// Returns whether the request carried `Authorization: Basic` with exactly this GUID and API key.
    pub fn basic_is(&self, guid: &str, api_key: &str) -> bool {
        self.basic.as_deref() == Some(BASE64_STANDARD.encode(format!("{guid}:{api_key}")).as_str())
    }

    /// Returns whether the body was exactly this JSON, secrets included.
    pub fn body_is(&self, body: &Value) -> bool {
        self.sent.as_ref() == Some(body)
    }
}

impl std::fmt::Debug for RecordedRequest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            operation,
            method,
            path,
            query,
            headers,
            body,
            status,
            bearer: _,
            basic: _,
            sent: _,
        } = self;
        formatter
            .debug_struct("RecordedRequest")
            .field("operation", operation)
            .field("method", method)
            .field("path", path)
            .field("query", query)
            .field("headers", headers)
            .field("body", body)
            .field("status", status)
            .finish_non_exhaustive()
    }
}

fn redacted_authorization(value: &str) -> String {
    let scheme = value.split_once(' ').map_or("", |(scheme, _)| scheme);
    format!("{scheme} {REDACTED}").trim_start().to_owned()
}

fn redacted_query(query: &str, secret_fields: &BTreeSet<String>) -> String {
    let part = |part: &str| match part.split_once('=') {
        Some((name, _)) if is_secret(name, secret_fields) => format!("{name}={REDACTED}"),
        _ => part.to_owned(),
    };
    query.split('&').map(part).collect::<Vec<_>>().join("&")
}

/// Whether this is the name of a secret field, in any letter case: a client may misspell it.
fn is_secret(name: &str, secret_fields: &BTreeSet<String>) -> bool {
    secret_fields
        .iter()
        .any(|secret| secret.eq_ignore_ascii_case(name))
}

/// Replaces the values of secret members, wherever they are.
fn redact(value: &mut Value, secret_fields: &BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, secret_fields)),
        Value::Object(members) => {
            for (name, value) in members {
                if is_secret(name, secret_fields) {
                    *value = REDACTED.into();
                } else {
                    redact(value, secret_fields);
                }
            }
        }
        _ => {}
    }
}

/// Every request since the start, or since the log was cleared.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    requests: Mutex<Log>,
    changed: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Log {
    requests: Vec<RecordedRequest>,
    /// How often the log was cleared. A response to a request from before must not be recorded for another one.
    cleared: u64,
}

/// Where a request is in the log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    index: usize,
    cleared: u64,
}

impl RequestLog {
    pub(crate) fn arrived(&self, request: RecordedRequest) -> Entry {
        let mut log = lock(&self.requests);
        log.requests.push(request);
        let entry = Entry {
            index: log.requests.len() - 1,
            cleared: log.cleared,
        };
        drop(log);
        self.changed.send_replace(());
        entry
    }

    pub(crate) async fn wait_for(&self, operation: &str, count: u64) {
        let mut changed = self.changed.subscribe();
        // Closed only when the sender is dropped, and `self` holds it.
        let _ = changed.wait_for(|()| self.count(operation) >= count).await;
    }

    pub(crate) fn read_body(&self, entry: Entry, body: &Value, secret_fields: &BTreeSet<String>) {
        let mut shown = body.clone();
        redact(&mut shown, secret_fields);
        self.edit(entry, |request| {
            (request.body, request.sent) = (Some(shown), Some(body.clone()));
        });
    }

    pub(crate) fn responded(&self, entry: Entry, status: StatusCode) {
        self.edit(entry, |request| request.status = Some(status.as_u16()));
    }

    fn edit(&self, entry: Entry, change: impl FnOnce(&mut RecordedRequest)) {
        let mut log = lock(&self.requests);
        if log.cleared == entry.cleared {
            log.requests.get_mut(entry.index).map(change);
        }
    }

    pub(crate) fn all(&self) -> Vec<RecordedRequest> {
        lock(&self.requests).requests.clone()
    }

    pub(crate) fn count(&self, operation: &str) -> u64 {
        lock(&self.requests)
            .requests
            .iter()
            .filter(|request| request.operation == operation)
            .count() as u64
    }

    pub(crate) fn clear(&self) {
        let mut log = lock(&self.requests);
        log.requests.clear();
        log.cleared += 1;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn secret_fields() -> BTreeSet<String> {
        ["apiKey", "password", "token"].map(str::to_owned).into()
    }

    fn request(uri: &str, headers: &HeaderMap) -> RecordedRequest {
        let uri: Uri = uri.parse().unwrap();
        RecordedRequest::new(
            "GET /v4/clients".into(),
            &Method::GET,
            &uri,
            headers,
            &secret_fields(),
        )
    }

    #[test]
    fn recorded_requests_compare_with_secrets_but_do_not_show_them() {
        let log = RequestLog::default();
        let mut headers = HeaderMap::new();
        for (name, value) in [
            (header::AUTHORIZATION, "Bearer canary"),
            (header::PROXY_AUTHORIZATION, "Basic canary"),
            (header::COOKIE, "session=canary"),
            (header::HeaderName::from_static("x-api-key"), "canary"),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        let uri = "/v4/clients?token=canary&limit=1&Token=canary&password=canary";
        let entry = log.arrived(request(uri, &headers));
        let body = json!({
            "password": "canary", "apikey": "canary", "nested": [{ "apiKey": "canary" }], "email": "a@example.com",
        });
        log.read_body(entry, &body, &secret_fields());
        let request = &log.all()[0];
        let shown = format!("{request:?} {:?} {:?}", request.headers, request.query);
        assert!(!shown.contains("canary"), "{shown}");
        assert!(shown.contains("a@example.com") && shown.contains("limit=1"));
        assert!(request.bearer_is("canary") && request.body_is(&body));
    }

    #[test]
    fn a_late_response_is_not_recorded_for_another_request() {
        let log = RequestLog::default();
        let request = || request("/", &HeaderMap::new());
        let old = log.arrived(request());
        log.clear();
        log.arrived(request());
        log.responded(old, StatusCode::OK);
        assert_eq!(log.all()[0].status, None);
    }
}
