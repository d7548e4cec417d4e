//! A store lets sessions share logins, and never gets in their way.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::time::Duration;

use synerise_auth::clock::ManualClock;
use synerise_auth::{
    ApiKey, Client, MemoryStore, Saved, StoreError, StoreFuture, StoreKey, StoredToken, TokenStore,
};
use synerise_auth_emulator::Emulator;

const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

fn client(emulator: &Emulator, clock: &ManualClock, store: impl TokenStore) -> Client {
    Client::builder()
        .base_url(emulator.base_url())
        .clock(clock.clone())
        .store(store)
        .build()
        .unwrap()
}

fn key(emulator: &Emulator) -> ApiKey {
    ApiKey::new(emulator.workspace_api_key()).unwrap()
}

#[tokio::test]
async fn clients_with_one_store_share_a_login() {
    let (emulator, clock, store) = (
        Emulator::start().await.unwrap(),
        ManualClock::new(),
        MemoryStore::new(),
    );
    let first = client(&emulator, &clock, store.clone())
        .workspace(key(&emulator))
        .token()
        .await
        .unwrap();
    let second = client(&emulator, &clock, store)
        .workspace(key(&emulator))
        .token()
        .await
        .unwrap();
    assert_eq!(first.expose(), second.expose());
    assert_eq!(emulator.count("workspaceLogin"), 1);
}

#[tokio::test]
async fn a_session_that_was_dropped_finds_its_token_again() {
    let (emulator, clock) = (Emulator::start().await.unwrap(), ManualClock::new());
    let client = client(&emulator, &clock, MemoryStore::new());
    for _ in 0..10 {
        client.workspace(key(&emulator)).token().await.unwrap();
    }
    assert_eq!(emulator.count("workspaceLogin"), 1);
}

#[tokio::test]
async fn a_token_that_was_refused_or_is_over_is_not_taken_from_the_store() {
    let (emulator, clock) = (Emulator::start().await.unwrap(), ManualClock::new());
    let client = client(&emulator, &clock, MemoryStore::new());
    let workspace = client.workspace(key(&emulator));
    let first = workspace.token().await.unwrap();
    workspace.invalidate();
    let second = workspace.token().await.unwrap();
    assert_ne!(first.expose(), second.expose());
    clock.advance(WEEK);
    emulator.clock().advance(WEEK);
    let third = workspace.token().await.unwrap();
    assert_ne!(second.expose(), third.expose());
    assert_eq!(emulator.count("workspaceLogin"), 3);
}

/// A store that keeps the first token it is given, and loses all others.
#[derive(Debug)]
struct Forgetful(MemoryStore);

impl TokenStore for Forgetful {
    fn load<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, Option<StoredToken>> {
        self.0.load(key)
    }

    fn save<'a>(&'a self, key: &'a StoreKey, token: StoredToken) -> StoreFuture<'a, Saved> {
        match token.generation {
            1 => self.0.save(key, token),
            _ => Box::pin(std::future::ready(Ok(Saved::Kept))),
        }
    }
}

#[tokio::test]
async fn a_token_from_before_the_sessions_own_is_not_taken_from_the_store() {
    let (emulator, clock) = (Emulator::start().await.unwrap(), ManualClock::new());
    let client = client(&emulator, &clock, Forgetful(MemoryStore::new()));
    let workspace = client.workspace(key(&emulator));
    let first = workspace.token().await.unwrap();
    for _ in 0..2 {
        clock.advance(Duration::from_secs(2));
        emulator.clock().advance(Duration::from_secs(2));
        workspace.invalidate();
        assert_ne!(workspace.token().await.unwrap().expose(), first.expose());
    }
    assert_eq!(emulator.count("workspaceLogin"), 3);
}

/// A store that is down.
#[derive(Debug)]
struct Down;

impl TokenStore for Down {
    fn load<'a>(&'a self, _: &'a StoreKey) -> StoreFuture<'a, Option<StoredToken>> {
        Box::pin(std::future::ready(Err(StoreError::new("connection refused"))))
    }

    fn save<'a>(&'a self, _: &'a StoreKey, _: StoredToken) -> StoreFuture<'a, Saved> {
        Box::pin(std::future::ready(Err(StoreError::new("connection refused"))))
    }
}

/// A store that never answers whether it has a token.
#[derive(Debug)]
struct Hanging;

impl TokenStore for Hanging {
    fn load<'a>(&'a self, _: &'a StoreKey) -> StoreFuture<'a, Option<StoredToken>> {
        Box::pin(std::future::pending())
    }

    fn save<'a>(&'a self, _: &'a StoreKey, _: StoredToken) -> StoreFuture<'a, Saved> {
        Box::pin(std::future::ready(Ok(Saved::Kept)))
    }
}

#[tokio::test]
async fn a_store_that_is_down_costs_nothing_but_the_login() {
    let (emulator, clock) = (Emulator::start().await.unwrap(), ManualClock::new());
    client(&emulator, &clock, Down)
        .workspace(key(&emulator))
        .token()
        .await
        .unwrap();
    assert_eq!(emulator.count("workspaceLogin"), 1);
}

#[tokio::test]
async fn a_store_that_hangs_is_done_without() {
    let (emulator, clock) = (Emulator::start().await.unwrap(), ManualClock::new());
    let workspace = client(&emulator, &clock, Hanging).workspace(key(&emulator));
    let waiting = tokio::spawn(async move { workspace.token().await });
    // The renewal's own timeout, and the patience with the store.
    clock.sleepers(2).await;
    clock.advance(Duration::from_secs(3));
    waiting.await.unwrap().unwrap();
    assert_eq!(emulator.count("workspaceLogin"), 1);
}

#[tokio::test]
async fn a_wall_clock_that_was_set_back_makes_no_stored_token_live_longer() {
    let (emulator, clock, store) = (
        Emulator::start().await.unwrap(),
        ManualClock::new(),
        MemoryStore::new(),
    );
    let first = client(&emulator, &clock, store.clone())
        .workspace(key(&emulator))
        .token()
        .await
        .unwrap();
    clock.set_wall(Duration::from_secs(1_000_000_000));
    let second = client(&emulator, &clock, store)
        .workspace(key(&emulator))
        .token()
        .await
        .unwrap();
    assert!(second.lifetime() <= first.lifetime(), "{second:?}");
}
