//! A session that its owner ended: by a log-out, or by deleting the account. Nothing revives it.

use serde_json::json;
use synerise_auth::account::AccountDeletion;
use synerise_auth::kind::Kind;
use synerise_auth::lifecycle::{EndCause, Event, Events, TokenState};
use synerise_auth::store::MemoryStore;
use synerise_auth::{Error, ErrorKind, Session};
use synerise_auth_emulator::Fault;

use crate::support::{
    CUSTOMER, PASSWORD, TestEnv, bounded, customer, next, refreshed, secs, spawn_get, spawn_token,
};

/// That the session has ended, and sends nothing any more.
async fn assert_ended<K: Kind>(env: &TestEnv, session: &Session<K>, what: &str) {
    let before = env.emulator.requests().len();
    let is_ended = |error: Error| {
        assert_eq!(error.kind(), ErrorKind::SessionExpired, "{error}");
        assert!(
            error.to_string().contains(what) && !error.is_retryable(),
            "{error}"
        );
    };
    is_ended(session.token().await.unwrap_err());
    is_ended(session.token_valid_for(secs(1)).await.unwrap_err());
    is_ended(session.get("/v4/clients").await.unwrap_err());
    session.invalidate();
    is_ended(session.clone().token().await.unwrap_err());
    env.pass(secs(100_000));
    is_ended(session.token().await.unwrap_err());
    let status = session.status();
    assert_eq!(
        (status.state, status.refreshing),
        (TokenState::SessionEnded, false)
    );
    is_ended(status.last_error.unwrap());
    assert_eq!(env.emulator.requests().len(), before, "nothing is sent");
}

/// That the next event is the session's end, and that no other follows.
async fn ended_once(events: &mut Events, expected: EndCause) {
    match next(events).await {
        Some(Event::Ended { cause }) => assert_eq!(cause, expected),
        other => panic!("expected the end, got {other:?}"),
    }
    assert!(next(events).await.is_none());
}

#[tokio::test]
async fn logged_out_session_has_ended_with_all_its_clones() {
    let env = TestEnv::new().await;
    let profile = env.profile().await.unwrap();
    let mut events = profile.subscribe();
    profile.clone().log_out().await.unwrap();
    assert_ended(&env, &profile, "logged out").await;
    assert_eq!(env.statuses("logOut"), [200]);
    drop(profile);
    ended_once(&mut events, EndCause::LoggedOut).await;
}

#[tokio::test]
async fn deleted_account_ends_the_session_without_waiting_for_itself() {
    let env = TestEnv::new().await;
    let login = env.client.profile(env.profile_key());
    let profile = login.login(customer(PASSWORD)).keep_credentials().await.unwrap();
    let mut events = profile.subscribe();
    let deletion = AccountDeletion::by_password(PASSWORD);
    bounded(profile.delete_account(deletion)).await.unwrap();
    assert_ended(&env, &profile, "deleted the account").await;
    drop(profile);
    ended_once(&mut events, EndCause::AccountDeleted).await;
}

#[tokio::test]
async fn session_that_keeps_credentials_does_not_log_in_again_after_a_log_out() {
    let env = TestEnv::new().await;
    let login = env.client.profile(env.profile_key());
    let profile = login.login(customer(PASSWORD)).keep_credentials().await.unwrap();
    profile.log_out().await.unwrap();
    assert_ended(&env, &profile, "logged out").await;
    assert_eq!(env.emulator.count("authenticateProfile"), 1);
}

#[tokio::test]
async fn two_log_outs_at_once_end_the_session_once() {
    let env = TestEnv::new().await;
    let profile = env.profile().await.unwrap();
    let mut events = profile.subscribe();
    let gate = env.emulator.faults().on("logOut").hold();
    let log_out = || {
        let profile = profile.clone();
        tokio::spawn(async move { profile.log_out().await })
    };
    let both = [log_out(), log_out()];
    gate.wait_for(2).await;
    gate.release();
    let mut succeeded = 0;
    for one in both {
        // The one that the server carries out second may find its token revoked.
        match one.await.unwrap() {
            Ok(()) => succeeded += 1,
            Err(error) => assert_eq!(error.kind(), ErrorKind::SessionExpired, "{error}"),
        }
    }
    assert!(succeeded > 0);
    profile.token().await.unwrap_err();
    drop(profile);
    let mut ends = 0;
    while let Some(event) = next(&mut events).await {
        ends += u32::from(matches!(event, Event::Ended { .. }));
    }
    assert_eq!(ends, 1);
}

#[tokio::test]
async fn failed_log_out_leaves_the_session_as_it_is() {
    for fault in [
        Fault::status(500),
        Fault::status(503),
        Fault::status(403),
        Fault::reset(),
    ] {
        let env = TestEnv::new().await;
        let profile = env.profile().await.unwrap();
        let token = profile.token().await.unwrap();
        env.emulator.faults().on("logOut").always(fault.clone());
        env.emulator.faults().on("deleteAccount").always(fault);
        let error = profile.log_out().await.unwrap_err();
        assert_eq!(error.operation(), Some("logOut"), "{error}");
        assert_eq!(profile.token().await.unwrap().expose(), token.expose());
        let deletion = AccountDeletion::by_password(PASSWORD);
        let error = profile.delete_account(deletion).await.unwrap_err();
        assert_eq!(error.operation(), Some("deleteAccount"), "{error}");
        assert_eq!(profile.token().await.unwrap().expose(), token.expose());
        profile.get("/v4/clients").await.unwrap();
    }
}

#[tokio::test]
async fn refresh_that_answers_late_does_not_revive_the_session() {
    let env = TestEnv::new().await;
    let profile = env.profile().await.unwrap();
    let mut events = profile.subscribe();
    env.pass(secs(3400));
    let gate = env.emulator.faults().on("refreshProfileToken").hold();
    profile.token().await.unwrap();
    gate.wait_for(1).await;
    let waiter = {
        let profile = profile.clone();
        tokio::spawn(async move { profile.token_valid_for(secs(3000)).await })
    };
    tokio::task::yield_now().await;
    profile.log_out().await.unwrap();
    let error = bounded(waiter).await.unwrap().unwrap_err();
    assert!(
        error.to_string().contains("logged out"),
        "waiters are told at once: {error}"
    );
    gate.release();
    assert_ended(&env, &profile, "logged out").await;
    drop(profile);
    ended_once(&mut events, EndCause::LoggedOut).await;
}

#[tokio::test]
async fn login_again_that_answers_late_does_not_revive_the_session() {
    let env = TestEnv::new().await;
    let login = env.client.profile(env.profile_key());
    let profile = login.login(customer(PASSWORD)).keep_credentials().await.unwrap();
    // The log-out is under way with the token that another request finds refused.
    let log_out_gate = env.emulator.faults().on("logOut").hold();
    let log_out = {
        let profile = profile.clone();
        tokio::spawn(async move { profile.log_out().await })
    };
    log_out_gate.wait_for(1).await;
    let login_gate = env.emulator.faults().on("authenticateProfile").hold();
    profile.invalidate();
    env.emulator
        .faults()
        .on("refreshProfileToken")
        .always(Fault::status(401));
    let caller = spawn_token(&profile);
    login_gate.wait_for(1).await;
    log_out_gate.release();
    log_out.await.unwrap().unwrap();
    assert!(bounded(caller).await.unwrap().is_err());
    login_gate.release();
    assert_ended(&env, &profile, "logged out").await;
}

#[tokio::test]
async fn requests_under_way_keep_their_results() {
    let env = TestEnv::new().await;
    let profile = env.profile().await.unwrap();
    let gate = env.emulator.faults().on("GET /v4/clients").hold();
    // The server accepts the first, and refuses the token of the second by now.
    let accepted = Fault::json(&json!({ "data": [] }));
    env.emulator.faults().on("GET /v4/clients").then(accepted);
    let first = spawn_get(&profile);
    gate.wait_for(1).await;
    let second = spawn_get(&profile);
    gate.wait_for(2).await;
    profile.log_out().await.unwrap();
    gate.release();
    bounded(first).await.unwrap().unwrap();
    let error = bounded(second).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SessionExpired, "{error}");
}

#[tokio::test]
async fn keep_alive_stops_at_once_and_says_so() {
    let env = TestEnv::new().await;
    let profile = env.profile().await.unwrap();
    let guards = [profile.keep_alive().unwrap(), profile.keep_alive().unwrap()];
    let mut events = profile.subscribe();
    tokio::task::yield_now().await;
    profile.log_out().await.unwrap();
    assert!(matches!(next(&mut events).await, Some(Event::Ended { .. })));
    for _ in &guards {
        match next(&mut events).await {
            Some(Event::KeepAliveStopped { error }) => {
                assert!(error.to_string().contains("logged out"), "{error}");
            }
            other => panic!("expected that it stops, got {other:?}"),
        }
    }
    for guard in &guards {
        while guard.is_running() {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn logged_out_visitor_gets_a_new_session_and_not_the_stored_token() {
    let store = MemoryStore::new();
    let env = TestEnv::with_client(|client| client.store(store.clone())).await;
    let visitor = env.visitor();
    let first = visitor.token().await.unwrap();
    visitor.log_out().await.unwrap();
    let next_visit = env.visitor();
    let second = next_visit.token().await.unwrap();
    assert_ne!(first.expose(), second.expose());
    assert_eq!(env.emulator.count("authenticateAnonymously"), 2);
    visitor.token().await.expect_err("the old handle has ended");

    // Neither does another process that shares the store.
    next_visit.log_out().await.unwrap();
    let elsewhere = env.client_builder().store(store).build().unwrap();
    let third = elsewhere.anonymous(env.profile_key(), crate::support::VISITOR);
    assert_ne!(third.token().await.unwrap().expose(), second.expose());
    assert_eq!(env.emulator.count("authenticateAnonymously"), 3);
}

#[tokio::test]
async fn log_out_on_all_devices_ends_the_other_sessions_of_the_account_too() {
    let env = TestEnv::new().await;
    let (here, there) = (env.profile().await.unwrap(), env.profile().await.unwrap());
    let mut events = there.subscribe();
    here.log_out().await.unwrap();
    let error = there.get("/v4/clients").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SessionExpired, "{error}");
    assert!(matches!(next(&mut events).await, Some(Event::Invalidated { .. })));
    assert!(matches!(next(&mut events).await, Some(Event::Expired { .. })));
    env.profile().await.expect("the customer can log in again");
    assert!(env.emulator.profile(CUSTOMER).is_some());
}

#[tokio::test]
async fn new_login_is_not_touched_by_the_end_of_an_earlier_session() {
    let env = TestEnv::new().await;
    let first = env.profile().await.unwrap();
    first.log_out().await.unwrap();
    let second = env.profile().await.unwrap();
    let mut events = second.subscribe();
    first.log_out().await.unwrap_err();
    env.pass(secs(3400));
    second.token().await.unwrap();
    assert_eq!(refreshed(&mut events).await, 2);
}
