//! A server's refusal: four documented shapes of error bodies, read into one.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::{ErrorKind, Redactor};

/// How many field errors are kept of a refusal; a form has fewer fields.
const FIELD_ERRORS_KEPT: usize = 50;

/// How many of them are in the one line that an error is printed as.
const FIELD_ERRORS_SHOWN: usize = 3;

/// How an account is activated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ActivationMethod {
    /// By the link in an e-mail (`SAU-302`).
    Link,
    /// By the PIN in an e-mail (`SAU-303`).
    Pin,
}

/// What a server said when it refused a request. All of it but the status is optional in every documented shape.
#[derive(Debug, Clone)]
pub struct ApiError {
    operation: Cow<'static, str>,
    status: u16,
    code: Option<String>,
    message: Option<String>,
    field_errors: Vec<FieldError>,
    trace_id: Option<String>,
    retry_after: Option<Duration>,
    hint: Option<&'static str>,
}

/// What a server said about one field of the request. The value that it rejected is not kept: it may be a password.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FieldError {
    /// The field's name, or the path to it.
    pub field: Option<String>,
    /// The server's code: a number or a name, as it was sent.
    pub code: Option<String>,
    /// What is wrong.
    pub message: Option<String>,
}

impl ApiError {
    /// Reads a refusal. Whatever the body is, nothing in it makes this fail: what fits no documented shape becomes the
    /// message, cut and without secrets.
    pub(crate) fn read(
        operation: Cow<'static, str>,
        status: u16,
        retry_after: Option<Duration>,
        body: &[u8],
        redactor: &Redactor,
    ) -> Self {
        let mut error = Self {
            operation,
            status,
            code: None,
            message: None,
            field_errors: Vec::new(),
            trace_id: None,
            retry_after,
            hint: None,
        };
        match serde_json::from_slice::<Value>(body) {
            Ok(Value::Object(fields)) => {
                let text = |name: &str| fields.get(name).and_then(|value| plain(value, redactor));
                error.code = text("errorCode").or_else(|| text("code"));
                error.message = match (text("error"), text("message")) {
                    (Some(summary), Some(message)) if message.contains(&summary) => Some(message),
                    (Some(summary), Some(message)) => Some(format!("{summary}: {message}")),
                    (summary, message) => message.or(summary),
                };
                error.trace_id = text("traceId");
                if let Some(Value::Array(items)) = fields.get("errors") {
                    error.field_errors = items
                        .iter()
                        .take(FIELD_ERRORS_KEPT)
                        .map(|item| FieldError::read(item, redactor))
                        .collect();
                }
                if error.message.is_none() && error.code.is_none() && error.field_errors.is_empty() {
                    error.message = excerpt(body, redactor);
                }
            }
            _ => error.message = excerpt(body, redactor),
        }
        error
    }

    pub(crate) fn with_hint(mut self, hint: Option<&'static str>) -> Self {
        self.hint = hint;
        self
    }

    /// The kind of [`Error`] that this refusal is.
    pub(super) fn kind(&self) -> ErrorKind {
        match self.code.as_deref() {
            Some("SAU-302") => ErrorKind::ActivationRequired(ActivationMethod::Link),
            Some("SAU-303") => ErrorKind::ActivationRequired(ActivationMethod::Pin),
            Some("SAU-601") => ErrorKind::DeviceIdRequired,
            _ => ErrorKind::Api,
        }
    }

    /// The operation that was refused: its id in the document, or the method and path of another endpoint.
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The server's own code, like `SAU-601`.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// What the server said, on one line and without secrets.
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// What the server said about single fields.
    pub fn field_errors(&self) -> &[FieldError] {
        &self.field_errors
    }

    /// The id by which Synerise's support finds the request in its logs.
    pub fn trace_id(&self) -> Option<&str> {
        self.trace_id.as_deref()
    }

    /// How long the server asked to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    pub(super) fn advice(&self) -> &'static str {
        match self.kind() {
            ErrorKind::ActivationRequired(ActivationMethod::Link) => {
                return "let the user follow the link in the activation e-mail, or request another one";
            }
            ErrorKind::ActivationRequired(ActivationMethod::Pin) => {
                return "confirm the account with the PIN in the e-mail, or request another one";
            }
            ErrorKind::DeviceIdRequired => return "log in with a device id",
            _ => {}
        }
        if let Some(hint) = self.hint {
            return hint;
        }
        match self.status {
            400 | 422 => "check what was sent against what the server says about it",
            401 => "check that the credential is right, active, of the right kind, and of this region",
            403 => "give the API key or the user the permission, or call it as a consumer that has it",
            404 => "check the path and the ids in it",
            406 => "check the identity: the service accepts no login of this form",
            408 | 429 => "send less, and try again after a while",
            423 => "the account is locked: wait until the ban ends, or lift it in Synerise",
            500.. => "try again later; if it stays, tell Synerise's support the operation and the trace id",
            _ => "check the request",
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} was refused with {}", self.operation, self.status)?;
        if let Some(code) = &self.code {
            write!(f, " {code}")?;
        }
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        for error in self.field_errors.iter().take(FIELD_ERRORS_SHOWN) {
            write!(f, " [{error}]")?;
        }
        if let Some(more @ 1..) = self.field_errors.len().checked_sub(FIELD_ERRORS_SHOWN) {
            write!(f, " [and {more} more]")?;
        }
        if let Some(trace_id) = &self.trace_id {
            write!(f, " (trace id {trace_id})")?;
        }
        if let Some(wait) = self.retry_after {
            write!(f, " (retry after {} s)", wait.as_secs())?;
        }
        Ok(())
    }
}

impl FieldError {
    fn read(item: &Value, redactor: &Redactor) -> Self {
        let text = |name: &str| item.get(name).and_then(|value| plain(value, redactor));
        Self {
            field: text("field").or_else(|| text("path")),
            code: text("code").or_else(|| text("errorCode")),
            message: text("message").or_else(|| plain(item, redactor)),
        }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [&self.field, &self.code, &self.message];
        let mut parts = parts.into_iter().flatten();
        if let Some(first) = parts.next() {
            f.write_str(first)?;
        }
        parts.try_for_each(|part| write!(f, ": {part}"))
    }
}

/// A scalar as text: servers send codes as numbers and as strings.
fn plain(value: &Value, redactor: &Redactor) -> Option<String> {
    let text = match value {
        Value::String(text) => redactor.clean(text),
        Value::Number(number) => redactor.clean(&number.to_string()),
        Value::Bool(flag) => flag.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

fn excerpt(body: &[u8], redactor: &Redactor) -> Option<String> {
    let text = redactor.clean(&String::from_utf8_lossy(body));
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::super::Error;
    use super::*;

    fn read(status: u16, body: &str) -> Error {
        ApiError::read("op".into(), status, None, body.as_bytes(), &Redactor::default()).into()
    }

    #[test]
    fn the_four_documented_shapes_are_read_into_one() {
        let sauth = read(
            400,
            r#"{"error":"Bad Request","message":"wrong","errors":[{"code":7,"field":"email","message":"no","rejectedValue":"x"}],"status":400,"traceId":"t1"}"#,
        );
        assert_eq!(
            sauth.to_string(),
            "op was refused with 400: Bad Request: wrong [email: 7: no] (trace id t1); check what was sent against what the server says about it"
        );
        let uauth = read(
            423,
            r#"{"path":"/p","timestamp":"2026-01-01T00:00:00Z","errorCode":"UA-1","status":423,"message":"locked","traceId":"t2"}"#,
        );
        assert_eq!((uauth.code(), uauth.trace_id()), (Some("UA-1"), Some("t2")));
        let gateway = read(
            401,
            r#"{"error":"Unauthorized","message":"no","path":"/v4","status":401,"timestamp":"t","errors":[]}"#,
        );
        assert_eq!(gateway.api().unwrap().message(), Some("Unauthorized: no"));
        let nested = read(
            400,
            r#"{"errors":[{"errorCode":"X","path":"a.b","message":"m"}]}"#,
        );
        assert_eq!(nested.field_errors()[0].to_string(), "a.b: X: m");
    }

    #[test]
    fn the_codes_that_a_caller_acts_on_are_variants() {
        assert!(matches!(
            read(403, r#"{"errorCode":"SAU-302"}"#).kind(),
            ErrorKind::ActivationRequired(ActivationMethod::Link)
        ));
        assert!(matches!(
            read(403, r#"{"errorCode":"SAU-303"}"#).kind(),
            ErrorKind::ActivationRequired(ActivationMethod::Pin)
        ));
        assert!(matches!(
            read(400, r#"{"errorCode":"SAU-601"}"#).kind(),
            ErrorKind::DeviceIdRequired
        ));
    }

    #[test]
    fn field_errors_are_bounded_and_a_pin_is_no_code() {
        let body = format!(r#"{{"errors":[{}"last"]}}"#, r#""no","#.repeat(10_000));
        assert_eq!(read(400, &body).field_errors().len(), FIELD_ERRORS_KEPT);
        let mut redactor = Redactor::default();
        redactor.add("4711");
        let error = ApiError::read("op".into(), 400, None, br#"{"message":4711}"#, &redactor);
        assert_eq!(error.message(), Some("[redacted]"));
    }

    #[test]
    fn a_body_of_no_known_shape_is_kept_cut_and_clean() {
        for (body, kept) in [
            ("", None),
            (
                "<html>\n<b>Bad Gateway</b></html>",
                Some("<html> <b>Bad Gateway</b></html>"),
            ),
            ("[1]", Some("[1]")),
            ("{\"other\":1}", Some("{\"other\":1}")),
            (
                "{\"message\":null,\"error\":{}}",
                Some("{\"message\":null,\"error\":{}}"),
            ),
        ] {
            assert_eq!(read(502, body).api().unwrap().message(), kept, "{body}");
        }
    }
}
