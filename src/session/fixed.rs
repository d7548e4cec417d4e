//! A session for tests that needs no server.

use std::sync::Arc;

use crate::Client;
use crate::clock::{Clock, SystemClock};
use crate::error::{Error, Result};
use crate::lifecycle::{Lifecycle, Previous, TokenSource};
use crate::secret::Secret;
use crate::token::{Timestamp, Token, TokenResponse, TokenTimes};
use crate::transport::BoxFuture;

use super::Session;
use super::kind::Kind;

impl<K: Kind> Session<K> {
    /// Creates a session with this token, for tests that need no server. It can't get another token: when this one has
    /// expired or was invalidated, [`token`](Self::token) fails with
    /// [`ErrorKind::SessionExpired`](crate::ErrorKind::SessionExpired). Requests go to a port of this machine on which no
    /// server listens.
    ///
    /// Only with the feature `test-util`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> synerise_auth::Result<()> {
    /// use std::time::Duration;
    /// use synerise_auth::{Token, WorkspaceSession};
    ///
    /// let session = WorkspaceSession::fixed(Token::for_tests("not-a-real-token", Duration::from_secs(60)));
    /// assert_eq!(session.token().await?.expose(), "not-a-real-token");
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    /// When no HTTP client can be built, or the token's lifetime is zero.
    #[cfg_attr(docsrs, doc(cfg(feature = "test-util")))]
    #[allow(clippy::expect_used, clippy::needless_pass_by_value, reason = "for tests")]
    pub fn fixed(token: Token) -> Self {
        // Port 9 is the discard service, and nothing listens there.
        let client = Client::builder().base_url("http://127.0.0.1:9").build();
        let context = client.expect("an HTTP client can be built").into_context();
        let now = SystemClock::default().now();
        let response = TokenResponse {
            operation: "Session::fixed",
            token: Secret::new(token.expose()),
            times: TokenTimes {
                expiration: Timestamp::Value(now.wall.saturating_add(token.lifetime()).as_secs()),
                created: Timestamp::Absent,
            },
            details: None,
            stored: false,
            shared_as: None,
            age: std::time::Duration::ZERO,
            server_date: Some(std::time::Duration::from_secs(now.wall.as_secs())),
            sent: now,
            arrived: now,
        };
        let lifecycle = Lifecycle::with_token(Arc::clone(&context.config), Box::new(FixedToken), response);
        Self::new(context, lifecycle.expect("the token is valid"))
    }
}

struct FixedToken;

impl TokenSource for FixedToken {
    fn fetch(&self, _: Option<Previous>) -> BoxFuture<'static, Result<TokenResponse>> {
        Box::pin(std::future::ready(Err(Error::session_expired(
            "a fixed token can't be refreshed",
            "give Session::fixed a token that is valid for longer",
            None,
        ))))
    }

    fn is_refreshable(&self) -> bool {
        false
    }

    fn kind(&self) -> &'static str {
        "fixed"
    }
}
