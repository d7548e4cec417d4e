//! Decides which token a request is authenticated with.

use std::future::Future;
use std::pin::Pin;

use crate::error::Result;
use crate::operation::Unauthorized;
use crate::token::Token;

/// A future of the crate's own traits.
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Decides which token a request is authenticated with.
pub(crate) trait Authenticator: Send + Sync {
    /// The token to send.
    fn token(&self) -> BoxFuture<'_, Result<Token>>;

    /// The server answered 401 to a request with `token`. `refused` is what this refuses; `None` if that is not documented.
    /// `expired` is true when the server says that the token has expired. Returns whether another attempt makes sense, because another token is available.
    fn on_unauthorized(&self, token: &Token, refused: Option<Unauthorized>, expired: bool) -> bool;

    /// The server accepted `token`, after it had refused the one before.
    fn on_refresh_helped(&self, _token: &Token) {}
}

/// A token that is always sent, because it can't be replaced.
impl Authenticator for Token {
    fn token(&self) -> BoxFuture<'_, Result<Token>> {
        Box::pin(std::future::ready(Ok(self.clone())))
    }

    fn on_unauthorized(&self, _: &Token, _: Option<Unauthorized>, _: bool) -> bool {
        false
    }
}
