//! Decides which credential a request is authenticated with.

use std::future::Future;
use std::pin::Pin;

use http::HeaderValue;

use crate::error::{Redactor, Result};
use crate::operation::Unauthorized;
use crate::token::Token;

use super::basic::BasicCredential;

/// A future of the crate's own traits.
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a request is authenticated with.
#[derive(Clone)]
pub(crate) enum Credential {
    Token(Token),
    Basic(BasicCredential),
}

impl Credential {
    /// The value of the `Authorization` header, marked as sensitive.
    pub(super) fn header(&self) -> &HeaderValue {
        match self {
            Self::Token(token) => token.header(),
            Self::Basic(basic) => basic.header(),
        }
    }

    pub(super) fn token(&self) -> Option<&Token> {
        match self {
            Self::Token(token) => Some(token),
            Self::Basic(_) => None,
        }
    }

    /// Tells a redactor what a server may quote.
    pub(super) fn add_to(&self, redactor: &mut Redactor) {
        match self {
            Self::Token(token) => redactor.add(token.expose()),
            Self::Basic(basic) => basic.add_to(redactor),
        }
    }
}

/// Decides which credential a request is authenticated with.
pub(crate) trait Authenticator: Send + Sync {
    /// The credential to send.
    fn credential(&self) -> BoxFuture<'_, Result<Credential>>;

    /// The server answered 401 to a request with `token`. `refused` is what this refuses; `None` if that is not documented.
    /// `expired` is true when the server says that the token has expired. Returns whether another attempt makes sense, because
    /// another token is available: by default, it makes none.
    fn on_unauthorized(&self, _token: &Token, _refused: Option<Unauthorized>, _expired: bool) -> bool {
        false
    }

    /// The server accepted `token`, after it had refused the one before.
    fn on_refresh_helped(&self, _token: &Token) {}
}

/// A token that is always sent, because it can't be replaced.
impl Authenticator for Token {
    fn credential(&self) -> BoxFuture<'_, Result<Credential>> {
        Box::pin(std::future::ready(Ok(Credential::Token(self.clone()))))
    }
}

impl Authenticator for BasicCredential {
    fn credential(&self) -> BoxFuture<'_, Result<Credential>> {
        Box::pin(std::future::ready(Ok(Credential::Basic(self.clone()))))
    }
}
