//! Accounts: the modes of registration, activation by PIN and by e-mail.

use std::time::Duration;

use synerise_auth::account::{AccountDevice, NewAccount};
use synerise_auth::client::RetryPolicy;
use synerise_auth::error::ActivationMethod;
use synerise_auth::kind::Profile;
use synerise_auth::model::{Agreements, Attributes};
use synerise_auth::settings::{Pin, Registration};
use synerise_auth::{ApiKey, ErrorKind, Identity, LoginId, Result, Session};
use synerise_auth_emulator::{Fault, MessageKind};

use crate::support::{CUSTOMER, DEVICE, NEWCOMER, PASSWORD, TestEnv, VISITOR, newcomer, pin_for_everyone};

async fn in_mode(registration: Registration) -> TestEnv {
    let env = TestEnv::new().await;
    let workspace = env.workspace();
    workspace
        .profile_settings()
        .update(|settings| settings.registration = registration)
        .await
        .unwrap();
    env
}

async fn register(env: &TestEnv) {
    let account = NewAccount::new(NEWCOMER, PASSWORD, VISITOR).device_id(DEVICE);
    env.visitor().register(account).await.unwrap();
}

async fn log_in(env: &TestEnv) -> Result<Session<Profile>> {
    env.client.profile(env.profile_key()).login(newcomer()).await
}

fn on(device: &str) -> AccountDevice {
    AccountDevice::new(NEWCOMER, VISITOR, device)
}

#[tokio::test]
async fn automatic_registration_allows_login_at_once() {
    let env = in_mode(Registration::Automatic).await;
    let account = NewAccount::new(NEWCOMER, PASSWORD, VISITOR)
        .device_id(DEVICE)
        .custom_id("card-17")
        .first_name("Jan")
        .agreements(Agreements::new().with_sms(true))
        .attributes(Attributes::new().set("size", 42).unwrap());
    env.visitor().register(account).await.unwrap();
    log_in(&env).await.unwrap();
    assert!(env.emulator.outbox().is_empty());
    let known = env.emulator.profile(NEWCOMER).unwrap();
    assert!(known.active && !known.email_confirmed);
    assert_eq!(
        (known.custom_id.as_deref(), known.devices[0].as_str()),
        (Some("card-17"), DEVICE)
    );
    assert_eq!(
        (&known.attributes["size"], &known.attributes["firstName"]),
        (&42.into(), &"Jan".into())
    );
    assert_eq!(known.agreements["sms"], true);
}

#[tokio::test]
async fn email_can_be_confirmed_after_the_first_login() {
    let env = in_mode(Registration::Other("REQUIRE_EMAIL_CONFIRMATION".into())).await;
    register(&env).await;
    log_in(&env).await.unwrap();
    assert!(!env.emulator.profile(NEWCOMER).unwrap().email_confirmed);
    env.visitor()
        .activate_by_token(env.sent_to_newcomer())
        .await
        .unwrap();
    assert!(env.emulator.profile(NEWCOMER).unwrap().email_confirmed);
}

#[tokio::test]
async fn account_is_activated_by_the_link_in_an_email() {
    let env = in_mode(Registration::Other("REQUIRE_EMAIL_ACTIVATION".into())).await;
    register(&env).await;
    let error = log_in(&env).await.unwrap_err();
    assert!(
        matches!(
            error.kind(),
            ErrorKind::ActivationRequired(ActivationMethod::Link)
        ),
        "{error}"
    );
    assert_eq!((error.code(), error.status()), (Some("SAU-302"), Some(403)));
    assert!(error.advice().contains("link"));
    let first = env.sent_to_newcomer();
    env.visitor().resend_activation_token(NEWCOMER).await.unwrap();
    let error = env.visitor().activate_by_token(first).await.unwrap_err();
    assert_eq!(
        error.field_errors()[0].field.as_deref(),
        Some("token"),
        "the first is void"
    );
    env.visitor()
        .activate_by_token(env.sent_to_newcomer())
        .await
        .unwrap();
    log_in(&env).await.unwrap();
}

#[tokio::test]
async fn account_is_activated_by_pin() {
    let env = in_mode(pin_for_everyone()).await;
    register(&env).await;
    let error = log_in(&env).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::ActivationRequired(ActivationMethod::Pin)),
        "{error}"
    );
    assert_eq!(error.code(), Some("SAU-303"));
    let message = env.emulator.last_message(NEWCOMER).unwrap();
    assert_eq!(
        (message.kind, message.secret.len()),
        (MessageKind::ActivationPin, 6)
    );

    let error = env
        .visitor()
        .activate_by_pin(&on(DEVICE), "000")
        .await
        .unwrap_err();
    assert_eq!(error.field_errors()[0].field.as_deref(), Some("pinCode"));
    env.visitor()
        .activate_by_pin(&on(DEVICE), message.secret)
        .await
        .unwrap();
    log_in(&env).await.unwrap();
    assert!(env.emulator.profile(NEWCOMER).unwrap().email_confirmed);
}

#[tokio::test]
async fn pin_expires_after_the_configured_time() {
    let env = in_mode(pin_for_everyone()).await;
    register(&env).await;
    env.pass(Duration::from_secs(300));
    let error = env
        .visitor()
        .activate_by_pin(&on(DEVICE), env.sent_to_newcomer())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("expired"), "{error}");
    env.visitor().resend_pin(&on(DEVICE)).await.unwrap();
    env.visitor()
        .activate_by_pin(&on(DEVICE), env.sent_to_newcomer())
        .await
        .unwrap();
}

#[tokio::test]
async fn pin_is_bound_to_the_last_device_that_asked() {
    let env = in_mode(pin_for_everyone()).await;
    register(&env).await;
    let error = env.visitor().resend_pin(&on("device-2")).await.unwrap_err();
    assert_eq!(
        error.status(),
        Some(403),
        "only the last device may ask, unless the settings let others"
    );

    let workspace = env.workspace();
    let settings = workspace.profile_settings();
    let allow = |pin: &mut Pin| *pin = pin.clone().with_resend_from_other_device(true);
    settings
        .update(|settings| match &mut settings.registration {
            Registration::Pin(pin) => allow(pin),
            other => panic!("{other:?}"),
        })
        .await
        .unwrap();
    env.visitor().resend_pin(&on("device-2")).await.unwrap();
    let error = env
        .visitor()
        .activate_by_pin(&on(DEVICE), env.sent_to_newcomer())
        .await;
    assert_eq!(
        error.unwrap_err().status(),
        Some(403),
        "it is not the last device any more"
    );
    env.visitor()
        .activate_by_pin(&on("device-2"), env.sent_to_newcomer())
        .await
        .unwrap();
    log_in(&env).await.unwrap();
}

#[tokio::test]
async fn pin_on_conflict_is_required_of_external_accounts() {
    let env = in_mode(Registration::pin(8, Duration::from_secs(60))).await;
    register(&env).await;
    log_in(&env).await.unwrap();
    assert!(env.emulator.outbox().is_empty(), "no conflict, no PIN");

    let email = "google@example.com";
    env.emulator.add_third_party_token("GOOGLE", "token-1", email);
    let google = || {
        env.client
            .profile(env.profile_key())
            .login(Identity::google("token-1"))
    };
    google().await.unwrap();
    let account = NewAccount::new(email, PASSWORD, "u-2").device_id(DEVICE);
    env.visitor().register(account).await.unwrap();
    let pin = env.emulator.last_message(email).unwrap().secret;
    assert_eq!(pin.len(), 8);
    let account = AccountDevice::new(email, "u-2", DEVICE);
    env.visitor().activate_by_pin(&account, pin).await.unwrap();
    let identity = Identity::synerise(LoginId::email(email), PASSWORD, "u-2");
    env.client
        .profile(env.profile_key())
        .login(identity)
        .await
        .unwrap();
    google().await.unwrap();
}

#[tokio::test]
async fn registration_with_a_taken_email_names_the_field() {
    let env = TestEnv::new().await;
    let account = NewAccount::new(CUSTOMER, PASSWORD, VISITOR);
    let error = env.visitor().register(account).await.unwrap_err();
    assert_eq!(error.status(), Some(409));
    assert_eq!(error.field_errors()[0].field.as_deref(), Some("email"));
    assert!(error.to_string().contains("[email: 400: is taken]"), "{error}");
}

#[tokio::test]
async fn registration_needs_the_permission() {
    let env = TestEnv::new().await;
    let key = ApiKey::new(env.emulator.add_profile_api_key(&["SOMETHING_ELSE"])).unwrap();
    let visitor = env.client.anonymous(key, VISITOR);
    let error = visitor
        .register(NewAccount::new(NEWCOMER, PASSWORD, VISITOR))
        .await
        .unwrap_err();
    assert_eq!(error.status(), Some(403));
    assert!(
        error.to_string().contains("SAUTH_REGISTER_CLIENT_CREATE"),
        "{error}"
    );
}

#[tokio::test]
async fn missing_required_field_is_named() {
    let env = TestEnv::new().await;
    let visitor = env.visitor();
    for (account, what) in [
        (NewAccount::new("", PASSWORD, VISITOR), "e-mail address is empty"),
        (NewAccount::new(NEWCOMER, "", VISITOR), "password is empty"),
        (NewAccount::new(NEWCOMER, PASSWORD, " "), "profile UUID is empty"),
        (
            NewAccount::new(NEWCOMER, PASSWORD, VISITOR).device_id(""),
            "device id is empty",
        ),
        (
            NewAccount::new(NEWCOMER, PASSWORD, VISITOR).custom_id(serde_json::Value::Null),
            "custom identifier is null",
        ),
    ] {
        let error = visitor.register(account).await.unwrap_err();
        assert!(error.to_string().starts_with(what), "{error}");
    }
    for error in [
        visitor.activate_by_pin(&on(""), "123456").await.unwrap_err(),
        visitor.activate_by_pin(&on(DEVICE), "").await.unwrap_err(),
        visitor
            .resend_pin(&AccountDevice::new("", VISITOR, DEVICE))
            .await
            .unwrap_err(),
        visitor.activate_by_token("").await.unwrap_err(),
        visitor.resend_activation_token(" ").await.unwrap_err(),
    ] {
        assert!(error.kind() == ErrorKind::InvalidInput, "{error}");
    }
    assert!(env.emulator.requests().is_empty());
}

#[tokio::test]
async fn registration_is_never_sent_twice() {
    for fault in [
        Fault::status(500),
        Fault::status(503).retry_after(Duration::ZERO),
        Fault::status(429).retry_after(Duration::ZERO),
        Fault::status(401),
        Fault::reset(),
    ] {
        let env = TestEnv::new().await;
        // By default, a call is attempted three times.
        let builder = env.client_builder().retry_policy(RetryPolicy::default());
        let client = builder.build().unwrap();
        let visitor = client.anonymous(env.profile_key(), VISITOR);
        env.emulator.faults().on("registerProfile").always(fault);
        let account = NewAccount::new(NEWCOMER, PASSWORD, VISITOR);
        let error = visitor.register(account.clone()).await.unwrap_err();
        assert_eq!(env.emulator.count("registerProfile"), 1, "{error}");
        // A refused token is dropped all the same: the next attempt has a new one.
        if env.statuses("registerProfile") == [401] {
            env.emulator.faults().clear();
            visitor.register(account).await.unwrap();
            let got = ["authenticateAnonymously", "refreshProfileToken"].map(|id| env.emulator.count(id));
            assert_eq!(got.iter().sum::<u64>(), 2);
        }
    }
}
