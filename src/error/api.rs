//! A server's refusal.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::operation::Forbidden;

use super::body::ErrorBody;
use super::{ErrorKind, Redactor};

/// How many of them appear in an error's one-line text.
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

/// A server's answer to a request that it refused. In every documented shape, everything except the status is optional.
#[derive(Debug, Clone)]
pub struct ApiError {
    operation: Cow<'static, str>,
    status: u16,
    code: Option<String>,
    message: Option<String>,
    field_errors: Vec<FieldError>,
    trace_id: Option<String>,
    retry_after: Option<Duration>,
    hint: Option<Cow<'static, str>>,
    /// What a 403 of the operation refuses.
    forbidden: Forbidden,
}

/// A server's complaint about one field of the request. The rejected value is not kept: it may be a password.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FieldError {
    /// The field's name, or the path to it.
    pub field: Option<String>,
    /// The server's code, a number or a name, as it was sent.
    pub code: Option<String>,
    /// The server's message about this field.
    pub message: Option<String>,
}

impl ApiError {
    /// Reads a refusal. This never fails, whatever the body contains: a body of an unknown shape becomes the message,
    /// truncated and redacted.
    pub(crate) fn read(
        operation: Cow<'static, str>,
        status: u16,
        retry_after: Option<Duration>,
        body: &[u8],
        redactor: &Redactor,
    ) -> Self {
        let body = ErrorBody::read(body, redactor);
        Self {
            operation,
            status,
            code: body.code,
            message: body.message,
            field_errors: body.field_errors,
            trace_id: body.trace_id,
            retry_after,
            hint: None,
            forbidden: Forbidden::Consumer,
        }
    }

    pub(crate) fn with_hint(mut self, hint: Option<Cow<'static, str>>) -> Self {
        self.hint = hint;
        self
    }

    pub(crate) fn with_forbidden(mut self, forbidden: Forbidden) -> Self {
        self.forbidden = forbidden;
        self
    }

    /// The [`Error`](super::Error) kind of this refusal, from its own code or the code of one of its field errors.
    pub(super) fn kind(&self) -> ErrorKind {
        let in_fields = self.field_errors.iter().filter_map(|error| error.code.as_deref());
        self.code
            .as_deref()
            .into_iter()
            .chain(in_fields)
            .find_map(|code| match code.trim().to_ascii_uppercase().as_str() {
                "SAU-302" => Some(ErrorKind::ActivationRequired(ActivationMethod::Link)),
                "SAU-303" => Some(ErrorKind::ActivationRequired(ActivationMethod::Pin)),
                "SAU-601" => Some(ErrorKind::DeviceIdRequired),
                _ => None,
            })
            .unwrap_or_else(|| self.kind_by_status())
    }

    fn kind_by_status(&self) -> ErrorKind {
        if self.status == 403 && self.forbidden != Forbidden::Consumer {
            ErrorKind::WrongCredential
        } else {
            ErrorKind::Api
        }
    }

    /// Returns the operation that was refused: its id in the document, or the method and path of another endpoint.
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// Returns the HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns the server's own code, such as `SAU-601`.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// Returns the server's message, on one line and redacted.
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Returns what the server said about individual fields.
    pub fn field_errors(&self) -> &[FieldError] {
        &self.field_errors
    }

    /// Returns the id by which Synerise's support finds the request in its logs.
    #[doc(alias = "traceId")]
    pub fn trace_id(&self) -> Option<&str> {
        self.trace_id.as_deref()
    }

    /// Returns how long the server asked the client to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    pub(super) fn advice(&self) -> &str {
        match self.kind() {
            ErrorKind::ActivationRequired(ActivationMethod::Link) => {
                return "let the user follow the link in the activation e-mail, or request another one";
            }
            ErrorKind::ActivationRequired(ActivationMethod::Pin) => {
                return "confirm the account with the PIN in the e-mail, or request another one";
            }
            ErrorKind::DeviceIdRequired => return "log in with a device id",
            ErrorKind::WrongCredential => {
                return match self.forbidden {
                    Forbidden::OldPassword => {
                        "check the old password, and that the API key has the permission"
                    }
                    Forbidden::SentToken => {
                        "check the token in the message, or request another one, and check that the API key has the \
                         permission"
                    }
                    Forbidden::PasswordOrToken | Forbidden::Consumer => {
                        "check the password or the identity provider's token, and that the API key has the permission"
                    }
                };
            }
            _ => {}
        }
        if let Some(hint) = self.hint.as_deref() {
            return hint;
        }
        match self.status {
            200..=299 => "see what the server says: its status is a success, and its body is an error",
            400 | 422 => "check what was sent against what the server says about it",
            401 => "check that the credential is right, active, of the right kind, and of this region",
            403 => "give the API key or the user the permission, or call it as a consumer that has it",
            404 => "check the path and the ids in it",
            406 => "check the identity: the service accepts no login of this form",
            408 | 429 => "send less, and try again after a while",
            421 | 425 => {
                "try again later: the server refuses to process the request on this connection or this early"
            }
            423 => "the account is locked: wait until the ban ends, or lift it in Synerise",
            500..=599 => {
                "try again later; if it stays, tell Synerise's support the operation and the trace id"
            }
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
            // Rounded up: an earlier attempt would be refused.
            let more = u64::from(wait.subsec_nanos() > 0);
            write!(f, " (retry after {} s)", wait.as_secs().saturating_add(more))?;
        }
        Ok(())
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
        assert_eq!(read(400, &body).field_errors().len(), 50);
        let mut redactor = Redactor::default();
        redactor.add("4711");
        let error = ApiError::read("op".into(), 400, None, br#"{"message":4711}"#, &redactor);
        assert_eq!(error.message(), Some("[redacted]"));
    }

    #[test]
    fn codes_are_compared_as_a_server_may_write_them() {
        for body in [
            r#"{"errorCode":"sau-601"}"#,
            r#"{"ErrorCode":" SAU-601 "}"#,
            r#"{"error_code":"SAU-601"}"#,
            r#"{"error":{"code":"SAU-601"}}"#,
            r#"{"errors":[{"errorCode":"SAU-601","path":"deviceId"}]}"#,
            "\u{feff}{\"errorCode\":\"SAU-601\"}",
        ] {
            assert_eq!(read(400, body).kind(), ErrorKind::DeviceIdRequired, "{body}");
        }
    }

    #[test]
    fn advice_follows_the_status() {
        for (status, advice) in [
            (200, "see what the server says"),
            (400, "check what was sent"),
            (401, "check that the credential"),
            (403, "give the API key or the user the permission"),
            (404, "check the path"),
            (406, "check the identity"),
            (418, "check the request"),
            (423, "the account is locked"),
            (429, "send less"),
            (500, "try again later"),
            (599, "try again later"),
        ] {
            let error = read(status, "{}");
            assert!(error.advice().starts_with(advice), "{status}: {error}");
        }
    }

    #[test]
    fn the_servers_own_words_are_never_lost() {
        for (body, said) in [
            (
                r#"{"error":"invalid_grant","error_description":"wrong key"}"#,
                "invalid_grant: wrong key",
            ),
            (
                r#"{"title":"Not allowed","detail":"no such role","status":403}"#,
                "Not allowed: no such role",
            ),
            (r#"{"Message":"not found"}"#, "not found"),
            (
                r#"{"message":"the key is wrong","error_description":"wrong"}"#,
                "the key is wrong",
            ),
            (
                r#"{"message":"wrong","error_description":"the key is wrong"}"#,
                "the key is wrong",
            ),
            (
                r#"{"message":["a is short","b is long"]}"#,
                "a is short; b is long",
            ),
            (r#"{"message":{"en":"no"}}"#, r#"{"en":"no"}"#),
            (
                r#"{"error":{"status":"DENIED","message":"no","details":[{"reason":"R"}]}}"#,
                "no [R]",
            ),
            (r#"{"error":true,"msg":"no"}"#, "no"),
            (
                r#"{"errors":{"a":{"message":"m","code":7},"email":["is taken","is odd"],"phone":"is short"}}"#,
                " [a: 7: m] [email: is taken; is odd] [phone: is short]",
            ),
            (r#"{"errors":"all wrong"}"#, "all wrong"),
            (
                r#"{"violations":[{"propertyPath":"a.b","message":"no"}]}"#,
                " [a.b: no]",
            ),
            (r#"{"errors":[{"path":["a",0],"message":"no"}]}"#, " [a.0: no]"),
            (r#"[{"code":"X","message":"no"}]"#, " [X: no]"),
            (r#""just words""#, "just words"),
            ("\u{feff}{\"message\":\"no\"}", "no"),
            ("  \r\n{\"message\":\"no\"}", "no"),
            (r#"{"message":"","error":"Unauthorized"}"#, "Unauthorized"),
            (r#"{"errors":[]," ":1}"#, r#"{"errors":[]," ":1}"#),
            ("{\"message\":\"torn", "{\"message\":\"torn"),
        ] {
            let line = read(403, body).to_string();
            let line = line.strip_prefix("op was refused with 403").unwrap();
            let line = line.split_once("; give the API key").unwrap().0;
            assert_eq!(line.strip_prefix(": ").unwrap_or(line), said, "{body}");
        }
        for body in [
            r#"{"traceId":"t1"}"#,
            r#"{"trace_id":"t1"}"#,
            r#"{"requestId":"t1"}"#,
            r#"{"error":{"traceID":"t1"}}"#,
        ] {
            assert_eq!(read(403, body).trace_id(), Some("t1"), "{body}");
        }
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
