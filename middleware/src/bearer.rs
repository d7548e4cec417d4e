//! What the middleware and the layer have in common: which requests carry the token, and what a 401 means.

use std::fmt;
use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use synerise_auth::{Result, Token, TokenProvider};

/// Puts the tokens of a session on requests.
#[derive(Clone)]
pub(crate) struct Bearer(Arc<dyn TokenProvider>);

impl Bearer {
    pub(crate) fn new(provider: impl TokenProvider + 'static) -> Self {
        Self(Arc::new(provider))
    }

    /// Whether the token goes on a request to `url`. It does not when the caller authorizes the request, or when the request
    /// goes to another place.
    pub(crate) fn applies(&self, url: &str, headers: &HeaderMap) -> bool {
        if headers.contains_key(AUTHORIZATION) {
            return false;
        }
        let allowed = self.0.allows_url(url);
        if !allowed {
            // The URL is not shown, because it can contain anything.
            tracing::debug!("the request does not go to the session's base URL; it gets no token");
        }
        allowed
    }

    /// Whether the token may be sent to `url`.
    #[cfg(feature = "reqwest-middleware")]
    pub(crate) fn allows(&self, url: &str) -> bool {
        self.0.allows_url(url)
    }

    /// Puts a valid token on a request.
    pub(crate) async fn authorize(&self, headers: &mut HeaderMap) -> Result<Token> {
        let token = self.0.token().await?;
        headers.insert(AUTHORIZATION, token.header().clone());
        Ok(token)
    }

    /// Whether `token` was refused, and there is another one to try.
    pub(crate) fn is_refused(&self, token: &Token, status: StatusCode, headers: &HeaderMap) -> bool {
        is_unauthorized(status, headers) && self.0.token_refused(token)
    }

    /// Notes the response to the second attempt.
    pub(crate) fn tried_again(&self, token: &Token, status: StatusCode, headers: &HeaderMap) {
        if status.is_success() && !is_unauthorized(status, headers) {
            self.0.token_accepted(token);
        }
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bearer").finish_non_exhaustive()
    }
}

/// A 401, or a gRPC response without messages whose status is `UNAUTHENTICATED` (16): its HTTP status is 200.
fn is_unauthorized(status: StatusCode, headers: &HeaderMap) -> bool {
    status == StatusCode::UNAUTHORIZED
        || headers
            .get("grpc-status")
            .is_some_and(|status| status.as_bytes() == b"16")
}
