//! The failures, and what is said of each: its kind, its line, and what to do.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

#[cfg(feature = "verify")]
use super::TokenProblem;
use super::{ApiError, Error, ErrorKind};

/// What is known of a failure.
pub(super) enum Detail {
    InvalidInput {
        what: Cow<'static, str>,
        problem: Cow<'static, str>,
        remedy: Cow<'static, str>,
    },
    Connection {
        operation: Cow<'static, str>,
        host: String,
        problem: String,
    },
    Certificate {
        operation: Cow<'static, str>,
        host: String,
        problem: String,
    },
    Proxy {
        operation: Cow<'static, str>,
        problem: String,
        refused: bool,
    },
    Timeout {
        operation: Cow<'static, str>,
        what: Cow<'static, str>,
        limit: Duration,
    },
    Api(ApiError),
    SessionExpired {
        reason: Cow<'static, str>,
        remedy: &'static str,
        cause: Option<Error>,
    },
    SessionEnded {
        reason: &'static str,
        remedy: &'static str,
    },
    UnexpectedResponse {
        operation: Cow<'static, str>,
        status: u16,
        problem: String,
        advice: &'static str,
    },
    ApiKeyUnavailable {
        problem: String,
    },
    RefreshAborted,
    NoRuntime,
    NoDriver(&'static str),
    #[cfg(feature = "blocking")]
    NoThread,
    #[cfg(feature = "blocking")]
    WouldBlock,
    #[cfg(feature = "verify")]
    InvalidToken {
        problem: TokenProblem,
        reason: Cow<'static, str>,
    },
    #[cfg(feature = "verify")]
    InvalidKey {
        problem: Cow<'static, str>,
        remedy: &'static str,
    },
}

impl Detail {
    pub(super) fn kind(&self) -> ErrorKind {
        match self {
            Detail::InvalidInput { .. } => ErrorKind::InvalidInput,
            Detail::Connection { .. } => ErrorKind::Connection,
            Detail::Timeout { .. } => ErrorKind::Timeout,
            Detail::Certificate { .. } => ErrorKind::Certificate,
            Detail::Proxy { .. } => ErrorKind::Proxy,
            Detail::Api(api) => api.kind(),
            Detail::SessionExpired { .. } | Detail::SessionEnded { .. } => ErrorKind::SessionExpired,
            Detail::UnexpectedResponse { .. } => ErrorKind::UnexpectedResponse,
            Detail::ApiKeyUnavailable { .. } => ErrorKind::ApiKeyUnavailable,
            Detail::RefreshAborted => ErrorKind::RefreshAborted,
            Detail::NoRuntime | Detail::NoDriver(_) => ErrorKind::NoRuntime,
            #[cfg(feature = "blocking")]
            Detail::NoThread => ErrorKind::NoRuntime,
            #[cfg(feature = "blocking")]
            Detail::WouldBlock => ErrorKind::WouldBlock,
            #[cfg(feature = "verify")]
            Detail::InvalidToken { problem, .. } => ErrorKind::InvalidToken(*problem),
            #[cfg(feature = "verify")]
            Detail::InvalidKey { .. } => ErrorKind::InvalidKey,
        }
    }

    pub(super) fn api(&self) -> Option<&ApiError> {
        match self {
            Detail::Api(api) => Some(api),
            Detail::SessionExpired { cause, .. } => cause.as_ref().and_then(Error::api),
            _ => None,
        }
    }

    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Detail::UnexpectedResponse { status, .. } => Some(*status),
            _ => self.api().map(ApiError::status),
        }
    }

    pub(super) fn operation(&self) -> Option<&str> {
        match self {
            Detail::Connection { operation, .. }
            | Detail::Certificate { operation, .. }
            | Detail::Proxy { operation, .. }
            | Detail::Timeout { operation, .. }
            | Detail::UnexpectedResponse { operation, .. } => Some(operation),
            _ => self.api().map(ApiError::operation),
        }
    }

    pub(super) fn is_retryable(&self) -> bool {
        match self {
            Detail::Connection { .. }
            | Detail::Timeout { .. }
            | Detail::UnexpectedResponse { .. }
            | Detail::ApiKeyUnavailable { .. }
            | Detail::RefreshAborted => true,
            Detail::Api(api) => {
                api.kind() == ErrorKind::Api && matches!(api.status(), 408 | 421 | 425 | 429 | 500..=599)
            }
            Detail::Proxy { refused, .. } => !refused,
            Detail::InvalidInput { .. }
            | Detail::Certificate { .. }
            | Detail::SessionExpired { .. }
            | Detail::SessionEnded { .. }
            | Detail::NoRuntime
            | Detail::NoDriver(_) => false,
            #[cfg(feature = "blocking")]
            Detail::NoThread | Detail::WouldBlock => false,
            #[cfg(feature = "verify")]
            Detail::InvalidToken { .. } | Detail::InvalidKey { .. } => false,
        }
    }

    pub(super) fn advice(&self) -> Cow<'_, str> {
        match self {
            Detail::InvalidInput { remedy, .. } => Cow::Borrowed(&**remedy),
            Detail::Connection { .. } => {
                "check the base URL, the network and the proxy; the next call tries again".into()
            }
            Detail::Certificate { .. } => {
                "install the CA that signed it (ca-certificates, or add_root_certificate in ClientBuilder::http), \
                 or check that the base URL names the right host"
                    .into()
            }
            Detail::Proxy { refused: true, .. } => {
                "check the proxy's address and credentials (HTTPS_PROXY, HTTP_PROXY, ClientBuilder::http) and its rules".into()
            }
            Detail::Proxy { refused: false, .. } => {
                "check the proxy's address (HTTPS_PROXY, HTTP_PROXY, ClientBuilder::http) and that it runs".into()
            }
            Detail::Timeout { .. } => "try again later, or allow more time in the ClientBuilder".into(),
            Detail::Api(api) => api.advice().into(),
            Detail::SessionExpired { remedy, .. } | Detail::SessionEnded { remedy, .. } => (*remedy).into(),
            Detail::UnexpectedResponse { advice, .. } => (*advice).into(),
            Detail::ApiKeyUnavailable { .. } => {
                "check the file or the provider that the key comes from; the next call asks again".into()
            }
            Detail::RefreshAborted => "call again in a few seconds: that starts a new refresh".into(),
            Detail::NoRuntime => "call it inside a Tokio runtime".into(),
            Detail::NoDriver(_) => "build the runtime with `enable_all`".into(),
            #[cfg(feature = "blocking")]
            Detail::NoThread => "check the limits on threads of the process and its container".into(),
            #[cfg(feature = "blocking")]
            Detail::WouldBlock => "await the call itself, or move the code to `tokio::task::spawn_blocking`".into(),
            #[cfg(feature = "verify")]
            Detail::InvalidToken { problem, .. } => problem.advice().into(),
            #[cfg(feature = "verify")]
            Detail::InvalidKey { remedy, .. } => (*remedy).into(),
        }
    }
}

/// What happened, without what to do about it.
impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Detail::InvalidInput { what, problem, .. } => write!(f, "{what} {problem}"),
            Detail::Connection {
                operation,
                host,
                problem,
            } => write!(f, "{operation}: no response from {host}: {problem}"),
            Detail::Certificate {
                operation,
                host,
                problem,
            } => write!(
                f,
                "{operation}: the certificate of {host} can't be trusted: {problem}"
            ),
            Detail::Proxy {
                operation, problem, ..
            } => write!(
                f,
                "{operation}: the proxy did not let the request through: {problem}"
            ),
            Detail::Timeout {
                operation,
                what,
                limit,
            } => write!(f, "{operation}: {what} took longer than {limit:?}"),
            Detail::Api(api) => match api.kind() {
                ErrorKind::ActivationRequired(_) => write!(f, "the account is not activated yet: {api}"),
                ErrorKind::DeviceIdRequired => write!(f, "the workspace requires a device id: {api}"),
                _ => write!(f, "{api}"),
            },
            Detail::SessionExpired { reason, cause, .. } => {
                write!(f, "the session has expired: {reason}")?;
                match cause {
                    Some(cause) => write!(f, " ({})", cause.0),
                    None => Ok(()),
                }
            }
            Detail::SessionEnded { reason, .. } => write!(f, "the session has ended: {reason}"),
            Detail::UnexpectedResponse {
                operation,
                status,
                problem,
                ..
            } => write!(f, "{operation}: the response ({status}) can't be used: {problem}"),
            Detail::ApiKeyUnavailable { problem } => {
                write!(f, "there is no API key to log in with: {problem}")
            }
            Detail::RefreshAborted => f.write_str("the token's refresh ended without a result"),
            Detail::NoRuntime => f.write_str("no Tokio runtime: this call has to send a request"),
            Detail::NoDriver(driver) => write!(
                f,
                "the Tokio runtime has no {driver} driver: this call has to send a request"
            ),
            #[cfg(feature = "blocking")]
            Detail::NoThread => f.write_str("the system started no thread for blocking calls"),
            #[cfg(feature = "blocking")]
            Detail::WouldBlock => f.write_str("a blocking call would stop the async code on this thread"),
            #[cfg(feature = "verify")]
            Detail::InvalidToken { reason, .. } => write!(f, "the token is not valid: {reason}"),
            #[cfg(feature = "verify")]
            Detail::InvalidKey { problem, .. } => write!(f, "the public key can't be used: {problem}"),
        }
    }
}
