//! What a store is made of.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use synerise_auth::clock::{Clock, SystemClock};
use synerise_auth::random::{Random, SystemRandom};
use synerise_auth::store::StoreError;

use crate::RedisStore;
use crate::connection::{Keeper, Limits};
use crate::link::Opener;
use crate::names::Prefix;
use crate::openers;
use crate::seal::{EncryptionKey, Keys};

const CALL_LIMIT: Duration = Duration::from_secs(1);
const IDLE_LIMIT: Duration = Duration::from_secs(60);

/// Settings of a [`RedisStore`], and the ways to connect it.
///
/// ```
/// use std::time::Duration;
/// use synerise_auth::ApiKey;
/// use synerise_auth_redis::{EncryptionKey, RedisStore};
///
/// let key = EncryptionKey::derive(&ApiKey::new("11111111-2222-3333-4444-555555555555")?);
/// let store = RedisStore::builder(key)
///     .prefix("shop")
///     .time_limit(Duration::from_millis(500))
///     .connect("redis://redis.internal:6379")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a store is created by one of the `connect` methods"]
pub struct RedisStoreBuilder {
    keys: Keys,
    prefix: Option<String>,
    limits: Limits,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl RedisStoreBuilder {
    pub(crate) fn new(key: EncryptionKey) -> Self {
        Self {
            keys: Keys {
                newest: key,
                older: Vec::new(),
            },
            prefix: None,
            limits: Limits {
                call: CALL_LIMIT,
                idle: IDLE_LIMIT,
            },
            clock: Arc::new(SystemClock::default()),
            random: Arc::new(SystemRandom),
        }
    }

    /// Adds a key that reads what it encrypted before, and encrypts nothing any more.
    ///
    /// To replace a key, first add the *new* one to all processes as an older key. Then let them encrypt with it, and keep
    /// the old one as an older key for as long as a token is valid. A process that knows only one of the two keys logs in
    /// alone for tokens that the other key encrypted.
    pub fn older_key(mut self, key: EncryptionKey) -> Self {
        self.keys.older.push(key);
        self
    }

    /// Sets what the names of all keys begin with. The default is `synerise-auth`.
    ///
    /// 1 to 128 ASCII letters, digits, `-`, `_`, `.`, `:` or `/`; anything else is an error of the `connect` methods.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// Sets how long each call of the store may take, connecting included. The default is 1 s.
    ///
    /// A call that takes longer fails, and the session goes on without the store for a while.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.limits.call = limit;
        self
    }

    /// Sets after what time an unused connection is closed. The default is 60 s.
    ///
    /// A process sends two commands in each lifetime of a token. Its connection counts for the `maxclients` of Redis only
    /// around them.
    pub fn idle_limit(mut self, limit: Duration) -> Self {
        self.limits.idle = limit;
        self
    }

    /// Replaces the clock that the time limits use, for tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Replaces the jitter of the backoff, for tests.
    pub fn random(mut self, random: impl Random) -> Self {
        self.random = Arc::new(random);
        self
    }

    /// Creates a store on one server: `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS (feature
    /// `tls-rustls`).
    ///
    /// Nothing is sent yet. A server that can't be reached causes no error here, because the service has to start without it.
    ///
    /// # Errors
    /// When the URL or the prefix can't be used. The error does not quote the URL.
    pub fn connect(self, url: &str) -> Result<RedisStore, StoreError> {
        let opener = openers::Address::new(url)?;
        self.open_by(opener)
    }

    /// Creates a store on the master of a group that Sentinel watches. The Sentinels are asked again for each connection.
    ///
    /// `master` has the group's name in place of a host: `redis://user:password@mymaster/0`. User, password and database
    /// are those of the servers; the Sentinels have their own in their URLs.
    ///
    /// # Errors
    /// When a URL or the prefix can't be used, or there is no Sentinel.
    #[cfg(feature = "sentinel")]
    #[cfg_attr(docsrs, doc(cfg(feature = "sentinel")))]
    pub fn connect_sentinel(self, sentinels: &[&str], master: &str) -> Result<RedisStore, StoreError> {
        let opener = openers::Sentinels::new(sentinels, master)?;
        self.open_by(opener)
    }

    /// Creates a store on a cluster, which is known by the URLs of some of its nodes. User and password are those of the
    /// first.
    ///
    /// # Errors
    /// When a URL or the prefix can't be used, or there is no node.
    #[cfg(feature = "cluster")]
    #[cfg_attr(docsrs, doc(cfg(feature = "cluster")))]
    pub fn connect_cluster(self, nodes: &[&str]) -> Result<RedisStore, StoreError> {
        let opener = openers::Cluster::new(nodes, self.limits.call)?;
        self.open_by(opener)
    }

    /// Creates a store on connections that a function opens with the crate `redis`, version 1: for certificates of your
    /// own, for passwords that change, or to share a connection that you have.
    ///
    /// It is called whenever the last connection no longer works. The connection's own time limits should be no shorter
    /// than [`time_limit`](Self::time_limit).
    ///
    /// The number in the name is the major version of `redis`, so that this crate can follow the next one without breaking
    /// yours.
    ///
    /// ```
    /// use synerise_auth_redis::{EncryptionKey, RedisStore};
    ///
    /// let client = redis::Client::open("redis://redis.internal:6379")?;
    /// let store = RedisStore::builder(EncryptionKey::new([7; 32])).connect_with_redis_1(move || {
    ///     let client = client.clone();
    ///     async move { client.get_multiplexed_async_connection().await }
    /// })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When the prefix can't be used.
    pub fn connect_with_redis_1<F, O, C>(self, open: F) -> Result<RedisStore, StoreError>
    where
        F: Fn() -> O + Send + Sync + 'static,
        O: Future<Output = redis::RedisResult<C>> + Send + 'static,
        C: redis::aio::ConnectionLike + Clone + Send + Sync + 'static,
    {
        self.open_by(openers::Function(open))
    }

    fn open_by(self, opener: impl Opener) -> Result<RedisStore, StoreError> {
        let prefix = self.prefix.map(Prefix::new).transpose()?.unwrap_or_default();
        if self.limits.call.is_zero() {
            return Err(StoreError::new(
                "the time limit of the store has to be longer than zero",
            ));
        }
        let keeper = Keeper::new(
            Arc::new(opener),
            Arc::clone(&self.clock),
            self.random,
            self.limits,
        );
        Ok(RedisStore::new(
            keeper,
            prefix,
            self.keys,
            self.limits.call,
            self.clock,
        ))
    }
}
