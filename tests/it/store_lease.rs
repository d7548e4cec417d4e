//! Clients that share a store log in once for all of them, and a store that fails never costs a caller its token.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use synerise_auth::clock::{Clock, ManualClock, SleepPurpose};
use synerise_auth::kind::Workspace;
use synerise_auth::lifecycle::Event;
use synerise_auth::store::{
    Lease, LeaseOwner, LeaseRequest, MemoryStore, Saved, StoreError, StoreFuture, StoreKey, StorePolicy,
    StoredToken, TokenStore,
};
use synerise_auth::{Session, Token};
use synerise_auth_emulator::Fault;
use tokio::task::JoinHandle;

use crate::support::unreliable_store::{Outage, Unreliable, fleet, store};
use crate::support::{START, TestEnv, VISITOR, bounded, next, refreshed, secs, spawn_token};

async fn tokens(sessions: &[Session<Workspace>]) -> Vec<Token> {
    let waiting: Vec<JoinHandle<_>> = sessions.iter().map(spawn_token).collect();
    let mut tokens = Vec::new();
    for token in waiting {
        tokens.push(bounded(token).await.unwrap().unwrap());
    }
    tokens
}

#[tokio::test]
async fn clients_that_start_together_log_in_once() {
    let env = TestEnv::new().await;
    let sessions = fleet(&env, &store(&env), 100);
    let tokens = tokens(&sessions).await;
    assert!(tokens.iter().all(|token| token.expose() == tokens[0].expose()));
    assert_eq!(env.logins(), 1);
}

#[tokio::test]
async fn clients_log_in_once_for_each_lifetime() {
    let env = TestEnv::new().await;
    let sessions = fleet(&env, &store(&env), 20);
    tokens(&sessions).await;
    for lifetime in 2..=5 {
        env.pass(secs(3600));
        tokens(&sessions).await;
        assert_eq!(env.logins(), lifetime);
    }
}

#[tokio::test]
async fn visitors_sessions_share_too() {
    let env = TestEnv::new().await;
    let store = store(&env);
    for _ in 0..5 {
        let client = env.client_builder().store(store.clone()).build().unwrap();
        client
            .anonymous(env.profile_key(), VISITOR)
            .token()
            .await
            .unwrap();
    }
    assert_eq!(env.emulator.count("authenticateAnonymously"), 1);
}

#[tokio::test]
async fn refused_token_is_replaced_once_for_all() {
    let env = TestEnv::new().await;
    let sessions = fleet(&env, &store(&env), 20);
    let old = tokens(&sessions).await;
    env.emulator.revoke_tokens();
    let calls: Vec<_> = sessions
        .iter()
        .map(|session| {
            let session = session.clone();
            tokio::spawn(async move { session.get("/v4/clients").await })
        })
        .collect();
    for call in calls {
        bounded(call).await.unwrap().unwrap();
    }
    assert_eq!(env.logins(), 2);
    let new = tokens(&sessions).await;
    assert!(
        new.iter()
            .all(|token| token.expose() == new[0].expose() && token.expose() != old[0].expose())
    );
}

#[tokio::test]
async fn failed_login_gives_the_lease_up_at_once() {
    let env = TestEnv::new().await;
    let sessions = fleet(&env, &store(&env), 2);
    env.emulator
        .faults()
        .on("workspaceLogin")
        .then(Fault::status(500));
    sessions[0].token().await.unwrap_err();
    bounded(sessions[1].token()).await.unwrap();
    assert_eq!(env.logins(), 2);
}

#[tokio::test]
async fn dropped_session_gives_the_lease_up() {
    let env = TestEnv::new().await;
    let store = store(&env);
    let gate = env.emulator.faults().on("workspaceLogin").hold();
    let dropped = fleet(&env, &store, 1).remove(0);
    let caller = spawn_token(&dropped);
    gate.wait_for(1).await;
    let waiting = spawn_token(&fleet(&env, &store, 1)[0]);
    bounded(env.clock.wait_for_sleeps(SleepPurpose::Lease, 1)).await;
    caller.abort();
    caller.await.unwrap_err();
    drop(dropped);
    bounded(gate.wait_for(2)).await;
    gate.release();
    bounded(waiting).await.unwrap().unwrap();
}

/// A store whose lease is taken once by a process that is then killed.
#[derive(Debug, Clone)]
struct DeadHolder {
    store: MemoryStore,
    lease: Arc<Mutex<Option<Duration>>>,
}

impl DeadHolder {
    fn new(env: &TestEnv, lease: Duration) -> Self {
        Self {
            store: store(env),
            lease: Arc::new(Mutex::new(Some(lease))),
        }
    }
}

impl TokenStore for DeadHolder {
    fn load<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, Option<StoredToken>> {
        self.store.load(key)
    }

    fn take<'a>(&'a self, key: &'a StoreKey, request: &'a LeaseRequest) -> StoreFuture<'a, Lease> {
        Box::pin(async move {
            let lease = self.lease.lock().unwrap().take();
            if let Some(lease) = lease {
                let dead = LeaseRequest::new(LeaseOwner::random(), request.after, lease);
                self.store.take(key, &dead).await?;
            }
            self.store.take(key, request).await
        })
    }

    fn save<'a>(
        &'a self,
        key: &'a StoreKey,
        token: StoredToken,
        owner: Option<&'a LeaseOwner>,
    ) -> StoreFuture<'a, Saved> {
        self.store.save(key, token, owner)
    }

    fn changed<'a>(&'a self, key: &'a StoreKey, after: u64) -> StoreFuture<'a, ()> {
        self.store.changed(key, after)
    }
}

/// Lets time pass until all of `sessions` have a token, and returns how long that took, to a tenth of a second.
async fn time_to_tokens(env: &TestEnv, sessions: &[Session<Workspace>]) -> Duration {
    let waiting: Vec<_> = sessions.iter().map(spawn_token).collect();
    let mut passed = Duration::ZERO;
    while !waiting.iter().all(JoinHandle::is_finished) {
        env.pass(Duration::from_millis(100));
        passed += Duration::from_millis(100);
        // Round trips, in which those that were woken ask the store and log in.
        for _ in 0..5 {
            env.client.public_key().await.unwrap();
        }
        assert!(passed < secs(120), "nobody waits for ever");
    }
    for token in waiting {
        token.await.unwrap().unwrap();
    }
    passed
}

#[tokio::test]
async fn lease_of_a_killed_process_costs_one_wait_and_no_second_login() {
    let env = TestEnv::new().await;
    let sessions = fleet(&env, &DeadHolder::new(&env, secs(5)), 10);
    let waited = time_to_tokens(&env, &sessions).await;
    assert!((secs(5)..secs(7)).contains(&waited), "{waited:?}");
    assert_eq!(env.logins(), 1);
}

#[tokio::test]
async fn nobody_without_a_token_waits_for_longer_than_the_limit() {
    let env = TestEnv::new().await;
    let store = DeadHolder::new(&env, secs(60));
    let waited = time_to_tokens(&env, &fleet(&env, &store, 1)).await;
    assert!((secs(7)..=secs(10)).contains(&waited), "{waited:?}");
    assert_eq!(env.logins(), 1);
    bounded(fleet(&env, &store, 1)[0].token()).await.unwrap();
    assert_eq!(
        env.logins(),
        1,
        "the token is shared although the lease is still held"
    );
}

#[tokio::test]
async fn long_wait_for_another_client_is_not_a_login_that_took_too_long() {
    let env = TestEnv::new().await;
    let client = env
        .client_builder()
        .store(DeadHolder::new(&env, secs(50)))
        .store_policy(StorePolicy::default().with_max_wait(secs(60)))
        .build()
        .unwrap();
    let waited = time_to_tokens(&env, &[client.workspace(env.workspace_key())]).await;
    assert!((secs(45)..=secs(60)).contains(&waited), "{waited:?}");
    assert_eq!(env.logins(), 1);
}

#[tokio::test]
async fn session_with_a_valid_token_serves_it_while_it_waits_for_another_client() {
    let env = TestEnv::new().await;
    let store = DeadHolder::new(&env, secs(30));
    *store.lease.lock().unwrap() = None;
    let sessions = fleet(&env, &store, 1);
    let first = sessions[0].token().await.unwrap();
    env.pass(secs(3400));
    *store.lease.lock().unwrap() = Some(secs(30));
    let stale = bounded(sessions[0].token()).await.unwrap();
    assert_eq!(stale.expose(), first.expose());
    bounded(env.clock.wait_for_sleeps(SleepPurpose::Lease, 1)).await;
    env.pass(secs(15));
    bounded(env.clock.wait_for_sleeps(SleepPurpose::Lease, 1)).await;
    let stale = bounded(sessions[0].token()).await.unwrap();
    assert_eq!(stale.expose(), first.expose());
    assert_eq!(env.logins(), 1, "longer than without a token");
}

#[tokio::test]
async fn holder_that_slept_past_its_lease_overwrites_nothing() {
    let env = TestEnv::new().await;
    let store = store(&env);
    let sleeper = ManualClock::at(UNIX_EPOCH + START);
    let builder = env.client_builder().clock(sleeper).store(store.clone());
    let sleeper = builder.build().unwrap().workspace(env.workspace_key());
    let sleeping = env.emulator.faults().on("workspaceLogin").hold();
    let asleep = spawn_token(&sleeper);
    sleeping.wait_for(1).await;
    env.pass(secs(120));
    env.emulator.faults().on("workspaceLogin").hold().release();
    let next = bounded(fleet(&env, &store, 1)[0].token()).await.unwrap();
    sleeping.release();
    let late = bounded(asleep).await.unwrap().unwrap();
    assert_ne!(late.expose(), next.expose());
    let found = bounded(fleet(&env, &store, 1)[0].token()).await.unwrap();
    assert_eq!(found.expose(), next.expose());
    assert_eq!(env.logins(), 2);
}

#[tokio::test]
async fn token_of_an_explicit_refresh_is_shared() {
    let env = TestEnv::new().await;
    let store = store(&env);
    let sessions = fleet(&env, &store, 2);
    sessions[0].token().await.unwrap();
    let refreshed = sessions[0].refresh().await.unwrap();
    let found = sessions[1].token().await.unwrap();
    assert_eq!(found.expose(), refreshed.expose());
    assert_eq!(env.logins(), 1);
}

#[tokio::test]
async fn hanging_store_is_waited_for_once() {
    let env = TestEnv::new().await;
    let store = Unreliable::new(&env, Outage::Hangs);
    let policy = StorePolicy::default().with_timeout(secs(1));
    let builder = env.client_builder().store(store.clone()).store_policy(policy);
    let client = builder.build().unwrap();
    let waiting = spawn_token(&client.workspace(env.workspace_key()));
    bounded(env.clock.wait_for_sleeps(SleepPurpose::Timeout, 1)).await;
    while !waiting.is_finished() {
        env.pass(secs(1));
        env.client.public_key().await.unwrap();
        assert!(env.clock.now().monotonic() < secs(3600 + 10));
    }
    waiting.await.unwrap().unwrap();
    let visitor = client.anonymous(env.profile_key(), VISITOR);
    bounded(visitor.token()).await.unwrap();
    assert_eq!(store.questions(), 1, "no session waits for it again");
}

#[tokio::test]
async fn outage_is_told_once_and_its_end_too() {
    let env = TestEnv::new().await;
    let store = Unreliable::new(&env, Outage::Fails);
    let session = fleet(&env, &store, 1).remove(0);
    let mut events = session.subscribe();
    session.token().await.unwrap();
    match next(&mut events).await {
        Some(Event::StoreFailed { problem }) => assert!(problem.contains("connection refused"), "{problem}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(refreshed(&mut events).await, 1);
    for generation in 2..=4 {
        env.pass(secs(61));
        session.invalidate();
        session.token().await.unwrap();
        assert!(matches!(next(&mut events).await, Some(Event::Invalidated { .. })));
        assert_eq!(refreshed(&mut events).await, generation);
    }
    assert_eq!(store.questions(), 4, "it is asked again after a while");
    store.set(Outage::None);
    env.pass(secs(61));
    session.invalidate();
    let shared = session.token().await.unwrap();
    assert!(matches!(next(&mut events).await, Some(Event::Invalidated { .. })));
    assert!(matches!(next(&mut events).await, Some(Event::StoreRecovered)));
    assert_eq!(refreshed(&mut events).await, 5);
    let other = bounded(fleet(&env, &store, 1)[0].token()).await.unwrap();
    assert_eq!(other.expose(), shared.expose(), "tokens are shared again");
}

#[tokio::test]
async fn lease_whose_answer_was_lost_is_given_up() {
    let env = TestEnv::new().await;
    let store = Unreliable::new(&env, Outage::LosesTheAnswer);
    let sessions = fleet(&env, &store, 2);
    sessions[0].token().await.unwrap();
    store.set(Outage::None);
    bounded(sessions[1].token()).await.unwrap();
    assert_eq!(env.logins(), 2);
}

/// How a store lies.
#[derive(Debug, Clone, Copy)]
enum Lie {
    SameGarbage,
    EverNewerGarbage,
    TokenOfGenerationZero,
    HeldForNoTime,
    HeldForEver,
    LatestGenerationThereIs,
    NoGeneration,
    ChangesAllTheTime,
}

#[derive(Debug, Clone)]
struct Liar {
    lie: Lie,
    questions: Arc<AtomicUsize>,
}

impl TokenStore for Liar {
    fn load<'a>(&'a self, _: &'a StoreKey) -> StoreFuture<'a, Option<StoredToken>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn take<'a>(&'a self, _: &'a StoreKey, request: &'a LeaseRequest) -> StoreFuture<'a, Lease> {
        self.questions.fetch_add(1, Ordering::Relaxed);
        let token = |text: &str, generation| {
            let start = UNIX_EPOCH + START;
            Lease::Newer(StoredToken::new(text, generation, start, start + secs(3600)))
        };
        let held = |remaining| Lease::Held {
            remaining,
            generation: 1,
        };
        let lease = match self.lie {
            Lie::SameGarbage => token("not a token", 5),
            Lie::EverNewerGarbage => token("not a token", request.after + 1),
            Lie::TokenOfGenerationZero => token("token", 0),
            Lie::HeldForNoTime => held(Duration::ZERO),
            Lie::HeldForEver | Lie::ChangesAllTheTime => held(Duration::MAX),
            Lie::LatestGenerationThereIs => Lease::Acquired { generation: u64::MAX },
            Lie::NoGeneration => Lease::Acquired { generation: 0 },
        };
        Box::pin(std::future::ready(Ok(lease)))
    }

    fn save<'a>(
        &'a self,
        _: &'a StoreKey,
        _: StoredToken,
        _: Option<&'a LeaseOwner>,
    ) -> StoreFuture<'a, Saved> {
        Box::pin(std::future::ready(Ok(Saved::Outdated)))
    }

    fn changed<'a>(&'a self, _: &'a StoreKey, _: u64) -> StoreFuture<'a, ()> {
        match self.lie {
            Lie::ChangesAllTheTime => Box::pin(std::future::ready(Ok(()))),
            _ => Box::pin(std::future::ready(Err(StoreError::new("no")))),
        }
    }
}

#[tokio::test]
async fn store_that_lies_costs_no_caller_its_token() {
    let lies = [
        Lie::SameGarbage,
        Lie::EverNewerGarbage,
        Lie::TokenOfGenerationZero,
        Lie::HeldForNoTime,
        Lie::HeldForEver,
        Lie::LatestGenerationThereIs,
        Lie::NoGeneration,
        Lie::ChangesAllTheTime,
    ];
    for lie in lies {
        let env = TestEnv::new().await;
        let questions = Arc::default();
        let store = Liar { lie, questions };
        let sessions = fleet(&env, &store, 1);
        for login in 1..=3 {
            let waited = time_to_tokens(&env, &sessions).await;
            assert!(waited <= secs(10), "{lie:?}: {waited:?}");
            assert_eq!(env.logins(), login, "{lie:?}");
            env.pass(secs(2));
            sessions[0].invalidate();
        }
        let questions = store.questions.load(Ordering::Relaxed);
        assert!(questions < 300, "{lie:?}: {questions} questions");
    }
}
