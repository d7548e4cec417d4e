//! The client: where Synerise is, and how it is talked to. Sessions come out of it.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};
use crate::error::{Error, Result, causes};
use crate::lifecycle::registry::{Registry, SessionKey};
use crate::lifecycle::{Acquire, Lifecycle, RenewalPolicy, StoreFirst, Surroundings};
use crate::random::{Random, SystemRandom};
use crate::raw;
use crate::region::{BaseUrl, Region};
use crate::retry::{RetryBudget, RetryPolicy};
use crate::secret::Secret;
use crate::store::{StoreKey, TokenStore};
use crate::transport::{Limits, Transport};

/// A client of one Synerise environment. Cloning it copies a pointer; clones share connections and sessions.
///
/// ```no_run
/// # async fn run() -> synerise_auth::Result<()> {
/// use synerise_auth::{ApiKey, Client, Region};
///
/// let client = Client::builder().region(Region::AzureEu).build()?;
/// let workspace = client.workspace(ApiKey::from_env("SYNERISE_API_KEY")?);
/// let token = workspace.token().await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    transport: Arc<Transport>,
    surroundings: Arc<Surroundings>,
    registry: Arc<Registry>,
    store: Option<Arc<dyn TokenStore>>,
}

impl Client {
    /// Begins a client of the default region, [`Region::AzureEu`].
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// The base URL that requests go to.
    pub fn base_url(&self) -> &str {
        self.transport().base().as_str()
    }

    /// The key that Synerise's tokens are signed with, as PEM. It needs no login.
    ///
    /// Operation `getPublicKey` (`GET /v4/public.pem`).
    ///
    /// # Errors
    /// [`Error::UnexpectedResponse`] when the answer is no public key in PEM.
    pub async fn public_key(&self) -> Result<String> {
        let operation = &raw::GET_PUBLIC_KEY;
        let exchange = raw::Exchange::new(self.transport(), operation, None);
        let result = exchange.raw.get_public_key().await;
        let reply = exchange.finish_untyped(result)?;
        match str::from_utf8(&reply.body) {
            Ok(text) if text.contains("-----BEGIN PUBLIC KEY-----") => Ok(text.to_owned()),
            _ => Err(Error::unexpected_response(
                operation.id.into(),
                reply.status(),
                "it is no public key in PEM",
            )),
        }
    }

    /// The generated bindings without a session: for the operations that need none.
    pub fn raw(&self) -> raw::Client {
        raw::Client::open(Arc::clone(self.transport()), None)
    }

    pub(crate) fn transport(&self) -> &Arc<Transport> {
        &self.0.transport
    }

    /// The lifecycle of a session that is shared by all who ask for the same one.
    pub(crate) fn shared_lifecycle<S: Acquire + 'static>(
        &self,
        kind: &'static str,
        key: &Secret,
        identity: &[&str],
        source: impl FnOnce(&Arc<Transport>) -> S,
    ) -> Arc<Lifecycle> {
        let key = SessionKey::new(self.base_url(), kind, key, identity);
        let Inner {
            transport,
            surroundings,
            registry,
            store,
        } = &*self.0;
        Registry::get_or_create(registry, key, || {
            let source = source(transport);
            let source: Box<dyn Acquire> = match store {
                Some(store) => {
                    let key = StoreKey::new(key.as_bytes());
                    Box::new(StoreFirst::new(
                        source,
                        Arc::clone(store),
                        key,
                        Arc::clone(surroundings),
                    ))
                }
                None => Box::new(source),
            };
            (Arc::clone(surroundings), source)
        })
    }

    pub(crate) fn surroundings(&self) -> &Arc<Surroundings> {
        &self.0.surroundings
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.base_url())
            .field("sessions", &self.0.registry)
            .finish_non_exhaustive()
    }
}

type HttpSettings = Box<dyn FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send>;

/// Builds a [`Client`]. Building does no input or output and spawns nothing.
#[must_use]
pub struct ClientBuilder {
    base_url: String,
    plain_http_allowed: bool,
    app: Option<String>,
    http: Option<HttpSettings>,
    limits: Limits,
    retry: RetryPolicy,
    renewal: RenewalPolicy,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    store: Option<Arc<dyn TokenStore>>,
    paths: HashMap<&'static str, String>,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            base_url: Region::default().base_url().to_owned(),
            plain_http_allowed: false,
            app: None,
            http: None,
            limits: Limits {
                attempt: Duration::from_secs(10),
                call: Duration::from_secs(60),
                body: 16 * 1024 * 1024,
            },
            retry: RetryPolicy::default(),
            renewal: RenewalPolicy::default(),
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
        self.plain_http_allowed = true;
        self
    }

    /// Your application's name and version, added to the `User-Agent`.
    pub fn app(mut self, name_and_version: impl Into<String>) -> Self {
        self.app = Some(name_and_version.into());
        self
    }

    /// Changes the HTTP client's settings: a proxy, certificates, connection pools.
    ///
    /// Redirects stay off whatever is set here: they would take credentials to other hosts. The environment's proxies are
    /// used, but not for plain HTTP to this machine: that goes through a proxy only if it is set here.
    ///
    /// ```
    /// # use synerise_auth::Client;
    /// let client = Client::builder().http(|http| http.pool_max_idle_per_host(4)).build()?;
    /// # Ok::<(), synerise_auth::Error>(())
    /// ```
    pub fn http(
        mut self,
        settings: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + 'static,
    ) -> Self {
        self.http = Some(Box::new(settings));
        self
    }

    /// How long a single answer may take, its body included. 10 s by default.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.limits.attempt = timeout;
        self
    }

    /// How long a call may take, its retries and a token's renewal included. 60 s by default.
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.limits.call = timeout;
        self
    }

    /// How large an answer may be, in bytes. 16 MiB by default.
    pub fn max_response_bytes(mut self, bytes: usize) -> Self {
        self.limits.body = bytes;
        self
    }

    /// How requests are sent again.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// When tokens are renewed.
    pub fn renewal(mut self, policy: RenewalPolicy) -> Self {
        self.renewal = policy;
        self
    }

    /// Where the time comes from; tests give a [`ManualClock`](crate::clock::ManualClock).
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

    /// The path of the server-side login, which Synerise does not publish (it is inferred in the document).
    pub fn server_side_login_path(mut self, path: impl Into<String>) -> Self {
        self.paths
            .insert(raw::AUTHENTICATE_PROFILE_SERVER_SIDE.id, path.into());
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] when the base URL is no URL, or would send credentials unencrypted to another host; when
    /// the application's name can't be in a header; when the HTTP client refuses its settings (no TLS, for example).
    pub fn build(self) -> Result<Client> {
        let base = BaseUrl::parse(&self.base_url, self.plain_http_allowed)?;
        for (id, path) in &self.paths {
            base.join(path)
                .map_err(|error| error.in_input(&format!("path of {id}")))?;
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
        let mut http = reqwest::Client::builder().user_agent(agent);
        if base.is_plain_to_this_machine() {
            // A proxy of the environment would get the key unencrypted. One that is set on purpose is set after this.
            http = http.no_proxy();
        }
        let http = match self.http {
            Some(settings) => settings(http),
            None => http,
        };
        let http = http
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| {
                Error::invalid_input(
                    "HTTP client",
                    format!("can't be built: {}", causes(&error.without_url())),
                    "check the settings given to ClientBuilder::http, and that a TLS feature is on",
                )
            })?;
        let transport = Transport {
            http,
            base,
            clock: Arc::clone(&self.clock),
            random: Arc::clone(&self.random),
            limits: self.limits,
            retry: self.retry,
            budget: RetryBudget::new(),
            paths: self.paths,
        };
        let surroundings = Surroundings {
            clock: self.clock,
            random: self.random,
            policy: self.renewal,
        };
        Ok(Client(Arc::new(Inner {
            transport: Arc::new(transport),
            surroundings: Arc::new(surroundings),
            registry: Arc::default(),
            store: self.store,
        })))
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("retry", &self.retry)
            .field("renewal", &self.renewal)
            .finish_non_exhaustive()
    }
}
