//! Bugs that the changelogs of Synerise's own SDKs and plugins report, and that must not happen here.
//!
//! Others of them are tested where their subject is: ends of sessions in `lifecycle::ending`, failed refreshes in
//! `lifecycle::recovery`, changed clocks in `lifecycle::times`, fields that are not set in `facade::wire`, incognito visits and
//! logins without an identifier in `facade::simple_login`, tokens of another visitor in `facade::saved_sessions`, two accounts
//! with one UUID in `observability::sessions`.

use serde_json::json;
use synerise_auth::ConditionalLoginOutcome;
use synerise_auth::lifecycle::TokenState;
use synerise_auth::{ApiKey, Identity, LoginId};
use synerise_auth_emulator::Fault;

use crate::support::{CUSTOMER, PASSWORD, TestEnv, VISITOR, customer};
use crate::support::{secs, spawn_tokens};

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

#[tokio::test]
async fn many_callers_of_one_visitor_cost_one_login_and_one_refresh() {
    let env = TestEnv::new().await;
    let visitor = env.visitor();
    for (logins, refreshes) in [(1, 0), (1, 1)] {
        for token in spawn_tokens(&visitor, 100).join_all().await {
            token.unwrap();
        }
        assert_eq!(env.emulator.count("authenticateAnonymously"), logins);
        assert_eq!(env.emulator.count("refreshProfileToken"), refreshes);
        // Still valid, but not for the server's sake any more.
        visitor.invalidate();
    }
}

#[tokio::test]
async fn change_from_visitor_to_customer_mixes_no_tokens() {
    let env = TestEnv::new().await;
    let visitor = env.visitor();
    let before = visitor.token().await.unwrap();
    let gate = env.emulator.faults().on("authenticateProfile").hold();
    let login = env.client.profile(env.profile_key()).login(customer(PASSWORD));
    let login = tokio::spawn(login.as_anonymous(&visitor).into_future());
    gate.wait_for(1).await;
    visitor.get("/v4/clients").await.unwrap();
    gate.release();
    let profile = login.await.unwrap().unwrap();
    let recognized = profile.token().await.unwrap();
    assert_eq!(visitor.token().await.unwrap().expose(), before.expose());
    assert_eq!(recognized.realm(), Some("client"));
    profile.log_out().await.unwrap();
    visitor.get("/v4/clients").await.unwrap();
    assert_eq!(env.emulator.count("authenticateAnonymously"), 1);
}

#[tokio::test]
async fn nobody_asks_for_the_servers_time() {
    let env = TestEnv::new().await;
    let (visitor, profile) = (env.visitor(), env.profile().await.unwrap());
    visitor.token().await.unwrap();
    env.workspace().token().await.unwrap();
    env.pass(secs(3500));
    visitor.token_valid_for(secs(600)).await.unwrap();
    profile.token_valid_for(secs(600)).await.unwrap();
    let asked = env.emulator.requests();
    let asked: Vec<_> = asked.iter().map(|request| request.operation.as_str()).collect();
    assert!(
        asked.iter().all(|operation| !operation.contains("time")),
        "{asked:?}"
    );
}
