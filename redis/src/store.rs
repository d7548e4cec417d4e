//! The store: what each method of the contract does on Redis.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::{Cmd, Value};
use synerise_auth::clock::Clock;
use synerise_auth::store::{
    Lease, LeaseOwner, LeaseRequest, Saved, StoreError, StoreFuture, StoreKey, StoredToken, TokenStore,
};

use crate::RedisStoreBuilder;
use crate::connection::{Failure, Keeper};
use crate::names::{Names, Prefix};
use crate::problem::ANSWERS_NOTHING;
use crate::scripts::{Kept, Scripts, Taken};
use crate::seal::{EncryptionKey, Keys, Unreadable};
use crate::time::within;

/// Shares tokens between all processes that use the same Redis or Valkey. Clones share one connection.
///
/// ```
/// use synerise_auth::{ApiKey, Client, Region};
/// use synerise_auth_redis::{EncryptionKey, RedisStore};
///
/// let api_key = ApiKey::new("11111111-2222-3333-4444-555555555555")?;
/// let store = RedisStore::connect("redis://redis.internal:6379", EncryptionKey::derive(&api_key))?;
/// let client = Client::builder().region(Region::AzureEu).store(store).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct RedisStore(Arc<Inner>);

struct Inner {
    keeper: Keeper,
    scripts: Scripts,
    prefix: Prefix,
    keys: Keys,
    limit: Duration,
    clock: Arc<dyn Clock>,
    /// The last reason for which a record counted as missing. Each is logged once until a record is read again.
    unreadable: Mutex<Option<Unreadable>>,
}

impl RedisStore {
    /// Creates a store on one server, with default settings. Nothing is sent yet.
    ///
    /// # Errors
    /// When the URL can't be used. The error does not quote it, as it may contain a password.
    pub fn connect(url: &str, key: EncryptionKey) -> Result<Self, StoreError> {
        Self::builder(key).connect(url)
    }

    /// Begins with other settings, or with another way to connect. Tokens are encrypted with this key.
    pub fn builder(key: EncryptionKey) -> RedisStoreBuilder {
        RedisStoreBuilder::new(key)
    }

    pub(crate) fn new(
        keeper: Keeper,
        prefix: Prefix,
        keys: Keys,
        limit: Duration,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self(Arc::new(Inner {
            keeper,
            scripts: Scripts::new(),
            prefix,
            keys,
            limit,
            clock,
            unreadable: Mutex::new(None),
        }))
    }
}

impl Inner {
    /// Nothing takes longer than the store's limit: not the connection, not TLS, not a name's address, not a Sentinel.
    async fn limited<T>(&self, call: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        within(&*self.clock, self.limit, call)
            .await
            .unwrap_or_else(|| Err(Failure::because(ANSWERS_NOTHING)))
    }

    /// The token of a record, or what counts as none.
    fn open(&self, names: &Names, record: &[u8]) -> Result<StoredToken, Unreadable> {
        let opened = self.keys.open(&names.record, record);
        self.note(opened.as_ref().err().copied());
        opened
    }

    fn note(&self, reason: Option<Unreadable>) {
        let mut told = self.unreadable.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reason) = reason.filter(|reason| *told != Some(*reason)) {
            tracing::warn!("a token in Redis counts as missing: {reason}");
        }
        *told = reason;
    }

    async fn load(&self, names: &Names) -> Result<Option<StoredToken>, Failure> {
        let mut get = Cmd::new();
        get.arg("GET").arg(&names.record);
        match self.keeper.send(&get).await {
            Ok(Value::BulkString(record)) => Ok(self.open(names, &record).ok()),
            Ok(_) => Ok(None),
            // A key of another type is not a record.
            Err(Failure::Redis(error)) if error.code() == Some("WRONGTYPE") => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    async fn take(&self, names: &Names, request: &LeaseRequest) -> Result<Lease, Failure> {
        let owner = request.owner.as_str();
        let mut after = request.after;
        // A record that can't be read is not newer than anything: the second round names its generation.
        for _ in 0..2 {
            match self
                .scripts
                .take(&self.keeper, names, after, owner, request.ttl)
                .await
            {
                Ok(Taken::Record(record)) => match self.open(names, &record) {
                    Ok(token) => return Ok(Lease::Newer(token)),
                    Err(_) => after = crate::seal::split(&record).map_or(after, |(generation, _)| generation),
                },
                Ok(Taken::Lease(generation)) => return Ok(Lease::Acquired { generation }),
                Ok(Taken::Held(remaining, generation)) => {
                    return Ok(Lease::Held {
                        remaining,
                        generation,
                    });
                }
                Ok(Taken::NewerVersion) => {
                    self.note(Some(Unreadable::NewerVersion));
                    break;
                }
                Err(failure) => return Err(failure),
            }
        }
        let generation = after.saturating_add(1);
        Ok(Lease::Unavailable { generation })
    }

    async fn save(
        &self,
        names: &Names,
        token: &StoredToken,
        owner: Option<&LeaseOwner>,
    ) -> Result<Saved, Failure> {
        let record = self.keys.seal(&names.record, token)?;
        let owner = owner.map_or("", LeaseOwner::as_str);
        let kept = self.scripts.keep(
            &self.keeper,
            names,
            token.generation,
            owner,
            token.lifetime(),
            &record,
        );
        match kept.await? {
            Kept::Written => Ok(Saved::Kept),
            Kept::Outdated => Ok(Saved::Outdated),
            Kept::NewerVersion => {
                self.note(Some(Unreadable::NewerVersion));
                Ok(Saved::Outdated)
            }
        }
    }
}

impl TokenStore for RedisStore {
    fn load<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, Option<StoredToken>> {
        Box::pin(async move {
            let names = self.0.prefix.names(key);
            Ok(self.0.limited(self.0.load(&names)).await?)
        })
    }

    fn take<'a>(&'a self, key: &'a StoreKey, request: &'a LeaseRequest) -> StoreFuture<'a, Lease> {
        Box::pin(async move {
            let names = self.0.prefix.names(key);
            Ok(self.0.limited(self.0.take(&names, request)).await?)
        })
    }

    fn save<'a>(
        &'a self,
        key: &'a StoreKey,
        token: StoredToken,
        owner: Option<&'a LeaseOwner>,
    ) -> StoreFuture<'a, Saved> {
        Box::pin(async move {
            let names = self.0.prefix.names(key);
            Ok(self.0.limited(self.0.save(&names, &token, owner)).await?)
        })
    }

    fn release<'a>(&'a self, key: &'a StoreKey, owner: &'a LeaseOwner) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let names = self.0.prefix.names(key);
            let release = self.0.scripts.release(&self.0.keeper, &names, owner.as_str());
            Ok(self.0.limited(release).await?)
        })
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("connection", &self.0.keeper)
            .field("prefix", &self.0.prefix)
            .field("time_limit", &self.0.limit)
            .finish_non_exhaustive()
    }
}
