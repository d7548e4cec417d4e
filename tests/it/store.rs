//! A store lets sessions share logins, and a store that fails costs nothing but a login.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use synerise_auth::Session;
use synerise_auth::kind::Workspace;
use synerise_auth::store::{
    LeaseOwner, MemoryStore, Saved, StoreError, StoreFuture, StoreKey, StoredToken, TokenStore,
};
use tokio::sync::Notify;

use crate::support::{TestEnv, VISITOR, bounded, secs, spawn_token};

const WEEK: Duration = secs(7 * 24 * 3600);

fn workspace(env: &TestEnv, store: impl TokenStore) -> Session<Workspace> {
    let client = env.client_builder().store(store).build().unwrap();
    client.workspace(env.workspace_key())
}

#[tokio::test]
async fn clients_with_one_store_share_a_login() {
    let (env, store) = (TestEnv::new().await, MemoryStore::new());
    let first = workspace(&env, store.clone()).token().await.unwrap();
    let second = workspace(&env, store).token().await.unwrap();
    assert_eq!(first.expose(), second.expose());
    assert_eq!(env.logins(), 1);
}

#[tokio::test]
async fn new_session_finds_the_stored_token() {
    let env = TestEnv::new().await;
    let client = env.client_builder().store(MemoryStore::new()).build().unwrap();
    for _ in 0..10 {
        let visitor = client.anonymous(env.profile_key(), VISITOR);
        visitor.token().await.unwrap();
    }
    assert_eq!(env.emulator.count("authenticateAnonymously"), 1);
}

#[tokio::test]
async fn invalidated_or_expired_token_is_not_loaded() {
    let env = TestEnv::new().await;
    let workspace = workspace(&env, MemoryStore::new());
    let first = workspace.token().await.unwrap();
    workspace.invalidate();
    let second = workspace.token().await.unwrap();
    assert_ne!(first.expose(), second.expose());
    env.pass(WEEK);
    let third = workspace.token().await.unwrap();
    assert_ne!(second.expose(), third.expose());
    assert_eq!(env.logins(), 3);
}

/// A store that keeps the first token it is given, and loses all others.
#[derive(Debug)]
struct Forgetful(MemoryStore);

impl TokenStore for Forgetful {
    fn load<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, Option<StoredToken>> {
        self.0.load(key)
    }

    fn save<'a>(
        &'a self,
        key: &'a StoreKey,
        token: StoredToken,
        owner: Option<&'a LeaseOwner>,
    ) -> StoreFuture<'a, Saved> {
        match token.generation {
            1 => self.0.save(key, token, owner),
            _ => Box::pin(std::future::ready(Ok(Saved::Kept))),
        }
    }
}

#[tokio::test]
async fn older_token_is_not_loaded() {
    let env = TestEnv::new().await;
    let workspace = workspace(&env, Forgetful(MemoryStore::new()));
    let first = workspace.token().await.unwrap();
    for _ in 0..2 {
        env.pass(secs(2));
        workspace.invalidate();
        assert_ne!(workspace.token().await.unwrap().expose(), first.expose());
    }
    assert_eq!(env.logins(), 3);
}

/// A store that is down.
#[derive(Debug)]
struct Down;

impl TokenStore for Down {
    fn load<'a>(&'a self, _: &'a StoreKey) -> StoreFuture<'a, Option<StoredToken>> {
        Box::pin(std::future::ready(Err(StoreError::new("connection refused"))))
    }

    fn save<'a>(
        &'a self,
        _: &'a StoreKey,
        _: StoredToken,
        _: Option<&'a LeaseOwner>,
    ) -> StoreFuture<'a, Saved> {
        Box::pin(std::future::ready(Err(StoreError::new("connection refused"))))
    }
}

/// A store that never answers whether it has a token, and says when it is asked.
#[derive(Debug)]
struct Hanging(Arc<Notify>);

impl TokenStore for Hanging {
    fn load<'a>(&'a self, _: &'a StoreKey) -> StoreFuture<'a, Option<StoredToken>> {
        self.0.notify_one();
        Box::pin(std::future::pending())
    }

    fn save<'a>(
        &'a self,
        _: &'a StoreKey,
        _: StoredToken,
        _: Option<&'a LeaseOwner>,
    ) -> StoreFuture<'a, Saved> {
        Box::pin(std::future::ready(Ok(Saved::Kept)))
    }
}

#[tokio::test]
async fn failing_store_costs_only_the_login() {
    let env = TestEnv::new().await;
    workspace(&env, Down).token().await.unwrap();
    assert_eq!(env.logins(), 1);
}

#[tokio::test]
async fn hanging_store_is_given_up() {
    let env = TestEnv::new().await;
    let asked = Arc::new(Notify::new());
    let waiting = spawn_token(&workspace(&env, Hanging(Arc::clone(&asked))));
    bounded(asked.notified()).await;
    env.pass(secs(3));
    bounded(waiting).await.unwrap().unwrap();
    assert_eq!(env.logins(), 1);
}

#[tokio::test]
async fn clock_set_back_does_not_extend_a_stored_token() {
    let (env, store) = (TestEnv::new().await, MemoryStore::new());
    let first = workspace(&env, store.clone()).token().await.unwrap();
    env.clock.set_wall(UNIX_EPOCH + secs(1_000_000_000));
    let second = workspace(&env, store).token().await.unwrap();
    assert!(second.lifetime() <= first.lifetime(), "{second:?}");
}
