//! Blocking calls, for programs without async code. Only with the feature `blocking`.
//!
//! There is no second API. A [`Runtime`] waits for any call of the crate, on the thread that makes it:
//!
//! ```no_run
//! use synerise_auth::{ApiKey, Client, Identity, LoginId, blocking};
//!
//! # fn password() -> String { String::new() }
//! fn main() -> synerise_auth::Result<()> {
//!     let runtime = blocking::Runtime::new()?;
//!     let client = Client::builder().build()?;
//!
//!     let workspace = client.workspace(ApiKey::from_env("SYNERISE_API_KEY")?);
//!     let token = runtime.block_on(workspace.token())?;
//!     let clients = runtime.block_on(workspace.get("/v4/clients"))?;
//!
//!     let logins = client.profile(ApiKey::from_env("SYNERISE_PROFILE_KEY")?);
//!     let uuid = "00000000-0000-4000-8000-000000000001";
//!     let identity = Identity::synerise(LoginId::email("a@b.example"), password(), uuid);
//!     let profile = runtime.block_on(logins.login(identity))?;
//!     Ok(())
//! }
//! ```
//!
//! What is not async is called as it is: [`Session::cached_token`](crate::Session::cached_token),
//! [`Session::status`](crate::Session::status), [`Session::invalidate`](crate::Session::invalidate).
//!
//! # Where it may be called
//!
//! | on | |
//! |---|---|
//! | a thread without a runtime | works |
//! | `tokio::task::spawn_blocking`, `block_in_place` | works |
//! | a thread that runs async code | [`ErrorKind::WouldBlock`](crate::ErrorKind::WouldBlock): the thread would stand still, and with it the other tasks. Nothing is sent. Await the call instead |
//!
//! The error is the same in debug and in release builds. There is no deadlock in any of these places, because the requests are
//! driven by the runtime's own thread and never by the caller's runtime. For the same reason, a client with a `reqwest::Client`
//! of your own ([`ClientBuilder::http_client`](crate::ClientBuilder::http_client)) is refused: its connections may be driven by
//! a runtime that is waiting for this very call.
//!
//! # What runs in the background
//!
//! One thread, from [`Runtime::new`] on. It drives requests, and refreshes that were started by a call here, also when the call
//! has returned. To keep a session refreshed between calls, start [`keep_alive`](crate::Session::keep_alive) there:
//!
//! ```no_run
//! # fn run(workspace: synerise_auth::WorkspaceSession) -> synerise_auth::Result<()> {
//! let runtime = synerise_auth::blocking::Runtime::new()?;
//! let guard = runtime.block_on(async { workspace.keep_alive() })?;
//! # Ok(()) }
//! ```
//!
//! Dropping the last clone of a runtime ends the thread. It waits for nothing, and may happen anywhere, also in async code.

use std::fmt;
use std::future::{IntoFuture, ready};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::runtime::{self, Builder, Handle};
use tokio::task::coop;

use crate::error::{Error, Result};
use crate::transport::BLOCKING_RUNTIME;

/// Waits for calls on the thread that makes them. Create one for your program, and clone it: a clone is a pointer.
#[derive(Clone)]
pub struct Runtime(Arc<Inner>);

struct Inner {
    handle: Handle,
    /// Only `None` while it is dropped.
    runtime: Option<runtime::Runtime>,
}

impl Runtime {
    /// Starts the thread that drives requests.
    ///
    /// # Errors
    /// Returns [`ErrorKind::NoRuntime`](crate::ErrorKind::NoRuntime) when the system starts no more threads.
    pub fn new() -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("synerise-auth")
            .name(BLOCKING_RUNTIME)
            .enable_all()
            .build()
            .map_err(|_| Error::no_thread())?;
        Ok(Self(Arc::new(Inner {
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
        })))
    }

    /// Waits for a call of this crate: whatever can be awaited and ends with a [`Result`].
    ///
    /// The call's own limits apply: [`ClientBuilder::call_timeout`](crate::ClientBuilder::call_timeout) and the others.
    ///
    /// # Errors
    /// Returns the error of the call, or [`ErrorKind::WouldBlock`](crate::ErrorKind::WouldBlock) on a thread that runs async
    /// code.
    pub fn block_on<T>(&self, call: impl IntoFuture<Output = Result<T>>) -> Result<T> {
        if Handle::try_current().is_ok() && !self.may_block() {
            return Err(Error::would_block());
        }
        self.0.handle.block_on(call.into_future())
    }

    /// Whether this thread, which knows a runtime, is free to wait: `spawn_blocking` is, a task is not. Tokio has no function
    /// for that.
    fn may_block(&self) -> bool {
        if has_budget() {
            return false;
        }
        // A task that opted out of its budget. Tokio refuses to block there by a panic.
        let attempt = AssertUnwindSafe(|| self.0.handle.block_on(ready(())));
        panic::catch_unwind(attempt).is_ok()
    }
}

/// Whether Tokio limits how much this thread may do before it yields. Only async code has such a budget.
///
/// It is 128 steps, and at most 255. So it is spent, and then given back.
fn has_budget() -> bool {
    let mut context = Context::from_waker(Waker::noop());
    let mut spent = Vec::new();
    let limited = loop {
        match coop::poll_proceed(&mut context) {
            Poll::Pending => break true,
            Poll::Ready(_) if spent.len() > usize::from(u8::MAX) => break false,
            Poll::Ready(step) => spent.push(step),
        }
    };
    // Each one restores what it found, so the first has to be the last.
    while spent.pop().is_some() {}
    limited
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").finish_non_exhaustive()
    }
}
