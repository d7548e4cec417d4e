//! The client's configuration.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use http::HeaderValue;

use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::lifecycle::{LifecycleConfig, RefreshPolicy, SharedStore};
use crate::operation::{Evidence, OPERATIONS, Operation};
use crate::random::{Random, SystemRandom};
use crate::region::Region;
use crate::session::{Context, UuidOwners};
use crate::store::{StorePolicy, TokenStore};
use crate::transport::{
    BaseUrl, HttpConfig, HttpSettings, Limits, OperationPath, Pools, RetryBudget, RetryPolicy, Transport,
};

use super::Client;

/// Builds a [`Client`]. Building does no I/O and spawns nothing.
#[must_use]
pub struct ClientBuilder {
    base_url: String,
    plaintext_allowed: bool,
    app: Option<String>,
    http: Vec<HttpSettings>,
    http_client: Option<reqwest::Client>,
    limits: Limits,
    retry: RetryPolicy,
    refresh: RefreshPolicy,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    store: Option<Arc<dyn TokenStore>>,
    store_policy: StorePolicy,
    /// By operation id, exactly as the caller passed it.
    paths: HashMap<String, String>,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            base_url: Region::default().base_url().to_owned(),
            plaintext_allowed: false,
            app: None,
            http: Vec::new(),
            http_client: None,
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
            store_policy: StorePolicy::default(),
            paths: HashMap::new(),
        }
    }
}

impl ClientBuilder {
    /// Starts with the settings in the environment: see [`Config::from_env`]. What is set afterwards replaces them.
    ///
    /// ```no_run
    /// # fn run() -> synerise_auth::Result<()> {
    /// use synerise_auth::ClientBuilder;
    ///
    /// let client = ClientBuilder::from_env()?.app("shop/1.0").build()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Fails like [`Config::from_env`].
    pub fn from_env() -> Result<Self> {
        Ok(Self::default().config(&Config::from_env()?))
    }

    /// Applies the settings of a configuration. What it does not mention stays as it is.
    ///
    /// The API key is not among them: pass [`Config::api_key`] to [`Client::workspace`].
    pub fn config(mut self, config: &Config) -> Self {
        if let Some(base_url) = config.base_url() {
            base_url.clone_into(&mut self.base_url);
        }
        self.app = config.app.clone().or(self.app);
        let limits = &mut self.limits;
        for (limit, configured) in [
            (&mut limits.connect, config.connect_timeout),
            (&mut limits.attempt, config.attempt_timeout),
            (&mut limits.call, config.call_timeout),
        ] {
            *limit = configured.unwrap_or(*limit);
        }
        if let Some(attempts) = config.max_attempts {
            self.retry = self.retry.with_max_attempts(attempts);
        }
        if let Some(margin) = config.refresh_margin {
            self.refresh = self.refresh.with_margin(margin);
        }
        if let Some(timeout) = config.refresh_timeout {
            self.refresh = self.refresh.with_timeout(timeout);
        }
        self
    }

    /// Sets the environment that the workspace lives in.
    pub fn region(self, region: Region) -> Self {
        self.base_url(region.base_url())
    }

    /// Sets a base URL instead of a region's, such as your own gateway in front of Synerise, or an emulator.
    ///
    /// Synerise's mobile SDKs use other names for the regions' hosts: `https://api.snrapi.com`, `https://api.azu.snrapi.com`
    /// and `https://api.geb.snrapi.com`. They are accepted here like any other host. A server has no reason to prefer them.
    ///
    /// Tokens stay with the host that they come from. Nothing published says that the two hosts of a region accept each other's
    /// tokens, so a session that was saved at one is refused at the other, and a store has two entries.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = base_url.into();
        self
    }

    /// Allows keys and tokens to travel unencrypted to any host. Anybody on the network path can then read them, so use it
    /// in a closed network only. By default, plain HTTP is accepted to this machine alone. It does not apply to
    /// [`Client::workspace_basic`], whose key travels with each request.
    pub fn allow_plain_http_to_any_host(mut self) -> Self {
        self.plaintext_allowed = true;
        self
    }

    /// Adds your application's name and version to the `User-Agent`.
    pub fn app(mut self, name_and_version: impl Into<String>) -> Self {
        self.app = Some(name_and_version.into());
        self
    }

    /// Changes the HTTP client's settings, such as a proxy, certificates or connection pools. Further calls add to the
    /// earlier ones.
    ///
    /// Each Tokio runtime that sends requests has its own connection pool, and gets a new one after an HTTP/2 connection
    /// has failed. The function is called once for each pool.
    ///
    /// Some settings have no effect here. Redirects stay off, because they would take credentials to other hosts. The HTTP
    /// client's own retries stay off too: only [`retry_policy`](Self::retry_policy) decides. The connection timeout is set
    /// by [`connect_timeout`](Self::connect_timeout). Proxies from the environment are used, except for plain HTTP to this
    /// machine, which goes through a proxy only if it is set here.
    ///
    /// ```
    /// # use synerise_auth::Client;
    /// let client = Client::builder().http(|http| http.pool_max_idle_per_host(4)).build()?;
    /// # Ok::<(), synerise_auth::Error>(())
    /// ```
    #[doc(alias("proxy", "certificate", "TLS", "CA"))]
    pub fn http(
        mut self,
        settings: impl Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + Sync + 'static,
    ) -> Self {
        self.http.push(Arc::new(settings));
        self
    }

    /// Sends all requests with a `reqwest::Client` of your own, in place of the one that is built here. Use it to share a
    /// client whose settings can't be given to [`http`](Self::http), which is the better choice: it changes single settings
    /// and keeps everything in the table.
    ///
    /// The settings of a client can't be read. So some things are not known here, and depend on your client:
    ///
    /// | | with your client |
    /// |---|---|
    /// | redirects | **Build it with `redirect::Policy::none()`.** reqwest follows redirects by default, and sends the body of a login, with its API key or password, to wherever a 307 or 308 leads. A followed redirect is an error, but only afterwards. |
    /// | retries | Build it with `retry::never()`. Retries by the client are not counted, and send requests again that must be sent once, such as a registration. |
    /// | default headers | An `Authorization` header in its settings goes out with the logins, which have none of their own. Headers that are set here replace those of the client. |
    /// | cookies | A cookie store sends one session's cookies with another's requests. |
    /// | connection timeout | [`connect_timeout`](Self::connect_timeout) has no effect. [`attempt_timeout`](Self::attempt_timeout) and [`call_timeout`](Self::call_timeout) hold, and replace the client's total timeout. |
    /// | proxies | Proxies from the environment also apply to plain HTTP on this machine, and one that can't be parsed is ignored. |
    /// | connections | All runtimes share one pool. A connection stands still with the runtime that opened it, so use the client in one runtime only. After an HTTP/2 connection has failed, it is not replaced. |
    /// | certificates, TLS versions | as your client checks them |
    ///
    /// What holds with any client: the time limits, the size limit, HTTPS by the base URL, and that a token goes to that host.
    ///
    /// The client has to be of the reqwest that this crate uses: [`synerise_auth::reqwest`](crate::reqwest).
    ///
    /// ```
    /// use synerise_auth::{Client, reqwest};
    ///
    /// let http = reqwest::Client::builder()
    ///     .redirect(reqwest::redirect::Policy::none())
    ///     .retry(reqwest::retry::never())
    ///     .build()?;
    /// let client = Client::builder().http_client(http).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.http_client = Some(client);
        self
    }

    /// Sets how long a connection may take to open, including TLS and a proxy. The default is 5 s. It is never longer than
    /// three quarters of [`attempt_timeout`](Self::attempt_timeout): a request that got no connection was not sent, so any
    /// request can be sent again.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.limits.connect = timeout;
        self
    }

    /// Sets how long a single response may take, including its body. The default is 10 s.
    #[doc(alias("timeout"))]
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.limits.attempt = timeout;
        self
    }

    /// Sets how long a call may take, including its retries and a token refresh. The default is 60 s.
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.limits.call = timeout;
        self
    }

    /// Sets how large a response may be, in bytes. The default is 16 MiB.
    ///
    /// Reading a documented response or an error takes no more than twice as much memory, and a few megabytes for buffers and
    /// for looking for secrets in an error's text. Many small values take much more than their text, so such a response can
    /// be refused although it is shorter.
    pub fn max_response_bytes(mut self, bytes: usize) -> Self {
        self.limits.body = bytes;
        self
    }

    /// Sets how requests are retried.
    pub fn retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Sets when tokens are refreshed.
    pub fn refresh_policy(mut self, policy: RefreshPolicy) -> Self {
        self.refresh = policy;
        self
    }

    /// Sets the source of the time. Tests pass a `ManualClock` (feature `test-util`).
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the source of jitter.
    pub fn random(mut self, random: impl Random) -> Self {
        self.random = Arc::new(random);
        self
    }

    /// Sets a store where the sessions of workspaces, visitors and customers share their tokens. There is none by default:
    /// each session keeps its own token. Customers' sessions are shared by the clients that
    /// [resume](crate::session::ProfileLogins::resume) the same one.
    pub fn store(mut self, store: impl TokenStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Sets how long sessions wait for the store, and for the login of another client that shares it.
    pub fn store_policy(mut self, policy: StorePolicy) -> Self {
        self.store_policy = policy;
        self
    }

    /// Replaces the path of an operation whose path Synerise does not publish (it was observed in Synerise's apps, or
    /// inferred). A path that Synerise states can't be replaced.
    ///
    /// The operation is named by its id in the document, as [`Error::operation`] returns it. A path with parameters has them
    /// in braces, by the names that the operation's own path has: `/elsewhere/{clientID}/logout`.
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
    /// Returns [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when
    ///
    /// - the base URL is not a URL, or would send credentials unencrypted to another host,
    /// - the application's name can't be part of a header,
    /// - the HTTP client refuses its settings (no TLS, for example),
    /// - both [`http`](Self::http) and [`http_client`](Self::http_client) were called,
    /// - [`operation_path`](Self::operation_path) was given an operation that is unknown or whose path is stated, or a path
    ///   with other parameters than the operation's own,
    /// - the machine has no CA certificates, unless the base URL is plain HTTP,
    /// - a proxy in the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`) can't be parsed, because requests would then
    ///   bypass it.
    pub fn build(self) -> Result<Client> {
        let base = BaseUrl::parse(&self.base_url, self.plaintext_allowed)?;
        let mut paths = HashMap::new();
        for (id, path) in self.paths {
            let path = OperationPath::new(&base, overridable(&id)?, path)?;
            paths.insert(path.operation().id, path);
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
        let mut user_agent = None;
        let pools = match self.http_client {
            None => {
                let http = HttpConfig::new(&base, agent, limits.connect, self.http)?;
                Pools::new(Box::new(move || http.build()))?
            }
            Some(client) if self.http.is_empty() => {
                // It is always a header: a name with control characters was refused above.
                user_agent = HeaderValue::try_from(agent).ok();
                Pools::of_client(client)
            }
            Some(_) => {
                return Err(Error::invalid_input(
                    "HTTP client",
                    "was given whole, so settings for another one can't be applied to it",
                    "use either ClientBuilder::http_client or ClientBuilder::http",
                ));
            }
        };
        let transport = Arc::new(Transport {
            pools,
            user_agent,
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
            store: self.store.map(|store| SharedStore::new(store, self.store_policy)),
            logins: AtomicU64::default(),
            uuid_owners: UuidOwners::default(),
        };
        Ok(Client(
            Arc::new(context),
            #[cfg(feature = "verify")]
            published_keys,
        ))
    }
}

/// The operation with this id, unless Synerise states its path.
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
