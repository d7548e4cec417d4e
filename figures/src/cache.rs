//! What all that are compared have in common: they cache a login's token, and give out a header.

use std::future::Future;

use http::HeaderValue;

use crate::Result;
use crate::login_server::LoginServer;

/// A token cache in front of the login server.
pub trait Cache: Send + Sync + Sized + 'static {
    /// Its name in the table.
    const NAME: &'static str;

    /// The path that it logs in at: each cache has its own, so that its logins can be counted.
    const LOGIN: &'static str;

    /// What a read gives: it holds a header that is ready to send.
    type Ready: Send;

    /// A cold cache.
    fn cold(server: &LoginServer) -> Result<Self>;

    /// Reads the token, which logs in when there is none.
    fn read(&self) -> impl Future<Output = Result<Self::Ready>> + Send;

    /// The header inside of what a read gave.
    fn header(ready: &Self::Ready) -> Option<&HeaderValue>;
}
