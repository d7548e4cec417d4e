//! One rule for a 401, whichever way a call was made: what the operation says of it decides whether the token is discarded.

use std::net::{IpAddr, Ipv4Addr};

use chrono::NaiveDate;
use serde_json::json;
use synerise_auth::lifecycle::{Event, TokenState};
use synerise_auth::model::MfaMethod;
use synerise_auth::raw::types;
use synerise_auth::usage::UsageQuery;
use synerise_auth::{ErrorKind, Identity, Secret};
use synerise_auth_emulator::Fault;

use crate::support::{CLIENTS, PASSWORD, TestEnv, customer, next, secs, spawn_get};

const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 17));

fn refuse(env: &TestEnv, operation: &str) {
    env.emulator.faults().on(operation).always(Fault::status(401));
}

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, 5, 29).unwrap()
}

fn usage_body() -> types::UsageStatsRequest {
    types::UsageStatsRequest {
        from: day(),
        to: day(),
        actions: Vec::new(),
        bp_guids: Vec::new(),
    }
}

#[tokio::test]
async fn usage_401_keeps_a_user_session_through_the_facade_and_raw() {
    let env = TestEnv::new().await;
    let user = env.user().await.unwrap();
    refuse(&env, "newDataPointsStats");
    refuse(&env, "retentionDataPointsStats");
    let query = UsageQuery::days(day(), day()).unwrap();
    user.new_data_points(&query).await.unwrap_err();
    user.retention_data_points(&query).await.unwrap_err();
    user.raw().new_data_points_stats(&usage_body()).await.unwrap_err();
    user.raw()
        .retention_data_points_stats(&usage_body())
        .await
        .unwrap_err();
    assert_eq!(user.status().state, TokenState::Fresh);
    user.workspaces().await.unwrap();
}

#[tokio::test]
async fn wrong_second_factor_keeps_a_user_session_through_raw() {
    let env = TestEnv::new().await;
    let user = env.user().await.unwrap();
    refuse(&env, "userMfaLogin");
    let body = types::MfaVerificationRequest {
        verification_code: Secret::new("000000"),
        device_id: None,
        external_provider_token: None,
        external_provider_type: None,
    };
    let error = user
        .raw()
        .user_mfa_login(&MfaMethod::Totp, &body)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("401"), "{error}");
    assert_eq!(user.status().state, TokenState::Fresh);
}

#[tokio::test]
async fn token_401_ends_a_user_session_through_the_facade_and_raw() {
    let env = TestEnv::new().await;
    refuse(&env, "listWorkspaces");
    for raw in [false, true] {
        let user = env.user().await.unwrap();
        if raw {
            user.raw().list_workspaces().await.unwrap_err();
        } else {
            user.workspaces().await.unwrap_err();
        }
        assert_eq!(user.status().state, TokenState::SessionEnded, "raw: {raw}");
    }
}

#[tokio::test]
async fn usage_401_costs_a_refreshable_session_no_refresh() {
    let env = TestEnv::new().await;
    let workspace = env.workspace();
    refuse(&env, "newDataPointsStats");
    workspace
        .raw()
        .new_data_points_stats(&usage_body())
        .await
        .unwrap_err();
    assert_eq!(env.logins(), 1);
    assert_eq!(env.emulator.count("newDataPointsStats"), 1);
}

#[tokio::test]
async fn wrong_credentials_of_a_login_with_a_token_are_sent_once_and_cost_no_refresh() {
    let env = TestEnv::new().await;
    let workspace = env.workspace();
    let visitor = env.visitor();
    refuse(&env, "authenticateProfileServerSide");
    refuse(&env, "authenticateProfileConditionally");
    for attempt in 1..=3 {
        let login = workspace.login_profile(env.profile_key(), Identity::oauth("used-once"), ADDRESS);
        assert_eq!(login.await.unwrap_err().status(), Some(401));
        let access = env.client.profile(env.profile_key());
        let login = access.login_if_allowed(customer("wrong")).as_anonymous(&visitor);
        assert_eq!(login.await.unwrap_err().status(), Some(401));
        assert_eq!(env.emulator.count("authenticateProfileServerSide"), attempt);
        assert_eq!(env.emulator.count("authenticateProfileConditionally"), attempt);
    }
    assert_eq!(
        (env.logins(), env.emulator.count("authenticateAnonymously")),
        (1, 1)
    );
}

#[tokio::test]
async fn login_with_a_revoked_token_succeeds_with_the_next_one() {
    let env = TestEnv::new().await;
    let workspace = env.workspace();
    workspace.token().await.unwrap();
    env.pass(secs(60));
    env.emulator.revoke_tokens();
    let login = || workspace.login_profile(env.profile_key(), customer(PASSWORD), ADDRESS);
    assert_eq!(login().await.unwrap_err().status(), Some(401));
    login().await.unwrap();
    assert_eq!(env.logins(), 2);
}

#[tokio::test]
async fn login_with_an_expired_token_is_repeated_with_the_next_one() {
    let env = TestEnv::new().await;
    let workspace = env.workspace();
    let expired = Fault::json(&json!({ "error": "Token expired.", "status": 401 })).with_status(401);
    let faults = env.emulator.faults();
    faults.on("authenticateProfileServerSide").then(expired);
    let login = workspace.login_profile(env.profile_key(), customer(PASSWORD), ADDRESS);
    login.await.unwrap();
    assert_eq!(
        (env.logins(), env.emulator.count("authenticateProfileServerSide")),
        (2, 2)
    );
}

#[tokio::test]
async fn token_revoked_again_within_a_second_is_replaced_again() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    for revoked in 1..=5 {
        session.get("/v4/clients").await.unwrap();
        env.emulator.revoke_tokens();
        assert_eq!(session.get("/v4/clients").await.unwrap().status(), 200);
        assert_eq!(env.logins(), revoked + 1);
    }
}

#[tokio::test]
async fn endpoint_that_refuses_every_token_gets_one_login_a_second() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    refuse(&env, CLIENTS);
    for second in 0..3 {
        for _ in 0..10 {
            session.get("/v4/clients").await.unwrap_err();
            // Another endpoint takes the same token: that says nothing of the first one.
            session.raw().get_ip_policy().await.unwrap();
        }
        assert_eq!(env.logins(), 2 + second);
        env.pass(secs(1));
    }
}

#[tokio::test]
async fn late_401_for_an_older_token_costs_no_login_within_a_second() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    session.token().await.unwrap();
    let gate = env.emulator.faults().on(CLIENTS).hold();
    let slow = spawn_get(&session);
    gate.wait_for(1).await;
    env.emulator.revoke_tokens();
    // Another call finds out first, and gets the next token.
    session.raw().get_ip_policy().await.unwrap();
    assert_eq!(env.logins(), 2);
    gate.release();
    assert_eq!(slow.await.unwrap().unwrap().status(), 200);
    assert_eq!((env.logins(), session.status().generation), (2, 2));
}

#[tokio::test]
async fn keep_alive_refuses_a_session_that_cannot_be_refreshed() {
    let env = TestEnv::new().await;
    let user = env.user().await.unwrap();
    let inside = env.user_in_workspace().await.unwrap();
    for error in [user.keep_alive().unwrap_err(), inside.keep_alive().unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("can't be refreshed"), "{error}");
    }
}

#[tokio::test]
async fn end_of_keep_alive_is_an_event() {
    let env = TestEnv::new().await;
    let profile = env.profile().await.unwrap();
    let mut events = profile.subscribe();
    let guard = profile.keep_alive().unwrap();
    assert!(guard.is_running());
    env.clock.sleepers(1).await;
    // Its token expires while the computer is suspended, and it has no password to log in again.
    env.clock.suspend(secs(8 * 24 * 3600));
    env.emulator.clock().advance(secs(8 * 24 * 3600));
    env.pass(secs(60));
    assert!(matches!(next(&mut events).await, Some(Event::Expired { .. })));
    match next(&mut events).await {
        Some(Event::KeepAliveStopped { error }) => assert_eq!(error.kind(), ErrorKind::SessionExpired),
        other => panic!("expected the end of keep_alive, got {other:?}"),
    }
    tokio::task::yield_now().await;
    assert!(!guard.is_running());
}
