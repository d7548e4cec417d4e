//! What a store returns is judged as a login's response is, and a store that fails in any way costs only the login.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use synerise_auth::clock::{ManualClock, SleepPurpose};
use synerise_auth::kind::Workspace;
use synerise_auth::lifecycle::Event;
use synerise_auth::store::{LeaseOwner, MemoryStore, Saved, StoreFuture, StoreKey, StoredToken, TokenStore};
use synerise_auth::{Session, Token};

use crate::support::{START, TestEnv, bounded, claims_token, next, refreshed, secs, see_all_threads};

fn workspace(env: &TestEnv, store: impl TokenStore) -> Session<Workspace> {
    let client = env.client_builder().store(store).build().unwrap();
    client.workspace(env.workspace_key())
}

/// A store with one token for everybody, until another is saved.
#[derive(Debug, Clone)]
struct Planted {
    token: StoredToken,
    saved: MemoryStore,
}

impl Planted {
    fn new(token: &str, issued: u64, expires: u64) -> Self {
        let at = |seconds| UNIX_EPOCH + START + secs(seconds);
        Self {
            token: StoredToken::new(token, 5, at(issued), at(expires)),
            saved: MemoryStore::new(),
        }
    }
}

impl TokenStore for Planted {
    fn load<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, Option<StoredToken>> {
        Box::pin(async move {
            let saved = self.saved.load(key).await?;
            Ok(saved.or_else(|| Some(self.token.clone())))
        })
    }

    fn save<'a>(
        &'a self,
        key: &'a StoreKey,
        token: StoredToken,
        owner: Option<&'a LeaseOwner>,
    ) -> StoreFuture<'a, Saved> {
        if token.generation <= self.token.generation {
            return Box::pin(std::future::ready(Ok(Saved::Outdated)));
        }
        self.saved.save(key, token, owner)
    }
}

#[tokio::test]
async fn entry_that_is_not_a_token_is_replaced() {
    for text in [
        "tok\n",
        "tok\r\n",
        " tok",
        "Bearer tok",
        "",
        "t k",
        "t\u{f6}k",
        "tok\u{0}",
        "tok\u{200b}",
        "\"tok\"",
        "{\"token\":\"tok\"}",
        "tok,tok",
        "<html>",
        &*"t".repeat(100_000),
    ] {
        let env = TestEnv::new().await;
        let store = Planted::new(text, 0, 3600);
        let first = workspace(&env, store.clone());
        // Before any server could refuse it.
        first.token().await.unwrap();
        assert_eq!(env.logins(), 1, "{text:.40}");
        first.get("/v4/clients").await.unwrap();
        let second = workspace(&env, store).token().await.unwrap();
        assert_eq!(second.expose(), first.token().await.unwrap().expose(), "{text:?}");
        assert_eq!(env.logins(), 1, "{text:?}: it was overwritten");
    }
}

#[tokio::test]
async fn entry_with_impossible_times_is_replaced() {
    for (issued, expires) in [(3600, 0), (0, 0), (7200, 3600)] {
        let env = TestEnv::new().await;
        let token = workspace(&env, Planted::new("tok", issued, expires))
            .token()
            .await;
        assert_ne!(token.unwrap().expose(), "tok", "{issued} to {expires}");
        assert_eq!(env.logins(), 1);
    }
    let env = TestEnv::new().await;
    let mut store = Planted::new("tok", 0, 0);
    store.token.issued_at = UNIX_EPOCH - secs(60);
    store.token.expires_at = UNIX_EPOCH - secs(30);
    assert_ne!(workspace(&env, store).token().await.unwrap().expose(), "tok");
}

/// A client of the environment whose wall clock is ahead.
async fn writer_ahead(env: &TestEnv, by: Duration, store: &MemoryStore) -> Token {
    let clock = ManualClock::at(UNIX_EPOCH + START + by);
    let client = env
        .client_builder()
        .clock(clock)
        .store(store.clone())
        .build()
        .unwrap();
    client.workspace(env.workspace_key()).token().await.unwrap()
}

#[tokio::test]
async fn entry_is_valid_no_longer_than_its_own_claims() {
    for ahead in [secs(50 * 60), secs(24 * 3600), secs(365 * 24 * 3600)] {
        let (env, store) = (TestEnv::new().await, MemoryStore::new());
        let written = writer_ahead(&env, ahead, &store).await;
        env.pass(secs(30 * 60));
        let read = workspace(&env, store.clone()).token().await.unwrap();
        assert_eq!(read.expose(), written.expose(), "{ahead:?}");
        assert!(
            read.lifetime() <= secs(30 * 60),
            "{ahead:?}: {:?}",
            read.lifetime()
        );
        env.pass(secs(30 * 60));
        let late = workspace(&env, store).token().await.unwrap();
        assert_ne!(late.expose(), written.expose(), "{ahead:?}: it has expired");
        assert_eq!(env.logins(), 2, "{ahead:?}");
    }
}

#[tokio::test]
async fn entry_with_unreadable_expiry_is_valid_for_the_shorter_time() {
    let env = TestEnv::new().await;
    let token = claims_token(&serde_json::json!({ "exp": "soon" }));
    let store = Planted::new(&token, 0, 100);
    let read = workspace(&env, store).token().await.unwrap();
    assert_eq!(read.expose(), token);
    assert!(read.lifetime() <= secs(60), "{:?}", read.lifetime());
}

#[tokio::test]
async fn loaded_token_is_an_event_of_its_own() {
    let (env, store) = (TestEnv::new().await, MemoryStore::new());
    let first = workspace(&env, store.clone());
    let mut events = first.subscribe();
    first.token().await.unwrap();
    assert_eq!(refreshed(&mut events).await, 1);
    let second = workspace(&env, store);
    let mut events = second.subscribe();
    let log = Log::default();
    let guard = log.capture();
    let token = second.token().await.unwrap();
    assert!(
        matches!(next(&mut events).await, Some(Event::Loaded { generation: 1, lifetime }) if lifetime == token.lifetime())
    );
    drop(guard);
    let text = log.text();
    assert!(
        text.contains("token loaded from the store") && !text.contains("token refreshed"),
        "{text}"
    );
}

/// What is logged in this thread.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn capture(&self) -> tracing::subscriber::DefaultGuard {
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .with_writer(move || log.clone())
            .finish();
        see_all_threads();
        tracing::subscriber::set_default(subscriber)
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Where a store panics.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Panics {
    InLoad,
    WhileLoading,
    InSave,
    WhileSaving,
}

#[derive(Debug)]
struct Panicking(Panics);

impl Panicking {
    fn check(&self, here: Panics) {
        assert!(self.0 != here, "on purpose: {here:?}");
    }
}

impl TokenStore for Panicking {
    fn load<'a>(&'a self, _: &'a StoreKey) -> StoreFuture<'a, Option<StoredToken>> {
        self.check(Panics::InLoad);
        Box::pin(async {
            self.check(Panics::WhileLoading);
            Ok(None)
        })
    }

    fn save<'a>(
        &'a self,
        _: &'a StoreKey,
        _: StoredToken,
        _: Option<&'a LeaseOwner>,
    ) -> StoreFuture<'a, Saved> {
        self.check(Panics::InSave);
        Box::pin(async {
            self.check(Panics::WhileSaving);
            Ok(Saved::Kept)
        })
    }
}

const PANICS: [Panics; 4] = [
    Panics::InLoad,
    Panics::WhileLoading,
    Panics::InSave,
    Panics::WhileSaving,
];

#[tokio::test]
async fn panicking_store_costs_only_the_login() {
    for panics in PANICS {
        let env = TestEnv::new().await;
        let session = workspace(&env, Panicking(panics));
        assert_eq!(session.token().await.unwrap().generation(), 1, "{panics:?}");
        assert_eq!(env.logins(), 1);
    }
}

#[tokio::test]
async fn panicking_store_does_not_end_keep_alive() {
    for panics in PANICS {
        let env = TestEnv::new().await;
        let session = workspace(&env, Panicking(panics));
        let mut events = session.subscribe();
        let guard = session.keep_alive().unwrap();
        for generation in 1..=2 {
            while session.status().generation < generation {
                bounded(env.clock.wait_for_sleeps(SleepPurpose::KeepAlive, 1)).await;
                env.pass(secs(60));
                // A round trip, in which a refresh that is due begins and ends.
                env.client.public_key().await.unwrap();
            }
            if generation == 1 {
                let news = next(&mut events).await;
                assert!(
                    matches!(news, Some(Event::StoreFailed { .. })),
                    "{panics:?}: {news:?}"
                );
            }
            assert_eq!(refreshed(&mut events).await, generation, "{panics:?}");
        }
        assert!(guard.is_running(), "{panics:?}");
    }
}
