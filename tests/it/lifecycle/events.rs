//! What `status` shows and what subscribers are told.

use synerise_auth::lifecycle::{Event, TokenState};
use synerise_auth_emulator::Fault;

use crate::support::{TestEnv, failed, invalidated, next, refreshed, secs, spawn_token};

#[tokio::test]
async fn status_shows_the_token_state_and_starts_nothing() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    let empty = session.status();
    assert_eq!(
        (empty.state, empty.generation, empty.last_refresh),
        (TokenState::Empty, 0, None)
    );
    assert!(!empty.is_ready() && !empty.refreshing && empty.expires_in.is_zero());
    session.token().await.unwrap();

    for (age, state, ready) in [
        (0, TokenState::Fresh, true),
        (3299, TokenState::Fresh, true),
        (3300, TokenState::Stale, true),
        (3599, TokenState::Stale, true),
        (3600, TokenState::Expired, false),
        (9999, TokenState::Expired, false),
    ] {
        env.pass(secs(age).saturating_sub(session.status().last_refresh.unwrap()));
        let status = session.status();
        assert_eq!((status.state, status.is_ready()), (state, ready), "{age}");
        assert_eq!(status.expires_in, secs(3600_u64.saturating_sub(age)));
        assert_eq!((status.generation, status.last_refresh), (1, Some(secs(age))));
    }
    assert_eq!(env.logins(), 1);
}

#[tokio::test]
async fn status_shows_why_the_last_refresh_failed() {
    let env = TestEnv::new().await;
    env.emulator
        .faults()
        .on("workspaceLogin")
        .then(Fault::status(503));
    let session = env.workspace();
    session.token().await.unwrap_err();
    let status = session.status();
    assert_eq!(status.last_error.and_then(|error| error.status()), Some(503));
    assert!(!format!("{session:?}").contains(&env.emulator.workspace().workspace_api_key));
    env.pass(secs(1));
    session.token().await.unwrap();
    assert!(session.status().last_error.is_none());
}

#[tokio::test]
async fn status_shows_a_running_refresh() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    let gate = env.emulator.faults().on("workspaceLogin").hold();
    let caller = spawn_token(&session);
    gate.wait_for(1).await;
    assert!(session.status().refreshing);
    gate.release();
    caller.await.unwrap().unwrap();
    assert!(!session.status().refreshing);
}

#[tokio::test]
async fn every_subscriber_sees_the_events_in_order() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    let mut observers = [session.subscribe(), session.subscribe()];
    session.token().await.unwrap();
    session.invalidate();
    session.invalidate();
    env.emulator
        .faults()
        .on("workspaceLogin")
        .then(Fault::status(401));
    session.token().await.unwrap_err();
    env.pass(secs(10));
    session.token().await.unwrap();
    env.emulator.revoke_tokens();
    session.get("/v4/clients").await.unwrap();
    let mut late = session.subscribe();
    env.client.forget(env.workspace_key());
    drop(session);
    for events in &mut observers {
        assert_eq!(refreshed(events).await, 1);
        assert_eq!(invalidated(events).await, 1);
        assert_eq!(failed(events).await.status(), Some(401));
        assert_eq!(refreshed(events).await, 2);
        assert_eq!(invalidated(events).await, 2);
        assert_eq!(refreshed(events).await, 3);
        assert!(next(events).await.is_none(), "the session is gone");
    }
    assert!(next(&mut late).await.is_none());
}

#[tokio::test]
async fn slow_subscriber_loses_the_oldest_events() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    let mut events = session.subscribe();
    for _ in 0..100 {
        session.token().await.unwrap();
        session.invalidate();
    }
    session.token().await.unwrap();
    env.client.forget(env.workspace_key());
    drop(session);
    let mut last = None;
    let mut seen = 0;
    while let Some(event) = next(&mut events).await {
        seen += 1;
        last = Some(event);
    }
    assert!(seen < 201);
    assert!(
        matches!(last, Some(Event::Refreshed { generation: 101, .. })),
        "{last:?}"
    );
}
