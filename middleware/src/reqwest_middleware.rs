//! The middleware for `reqwest-middleware`.

use async_trait::async_trait;
use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::{Error, Middleware, Next, Result};
use synerise_auth::TokenProvider;

use crate::bearer::Bearer;

/// Puts a session's token on requests of a `reqwest_middleware` client.
///
/// A request gets the token when it goes to the session's base URL or a path below it, and has no `Authorization` header of
/// its own. All other requests are sent as they are.
///
/// After a 401, the refused token is discarded and the request is sent once more with a new one. A request whose body is a
/// stream can't be sent twice: it gets the 401, and the next request gets a new token.
///
/// ```no_run
/// # async fn run(workspace: synerise_auth::WorkspaceSession) -> reqwest_middleware::Result<()> {
/// use synerise_auth_middleware::TokenMiddleware;
///
/// let http = reqwest_middleware::ClientBuilder::new(reqwest::Client::new())
///     .with(TokenMiddleware::new(workspace))
///     .build();
/// let clients = http.get("https://api.synerise.com/v4/clients").header("api-version", "4.4").send().await?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// When there is no token, the request is not sent. The error is a [`synerise_auth::Error`] inside a
/// [`reqwest_middleware::Error::Middleware`]:
///
/// ```
/// use synerise_auth::ErrorKind;
///
/// fn has_to_log_in(error: &reqwest_middleware::Error) -> bool {
///     let reqwest_middleware::Error::Middleware(error) = error else { return false };
///     let error = error.downcast_ref::<synerise_auth::Error>();
///     error.is_some_and(|error| error.kind() == ErrorKind::SessionExpired)
/// }
/// ```
#[derive(Debug, Clone)]
pub struct TokenMiddleware(Bearer);

impl TokenMiddleware {
    /// Creates a middleware with a session, or with another provider of tokens.
    pub fn new(provider: impl TokenProvider + 'static) -> Self {
        Self(Bearer::new(provider))
    }
}

#[async_trait]
impl Middleware for TokenMiddleware {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let bearer = &self.0;
        if !bearer.applies(request.url().as_str(), request.headers()) {
            return next.run(request, extensions).await;
        }
        let again = request.try_clone();
        let token = bearer.authorize(request.headers_mut()).await;
        let token = token.map_err(Error::middleware)?;
        let response = next.clone().run(request, extensions).await?;
        // After a redirect, another server has answered. It has not seen the token.
        let own = bearer.allows(response.url().as_str());
        if !own || !bearer.is_refused(&token, response.status(), response.headers()) {
            return Ok(response);
        }
        let Some(mut again) = again else {
            return Ok(response);
        };
        drop(response);
        let token = bearer.authorize(again.headers_mut()).await;
        let token = token.map_err(Error::middleware)?;
        let response = next.run(again, extensions).await?;
        bearer.tried_again(&token, response.status(), response.headers());
        Ok(response)
    }
}
