//! Decides which token a request is authenticated with.

use std::future::Future;
use std::pin::Pin;

use crate::error::Result;
use crate::operation::Operation;
use crate::token::Token;

/// A future of the crate's own traits.
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Decides which token a request is authenticated with.
pub(crate) trait Authenticator: Send + Sync {
    /// The token to send.
    fn token(&self) -> BoxFuture<'_, Result<Token>>;

    /// The server answered 401 to `token`, to a call of an operation or of another endpoint. Returns whether another token
    /// is available, so that another attempt makes sense.
    fn on_unauthorized(&self, token: &Token, operation: Option<&'static Operation>) -> bool;

    /// The server accepted `token`, after it had refused the one before.
    fn on_refresh_helped(&self, _token: &Token) {}
}

/// A token that is always sent, because it can't be replaced.
impl Authenticator for Token {
    fn token(&self) -> BoxFuture<'_, Result<Token>> {
        Box::pin(std::future::ready(Ok(self.clone())))
    }

    fn on_unauthorized(&self, _: &Token, _: Option<&'static Operation>) -> bool {
        false
    }
}
