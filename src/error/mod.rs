//! The crate's only error type: what happened, and what to do.
//!
//! ```no_run
//! # async fn run(workspace: synerise_auth::WorkspaceSession) {
//! use synerise_auth::ErrorKind;
//!
//! if let Err(error) = workspace.get("/v4/clients").await {
//!     println!("{error}"); // one line, with its remedy
//!     match error.kind() {
//!         ErrorKind::Connection | ErrorKind::Timeout => println!("retry: {}", error.is_retryable()),
//!         ErrorKind::Api => println!("{:?} {:?} {:?}", error.status(), error.code(), error.trace_id()),
//!         _ => {}
//!     }
//! }
//! # }
//! ```

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

mod api;
mod beginning;
mod body;
mod chain;
mod detail;
mod kind;
mod names;
mod normal;
mod patterns;
mod redact;
#[cfg(feature = "verify")]
mod token_problem;

pub use api::{ActivationMethod, ApiError, FieldError};
pub use kind::ErrorKind;
#[cfg(feature = "verify")]
pub use token_problem::TokenProblem;

use detail::Detail;

pub(crate) use beginning::beginning;
pub(crate) use chain::{error_chain, foreign_error_chain};
pub(crate) use names::is_secret_name;
pub(crate) use redact::Redactor;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed.
///
/// Its `Display` is one line: what happened, then what to do about it. Its `Debug` begins with the same line, so `fn main()
/// -> synerise_auth::Result<()>` prints it. Neither contains a secret. The line already includes the causes, so
/// [`source`](std::error::Error::source) always returns `None`.
///
/// It is the size of one pointer and cheap to clone: callers that waited for the same refresh get the same error.
///
/// ```no_run
/// # async fn run(workspace: synerise_auth::WorkspaceSession) {
/// use synerise_auth::ErrorKind;
///
/// match workspace.token().await {
///     Ok(token) => println!("valid for {:?}", token.lifetime()),
///     Err(error) if error.kind() == ErrorKind::SessionExpired => println!("log in again"),
///     Err(error) if error.is_retryable() => println!("try again later: {error}"),
///     Err(error) => println!("needs a person: {error}"),
/// }
/// # }
/// ```
#[derive(Clone)]
pub struct Error(Arc<Detail>);

impl Error {
    pub(crate) fn invalid_input(
        what: impl Into<Cow<'static, str>>,
        problem: impl Into<Cow<'static, str>>,
        remedy: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(Detail::InvalidInput {
            what: what.into(),
            problem: problem.into(),
            remedy: remedy.into(),
        })
    }

    /// The same error, for an input that the caller can name better.
    pub(crate) fn in_input(self, name: &str) -> Self {
        match &*self.0 {
            Detail::InvalidInput { problem, remedy, .. } => {
                Self::invalid_input(name.to_owned(), problem.clone(), remedy.clone())
            }
            _ => self,
        }
    }

    pub(crate) fn connection(operation: Cow<'static, str>, host: &str, problem: String) -> Self {
        Self::new(Detail::Connection {
            operation,
            host: host.to_owned(),
            problem,
        })
    }

    pub(crate) fn certificate(operation: Cow<'static, str>, host: &str, problem: String) -> Self {
        Self::new(Detail::Certificate {
            operation,
            host: host.to_owned(),
            problem,
        })
    }

    /// A proxy failed. `refused` is true when it answered and refused.
    pub(crate) fn proxy(operation: Cow<'static, str>, problem: String, refused: bool) -> Self {
        Self::new(Detail::Proxy {
            operation,
            problem,
            refused,
        })
    }

    pub(crate) fn timeout(
        operation: Cow<'static, str>,
        what: impl Into<Cow<'static, str>>,
        limit: Duration,
    ) -> Self {
        Self::new(Detail::Timeout {
            operation,
            what: what.into(),
            limit,
        })
    }

    /// A token could not be had within the limit of a refresh.
    pub(crate) fn refresh_timeout(limit: Duration) -> Self {
        Self::timeout("token refresh".into(), "the refresh with its retries", limit)
    }

    pub(crate) fn session_expired(
        reason: impl Into<Cow<'static, str>>,
        remedy: &'static str,
        cause: Option<Error>,
    ) -> Self {
        Self::new(Detail::SessionExpired {
            reason: reason.into(),
            remedy,
            cause,
        })
    }

    /// The session's owner ended it.
    pub(crate) fn session_ended(reason: &'static str, remedy: &'static str) -> Self {
        Self::new(Detail::SessionEnded { reason, remedy })
    }

    /// The same error, with the refusal that revealed it, if it is a session's end without a cause.
    pub(crate) fn caused_by(self, refusal: Option<Self>) -> Self {
        match &*self.0 {
            Detail::SessionExpired {
                reason,
                remedy,
                cause: None,
            } => Self::session_expired(reason.clone(), remedy, refusal),
            _ => self,
        }
    }

    pub(crate) fn unexpected_response(
        operation: Cow<'static, str>,
        status: u16,
        problem: impl Into<String>,
    ) -> Self {
        let advice = "check that the base URL leads to Synerise and not to a proxy or a login page";
        Self::unusable_response(operation, status, problem, advice)
    }

    /// A response that can't be used, where better advice exists than to look for a login page.
    pub(crate) fn unusable_response(
        operation: Cow<'static, str>,
        status: u16,
        problem: impl Into<String>,
        advice: &'static str,
    ) -> Self {
        Self::new(Detail::UnexpectedResponse {
            operation,
            status,
            problem: problem.into(),
            advice,
        })
    }

    /// The key can't be read from its file or provider. `problem` says where it was looked for.
    pub(crate) fn api_key_unavailable(problem: String) -> Self {
        Self::new(Detail::ApiKeyUnavailable { problem })
    }

    pub(crate) fn refresh_aborted() -> Self {
        Self::new(Detail::RefreshAborted)
    }

    pub(crate) fn no_runtime() -> Self {
        Self::new(Detail::NoRuntime)
    }

    /// The runtime was built without one of its drivers.
    pub(crate) fn no_driver(driver: &'static str) -> Self {
        Self::new(Detail::NoDriver(driver))
    }

    #[cfg(feature = "blocking")]
    pub(crate) fn no_thread() -> Self {
        Self::new(Detail::NoThread)
    }

    /// A blocking call was made by async code.
    #[cfg(feature = "blocking")]
    pub(crate) fn would_block() -> Self {
        Self::new(Detail::WouldBlock)
    }

    #[cfg(feature = "verify")]
    pub(crate) fn invalid_token(problem: TokenProblem, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Detail::InvalidToken {
            problem,
            reason: reason.into(),
        })
    }

    #[cfg(feature = "verify")]
    pub(crate) fn invalid_key(problem: impl Into<Cow<'static, str>>, remedy: &'static str) -> Self {
        Self::new(Detail::InvalidKey {
            problem: problem.into(),
            remedy,
        })
    }

    fn new(detail: Detail) -> Self {
        Self(Arc::new(detail))
    }

    /// Returns the kind of failure, to match on.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind()
    }

    /// Returns the server's refusal, if the error is one, or if one ended the session.
    pub fn api(&self) -> Option<&ApiError> {
        self.0.api()
    }

    /// Returns the HTTP status, if there was a response.
    pub fn status(&self) -> Option<u16> {
        self.0.status()
    }

    /// Returns the operation that failed: its id in the `OpenAPI` document, or the method and path of another endpoint.
    pub fn operation(&self) -> Option<&str> {
        self.0.operation()
    }

    /// Returns the name of the input that can't be used, such as `API key` or `base URL`, if that is the failure.
    pub fn input(&self) -> Option<&str> {
        match &*self.0 {
            Detail::InvalidInput { what, .. } => Some(what),
            _ => None,
        }
    }

    /// Returns the server's own code, such as `SAU-601`.
    pub fn code(&self) -> Option<&str> {
        self.api().and_then(ApiError::code)
    }

    /// Returns the id by which Synerise's support finds the request in its logs.
    pub fn trace_id(&self) -> Option<&str> {
        self.api().and_then(ApiError::trace_id)
    }

    /// Returns what the server said about individual fields of the request.
    pub fn field_errors(&self) -> &[FieldError] {
        self.api().map(ApiError::field_errors).unwrap_or_default()
    }

    /// Returns how long the server asked the client to wait before the next attempt.
    pub fn retry_after(&self) -> Option<Duration> {
        self.api().and_then(ApiError::retry_after)
    }

    /// Returns whether the same call, unchanged, can succeed later.
    ///
    /// A retryable error does not mean that the call had no effect. After [`Connection`](ErrorKind::Connection),
    /// [`Timeout`](ErrorKind::Timeout) or [`UnexpectedResponse`](ErrorKind::UnexpectedResponse), the server may have
    /// carried out a registration or a write.
    pub fn is_retryable(&self) -> bool {
        self.0.is_retryable()
    }

    /// Returns what to do about the error, in one sentence.
    pub fn advice(&self) -> Cow<'_, str> {
        self.0.advice()
    }
}

impl From<ApiError> for Error {
    fn from(refusal: ApiError) -> Self {
        Self::new(Detail::Api(refusal))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.0, self.advice())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} [{:?}]", self.kind())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_of_each() -> [Error; 12] {
        [
            Error::invalid_input("API key", "is empty", "copy it again"),
            Error::connection("GET /x".into(), "localhost:1", "connection refused".into()),
            Error::timeout("GET /x".into(), "the response", Duration::from_secs(10)),
            Error::certificate("GET /x".into(), "localhost:1", "it is self-signed".into()),
            Error::proxy("GET /x".into(), "it wants credentials".into(), true),
            Error::no_driver("time"),
            Error::session_expired("its token expired", "log in again", Some(Error::no_runtime())),
            Error::session_ended("the customer logged out", "log in again"),
            Error::unexpected_response("GET /x".into(), 200, "it is not JSON"),
            Error::refresh_aborted(),
            Error::no_runtime(),
            Error::api_key_unavailable("the file is empty".into()),
        ]
    }

    #[test]
    fn an_error_is_one_word_large() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }

    #[test]
    fn every_error_is_one_line_that_ends_with_what_to_do() {
        for error in one_of_each() {
            let text = error.to_string();
            assert!(text.ends_with(&*error.advice()) && !text.contains('\n'), "{text}");
        }
    }

    #[test]
    fn debug_begins_with_the_line_and_causes_are_told_once() {
        for error in one_of_each() {
            assert!(format!("{error:?}").starts_with(&error.to_string()));
            assert!(std::error::Error::source(&error).is_none());
        }
    }
}
