//! The customer's e-mail address and telephone number: requested with a credential, and confirmed by a message.

use std::time::Duration;

use synerise_auth::account::{EmailChange, EmailConfirmation, PhoneConfirmation};
use synerise_auth::kind::Profile;
use synerise_auth::{ErrorKind, Identity, LoginId, Result, Session};
use synerise_auth_emulator::{Fault, MessageKind};

use crate::support::{CUSTOMER, NEWCOMER, PASSWORD, TestEnv, VISITOR};

const PHONE: &str = "+48000000000";

async fn log_in(env: &TestEnv, email: &str) -> Result<()> {
    let identity = Identity::synerise(LoginId::email(email), PASSWORD, VISITOR);
    env.client
        .profile(env.profile_key())
        .login(identity)
        .await
        .map(drop)
}

/// The token that was sent to the new address.
async fn email_token(env: &TestEnv, profile: &Session<Profile>) -> String {
    let change = EmailChange::by_password(NEWCOMER, PASSWORD);
    profile.request_email_change(change).await.unwrap();
    let message = env.emulator.last_message(NEWCOMER).unwrap();
    assert_eq!(message.kind, MessageKind::EmailChange);
    message.secret
}

/// The code that was sent to the new number.
async fn phone_code(env: &TestEnv, profile: &Session<Profile>) -> String {
    profile.request_phone_change(PHONE).await.unwrap();
    let message = env.emulator.last_message(PHONE).unwrap();
    assert_eq!(message.kind, MessageKind::PhoneChange);
    message.secret
}

#[tokio::test]
async fn email_address_changes_when_the_new_one_is_confirmed() {
    let env = TestEnv::new().await;
    let profile = env.profile().await.unwrap();
    let token = email_token(&env, &profile).await;
    log_in(&env, CUSTOMER).await.expect("asking changes nothing");

    let confirmation = EmailConfirmation::new(token).newsletter_agreement(true);
    profile.confirm_email_change(confirmation).await.unwrap();
    profile.token().await.expect("the session stays valid");
    log_in(&env, NEWCOMER).await.unwrap();
    assert_eq!(log_in(&env, CUSTOMER).await.unwrap_err().status(), Some(404));
    assert_eq!(env.emulator.profile(NEWCOMER).unwrap().agreements["email"], true);
}

#[tokio::test]
async fn email_change_without_an_agreement_changes_no_agreement() {
    let env = TestEnv::new().await;
    let profile = env.profile().await.unwrap();
    let token = email_token(&env, &profile).await;
    profile
        .confirm_email_change(EmailConfirmation::new(token))
        .await
        .unwrap();
    assert!(env.emulator.profile(NEWCOMER).unwrap().agreements.is_empty());
}

#[tokio::test]
async fn email_change_by_another_providers_account_takes_its_token() {
    let env = TestEnv::new().await;
    let emulator = &env.emulator;
    for token in ["login", "change", "elsewhere"] {
        emulator.add_third_party_token("FACEBOOK", token, "ola@example.com");
    }
    emulator.add_third_party_token("GOOGLE", "other-provider", "ola@example.com");
    let login = env.client.profile(env.profile_key());
    let profile = login.login(Identity::facebook("login")).await.unwrap();
    let by = |token: &str| EmailChange::by_provider_token(NEWCOMER, token);
    let error = profile
        .request_email_change(by("other-provider"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongCredential, "{error}");
    profile.request_email_change(by("change")).await.unwrap();
    let token = emulator.last_message(NEWCOMER).unwrap().secret;
    profile
        .confirm_email_change(EmailConfirmation::new(token))
        .await
        .unwrap();
    assert!(emulator.profile(NEWCOMER).is_some());
}

#[tokio::test]
async fn wrong_password_or_token_of_an_email_change_can_be_matched() {
    let env = TestEnv::new().await;
    let profile = env.profile().await.unwrap();
    let change = EmailChange::by_password(NEWCOMER, "not-the-password");
    let error = profile.request_email_change(change).await.unwrap_err();
    let kind = (error.kind(), error.status());
    assert_eq!(kind, (ErrorKind::WrongCredential, Some(403)), "{error}");
    assert!(error.advice().contains("password") && !error.is_retryable());
    assert!(env.emulator.outbox().is_empty());

    let confirmation = EmailConfirmation::new("not-the-token");
    let error = profile.confirm_email_change(confirmation).await.unwrap_err();
    let kind = (error.kind(), error.status());
    assert_eq!(kind, (ErrorKind::WrongCredential, Some(403)), "{error}");
    assert!(error.advice().contains("request another one") && !error.advice().contains("password"));
    profile.token().await.expect("the session stays valid");
}

#[tokio::test]
async fn email_change_token_is_the_last_one_good_once_and_for_an_hour() {
    let env = TestEnv::new().await;
    let confirm = async |token: &str| {
        // The customer's own session may have expired by then.
        let profile = env.profile().await.unwrap();
        profile.confirm_email_change(EmailConfirmation::new(token)).await
    };
    let refused = async |token: &str| {
        let error = confirm(token).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongCredential, "{error}");
    };
    let profile = env.profile().await.unwrap();
    let first = email_token(&env, &profile).await;
    let second = email_token(&env, &profile).await;
    refused(&first).await;
    env.pass(Duration::from_secs(3600));
    refused(&second).await;

    let profile = env.profile().await.unwrap();
    let third = email_token(&env, &profile).await;
    env.pass(Duration::from_secs(3540));
    let confirmation = EmailConfirmation::new(&*third);
    profile.confirm_email_change(confirmation.clone()).await.unwrap();
    let error = profile.confirm_email_change(confirmation).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongCredential, "{error}");
}

#[tokio::test]
async fn address_of_another_account_is_refused() {
    let env = TestEnv::new().await;
    env.emulator.add_account(NEWCOMER, PASSWORD);
    let profile = env.profile().await.unwrap();
    let change = EmailChange::by_password(NEWCOMER, PASSWORD);
    let error = profile.request_email_change(change).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(409)));
    assert_eq!(error.field_errors()[0].field.as_deref(), Some("email"));
}

#[tokio::test]
async fn phone_number_changes_when_its_code_is_entered() {
    let env = TestEnv::new().await;
    let profile = env.profile().await.unwrap();
    let code = phone_code(&env, &profile).await;
    assert!(env.emulator.profile(CUSTOMER).unwrap().attributes.is_empty());
    let confirmation = PhoneConfirmation::new(PHONE, code).sms_agreement(false);
    profile.confirm_phone_change(confirmation).await.unwrap();
    let changed = env.emulator.profile(CUSTOMER).unwrap();
    assert_eq!(changed.attributes["phone"], PHONE);
    assert_eq!(changed.agreements["sms"], false);
}

#[tokio::test]
async fn phone_code_is_the_last_one_good_once_for_its_number_and_for_five_minutes() {
    let env = TestEnv::new().await;
    let profile = env.profile().await.unwrap();
    let confirm = async |phone: &str, code: &str| {
        profile
            .confirm_phone_change(PhoneConfirmation::new(phone, code))
            .await
    };
    let refused = async |phone: &str, code: &str| {
        let error = confirm(phone, code).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(400)));
        assert_eq!(error.field_errors()[0].field.as_deref(), Some("confirmationCode"));
    };
    let code = phone_code(&env, &profile).await;
    refused("+48000000001", &code).await;
    refused(PHONE, "no-code").await;
    env.pass(Duration::from_secs(300));
    refused(PHONE, &code).await;

    let code = phone_code(&env, &profile).await;
    env.pass(Duration::from_secs(299));
    confirm(PHONE, &code).await.unwrap();
    refused(PHONE, &code).await;
}

#[tokio::test]
async fn other_refusals_of_a_change_stay_what_they_are() {
    for operation in [
        "requestEmailChange",
        "confirmEmailChange",
        "requestPhoneChange",
        "confirmPhoneChange",
    ] {
        for status in [400, 404, 409, 418, 423, 500] {
            let env = TestEnv::new().await;
            let profile = env.profile().await.unwrap();
            env.emulator.faults().on(operation).always(Fault::status(status));
            let change = EmailChange::by_password(NEWCOMER, PASSWORD);
            let error = match operation {
                "requestEmailChange" => profile.request_email_change(change).await,
                "confirmEmailChange" => profile.confirm_email_change(EmailConfirmation::new("t")).await,
                "requestPhoneChange" => profile.request_phone_change(PHONE).await,
                _ => {
                    profile
                        .confirm_phone_change(PhoneConfirmation::new(PHONE, "1"))
                        .await
                }
            };
            let error = error.unwrap_err();
            let kind = (error.kind(), error.status());
            assert_eq!(kind, (ErrorKind::Api, Some(status)), "{error}");
            let names_the_path = error.advice().contains("ClientBuilder::operation_path");
            assert_eq!(names_the_path, status == 404, "{error}");
        }
    }
}

#[tokio::test]
async fn nothing_is_sent_without_what_is_required() {
    let env = TestEnv::new().await;
    let profile = env.profile().await.unwrap();
    let before = env.emulator.requests().len();
    let request = async |change| profile.request_email_change(change).await;
    let confirm = async |phone, code| {
        profile
            .confirm_phone_change(PhoneConfirmation::new(phone, code))
            .await
    };
    let good = || EmailChange::by_password(NEWCOMER, PASSWORD);
    for (result, what) in [
        (
            request(EmailChange::by_password(" ", PASSWORD)).await,
            "new e-mail address",
        ),
        (request(EmailChange::by_password(NEWCOMER, "")).await, "password"),
        (
            request(EmailChange::by_provider_token(NEWCOMER, "")).await,
            "identity provider's token",
        ),
        (request(good().device_id("")).await, "device id"),
        (request(good().uuid("")).await, "profile UUID"),
        (request(good().custom_id("")).await, "custom identifier"),
        (
            profile.confirm_email_change(EmailConfirmation::new("")).await,
            "e-mail change token",
        ),
        (profile.request_phone_change("").await, "new telephone number"),
        (confirm("", "1").await, "new telephone number"),
        (confirm(PHONE, "").await, "confirmation code"),
    ] {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert_eq!(error.input(), Some(what), "{error}");
    }
    assert_eq!(env.emulator.requests().len(), before);
}
