//! Connection pools: one for each Tokio runtime, and a new one after a connection has failed.

use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::time::Duration;

use tokio::runtime::{Handle, Id};

use crate::error::{Error, Result};
use crate::sync::{Mutex, MutexGuard, lock};

/// How many runtimes have a pool at the same time. A program has one or two. The oldest pool is dropped first.
const MOST_POOLS: usize = 16;

/// The name of the runtime of blocking calls.
#[cfg(feature = "blocking")]
pub(crate) const BLOCKING_RUNTIME: &str = "synerise-auth blocking";

type Build = Box<dyn Fn() -> Result<reqwest::Client> + Send + Sync>;

/// The HTTP clients of a transport. A task of the runtime that opened a pooled connection drives it, and the connection
/// stands still when that runtime does. So no runtime uses another's connections.
pub(crate) struct Pools {
    build: Build,
    /// Creates requests, and is the pool of the first runtime that sends.
    first: reqwest::Client,
    /// Whether there is only the caller's own client, with settings that are not known here.
    own_client: bool,
    by_runtime: Mutex<Vec<Pool>>,
}

struct Pool {
    runtime: Id,
    client: reqwest::Client,
    /// How often the pool was replaced.
    generation: u64,
    /// Whether a connection carries many requests at a time (HTTP/2). Not known before the first response.
    multiplexed: Option<bool>,
}

/// The pool of one attempt.
pub(super) struct Lease {
    pub(super) client: reqwest::Client,
    /// Whether it is the caller's own client, which may follow redirects.
    pub(super) own_client: bool,
    runtime: Id,
    generation: u64,
    multiplexed: Option<bool>,
}

impl Pools {
    pub(crate) fn new(build: Build) -> Result<Self> {
        Ok(Self {
            first: build()?,
            own_client: false,
            build,
            by_runtime: Mutex::default(),
        })
    }

    /// The caller's own client, for every runtime: its settings can't be read, so no other can be built like it.
    pub(crate) fn of_client(client: reqwest::Client) -> Self {
        let first = client.clone();
        Self {
            build: Box::new(move || Ok(client.clone())),
            first,
            own_client: true,
            by_runtime: Mutex::default(),
        }
    }

    pub(super) fn is_own_client(&self) -> bool {
        self.own_client
    }

    /// A client that only creates requests and sends none.
    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.first
    }

    /// The pool of the current runtime.
    pub(super) fn lease(&self) -> Result<Lease> {
        let runtime = Handle::try_current().map_err(|_| Error::no_runtime())?;
        #[cfg(feature = "blocking")]
        if self.own_client && runtime.name() == Some(BLOCKING_RUNTIME) {
            return Err(Error::invalid_input(
                "HTTP client",
                "is your own, and its connections may wait for the runtime that a blocking call blocks",
                "use a client without ClientBuilder::http_client for blocking calls",
            ));
        }
        let runtime = runtime.id();
        if let Some(pool) = self.lock().iter().find(|pool| pool.runtime == runtime) {
            return Ok(pool.lease(self.own_client));
        }
        check_drivers()?;
        let client = if self.lock().is_empty() {
            self.first.clone()
        } else {
            (self.build)()?
        };
        let mut pools = self.lock();
        if let Some(pool) = pools.iter().find(|pool| pool.runtime == runtime) {
            return Ok(pool.lease(self.own_client));
        }
        if pools.len() >= MOST_POOLS {
            pools.remove(0);
        }
        let pool = Pool {
            runtime,
            client,
            generation: 0,
            multiplexed: None,
        };
        let lease = pool.lease(self.own_client);
        pools.push(pool);
        Ok(lease)
    }

    /// Notes the kind of connection that a response used.
    pub(super) fn answered(&self, lease: &Lease, version: http::Version) {
        let multiplexed = Some(version >= http::Version::HTTP_2);
        if lease.multiplexed != multiplexed
            && let Some(pool) = self.lock().iter_mut().find(|pool| pool.is_of(lease))
        {
            pool.multiplexed = multiplexed;
        }
    }

    /// Abandons a pool's connections after one has failed, so that the next attempt opens a new one. An HTTP/1 connection
    /// is closed with the attempt that failed on it, so there is nothing to abandon.
    pub(super) fn leave(&self, lease: &Lease) {
        if lease.multiplexed == Some(false) || !self.lock().iter().any(|pool| pool.is_of(lease)) {
            return;
        }
        let Ok(client) = (self.build)() else { return };
        if let Some(pool) = self.lock().iter_mut().find(|pool| pool.is_of(lease)) {
            pool.client = client;
            pool.generation += 1;
            pool.multiplexed = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Pool>> {
        lock(&self.by_runtime)
    }
}

impl Pool {
    fn lease(&self, own_client: bool) -> Lease {
        Lease {
            client: self.client.clone(),
            own_client,
            runtime: self.runtime,
            generation: self.generation,
            multiplexed: self.multiplexed,
        }
    }

    fn is_of(&self, lease: &Lease) -> bool {
        self.runtime == lease.runtime && self.generation == lease.generation
    }
}

impl fmt::Debug for Pools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pools")
            .field("runtimes", &self.lock().len())
            .finish_non_exhaustive()
    }
}

/// A runtime can be built without its drivers. Tokio then panics where they are used, and offers no way to ask before. So
/// this tries them, once for each runtime. [`ErrorKind::NoRuntime`](crate::ErrorKind::NoRuntime) says what that means for a
/// program.
fn check_drivers() -> Result<()> {
    #[allow(
        clippy::disallowed_methods,
        reason = "nothing sleeps: this only asks whether anything could"
    )]
    let time = panic::catch_unwind(|| drop(tokio::time::sleep(Duration::ZERO)));
    if time.is_err() {
        return Err(Error::no_driver("time"));
    }
    let Ok(socket) = std::net::UdpSocket::bind(("127.0.0.1", 0)) else {
        return Ok(());
    };
    if socket.set_nonblocking(true).is_err() {
        return Ok(());
    }
    let io = panic::catch_unwind(AssertUnwindSafe(|| drop(tokio::net::UdpSocket::from_std(socket))));
    io.map_err(|_| Error::no_driver("IO"))
}
