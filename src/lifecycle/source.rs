//! Where a session's tokens come from.

use crate::error::Result;
use crate::token::{Token, TokenResponse};
use crate::transport::BoxFuture;

/// Fetches a session's tokens.
pub(crate) trait TokenSource: Send + Sync {
    /// Fetches a token: by refreshing `previous`, by a login, or by a login after a refused refresh.
    fn fetch(&self, previous: Option<Previous>) -> BoxFuture<'static, Result<TokenResponse>>;

    /// Whether a token can be replaced before it expires.
    fn is_refreshable(&self) -> bool {
        true
    }
}

/// The newest token so far.
#[derive(Debug, Clone)]
pub(crate) struct Previous {
    pub(crate) token: Token,
    pub(crate) state: PreviousTokenState,
}

/// How the server is expected to judge a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PreviousTokenState {
    /// It is valid.
    Active,
    /// A server refused it before it expired, or its owner invalidated it.
    Rejected,
    /// It has expired.
    Expired,
}
