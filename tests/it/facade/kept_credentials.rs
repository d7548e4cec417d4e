//! Sessions that keep the password: they follow what their customer changes, and never try a refused password again.

use synerise_auth::account::{EmailChange, EmailConfirmation, PasswordChange};
use synerise_auth::client::RetryPolicy;
use synerise_auth::kind::Profile;
use synerise_auth::lifecycle::{Event, TokenState};
use synerise_auth::{ApiKeySource, ErrorKind, Identity, LoginId, Session};
use synerise_auth_emulator::Fault;

use crate::support::{CUSTOMER, KeyFile, NEWCOMER, PASSWORD, TestEnv, VISITOR, customer, next, secs};

const NEW: &str = "Not-a-real-2";
const LOGIN: &str = "authenticateProfile";

async fn keeping(env: &TestEnv) -> Session<Profile> {
    let login = env.client.profile(env.profile_key()).login(customer(PASSWORD));
    login.keep_credentials().await.unwrap()
}

async fn change_password(profile: &Session<Profile>, old: &str, new: &str) {
    let change = PasswordChange::new(old, new);
    profile.change_password(change).await.unwrap();
}

/// Another session of the same account, where it is changed as well.
async fn elsewhere(env: &TestEnv) -> Session<Profile> {
    env.profile().await.unwrap()
}

/// Requests a change of the e-mail address, and returns the token that confirms it.
async fn email_token(env: &TestEnv, profile: &Session<Profile>, email: &str) -> String {
    let change = EmailChange::by_password(email, PASSWORD);
    profile.request_email_change(change).await.unwrap();
    env.emulator.last_message(email).unwrap().secret
}

/// The fields of the last login, as they were sent.
fn last_login(env: &TestEnv) -> serde_json::Value {
    let requests = env.emulator.requests().into_iter().rev();
    let mut logins = requests.filter(|request| request.operation == LOGIN);
    logins.next().unwrap().body.unwrap()
}

/// That the session, whose token has expired, ends with one refused login.
async fn assert_gives_up(env: &TestEnv, profile: &Session<Profile>) {
    let before = env.emulator.count(LOGIN);
    let mut events = profile.subscribe();
    let error = profile.token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SessionExpired, "{error}");
    assert!(
        error.to_string().contains("the kept password was refused"),
        "{error}"
    );
    assert!(matches!(next(&mut events).await, Some(Event::Expired { .. })));
    for _ in 0..20 {
        env.pass(secs(3600));
        assert_eq!(
            profile.token().await.unwrap_err().kind(),
            ErrorKind::SessionExpired
        );
    }
    assert_eq!(profile.status().state, TokenState::SessionEnded);
    assert_eq!(env.emulator.count(LOGIN), before + 1, "one login, and then none");
}

#[tokio::test]
async fn changed_password_is_the_one_that_logs_in_again() {
    let env = TestEnv::new().await;
    let profile = keeping(&env).await;
    change_password(&profile, PASSWORD, NEW).await;
    env.pass(secs(3600));
    profile.token().await.unwrap();
    change_password(&profile.clone(), NEW, "Not-a-real-3").await;
    env.pass(secs(3600));
    profile.get("/v4/clients").await.unwrap();
    assert_eq!(env.statuses(LOGIN), [200, 200, 200]);
}

#[tokio::test]
async fn password_that_was_not_changed_is_kept() {
    let env = TestEnv::new().await;
    let profile = keeping(&env).await;
    let change = PasswordChange::new("not-the-old-one", NEW);
    profile.change_password(change).await.unwrap_err();
    env.emulator
        .faults()
        .on("changePassword")
        .then(Fault::status(500));
    let change = PasswordChange::new(PASSWORD, NEW);
    profile.change_password(change).await.unwrap_err();
    env.pass(secs(3600));
    profile.token().await.unwrap();
    assert_eq!(env.statuses(LOGIN), [200, 200]);
}

#[tokio::test]
async fn password_that_was_stale_is_replaced_by_a_change() {
    let env = TestEnv::new().await;
    let profile = keeping(&env).await;
    change_password(&elsewhere(&env).await, PASSWORD, NEW).await;
    change_password(&profile, NEW, "Not-a-real-3").await;
    env.pass(secs(3600));
    profile.token().await.unwrap();
}

#[tokio::test]
async fn password_that_was_reset_elsewhere_is_tried_once() {
    let env = TestEnv::new().await;
    let profile = keeping(&env).await;
    let visitor = env.visitor();
    visitor.request_password_reset(CUSTOMER).await.unwrap();
    let token = env.emulator.last_message(CUSTOMER).unwrap().secret;
    visitor.reset_password(token, NEW).await.unwrap();
    profile.token().await.expect("the token is still valid");
    env.pass(secs(3600));
    assert_gives_up(&env, &profile).await;
    // The account is not locked: the customer logs in with the new password.
    let login = env.client.profile(env.profile_key()).login(customer(NEW));
    login.await.unwrap();
}

#[tokio::test]
async fn refused_password_leaves_a_token_that_is_still_valid() {
    let env = TestEnv::new().await;
    let profile = keeping(&env).await;
    change_password(&elsewhere(&env).await, PASSWORD, NEW).await;
    env.emulator
        .faults()
        .on("refreshProfileToken")
        .always(Fault::status(403));
    let before = env.emulator.count(LOGIN);
    let guard = profile.keep_alive().unwrap();
    let mut events = profile.subscribe();
    env.clock.sleepers(1).await;
    env.pass(secs(3400));
    assert!(matches!(next(&mut events).await, Some(Event::Expired { .. })));
    assert!(matches!(
        next(&mut events).await,
        Some(Event::KeepAliveStopped { .. })
    ));
    profile.get("/v4/clients").await.unwrap();
    env.pass(secs(100));
    profile.token().await.expect("for as long as it is valid");
    assert_eq!(env.emulator.count(LOGIN), before + 1);
    drop(guard);
}

#[tokio::test]
async fn failure_that_is_no_refusal_is_tried_again() {
    let env = TestEnv::with_client(|client| client.retry_policy(RetryPolicy::never())).await;
    let profile = keeping(&env).await;
    env.pass(secs(3600));
    for fault in [
        Fault::reset(),
        Fault::status(503),
        Fault::status(423),
        Fault::status(403),
    ] {
        env.emulator.faults().on(LOGIN).then(fault);
        let error = profile.token().await.unwrap_err();
        assert_ne!(error.kind(), ErrorKind::SessionExpired, "{error}");
        env.pass(secs(600));
    }
    profile.token().await.unwrap();
}

#[tokio::test]
async fn refusal_that_may_be_of_the_key_is_repeated_once() {
    let env = TestEnv::new().await;
    let file = KeyFile::new(&env.emulator.workspace().profile_api_key);
    let logins = env.client.profile(ApiKeySource::file(file.path()));
    let profile = logins.login(customer(PASSWORD)).keep_credentials().await.unwrap();
    env.pass(secs(3600));
    env.emulator.faults().on(LOGIN).then(Fault::status(401));
    let error = profile.token().await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(401)));
    env.pass(secs(60));
    profile.token().await.expect("it was not the password");

    env.pass(secs(3600));
    env.emulator.faults().on(LOGIN).always(Fault::status(401));
    assert_eq!(profile.token().await.unwrap_err().kind(), ErrorKind::Api);
    env.pass(secs(60));
    assert_gives_up(&env, &profile).await;
}

#[tokio::test]
async fn password_changed_while_the_old_one_is_refused_is_tried_at_once() {
    let env = TestEnv::new().await;
    let profile = keeping(&env).await;
    // The token is about to expire: a request needs another one while the change is on its way.
    env.pass(secs(3500));
    env.emulator
        .faults()
        .on("refreshProfileToken")
        .always(Fault::status(403));
    let gate = env.emulator.faults().on(LOGIN).hold();
    let refresh = tokio::spawn({
        let profile = profile.clone();
        async move { profile.token_valid_for(secs(600)).await }
    });
    gate.wait_for(1).await;
    change_password(&profile, PASSWORD, NEW).await;
    gate.release();
    refresh.await.unwrap().unwrap();
    assert_eq!(env.statuses(LOGIN), [200, 401, 200]);
}

#[tokio::test]
async fn changed_email_address_is_the_one_that_logs_in_again() {
    let env = TestEnv::new().await;
    let profile = keeping(&env).await;
    let token = email_token(&env, &profile, NEWCOMER).await;
    profile
        .confirm_email_change(EmailConfirmation::new(token))
        .await
        .unwrap();
    env.pass(secs(3600));
    profile.token().await.unwrap();
    assert_eq!(env.statuses(LOGIN), [200, 200]);
    assert_eq!(last_login(&env)["email"], NEWCOMER);
}

#[tokio::test]
async fn address_that_was_not_confirmed_is_not_used() {
    let env = TestEnv::new().await;
    let profile = keeping(&env).await;
    email_token(&env, &profile, NEWCOMER).await;
    let confirmation = EmailConfirmation::new("not-the-token");
    profile.confirm_email_change(confirmation).await.unwrap_err();
    env.pass(secs(3600));
    profile.token().await.unwrap();
    assert_eq!(last_login(&env)["email"], CUSTOMER);
}

#[tokio::test]
async fn refused_request_of_an_address_counts_for_nothing() {
    let env = TestEnv::new().await;
    let profile = keeping(&env).await;
    let change = EmailChange::by_password("typo@example.com", "not-the-password");
    profile.request_email_change(change).await.unwrap_err();
    let token = email_token(&env, &profile, NEWCOMER).await;
    let confirmation = EmailConfirmation::new(token);
    profile.confirm_email_change(confirmation).await.unwrap();
    env.pass(secs(3600));
    profile.token().await.unwrap();
    assert_eq!(last_login(&env)["email"], NEWCOMER);
}

#[tokio::test]
async fn address_is_not_guessed_after_requests_of_several() {
    let env = TestEnv::new().await;
    let profile = keeping(&env).await;
    email_token(&env, &profile, "first@example.com").await;
    let token = email_token(&env, &profile, NEWCOMER).await;
    let confirmation = EmailConfirmation::new(token);
    profile.confirm_email_change(confirmation).await.unwrap();
    env.pass(secs(3600));
    let error = profile.token().await.unwrap_err();
    assert_eq!(error.status(), Some(404), "nobody has the old address: {error}");
    assert_eq!(last_login(&env)["email"], CUSTOMER);

    // The next single request is unambiguous again.
    let profile = elsewhere_by(&env, NEWCOMER).await;
    let token = email_token(&env, &profile, CUSTOMER).await;
    let confirmation = EmailConfirmation::new(token);
    profile.confirm_email_change(confirmation).await.unwrap();
    env.pass(secs(3600));
    profile.token().await.unwrap();
}

async fn elsewhere_by(env: &TestEnv, email: &str) -> Session<Profile> {
    let identity = Identity::synerise(LoginId::email(email), PASSWORD, VISITOR);
    let login = env.client.profile(env.profile_key()).login(identity);
    login.keep_credentials().await.unwrap()
}

#[tokio::test]
async fn identifier_of_your_own_stays_when_the_address_changes() {
    let env = TestEnv::new().await;
    env.emulator.set_custom_id(CUSTOMER, "card-17");
    let identity = Identity::synerise(LoginId::custom_id("card-17"), PASSWORD, VISITOR);
    let login = env.client.profile(env.profile_key()).login(identity);
    let profile = login.keep_credentials().await.unwrap();
    let token = email_token(&env, &profile, NEWCOMER).await;
    let confirmation = EmailConfirmation::new(token);
    profile.confirm_email_change(confirmation).await.unwrap();
    env.pass(secs(3600));
    profile.token().await.unwrap();
    let sent = last_login(&env);
    assert!(
        sent.get("email").is_none() && sent["customId"] == "card-17",
        "{sent}"
    );
}
