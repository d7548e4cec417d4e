//! The interface of everything that provides tokens, whatever the kind of session.

use std::future::Future;
use std::pin::Pin;

use crate::error::Result;

use super::Token;

/// What [`TokenProvider::token`] returns.
pub type TokenFuture<'a> = Pin<Box<dyn Future<Output = Result<Token>> + Send + 'a>>;

/// Provides tokens that are valid now. Every [`Session`](crate::Session) implements it.
///
/// Use it in code that needs a token but does not depend on the kind of session. Such code can hold an `Arc<dyn
/// TokenProvider>`. A test can pass its own provider, or a session that needs no server (`Session::fixed`, with the feature
/// `test-util`).
///
/// ```
/// use std::sync::Arc;
/// use synerise_auth::token::TokenProvider;
///
/// struct Gateway {
///     tokens: Arc<dyn TokenProvider>,
/// }
///
/// impl Gateway {
///     async fn authorization(&self) -> synerise_auth::Result<http::HeaderValue> {
///         Ok(self.tokens.token().await?.header().clone())
///     }
/// }
///
/// # fn run(workspace: synerise_auth::WorkspaceSession) {
/// let gateway = Gateway { tokens: Arc::new(workspace) };
/// # }
/// ```
pub trait TokenProvider: Send + Sync {
    /// Returns a token that is valid now: the cached one, or a new one.
    ///
    /// # Errors
    /// Returns the error of the login or refresh.
    fn token(&self) -> TokenFuture<'_>;

    /// Discards the cached token, for callers that know it is no longer valid. The next [`token`](Self::token) call gets a
    /// new one.
    fn invalidate(&self);
}
