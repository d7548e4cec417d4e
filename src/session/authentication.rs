//! How a session authenticates its requests. This decides which calls it has besides those of its [kind](super::kind).
//!
//! ```no_run
//! # async fn run(client: synerise_auth::Client, guid: &str, key: synerise_auth::ApiKey) -> synerise_auth::Result<()> {
//! use synerise_auth::session::authentication::Authentication;
//! use synerise_auth::{Session, kind};
//!
//! /// Works with a token and with Basic authentication.
//! async fn count<A: Authentication>(session: &Session<kind::Workspace, A>) -> synerise_auth::Result<usize> {
//!     Ok(session.get("/v4/clients").await?.bytes().len())
//! }
//!
//! count(&client.workspace(key.clone())).await?;
//! count(&client.workspace_basic(guid, key)?).await?;
//! # Ok(()) }
//! ```

#![allow(
    private_interfaces,
    reason = "the trait with these methods is sealed: nobody else can name or call them"
)]

use std::fmt;
use std::sync::Arc;

use crate::lifecycle::Lifecycle;
use crate::transport::{Authenticator, BasicCredential};

mod sealed {
    use super::{Arc, Authenticator};

    pub trait Sealed {
        /// For a request, which borrows its session.
        fn borrowed(&self) -> &dyn Authenticator;

        /// For what outlives the session's handle.
        fn shared(&self) -> Arc<dyn Authenticator>;
    }
}

use sealed::Sealed;

/// How a session authenticates its requests.
pub trait Authentication: Sealed + Clone + fmt::Debug + Send + Sync + 'static {}

/// By a token, which the session obtains and refreshes. Sessions of all kinds have this one.
#[derive(Clone)]
pub struct Tokens(pub(super) Arc<Lifecycle>);

/// By the workspace's GUID and API key in each request: [`Client::workspace_basic`](crate::Client::workspace_basic). There is no
/// token.
#[derive(Clone)]
pub struct Basic(pub(super) BasicCredential);

impl Authentication for Tokens {}
impl Authentication for Basic {}

impl Sealed for Tokens {
    fn borrowed(&self) -> &dyn Authenticator {
        &*self.0
    }

    fn shared(&self) -> Arc<dyn Authenticator> {
        Arc::<Lifecycle>::clone(&self.0)
    }
}

impl Sealed for Basic {
    fn borrowed(&self) -> &dyn Authenticator {
        &self.0
    }

    fn shared(&self) -> Arc<dyn Authenticator> {
        Arc::new(self.0.clone())
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("status", &self.0.status())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Basic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Basic").finish_non_exhaustive()
    }
}
