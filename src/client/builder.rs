//! How a client is configured.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};
use crate::error::{Error, Result};
use crate::lifecycle::{LifecycleConfig, RefreshPolicy};
use crate::operation::{Evidence, OPERATIONS, Operation};
use crate::random::{Random, SystemRandom};
use crate::region::Region;
use crate::session::Context;
use crate::store::TokenStore;
use crate::transport::{
    BaseUrl, HttpConfig, HttpSettings, Limits, Pools, RetryBudget, RetryPolicy, Transport,
};

use super::Client;

/// Builds a [`Client`]. Building does no input or output and spawns nothing.
#[must_use]
pub struct ClientBuilder {
    base_url: String,
    plaintext_allowed: bool,
    app: Option<String>,
    http: Vec<HttpSettings>,
    limits: Limits,
    retry: RetryPolicy,
    refresh: RefreshPolicy,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    store: Option<Arc<dyn TokenStore>>,
    /// By operation id, as the caller wrote it.
    paths: HashMap<String, String>,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            base_url: Region::default().base_url().to_owned(),
            plaintext_allowed: false,
            app: None,
            http: Vec::new(),
            limits: Limits {
                connect: Duration::from_secs(5),
                attempt: Duration::from_secs(10),
                call: Duration::from_secs(60),
                body: 16 * 1024 * 1024,
            },
            retry: RetryPolicy::default(),
            refresh: RefreshPolicy::default(),
            clock: Arc::new(SystemClock::default()),
            random: Arc::new(SystemRandom),
            store: None,
            paths: HashMap::new(),
        }
    }
}

impl ClientBuilder {
    /// The environment that the workspace lives in.
    pub fn region(self, region: Region) -> Self {
        self.base_url(region.base_url())
    }

    /// A base URL in place of a region's: a host of your own in front of Synerise, or an emulator.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = base_url.into();
        self
    }

    /// Lets keys and tokens travel unencrypted to any host. Everybody between here and there can then read them; use it in
    /// a closed network only. Without it, plain HTTP is accepted to this machine alone.
    pub fn allow_plain_http_to_any_host(mut self) -> Self {
        self.plaintext_allowed = true;
        self
    }

    /// Your application's name and version, added to the `User-Agent`.
    pub fn app(mut self, name_and_version: impl Into<String>) -> Self {
        self.app = Some(name_and_version.into());
        self
    }

    /// Changes the HTTP client's settings: a proxy, certificates, connection pools. Called again, it changes them further.
    ///
    /// Each Tokio runtime that sends has a pool of connections of its own, and a new one after a connection of HTTP/2 has
    /// failed; the function is called for each.
    ///
    /// Redirects stay off whatever is set here: they would take credentials to other hosts. So does repeating by the HTTP
    /// client itself: [`retry_policy`](Self::retry_policy) alone decides. The time for a connection is
    /// [`connect_timeout`](Self::connect_timeout). The environment's proxies are used, but not for plain HTTP to this machine:
    /// that goes through a proxy only if it is set here.
    ///
    /// ```
    /// # use synerise_auth::Client;
    /// let client = Client::builder().http(|http| http.pool_max_idle_per_host(4)).build()?;
    /// # Ok::<(), synerise_auth::Error>(())
    /// ```
    pub fn http(
        mut self,
        settings: impl Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + Sync + 'static,
    ) -> Self {
        self.http.push(Arc::new(settings));
        self
    }

    /// How long a connection may take to be made, TLS and a proxy included. 5 s by default, and never longer than three
    /// quarters of [`attempt_timeout`](Self::attempt_timeout): a request that got no connection did not leave, and can be
    /// sent again whatever it is.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.limits.connect = timeout;
        self
    }

    /// How long a single response may take, its body included. 10 s by default.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.limits.attempt = timeout;
        self
    }

    /// How long a call may take, its retries and a token's refresh included. 60 s by default.
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.limits.call = timeout;
        self
    }

    /// How large a response may be, in bytes. 16 MiB by default.
    pub fn max_response_bytes(mut self, bytes: usize) -> Self {
        self.limits.body = bytes;
        self
    }

    /// How requests are sent again.
    pub fn retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// When tokens are refreshed.
    pub fn refresh_policy(mut self, policy: RefreshPolicy) -> Self {
        self.refresh = policy;
        self
    }

    /// Where the time comes from; tests give a `ManualClock` (feature `test-util`).
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Where jitter comes from.
    pub fn random(mut self, random: impl Random) -> Self {
        self.random = Arc::new(random);
        self
    }

    /// Where workspaces' and visitors' sessions keep their tokens beyond themselves. Nowhere by default: a session keeps its
    /// own token.
    pub fn store(mut self, store: impl TokenStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Another path for an operation whose path Synerise does not publish: one that was observed in its apps or inferred. A
    /// path that Synerise states can't be replaced.
    ///
    /// The operation is named by its id in the document, as [`Error::operation`] tells it.
    ///
    /// ```
    /// # use synerise_auth::Client;
    /// let client = Client::builder()
    ///     .operation_path("authenticateProfileServerSide", "/sauth/v3/auth/login/client/backend")
    ///     .build()?;
    /// # Ok::<(), synerise_auth::Error>(())
    /// ```
    pub fn operation_path(mut self, operation_id: impl Into<String>, path: impl Into<String>) -> Self {
        self.paths.insert(operation_id.into(), path.into());
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when the base URL is not a URL, or would send credentials unencrypted to another host; when
    /// the application's name can't be in a header; when the HTTP client refuses its settings (no TLS, for example); when [`operation_path`](Self::operation_path) was given an operation that is
    /// unknown or whose path is stated; when the
    /// machine has no CA certificates, unless the base URL is plain HTTP; when a proxy in the environment (`HTTPS_PROXY`,
    /// `HTTP_PROXY`, `ALL_PROXY`) can't be read, because requests would go around it.
    pub fn build(self) -> Result<Client> {
        let base = BaseUrl::parse(&self.base_url, self.plaintext_allowed)?;
        let mut paths = HashMap::new();
        for (id, path) in self.paths {
            let operation = overridable(&id)?;
            base.join(&path)
                .map_err(|error| error.in_input(&format!("path of {id}")))?;
            paths.insert(operation.id, path);
        }
        let mut agent = format!(
            "synerise-auth/{} ({})",
            env!("CARGO_PKG_VERSION"),
            std::env::consts::OS
        );
        if let Some(app) = &self.app {
            if app.chars().any(char::is_control) {
                return Err(Error::invalid_input(
                    "application name",
                    "holds a control character",
                    "leave it out",
                ));
            }
            agent = format!("{agent} {app}");
        }
        let mut limits = self.limits;
        limits.connect = limits.connect.min(limits.attempt / 4 * 3);
        let http = HttpConfig::new(&base, agent, limits.connect, self.http)?;
        let transport = Arc::new(Transport {
            pools: Pools::new(Box::new(move || http.build()))?,
            base,
            clock: Arc::clone(&self.clock),
            random: Arc::clone(&self.random),
            limits,
            retry: self.retry,
            budget: RetryBudget::new(),
            paths,
        });
        let config = LifecycleConfig {
            clock: self.clock,
            random: self.random,
            policy: self.refresh,
        };
        #[cfg(feature = "verify")]
        let published_keys = Arc::new(crate::verify::PublishedKeys::new(Arc::clone(&transport)));
        let context = Context {
            transport,
            config: Arc::new(config),
            registry: Arc::default(),
            store: self.store,
        };
        Ok(Client(
            Arc::new(context),
            #[cfg(feature = "verify")]
            published_keys,
        ))
    }
}

/// The operation with this id, if its path is not stated by Synerise.
fn overridable(id: &str) -> Result<&'static Operation> {
    let unpublished = OPERATIONS
        .iter()
        .filter(|known| known.evidence != Evidence::Stated);
    if let Some(operation) = unpublished.clone().find(|known| known.id == id) {
        return Ok(operation);
    }
    let problem = if OPERATIONS.iter().any(|known| known.id == id) {
        "can't be replaced: Synerise states it"
    } else {
        "can't be set: there is no such operation"
    };
    let ids: Vec<&str> = unpublished.map(|known| known.id).collect();
    Err(Error::invalid_input(
        format!("path of {id:?}"),
        problem,
        format!("give ClientBuilder::operation_path one of: {}", ids.join(", ")),
    ))
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("retry", &self.retry)
            .field("refresh", &self.refresh)
            .finish_non_exhaustive()
    }
}
