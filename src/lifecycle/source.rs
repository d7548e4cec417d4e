//! Where a session gets its tokens from.

use crate::error::Result;
use crate::token::{Token, TokenResponse};
use crate::transport::BoxFuture;

/// Knows how a session gets its tokens.
pub(crate) trait TokenSource: Send + Sync {
    /// Gets a token: by prolonging `previous`, by a login, or by the one after the other.
    fn fetch(&self, previous: Option<Previous>) -> BoxFuture<'static, Result<TokenResponse>>;

    /// Whether a token can be renewed before its end.
    fn is_refreshable(&self) -> bool {
        true
    }
}

/// The token before the one that is wanted.
#[derive(Debug, Clone)]
pub(crate) struct Previous {
    pub(crate) token: Token,
    pub(crate) state: PreviousTokenState,
}

/// What the server should think of a token, as far as is known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PreviousTokenState {
    /// It is good.
    Active,
    /// It was refused before its time, or its owner gave it up.
    Rejected,
    /// Its time is over.
    Expired,
}
