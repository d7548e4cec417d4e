//! Bugs that the changelogs of Synerise's own SDKs and plugins report, and that must not happen here.
//!
//! Others of them are tested where their subject is: ends of sessions in `lifecycle::ending`, single logins in
//! `lifecycle::sharing`, changed clocks in `lifecycle::times`, incognito visits in `facade::simple_login`, tokens of another
//! visitor in `facade::saved_sessions`.

use serde_json::json;
use synerise_auth::ConditionalLoginOutcome;
use synerise_auth::lifecycle::TokenState;
use synerise_auth::{ApiKey, Identity, LoginId};
use synerise_auth_emulator::Fault;

use crate::support::secs;
use crate::support::{CUSTOMER, PASSWORD, TestEnv, VISITOR, customer};

#[tokio::test]
async fn login_that_answers_after_its_caller_gave_up_changes_no_later_session() {
    let env = TestEnv::new().await;
    let gate = env.emulator.faults().on("authenticateProfile").hold();
    let slow = env.client.profile(env.profile_key());
    let slow = tokio::spawn(slow.login(customer(PASSWORD)).into_future());
    gate.wait_for(1).await;
    slow.abort();
    assert!(slow.await.unwrap_err().is_cancelled());
    gate.release();

    let profile = env.profile().await.unwrap();
    let token = profile.token().await.unwrap();
    profile.get("/v4/clients").await.unwrap();
    assert_eq!(profile.token().await.unwrap().expose(), token.expose());
    assert_eq!(token.generation(), 1);
}

#[tokio::test]
async fn consumer_that_sleeps_past_the_expiry_gets_a_new_token_before_it_calls() {
    let env = TestEnv::new().await;
    let workspace = env.workspace();
    workspace.get("/v4/clients").await.unwrap();
    env.pass(secs(48 * 3600));
    workspace.get("/v4/clients").await.unwrap();
    assert_eq!(env.statuses("GET /v4/clients"), [200, 200], "no call was refused");
    assert_eq!(env.logins(), 2);
}

#[tokio::test]
async fn conditional_login_keeps_the_uuid_that_was_sent() {
    let env = TestEnv::new().await;
    let uuid = "00000000-0000-4000-8000-0000000000cc";
    env.emulator.add_third_party_token("GOOGLE", "token-1", CUSTOMER);
    for identity in [
        Identity::google("token-1"),
        Identity::synerise(LoginId::email(CUSTOMER), PASSWORD, uuid),
    ] {
        let known = env.emulator.profile(CUSTOMER).unwrap().uuid;
        let login = env.client.profile(env.profile_key()).login_if_allowed(identity);
        let ConditionalLoginOutcome::LoggedIn(profile) = login.await.unwrap() else {
            panic!("the customer has an account");
        };
        let token = profile.token().await.unwrap();
        let saved = profile.export().await.unwrap();
        let now = env.emulator.profile(CUSTOMER).unwrap().uuid;
        assert_eq!(token.profile_uuid().unwrap().as_str(), now);
        assert_eq!(saved.profile_uuid().unwrap().as_str(), now);
        assert_eq!(now, known, "a login moves no account");
    }
}

#[tokio::test]
async fn session_of_one_key_never_serves_another() {
    let env = TestEnv::new().await;
    let one = env.visitor();
    let other = env.emulator.add_workspace("Other").profile_api_key;
    let other = env.client.anonymous(ApiKey::new(other).unwrap(), VISITOR);
    assert_ne!(
        one.token().await.unwrap().expose(),
        other.token().await.unwrap().expose()
    );
    other.invalidate();
    assert_eq!(one.token().await.unwrap().generation(), 1);
    assert_eq!(env.emulator.count("authenticateAnonymously"), 2);
}

#[tokio::test]
async fn token_without_profile_or_custom_id_is_a_token() {
    let env = TestEnv::new().await;
    let visitor = env.visitor().token().await.unwrap();
    let body = json!({
        "token": visitor.expose(), "origin": "SYNERISE", "customId": null, "clientId": null,
        "created": 1_767_225_600_000_u64, "expiration": 1_767_229_200,
    });
    env.emulator
        .faults()
        .on("authenticateProfile")
        .then(Fault::json(&body));
    let token = env.profile().await.unwrap().token().await.unwrap();
    assert_eq!(token.custom_id(), None);
}

#[tokio::test]
async fn expired_session_does_not_count_as_logged_in() {
    let env = TestEnv::new().await;
    let profile = env.profile().await.unwrap();
    assert!(profile.status().is_ready());
    env.pass(secs(3601));
    assert!(!profile.status().is_ready());
    assert_ne!(profile.status().state, TokenState::Fresh);
}

#[tokio::test]
async fn idle_visitor_sends_nothing() {
    let env = TestEnv::new().await;
    let visitor = env.visitor();
    visitor.token().await.unwrap();
    env.pass(secs(24 * 3600));
    env.visitor().status();
    assert_eq!(env.emulator.requests().len(), 1);
}
