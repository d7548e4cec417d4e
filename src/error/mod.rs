//! The one error of the crate: what happened, and what to do.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

mod api;
mod redact;

pub use api::{ActivationMethod, ApiError, FieldError};
pub(crate) use redact::{Redactor, causes};

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed.
///
/// Printed, it is one line: what happened, then what to do about it. No secret is in it, nor in its `Debug`, nor in its
/// sources. It is cheap to clone: callers that waited for the same renewal get the same error.
///
/// ```no_run
/// # async fn run(workspace: synerise_auth::Session<synerise_auth::Workspace>) {
/// use synerise_auth::Error;
///
/// match workspace.token().await {
///     Ok(token) => println!("good for {:?}", token.lifetime()),
///     Err(Error::SessionExpired(_)) => println!("log in again"),
///     Err(error) if error.is_retryable() => println!("try later: {error}"),
///     Err(error) => println!("needs a person: {error}"),
/// }
/// # }
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub enum Error {
    /// Something given to the crate can't be used. Nothing was sent.
    InvalidInput(Arc<InvalidInput>),
    /// The server couldn't be reached, or the connection broke.
    Unreachable(Arc<Unreachable>),
    /// The server took too long.
    Timeout(Arc<Timeout>),
    /// The server said no.
    Api(Arc<ApiError>),
    /// The account has to be activated before it can log in (`SAU-302`: by the link, `SAU-303`: by the PIN in the e-mail).
    ActivationRequired(ActivationMethod, Arc<ApiError>),
    /// The workspace wants to know the device (`SAU-601`): send a device id.
    DeviceIdRequired(Arc<ApiError>),
    /// The session's token is over, and nothing is at hand to get another one with.
    SessionExpired(Arc<SessionExpired>),
    /// The server's answer can't be understood.
    UnexpectedResponse(Arc<UnexpectedResponse>),
    /// A renewal ended without a result: code that it called panicked, or its runtime was shut down.
    RenewalAborted,
    /// Something had to be sent, or a token fetched, outside of a Tokio runtime.
    NoRuntime,
}

/// What can't be used, and why.
#[derive(Debug, Clone)]
pub struct InvalidInput {
    what: Cow<'static, str>,
    problem: Cow<'static, str>,
    remedy: Cow<'static, str>,
}

/// How a server couldn't be reached.
#[derive(Debug)]
pub struct Unreachable {
    operation: Cow<'static, str>,
    host: String,
    problem: String,
    source: Option<reqwest::Error>,
}

/// Which time ran out.
#[derive(Debug)]
pub struct Timeout {
    operation: Cow<'static, str>,
    what: &'static str,
    limit: Duration,
}

/// Which session ended, and what to do.
#[derive(Debug)]
pub struct SessionExpired {
    reason: Cow<'static, str>,
    remedy: &'static str,
    cause: Option<Error>,
}

/// What about an answer can't be understood.
#[derive(Debug)]
pub struct UnexpectedResponse {
    operation: Cow<'static, str>,
    status: u16,
    problem: String,
}

impl Error {
    pub(crate) fn invalid_input(
        what: impl Into<Cow<'static, str>>,
        problem: impl Into<Cow<'static, str>>,
        remedy: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::InvalidInput(Arc::new(InvalidInput {
            what: what.into(),
            problem: problem.into(),
            remedy: remedy.into(),
        }))
    }

    /// The same error about an input that the caller can name better.
    pub(crate) fn in_input(self, what: &str) -> Self {
        match self {
            Self::InvalidInput(input) => {
                Self::invalid_input(what.to_owned(), input.problem.clone(), input.remedy.clone())
            }
            other => other,
        }
    }

    pub(crate) fn unreachable(
        operation: Cow<'static, str>,
        host: &str,
        problem: String,
        source: Option<reqwest::Error>,
    ) -> Self {
        Self::Unreachable(Arc::new(Unreachable {
            operation,
            host: host.to_owned(),
            problem,
            source,
        }))
    }

    pub(crate) fn timeout(operation: Cow<'static, str>, what: &'static str, limit: Duration) -> Self {
        Self::Timeout(Arc::new(Timeout {
            operation,
            what,
            limit,
        }))
    }

    pub(crate) fn session_expired(
        reason: impl Into<Cow<'static, str>>,
        remedy: &'static str,
        cause: Option<Error>,
    ) -> Self {
        Self::SessionExpired(Arc::new(SessionExpired {
            reason: reason.into(),
            remedy,
            cause,
        }))
    }

    /// The same error, if it is the end of a session without a cause, with the refusal that showed it.
    pub(crate) fn shown_by(self, cause: Option<Self>) -> Self {
        match &self {
            Self::SessionExpired(expired) if expired.cause.is_none() => {
                Self::session_expired(expired.reason.clone(), expired.remedy, cause)
            }
            _ => self,
        }
    }

    pub(crate) fn unexpected_response(
        operation: Cow<'static, str>,
        status: u16,
        problem: impl Into<String>,
    ) -> Self {
        Self::UnexpectedResponse(Arc::new(UnexpectedResponse {
            operation,
            status,
            problem: problem.into(),
        }))
    }

    /// The name of the variant, for traces.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::InvalidInput(_) => "invalid_input",
            Self::Unreachable(_) => "unreachable",
            Self::Timeout(_) => "timeout",
            Self::Api(_) => "api",
            Self::ActivationRequired(..) => "activation_required",
            Self::DeviceIdRequired(_) => "device_id_required",
            Self::SessionExpired(_) => "session_expired",
            Self::UnexpectedResponse(_) => "unexpected_response",
            Self::RenewalAborted => "renewal_aborted",
            Self::NoRuntime => "no_runtime",
        }
    }

    /// The server's refusal, if that is what the error is.
    pub fn api(&self) -> Option<&ApiError> {
        match self {
            Self::Api(api) | Self::ActivationRequired(_, api) | Self::DeviceIdRequired(api) => Some(api),
            Self::SessionExpired(expired) => expired.cause.as_ref().and_then(Self::api),
            _ => None,
        }
    }

    /// The HTTP status, where there was an answer.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::UnexpectedResponse(response) => Some(response.status),
            other => other.api().map(ApiError::status),
        }
    }

    /// The operation that failed: its id in the document, or the method and path of another endpoint.
    pub fn operation(&self) -> Option<&str> {
        match self {
            Self::Unreachable(unreachable) => Some(&unreachable.operation),
            Self::Timeout(timeout) => Some(&timeout.operation),
            Self::UnexpectedResponse(response) => Some(&response.operation),
            other => other.api().map(ApiError::operation),
        }
    }

    /// The server's own code, like `SAU-601`.
    pub fn code(&self) -> Option<&str> {
        self.api().and_then(ApiError::code)
    }

    /// The id by which Synerise's support finds the request in its logs.
    pub fn trace_id(&self) -> Option<&str> {
        self.api().and_then(ApiError::trace_id)
    }

    /// What the server says about single fields of the request.
    pub fn field_errors(&self) -> &[FieldError] {
        self.api().map(ApiError::field_errors).unwrap_or_default()
    }

    /// How long the server asked to wait before the next try.
    pub fn retry_after(&self) -> Option<Duration> {
        self.api().and_then(ApiError::retry_after)
    }

    /// Whether the same call can succeed later, with nothing changed but the time.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Timeout(_) | Self::UnexpectedResponse(_) | Self::RenewalAborted => {
                true
            }
            Self::Api(api) => matches!(api.status(), 408 | 429 | 500..=599),
            _ => false,
        }
    }

    /// What to do about it, in one sentence.
    pub fn advice(&self) -> Cow<'_, str> {
        match self {
            Self::InvalidInput(input) => Cow::Borrowed(&*input.remedy),
            Self::Unreachable(_) => {
                "check the base URL, the network and the proxy; the next call tries again".into()
            }
            Self::Timeout(_) => "try again later, or allow more time in the ClientBuilder".into(),
            Self::Api(api) => api.advice().into(),
            Self::ActivationRequired(ActivationMethod::Link, _) => {
                "let the user follow the link in the activation e-mail, or request another one".into()
            }
            Self::ActivationRequired(ActivationMethod::Pin, _) => {
                "confirm the account with the PIN in the e-mail, or request another one".into()
            }
            Self::DeviceIdRequired(_) => "log in with a device id".into(),
            Self::SessionExpired(expired) => expired.remedy.into(),
            Self::UnexpectedResponse(_) => {
                "check that the base URL leads to Synerise and not to a proxy or a login page".into()
            }
            Self::RenewalAborted => "call again in a few seconds: a new renewal starts then".into(),
            Self::NoRuntime => "call it inside of a Tokio runtime".into(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidInput(input) => write!(f, "{} {}", input.what, input.problem)?,
            Self::Unreachable(unreachable) => write!(
                f,
                "{}: no answer from {}: {}",
                unreachable.operation, unreachable.host, unreachable.problem
            )?,
            Self::Timeout(timeout) => {
                write!(
                    f,
                    "{}: {} took longer than {:?}",
                    timeout.operation, timeout.what, timeout.limit
                )?;
            }
            Self::Api(api) => write!(f, "{api}")?,
            Self::ActivationRequired(_, api) => write!(f, "the account is not activated yet: {api}")?,
            Self::DeviceIdRequired(api) => write!(f, "the workspace requires a device id: {api}")?,
            Self::SessionExpired(expired) => {
                write!(f, "the session has expired: {}", expired.reason)?;
                if let Some(cause) = &expired.cause {
                    write!(f, " ({})", Brief(cause))?;
                }
            }
            Self::UnexpectedResponse(response) => {
                write!(
                    f,
                    "{}: the answer ({}) can't be used: {}",
                    response.operation, response.status, response.problem
                )?;
            }
            Self::RenewalAborted => f.write_str("the token's renewal ended without a result")?,
            Self::NoRuntime => {
                f.write_str("something has to be sent, and there is no Tokio runtime to do it in")?;
            }
        }
        write!(f, "; {}", self.advice())
    }
}

/// An error without its advice, to be named inside of another one.
struct Brief<'a>(&'a Error);

impl fmt::Display for Brief<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.api() {
            Some(api) => write!(f, "{api}"),
            None => write!(f, "{}", self.0),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidInput(inner) => f.debug_tuple("InvalidInput").field(inner).finish(),
            Self::Unreachable(inner) => f
                .debug_struct("Unreachable")
                .field("operation", &inner.operation)
                .field("host", &inner.host)
                .field("problem", &inner.problem)
                .finish_non_exhaustive(),
            Self::Timeout(inner) => f.debug_tuple("Timeout").field(inner).finish(),
            Self::Api(inner) => f.debug_tuple("Api").field(inner).finish(),
            Self::ActivationRequired(method, inner) => f
                .debug_tuple("ActivationRequired")
                .field(method)
                .field(inner)
                .finish(),
            Self::DeviceIdRequired(inner) => f.debug_tuple("DeviceIdRequired").field(inner).finish(),
            Self::SessionExpired(inner) => f.debug_tuple("SessionExpired").field(inner).finish(),
            Self::UnexpectedResponse(inner) => f.debug_tuple("UnexpectedResponse").field(inner).finish(),
            Self::RenewalAborted => f.write_str("RenewalAborted"),
            Self::NoRuntime => f.write_str("NoRuntime"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreachable(unreachable) => unreachable
                .source
                .as_ref()
                .map(|source| source as &(dyn std::error::Error + 'static)),
            Self::SessionExpired(expired) => expired
                .cause
                .as_ref()
                .map(|cause| cause as &(dyn std::error::Error + 'static)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_as_small_as_the_token_that_it_stands_in_for() {
        assert!(size_of::<Error>() <= 2 * size_of::<usize>());
    }

    #[test]
    fn every_error_is_one_line_that_ends_with_what_to_do() {
        for error in [
            Error::invalid_input("API key", "is empty", "copy it again"),
            Error::unreachable("GET /x".into(), "localhost:1", "connection refused".into(), None),
            Error::timeout("GET /x".into(), "the answer", Duration::from_secs(10)),
            Error::session_expired("its token ended", "log in again", Some(Error::NoRuntime)),
            Error::unexpected_response("GET /x".into(), 200, "it is not JSON"),
            Error::RenewalAborted,
            Error::NoRuntime,
        ] {
            let text = error.to_string();
            assert!(text.ends_with(&*error.advice()) && !text.contains('\n'), "{text}");
        }
    }
}
