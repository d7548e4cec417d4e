//! The interface of everything that provides tokens, whatever the kind of session.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::error::Result;

use super::Token;

/// What [`TokenProvider::token`] returns.
pub type TokenFuture<'a> = Pin<Box<dyn Future<Output = Result<Token>> + Send + 'a>>;

/// Provides tokens that are valid now. Every [`Session`](crate::Session) with a token implements it.
///
/// Use it in code that needs a token but does not depend on the kind of session. Such code can hold an `Arc<dyn
/// TokenProvider>`. A test can pass its own provider, or a session that needs no server (`Session::fixed`, with the feature
/// `test-util`).
///
/// It is also what an HTTP client of your own needs to send a session's token: which URLs the token may go to, and what to do
/// after a 401. The crate `synerise-auth-middleware` uses it in this way:
///
/// ```
/// use std::sync::Arc;
/// use synerise_auth::token::TokenProvider;
///
/// struct Gateway {
///     tokens: Arc<dyn TokenProvider>,
///     http: reqwest::Client,
/// }
///
/// impl Gateway {
///     async fn get(&self, url: &str) -> Result<reqwest::Response, Box<dyn std::error::Error>> {
///         if !self.tokens.allows_url(url) {
///             return Ok(self.http.get(url).send().await?);
///         }
///         let token = self.tokens.token().await?;
///         let response = self.http.get(url).header("authorization", token.header()).send().await?;
///         if response.status() != 401 || !self.tokens.token_refused(&token) {
///             return Ok(response);
///         }
///         let token = self.tokens.token().await?;
///         let response = self.http.get(url).header("authorization", token.header()).send().await?;
///         if response.status().is_success() {
///             self.tokens.token_accepted(&token);
///         }
///         Ok(response)
///     }
/// }
///
/// # fn run(workspace: synerise_auth::WorkspaceSession) {
/// let gateway = Gateway { tokens: Arc::new(workspace), http: reqwest::Client::new() };
/// # }
/// ```
pub trait TokenProvider: Send + Sync {
    /// Returns a token that is valid now: the cached one, or a new one.
    ///
    /// # Errors
    /// Returns the error of the login or refresh.
    fn token(&self) -> TokenFuture<'_>;

    /// Returns whether the token may be sent to `url`, written as it will be sent.
    ///
    /// A session's token goes to its client's base URL and to the paths below it: the same scheme, host and port. It goes to
    /// no URL that the URL parser would change, because what is checked then differs from what is sent.
    fn allows_url(&self, url: &str) -> bool;

    /// Reports that a server refused `token` with 401. Returns whether another token can be had, so that one more attempt
    /// makes sense.
    ///
    /// The token is discarded, unless it has been replaced already. So many requests may report the same token, however late,
    /// and cause one refresh. A session applies the same rules as to its own requests: see
    /// [`Request`](crate::session::Request).
    fn token_refused(&self, token: &Token) -> bool;

    /// Reports that a server accepted `token` after it had refused the one before. A session then knows that the server does
    /// not refuse every token, and discards the next one that is refused at once.
    fn token_accepted(&self, token: &Token) {
        let _ = token;
    }
}

impl<P: TokenProvider + ?Sized> TokenProvider for Arc<P> {
    fn token(&self) -> TokenFuture<'_> {
        (**self).token()
    }

    fn allows_url(&self, url: &str) -> bool {
        (**self).allows_url(url)
    }

    fn token_refused(&self, token: &Token) -> bool {
        (**self).token_refused(token)
    }

    fn token_accepted(&self, token: &Token) {
        (**self).token_accepted(token);
    }
}
