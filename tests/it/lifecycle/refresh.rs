//! A token is refreshed in the background before it expires.

use synerise_auth::ErrorKind;
use synerise_auth::lifecycle::{RefreshPolicy, TokenState};
use synerise_auth_emulator::Fault;

use crate::support::{TestEnv, failed, millis, refreshed, secs, spawn_token, spawn_tokens};

#[tokio::test]
async fn stale_token_is_served_while_it_is_refreshed() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    let mut events = session.subscribe();
    session.token().await.unwrap();
    assert_eq!(refreshed(&mut events).await, 1);
    env.pass(secs(3299));
    assert_eq!(session.token().await.unwrap().generation(), 1);
    assert!(!session.status().refreshing, "not due yet");

    env.pass(secs(1));
    let gate = env.emulator.faults().on("workspaceLogin").hold();
    for served in spawn_tokens(&session, 100).join_all().await {
        assert_eq!(served.unwrap().generation(), 1, "none of them waits");
    }
    gate.wait_for(1).await;
    gate.release();
    assert_eq!(refreshed(&mut events).await, 2);
    assert_eq!(session.token().await.unwrap().generation(), 2);
    assert_eq!(env.logins(), 2);
}

#[tokio::test]
async fn failed_refresh_keeps_the_valid_token() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    session.token().await.unwrap();
    let mut events = session.subscribe();
    env.pass(secs(3400));
    for (fault, backoff) in [(Fault::status(503), millis(500)), (Fault::status(401), secs(10))] {
        let before = env.logins();
        env.emulator.faults().on("workspaceLogin").always(fault);
        assert_eq!(session.token().await.unwrap().generation(), 1);
        failed(&mut events).await;
        for _ in 0..100 {
            assert_eq!(session.token().await.unwrap().generation(), 1);
        }
        let status = session.status();
        assert_eq!((status.state, status.refreshing), (TokenState::Stale, false));
        assert!(status.is_ready() && status.last_error.is_some());
        assert_eq!(env.logins(), before + 1, "no attempt during the backoff");
        env.pass(backoff);
    }
    env.emulator.faults().clear();
    assert_eq!(session.token().await.unwrap().generation(), 1);
    assert_eq!(refreshed(&mut events).await, 2);
    assert!(session.status().last_error.is_none());
}

#[tokio::test]
async fn hanging_refresh_times_out_and_delays_nobody() {
    let env = TestEnv::with_client(|client| {
        // Longer than a refresh may take, so that the refresh's own timeout comes first.
        client.attempt_timeout(secs(600)).call_timeout(secs(600))
    })
    .await;
    let session = env.workspace();
    session.token().await.unwrap();
    let mut events = session.subscribe();
    env.pass(secs(3400));
    let gate = env.emulator.faults().on("workspaceLogin").hold();
    assert_eq!(session.token().await.unwrap().generation(), 1);
    gate.wait_for(1).await;
    env.pass(secs(29));
    assert_eq!(session.token().await.unwrap().generation(), 1);
    assert!(session.status().refreshing);
    env.pass(secs(1));
    let error = failed(&mut events).await;
    assert!(error.kind() == ErrorKind::Timeout, "{error}");
    assert_eq!(session.token().await.unwrap().generation(), 1);
    env.emulator.faults().clear();
    env.pass(secs(1));
    session.token().await.unwrap();
    assert_eq!(refreshed(&mut events).await, 2);
}

#[tokio::test]
async fn hanging_login_times_out() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    let gate = env.emulator.faults().on("workspaceLogin").hold();
    let caller = spawn_token(&session);
    gate.wait_for(1).await;
    env.pass(secs(10));
    let error = caller.await.unwrap().unwrap_err();
    assert!(
        (error.kind() == ErrorKind::Timeout) && error.is_retryable(),
        "{error}"
    );
    env.emulator.faults().clear();
    env.pass(secs(1));
    assert_eq!(session.token().await.unwrap().generation(), 1);
}

#[tokio::test]
async fn token_of_one_second_causes_no_busy_loop() {
    let env = TestEnv::with_lifetime(secs(1)).await;
    let session = env.workspace();
    let mut events = session.subscribe();
    for round in 1..=5 {
        for _ in 0..100 {
            assert_eq!(session.token().await.unwrap().generation(), round);
        }
        assert_eq!(env.logins(), round);
        env.pass(millis(799));
        assert_eq!(session.token().await.unwrap().generation(), round);
        assert!(!session.status().refreshing);
        assert_eq!(refreshed(&mut events).await, round);
        env.pass(millis(201));
    }
}

#[tokio::test]
async fn caller_may_require_a_remaining_lifetime() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    assert_eq!(session.token_valid_for(secs(3600)).await.unwrap().generation(), 1);
    env.pass(secs(1800));
    assert_eq!(session.token_valid_for(secs(1800)).await.unwrap().generation(), 1);
    assert_eq!(env.logins(), 1);
    assert_eq!(session.token_valid_for(secs(1801)).await.unwrap().generation(), 2);
    assert_eq!(env.logins(), 2);
}

#[tokio::test]
async fn impossible_lifetime_is_an_error_not_a_login_per_call() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    for _ in 0..100 {
        let error = session.token_valid_for(secs(7200)).await.unwrap_err();
        assert!(error.kind() == ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains("7200s"), "{error}");
    }
    assert_eq!(env.logins(), 1);
    assert_eq!(
        session.token().await.unwrap().generation(),
        1,
        "the token is as good as before"
    );
}

#[tokio::test]
async fn margin_and_backoff_are_configurable() {
    let policy = RefreshPolicy::default()
        .with_margin(secs(60))
        .with_refused_backoff(secs(100));
    let env = TestEnv::with_client(|client| client.refresh_policy(policy)).await;
    let session = env.workspace();
    session.token().await.unwrap();
    let mut events = session.subscribe();
    env.pass(secs(3539));
    assert_eq!(session.status().state, TokenState::Fresh);
    env.pass(secs(1));
    assert_eq!(session.status().state, TokenState::Stale);
    env.emulator
        .faults()
        .on("workspaceLogin")
        .then(Fault::status(401));
    session.token().await.unwrap();
    failed(&mut events).await;
    env.pass(millis(49_999));
    session.token().await.unwrap();
    assert!(!session.status().refreshing);
    env.pass(millis(1));
    session.token().await.unwrap();
    assert_eq!(refreshed(&mut events).await, 2);
}

#[tokio::test]
async fn keep_alive_refreshes_until_it_is_dropped() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    let mut events = session.subscribe();
    let guard = session.keep_alive().unwrap();
    env.clock.sleepers(1).await;
    env.pass(millis(100));
    assert_eq!(refreshed(&mut events).await, 1, "it begins with a login");
    for generation in 2..=3 {
        // It checks every minute, in case the machine was suspended.
        for _ in 0..55 {
            assert_eq!(env.logins(), generation - 1);
            env.clock.sleepers(1).await;
            env.pass(secs(60));
        }
        assert_eq!(refreshed(&mut events).await, generation);
    }
    drop(guard);
    for _ in 0..60 {
        env.pass(secs(60));
        // A round trip, in which a guard that still ran would log in as well.
        env.client.public_key().await.unwrap();
    }
    assert_eq!(session.status().state, TokenState::Expired);
    assert_eq!(env.logins(), 3);
}

#[tokio::test]
async fn keep_alive_notices_expiry_during_suspend() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    session.token().await.unwrap();
    let mut events = session.subscribe();
    let _guard = session.keep_alive().unwrap();
    env.clock.sleepers(1).await;
    env.clock.suspend(secs(7200));
    env.emulator.clock().advance(secs(7200));
    env.pass(secs(60));
    assert_eq!(refreshed(&mut events).await, 2);
}

#[tokio::test]
async fn keep_alive_backs_off_between_attempts() {
    let env = TestEnv::with_lifetime(secs(1)).await;
    let session = env.workspace();
    let mut events = session.subscribe();
    let _guard = session.keep_alive().unwrap();
    env.clock.sleepers(1).await;
    env.pass(millis(100));
    for generation in 1..=10 {
        assert_eq!(refreshed(&mut events).await, generation);
        assert_eq!(env.logins(), generation);
        env.clock.sleepers(1).await;
        env.pass(millis(800));
    }
    assert_eq!(refreshed(&mut events).await, 11);
    env.emulator
        .faults()
        .on("workspaceLogin")
        .always(Fault::status(503));
    env.clock.sleepers(1).await;
    env.pass(millis(800));
    for (failures, backoff) in (1..).zip([500, 1000, 2000, 4000, 8000, 15_000, 15_000]) {
        failed(&mut events).await;
        assert_eq!(env.logins(), 11 + failures);
        env.clock.sleepers(1).await;
        env.pass(millis(backoff - 1));
        assert_eq!(env.logins(), 11 + failures);
        env.pass(millis(1));
    }
}
