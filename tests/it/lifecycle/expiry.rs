//! The response says when a token expires, whatever the local clock shows, and no expired token is served.

use std::time::{Duration, UNIX_EPOCH};

use synerise_auth::ErrorKind;
use synerise_auth::clock::ManualClock;
use synerise_auth::lifecycle::TokenState;
use synerise_auth_emulator::{Fault, TokenShape};

use crate::support::{START, TestEnv, refreshed, secs, spawn_token};

const HOUR: Duration = secs(3600);
const DAY: Duration = secs(24 * 3600);
const TEN_YEARS: Duration = secs(3650 * 24 * 3600);

#[tokio::test]
async fn token_of_ten_years_is_fetched_once_in_ten_years() {
    let env = TestEnv::with_lifetime(TEN_YEARS).await;
    let session = env.workspace();
    assert_eq!(session.token().await.unwrap().lifetime(), TEN_YEARS);
    for _ in 0..3649 {
        env.pass(DAY);
        assert_eq!(session.token().await.unwrap().generation(), 1);
    }
    assert_eq!(env.logins(), 1);
    env.pass(DAY);
    assert_eq!(session.token().await.unwrap().generation(), 2);
}

#[tokio::test]
async fn token_without_expiry_gets_the_documented_lifetime() {
    for shape in [TokenShape::WithoutExpiry, TokenShape::Undecodable] {
        let env = TestEnv::with_lifetime(DAY).await;
        env.emulator
            .faults()
            .on("workspaceLogin")
            .then(Fault::token(shape));
        let session = env.workspace();
        assert_eq!(session.token().await.unwrap().lifetime(), HOUR, "{shape:?}");
        env.pass(HOUR);
        assert_eq!(session.status().state, TokenState::Expired);
        assert_eq!(session.token().await.unwrap().generation(), 2);
    }
}

#[tokio::test]
async fn token_that_arrives_expired_is_an_error() {
    for fault in [
        Fault::token(TokenShape::Expired),
        Fault::token(TokenShape::ExpirationBeforeCreation),
        Fault::token(TokenShape::ExpirationBeforeCreation).without_date(),
    ] {
        let what = format!("{fault:?}");
        let env = TestEnv::new().await;
        env.emulator.faults().on("workspaceLogin").then(fault);
        let session = env.workspace();
        let error = session.token().await.unwrap_err();
        assert!(
            (error.kind() == ErrorKind::UnexpectedResponse) && error.is_retryable(),
            "{what}: {error}"
        );
        assert_eq!(session.status().generation, 0);
        env.pass(secs(1));
        assert_eq!(session.token().await.unwrap().generation(), 1, "{what}");
    }
}

/// Where the local wall clock stands while the server's is right.
fn wrong_clocks() -> [Duration; 5] {
    [
        START.saturating_sub(secs(600)),
        START + secs(600),
        START.saturating_sub(TEN_YEARS),
        START + TEN_YEARS,
        Duration::ZERO,
    ]
}

#[tokio::test]
async fn wrong_local_clock_changes_nothing() {
    for wall in wrong_clocks() {
        for fault in [Fault::none(), Fault::none().without_date()] {
            let env = TestEnv::new().await;
            env.emulator.faults().on("workspaceLogin").always(fault);
            env.clock.set_wall(UNIX_EPOCH + wall);
            let session = env.workspace();
            assert_eq!(session.token().await.unwrap().lifetime(), HOUR, "{wall:?}");
            env.pass(secs(3299));
            assert_eq!(session.token().await.unwrap().generation(), 1);
            assert_eq!(session.status().state, TokenState::Fresh, "{wall:?}");
            session.get("/v4/clients").await.unwrap();
            env.pass(secs(301));
            assert_eq!(session.status().state, TokenState::Expired, "{wall:?}");
            assert_eq!(session.token().await.unwrap().generation(), 2);
            session.get("/v4/clients").await.unwrap();
            assert_eq!((env.logins(), env.calls()), (2, 2));
        }
    }
}

#[tokio::test]
async fn clock_jump_does_not_block_waiting_callers() {
    for wall in wrong_clocks() {
        let env = TestEnv::new().await;
        let session = env.workspace();
        let gate = env.emulator.faults().on("workspaceLogin").hold();
        let caller = spawn_token(&session);
        gate.wait_for(1).await;
        env.clock.set_wall(UNIX_EPOCH + wall);
        gate.release();
        let token = caller.await.unwrap().unwrap();
        assert_eq!((token.generation(), token.lifetime()), (1, HOUR), "{wall:?}");
        assert_eq!(env.logins(), 1);
    }
}

#[tokio::test]
async fn clock_jump_costs_at_most_one_login() {
    for wall in wrong_clocks() {
        let env = TestEnv::new().await;
        let session = env.workspace();
        session.token().await.unwrap();
        env.clock.set_wall(UNIX_EPOCH + wall);
        for _ in 0..10 {
            session.token().await.unwrap();
        }
        assert!(env.logins() <= 2, "{wall:?}: {}", env.logins());
        // A clock that was set back makes no token live longer.
        let generation = session.status().generation;
        env.pass(HOUR);
        assert_eq!(session.token().await.unwrap().generation(), generation + 1);
    }
}

#[tokio::test]
async fn token_that_expired_during_suspend_is_not_served() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    let mut events = session.subscribe();
    session.token().await.unwrap();
    refreshed(&mut events).await;

    let nap = |length: Duration| {
        env.clock.suspend(length);
        env.emulator.clock().advance(length);
    };
    nap(secs(1800));
    assert_eq!(session.token().await.unwrap().generation(), 1);
    nap(secs(1800));
    assert_eq!(session.status().state, TokenState::Expired);
    assert_eq!(session.token().await.unwrap().generation(), 2, "it waits");
    session.get("/v4/clients").await.unwrap();
    assert_eq!((env.logins(), env.calls()), (2, 1));
}

#[tokio::test]
async fn backoff_ends_during_suspend() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    env.emulator
        .faults()
        .on("workspaceLogin")
        .then(Fault::status(429).retry_after(secs(200)));
    session.token().await.unwrap_err();
    session.token().await.unwrap_err();
    assert_eq!(env.logins(), 1);
    env.clock.suspend(secs(201));
    env.emulator.clock().advance(secs(201));
    assert_eq!(session.token().await.unwrap().generation(), 1);
}

#[tokio::test]
async fn older_token_gets_its_remaining_lifetime() {
    // A server may give the same token to everybody: this one was issued at the start, for an hour.
    let env = TestEnv::new().await;
    let first = env.workspace().token().await.unwrap();
    let clock = ManualClock::at(UNIX_EPOCH + START + TEN_YEARS);
    let other = env.client_builder().clock(clock.clone()).build().unwrap();
    env.emulator.clock().advance(secs(3000));
    env.emulator
        .faults()
        .on("workspaceLogin")
        .then(Fault::json(&serde_json::json!({ "token": first.expose() })));
    let token = other.workspace(env.workspace_key()).token().await.unwrap();
    assert_eq!(token.expose(), first.expose());
    assert_eq!(token.lifetime(), secs(600));
}
