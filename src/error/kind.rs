//! The kinds of failure.

use std::fmt;

use super::ActivationMethod;
#[cfg(feature = "verify")]
use super::TokenProblem;

/// The kind of an [`Error`](super::Error), to match on.
///
/// ```
/// use synerise_auth::{ApiKey, ErrorKind};
///
/// let error = ApiKey::new("").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::InvalidInput);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A value that the caller passed can't be used. Nothing was sent.
    InvalidInput,
    /// The server couldn't be reached, or the connection broke.
    Connection,
    /// The server took too long, or no connection to it opened in time.
    Timeout,
    /// The server's certificate is not trusted. The call keeps failing until the certificates or the address change.
    Certificate,
    /// A proxy did not forward the request. The server itself was not reached.
    Proxy,
    /// The server refused the request; see [`Error::api`](super::Error::api).
    Api,
    /// The account has to be activated before it can log in (`SAU-302`: by the link in an e-mail, `SAU-303`: by the PIN).
    #[doc(alias("SAU-302", "SAU-303"))]
    ActivationRequired(ActivationMethod),
    /// The workspace requires a device id (`SAU-601`): log in with one.
    #[doc(alias("SAU-601"))]
    DeviceIdRequired,
    /// The password or token that has to confirm a change of the account is wrong (403). A missing permission is refused with the same
    /// status: [`Error::api`](super::Error::api) has what the server said.
    WrongCredential,
    /// The session has ended: its token has expired and it has no credentials to obtain a new one, or its owner logged out
    /// or deleted the account.
    SessionExpired,
    /// The server's response could not be understood.
    UnexpectedResponse,
    /// There is no API key to log in with: its file or provider can't be read, and never could. The next call asks again.
    ApiKeyUnavailable,
    /// A refresh ended without a result: code that it called panicked, or its runtime shut down.
    RefreshAborted,
    /// The request was not sent: there is no Tokio runtime, or it was built without time or I/O.
    ///
    /// Tokio has no way to ask whether a runtime was built without these; it panics where they are used. The first request
    /// of each runtime tries them out and catches that panic, so the program's panic hook still reports it. A program built
    /// with `panic = "abort"` ends there, with Tokio's own message.
    NoRuntime,
    /// A blocking call was made on a thread that runs async code, and would have stopped it. Nothing was sent.
    #[cfg(feature = "blocking")]
    WouldBlock,
    /// A token that your service received was verified and must not be accepted.
    #[cfg(feature = "verify")]
    InvalidToken(TokenProblem),
    /// A public key can't be used to verify tokens: it can't be parsed, it is too short, or none has been fetched yet.
    #[cfg(feature = "verify")]
    InvalidKey,
}

impl ErrorKind {
    /// Returns the kind as one word in `snake_case`, for traces and metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::InvalidInput => "invalid_input",
            Self::Connection => "connection",
            Self::Timeout => "timeout",
            Self::Certificate => "certificate",
            Self::Proxy => "proxy",
            Self::Api => "api",
            Self::ActivationRequired(_) => "activation_required",
            Self::DeviceIdRequired => "device_id_required",
            Self::WrongCredential => "wrong_credential",
            Self::SessionExpired => "session_expired",
            Self::UnexpectedResponse => "unexpected_response",
            Self::ApiKeyUnavailable => "api_key_unavailable",
            Self::RefreshAborted => "refresh_aborted",
            Self::NoRuntime => "no_runtime",
            #[cfg(feature = "blocking")]
            Self::WouldBlock => "would_block",
            #[cfg(feature = "verify")]
            Self::InvalidToken(_) => "invalid_token",
            #[cfg(feature = "verify")]
            Self::InvalidKey => "invalid_key",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
