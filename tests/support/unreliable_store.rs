//! Clients that share a store, and a store that fails on demand.

use std::future::ready;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use synerise_auth::Session;
use synerise_auth::kind::Workspace;
use synerise_auth::store::{
    Lease, LeaseOwner, LeaseRequest, MemoryStore, Saved, StoreError, StoreFuture, StoreKey, StoredToken,
    TokenStore,
};

use super::TestEnv;

/// Workspace sessions of this many clients, each as in a process of its own.
pub(crate) fn fleet(env: &TestEnv, store: &impl Store, size: usize) -> Vec<Session<Workspace>> {
    let client = |_| {
        let builder = env.client_builder().store(store.clone());
        builder.build().unwrap().workspace(env.workspace_key())
    };
    (0..size).map(client).collect()
}

pub(crate) trait Store: TokenStore + Clone {}

impl<T: TokenStore + Clone> Store for T {}

pub(crate) fn store(env: &TestEnv) -> MemoryStore {
    MemoryStore::with_clock(env.clock.clone())
}

/// How a store misbehaves when it is asked for a token or the lease.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Outage {
    None,
    Fails,
    Hangs,
    /// It fails after it has given out the lease.
    LosesTheAnswer,
    /// It does, and hears of no release.
    LosesTheAnswerAndReleases,
    /// It answers questions, and saves nothing.
    IsFull,
}

#[derive(Debug, Clone)]
pub(crate) struct Unreliable {
    store: MemoryStore,
    outage: Arc<Mutex<Outage>>,
    questions: Arc<AtomicUsize>,
    asked: Arc<Mutex<Option<StoreKey>>>,
}

impl Unreliable {
    pub(crate) fn new(env: &TestEnv, outage: Outage) -> Self {
        Self {
            store: store(env),
            outage: Arc::new(Mutex::new(outage)),
            questions: Arc::default(),
            asked: Arc::default(),
        }
    }

    pub(crate) fn set(&self, outage: Outage) {
        *self.outage.lock().unwrap() = outage;
    }

    /// What the last session to ask would get if its token were of no use.
    pub(crate) async fn lease_after_all_tokens(&self) -> Lease {
        let key = self.asked.lock().unwrap().clone().unwrap();
        let request = LeaseRequest::new(LeaseOwner::random(), u64::MAX - 1, Duration::from_secs(1));
        self.store.take(&key, &request).await.unwrap()
    }

    pub(crate) fn questions(&self) -> usize {
        self.questions.load(Ordering::Relaxed)
    }
}

impl TokenStore for Unreliable {
    fn load<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, Option<StoredToken>> {
        self.store.load(key)
    }

    fn take<'a>(&'a self, key: &'a StoreKey, request: &'a LeaseRequest) -> StoreFuture<'a, Lease> {
        self.questions.fetch_add(1, Ordering::Relaxed);
        *self.asked.lock().unwrap() = Some(key.clone());
        let outage = *self.outage.lock().unwrap();
        Box::pin(async move {
            match outage {
                Outage::None | Outage::IsFull => self.store.take(key, request).await,
                Outage::Fails => Err(StoreError::new("connection refused")),
                Outage::Hangs => std::future::pending().await,
                Outage::LosesTheAnswer | Outage::LosesTheAnswerAndReleases => {
                    self.store.take(key, request).await?;
                    Err(StoreError::new("connection reset"))
                }
            }
        })
    }

    fn save<'a>(
        &'a self,
        key: &'a StoreKey,
        token: StoredToken,
        owner: Option<&'a LeaseOwner>,
    ) -> StoreFuture<'a, Saved> {
        match *self.outage.lock().unwrap() {
            Outage::IsFull => Box::pin(ready(Err(StoreError::new("out of memory")))),
            _ => self.store.save(key, token, owner),
        }
    }

    fn release<'a>(&'a self, key: &'a StoreKey, owner: &'a LeaseOwner) -> StoreFuture<'a, ()> {
        match *self.outage.lock().unwrap() {
            Outage::LosesTheAnswerAndReleases => Box::pin(ready(Err(StoreError::new("connection reset")))),
            _ => self.store.release(key, owner),
        }
    }

    fn changed<'a>(&'a self, key: &'a StoreKey, after: u64) -> StoreFuture<'a, ()> {
        self.store.changed(key, after)
    }
}
