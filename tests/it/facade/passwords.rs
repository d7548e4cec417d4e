//! Passwords: forgotten and reset by the token of an e-mail, or changed by their owner.

use std::time::Duration;

use synerise_auth::account::PasswordChange;
use synerise_auth::{ErrorKind, Result};
use synerise_auth_emulator::{Fault, MessageKind};

use crate::support::{CUSTOMER, NEWCOMER, PASSWORD, TestEnv, customer};

const NEW: &str = "Not-a-real-2";

async fn log_in(env: &TestEnv, password: &str) -> Result<()> {
    let access = env.client.profile(env.profile_key());
    access.login(customer(password)).await.map(drop)
}

async fn token(env: &TestEnv) -> String {
    env.visitor().request_password_reset(CUSTOMER).await.unwrap();
    let message = env.emulator.last_message(CUSTOMER).unwrap();
    assert_eq!(message.kind, MessageKind::PasswordReset);
    message.secret
}

#[tokio::test]
async fn forgotten_password_is_reset_by_the_token_in_the_email() {
    let env = TestEnv::new().await;
    let token = token(&env).await;
    log_in(&env, PASSWORD).await.expect("asking changes nothing");
    env.visitor().reset_password(token, NEW).await.unwrap();
    assert_eq!(log_in(&env, PASSWORD).await.unwrap_err().status(), Some(401));
    log_in(&env, NEW).await.unwrap();
}

#[tokio::test]
async fn reset_token_is_the_last_one_good_once_and_for_an_hour() {
    let env = TestEnv::new().await;
    let visitor = env.visitor();
    let refused = async |token: &str| {
        let error = visitor.reset_password(token, NEW).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(400)));
        assert_eq!(error.field_errors()[0].field.as_deref(), Some("token"));
    };
    let (first, second) = (token(&env).await, token(&env).await);
    refused(&first).await;
    env.pass(Duration::from_secs(3599));
    visitor.reset_password(&*second, NEW).await.unwrap();
    refused(&second).await;

    let third = token(&env).await;
    env.pass(Duration::from_secs(3600));
    refused(&third).await;
    log_in(&env, NEW).await.unwrap();
}

#[tokio::test]
async fn reset_of_an_unknown_account_is_refused() {
    let env = TestEnv::new().await;
    let error = env.visitor().request_password_reset(NEWCOMER).await.unwrap_err();
    assert_eq!(error.status(), Some(404));
    let advice = error.advice();
    assert!(
        advice.contains("observed") && advice.contains("ClientBuilder::operation_path"),
        "{error}"
    );
    assert!(env.emulator.outbox().is_empty());
}

#[tokio::test]
async fn password_is_changed_by_its_owner() {
    let env = TestEnv::new().await;
    let profile = env.profile().await.unwrap();
    let error = profile
        .change_password(PasswordChange::new("not-the-old-one", NEW))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::WrongCredential, Some(403))
    );
    assert!(
        error.advice().contains("old password") && !error.is_retryable(),
        "{error}"
    );
    log_in(&env, PASSWORD).await.unwrap();

    profile
        .change_password(PasswordChange::new(PASSWORD, NEW))
        .await
        .unwrap();
    profile.token().await.unwrap();
    assert_eq!(log_in(&env, PASSWORD).await.unwrap_err().status(), Some(401));
    log_in(&env, NEW).await.unwrap();
}

#[tokio::test]
async fn other_refusals_of_a_change_stay_what_they_are() {
    for status in [400, 409, 418, 423, 500] {
        let env = TestEnv::new().await;
        let profile = env.profile().await.unwrap();
        env.emulator
            .faults()
            .on("changePassword")
            .always(Fault::status(status));
        let change = PasswordChange::new(PASSWORD, NEW);
        let error = profile.change_password(change).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.status()),
            (ErrorKind::Api, Some(status)),
            "{error}"
        );
    }
}

#[tokio::test]
async fn nothing_is_sent_without_what_is_required() {
    let env = TestEnv::new().await;
    let (visitor, profile) = (env.visitor(), env.profile().await.unwrap());
    let before = env.emulator.requests().len();
    let change = async |old, new| profile.change_password(PasswordChange::new(old, new)).await;
    for (result, what) in [
        (visitor.request_password_reset(" ").await, "e-mail address"),
        (visitor.reset_password("", NEW).await, "password reset token"),
        (visitor.reset_password("token", "").await, "password"),
        (change("", NEW).await, "old password"),
        (change(PASSWORD, "").await, "new password"),
    ] {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert_eq!(error.input(), Some(what), "{error}");
    }
    assert_eq!(env.emulator.requests().len(), before);
}
