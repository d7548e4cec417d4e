//! What gives tokens, whatever the kind of session.

use std::future::Future;
use std::pin::Pin;

use crate::error::Result;

use super::Token;

/// What [`TokenProvider::token`] returns.
pub type TokenFuture<'a> = Pin<Box<dyn Future<Output = Result<Token>> + Send + 'a>>;

/// Gives tokens that are valid now. Every [`Session`](crate::Session) is one.
///
/// For code that needs a token and does not depend on the kind of session: it can hold an `Arc<dyn TokenProvider>`, and a test can give it
/// a provider of its own, or a session that needs no server (`Session::fixed`, with the feature `test-util`).
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
    /// A token that is valid now: the cached one, or a new one.
    ///
    /// # Errors
    /// Why there is none: what the login or the refresh failed with.
    fn token(&self) -> TokenFuture<'_>;

    /// Discards the cached token, for callers that know it is no longer valid. The next [`token`](Self::token) gets another
    /// one.
    fn invalidate(&self);
}
