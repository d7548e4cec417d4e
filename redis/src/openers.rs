//! The ways to a server: an address, the master that a Sentinel names, a cluster, a function of the user's.

use std::fmt;
use std::future::Future;
use std::time::Duration;

#[cfg(feature = "sentinel")]
use redis::ConnectionAddr;
use redis::io::tcp::{TcpSettings, socket2};
use redis::{AsyncConnectionConfig, ConnectionInfo, RedisResult};
use synerise_auth::store::StoreError;

use crate::link::{BoxFuture, Link, Opener};

/// Probes find a dead connection that waits for an answer; this finds one whose data nobody confirms.
const UNCONFIRMED: Duration = Duration::from_secs(5);

fn unusable() -> StoreError {
    StoreError::new(
        "the address of Redis can't be used: write it like redis://redis.example:6379/0, or with rediss:// for TLS",
    )
}

/// Checks a URL, without sending anything, and never quotes it: it may hold a password.
pub(crate) fn parse(url: &str) -> Result<ConnectionInfo, StoreError> {
    let wants_tls = ["rediss:", "valkeys:"]
        .iter()
        .any(|scheme| url.starts_with(scheme));
    if wants_tls {
        can_do_tls()?;
    }
    let info: ConnectionInfo = url.parse().map_err(|_| unusable())?;
    let settings = info
        .redis_settings()
        .clone()
        .set_lib_name("synerise-auth-redis", env!("CARGO_PKG_VERSION"));
    Ok(info.set_tcp_settings(tcp()).set_redis_settings(settings))
}

#[cfg(feature = "tls-rustls")]
fn can_do_tls() -> Result<(), StoreError> {
    // The client library would look for one when it connects, and panic.
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        return Err(StoreError::new(
            "rediss:// needs the cryptography of rustls: call rustls::crypto::aws_lc_rs::default_provider().install_default() first, or that of another provider",
        ));
    }
    Ok(())
}

#[cfg(not(feature = "tls-rustls"))]
fn can_do_tls() -> Result<(), StoreError> {
    Err(StoreError::new(
        "rediss:// needs the feature tls-rustls of synerise-auth-redis",
    ))
}

fn tcp() -> TcpSettings {
    let keepalive = socket2::TcpKeepalive::new()
        .with_time(Duration::from_secs(15))
        .with_interval(Duration::from_secs(5));
    let settings = TcpSettings::default().set_nodelay(true).set_keepalive(keepalive);
    #[cfg(any(target_os = "android", target_os = "linux"))]
    let settings = settings.set_user_timeout(UNCONFIRMED);
    settings
}

/// One address.
pub(crate) struct Address(redis::Client);

impl Address {
    pub(crate) fn new(url: &str) -> Result<Self, StoreError> {
        let info = parse(url)?;
        redis::Client::open(info).map(Self).map_err(|_| unusable())
    }
}

impl Opener for Address {
    fn open(&self) -> BoxFuture<'static, RedisResult<Box<dyn Link>>> {
        let client = self.0.clone();
        Box::pin(async move { connect(&client).await })
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.get_connection_info().addr())
    }
}

/// Without the library's own limits: the keeper has one for all of it.
async fn connect(client: &redis::Client) -> RedisResult<Box<dyn Link>> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(None)
        .set_response_timeout(None);
    let connection = client
        .get_multiplexed_async_connection_with_config(&config)
        .await?;
    Ok(Box::new(connection))
}

/// The master of a group, asked for each time: it changes.
#[cfg(feature = "sentinel")]
pub(crate) struct Sentinels {
    addresses: Vec<ConnectionInfo>,
    master: ConnectionInfo,
    name: String,
}

#[cfg(feature = "sentinel")]
impl Sentinels {
    pub(crate) fn new(sentinels: &[&str], master: &str) -> Result<Self, StoreError> {
        let addresses: Vec<_> = sentinels.iter().map(|url| parse(url)).collect::<Result<_, _>>()?;
        let master = parse(master)?;
        let (ConnectionAddr::Tcp(name, _) | ConnectionAddr::TcpTls { host: name, .. }) = master.addr() else {
            return Err(StoreError::new(
                "the master is named as redis://name, as the Sentinels know it",
            ));
        };
        if addresses.is_empty() {
            return Err(StoreError::new("at least one Sentinel is needed"));
        }
        let name = name.clone();
        Ok(Self {
            addresses,
            master,
            name,
        })
    }
}

#[cfg(feature = "sentinel")]
impl Opener for Sentinels {
    fn open(&self) -> BoxFuture<'static, RedisResult<Box<dyn Link>>> {
        use redis::sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType};

        let tls = match self.master.addr() {
            ConnectionAddr::TcpTls { .. } => Some(redis::TlsMode::Secure),
            _ => None,
        };
        let mut node = SentinelNodeConnectionInfo::default()
            .set_redis_connection_info(self.master.redis_settings().clone())
            .set_tcp_settings(tcp());
        if let Some(tls) = tls {
            node = node.set_tls_mode(tls);
        }
        let client = SentinelClient::build(
            self.addresses.clone(),
            self.name.clone(),
            Some(node),
            SentinelServerType::Master,
        );
        Box::pin(async move { connect(&client?.async_get_client().await?).await })
    }
}

#[cfg(feature = "sentinel")]
impl fmt::Debug for Sentinels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} Sentinels", self.name, self.addresses.len())
    }
}

/// A cluster. Its client finds the node of a key itself.
#[cfg(feature = "cluster")]
pub(crate) struct Cluster {
    client: redis::cluster::ClusterClient,
    nodes: usize,
}

#[cfg(feature = "cluster")]
impl Cluster {
    pub(crate) fn new(nodes: &[&str], limit: Duration) -> Result<Self, StoreError> {
        let nodes: Vec<_> = nodes.iter().map(|url| parse(url)).collect::<Result<_, _>>()?;
        if nodes.is_empty() {
            return Err(StoreError::new("at least one node of the cluster is needed"));
        }
        let count = nodes.len();
        // By default it has no limit, and tries 16 times.
        let client = redis::cluster::ClusterClient::builder(nodes)
            .connection_timeout(limit)
            .response_timeout(limit)
            .retries(2)
            .tcp_settings(tcp())
            .build()
            .map_err(|_| {
                StoreError::new(
                    "the addresses of the cluster can't be used: they need the same user, password and TLS",
                )
            })?;
        Ok(Self { client, nodes: count })
    }
}

#[cfg(feature = "cluster")]
impl Opener for Cluster {
    fn open(&self) -> BoxFuture<'static, RedisResult<Box<dyn Link>>> {
        let client = self.client.clone();
        Box::pin(async move {
            let link: Box<dyn Link> = Box::new(client.get_async_connection().await?);
            Ok(link)
        })
    }
}

#[cfg(feature = "cluster")]
impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a cluster, known by {} of its nodes", self.nodes)
    }
}

/// A function of the user's.
pub(crate) struct Function<F>(pub(crate) F);

impl<F, O, C> Opener for Function<F>
where
    F: Fn() -> O + Send + Sync + 'static,
    O: Future<Output = RedisResult<C>> + Send + 'static,
    C: redis::aio::ConnectionLike + Clone + Send + Sync + 'static,
{
    fn open(&self) -> BoxFuture<'static, RedisResult<Box<dyn Link>>> {
        let opening = (self.0)();
        Box::pin(async move {
            let link: Box<dyn Link> = Box::new(opening.await?);
            Ok(link)
        })
    }
}

impl<F> fmt::Debug for Function<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a function's connection")
    }
}
