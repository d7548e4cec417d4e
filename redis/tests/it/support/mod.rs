//! What the tests share.

pub(crate) mod fleet;
pub(crate) mod log;
pub(crate) mod proxy;
pub(crate) mod server;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use synerise_auth::store::{
    Lease, LeaseOwner, LeaseRequest, Saved, StoreFuture, StoreKey, StoredToken, TokenStore,
};
use synerise_auth::{ApiKey, Client};
use synerise_auth_redis::{EncryptionKey, RedisStore, RedisStoreBuilder};
use tokio::sync::mpsc;

pub(crate) use server::Server;

/// A token's lifetime, where it does not matter.
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
/// A lease's, where it does not matter.
pub(crate) const LEASE: Duration = Duration::from_secs(30);
/// Of a call, where nothing should take long: the machine may be busy.
pub(crate) const PATIENT: Duration = Duration::from_secs(10);
/// Of a call that is expected to fail by it.
pub(crate) const HASTY: Duration = Duration::from_millis(300);

/// What a call may take beyond its limit on a busy machine.
pub(crate) const SLACK: Duration = Duration::from_millis(700);

pub(crate) fn encryption_key() -> EncryptionKey {
    EncryptionKey::new([7; 32])
}

pub(crate) fn builder() -> RedisStoreBuilder {
    RedisStore::builder(encryption_key()).time_limit(PATIENT)
}

/// A token of an hour, issued now.
pub(crate) fn token(text: &str, generation: u64) -> StoredToken {
    let now = SystemTime::now();
    StoredToken::new(text, generation, now, now + HOUR)
}

pub(crate) fn request(after: u64) -> LeaseRequest {
    LeaseRequest::new(LeaseOwner::random(), after, LEASE)
}

pub(crate) async fn acquired(store: &RedisStore, key: &StoreKey, request: &LeaseRequest) -> u64 {
    match store.take(key, request).await.unwrap() {
        Lease::Acquired { generation } => generation,
        other => panic!("{other:?}"),
    }
}

/// Takes the lease and saves a token under it, as a refresh does. Returns the token's generation.
pub(crate) async fn refreshed(store: &RedisStore, key: &StoreKey, after: u64) -> u64 {
    let mine = request(after);
    let generation = acquired(store, key, &mine).await;
    let saved = store.save(key, token("fake", generation), Some(&mine.owner));
    saved.await.unwrap();
    generation
}

/// Runs a call, and says how long it took.
pub(crate) async fn timed<T>(call: impl Future<Output = T>) -> (T, Duration) {
    let start = Instant::now();
    let outcome = call.await;
    (outcome, start.elapsed())
}

/// Tries again until `true`, for at most half a minute: a Sentinel takes its time.
pub(crate) async fn eventually<F: Future<Output = bool>>(mut attempt: impl FnMut() -> F) -> bool {
    for _ in 0..600 {
        if attempt().await {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}

/// A key that no other test has. Keys are made by sessions alone: this one is taken from what a session asks its store.
pub(crate) async fn store_key() -> StoreKey {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let (keys, mut caught) = mpsc::unbounded_channel();
    let client = Client::builder()
        .base_url("http://127.0.0.1:9")
        .store(Catcher(keys))
        .build()
        .unwrap();
    let workspace = client.workspace(ApiKey::new(format!("fake-{}-{number}", std::process::id())).unwrap());
    tokio::select! {
        key = caught.recv() => key.unwrap(),
        answer = workspace.token() => panic!("{answer:?} without a look into the store"),
    }
}

#[derive(Debug)]
struct Catcher(mpsc::UnboundedSender<StoreKey>);

impl Catcher {
    fn catch<T: 'static>(&self, key: &StoreKey) -> StoreFuture<'_, T> {
        let _ = self.0.send(key.clone());
        Box::pin(std::future::pending())
    }
}

impl TokenStore for Catcher {
    fn load<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, Option<StoredToken>> {
        self.catch(key)
    }

    fn take<'a>(&'a self, key: &'a StoreKey, _: &'a LeaseRequest) -> StoreFuture<'a, Lease> {
        self.catch(key)
    }

    fn save<'a>(
        &'a self,
        key: &'a StoreKey,
        _: StoredToken,
        _: Option<&'a LeaseOwner>,
    ) -> StoreFuture<'a, Saved> {
        self.catch(key)
    }
}
