//! Customers: logins by each identity, conditional logins, refresh and expiry.

use std::net::IpAddr;
use std::time::Duration;

use serde_json::json;
use synerise_auth::lifecycle::TokenState;
use synerise_auth::model::{Agreements, Attributes, ConditionalLoginStatus, TokenOrigin};
use synerise_auth::{ApiKey, ConditionalLoginOutcome, ErrorKind, Identity, LoginId, Visitor};
use synerise_auth_emulator::{Fault, UnmetCondition};

use crate::support::{
    CUSTOMER, DEVICE, NEWCOMER, PASSWORD, TestEnv, VISITOR, customer, newcomer, pin_for_everyone,
};

const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 17));

#[tokio::test]
async fn login_by_email_or_custom_id() {
    let env = TestEnv::new().await;
    env.emulator.set_custom_id(CUSTOMER, "card-17");
    for login in [LoginId::email(CUSTOMER), LoginId::custom_id("card-17")] {
        let identity = Identity::synerise(login, PASSWORD, VISITOR);
        let profile = env
            .client
            .profile(env.profile_key())
            .login(identity)
            .await
            .unwrap();
        let token = profile.token().await.unwrap();
        assert_eq!(token.origin(), Some(&TokenOrigin::Synerise));
        assert_eq!(token.custom_id(), Some("card-17"));
        assert_eq!(token.realm(), Some("client"));
        assert_eq!(token.lifetime(), Duration::from_secs(3600));
    }
}

#[tokio::test]
async fn token_names_the_profile_that_it_is_for() {
    for alone in [false, true] {
        // A login that returns the token alone leaves the claims to read.
        let env = TestEnv::with_assumptions(|assume| assume.profile_token_alone = alone).await;
        let visitor = env.visitor().token().await.unwrap();
        assert_eq!(visitor.profile_uuid().unwrap().as_str(), VISITOR);
        let customer = env.profile().await.unwrap().token().await.unwrap();
        let known = env.emulator.profile(CUSTOMER).unwrap();
        assert_eq!(customer.profile_uuid().unwrap().as_str(), known.uuid);
        assert!(customer.profile_id().unwrap() > 0);
        assert_ne!(customer.profile_id(), visitor.profile_id());
        let printed = format!("{customer:?} {visitor:?}");
        assert!(
            !printed.contains(VISITOR) && !printed.contains(&known.uuid),
            "{printed}"
        );

        let workspace = env.workspace().token().await.unwrap();
        assert_eq!((workspace.profile_id(), workspace.profile_uuid()), (None, None));
    }
}

#[tokio::test]
async fn login_by_external_provider_creates_an_account() {
    let env = TestEnv::new().await;
    for (identity, provider, email) in [
        (Identity::facebook("token-1"), "FACEBOOK", "a@example.com"),
        (Identity::oauth("token-1"), "OAUTH", "b@example.com"),
        (Identity::apple("token-1"), "APPLE", "c@example.com"),
        (Identity::google("token-1"), "GOOGLE", "d@example.com"),
    ] {
        env.emulator.add_third_party_token(provider, "token-1", email);
        let profile = env
            .client
            .profile(env.profile_key())
            .login(identity)
            .await
            .unwrap();
        let origin = profile.token().await.unwrap().origin().cloned();
        assert_eq!(origin, Some(TokenOrigin::from(provider)));
        assert_eq!(
            env.emulator.profile(email).unwrap().origin.as_deref(),
            Some(provider)
        );
    }
}

#[tokio::test]
async fn external_login_keeps_the_uuid_of_the_visitor() {
    let env = TestEnv::new().await;
    env.visitor().token().await.unwrap();
    env.emulator
        .add_third_party_token("GOOGLE", "token-1", "a@example.com");
    let identity = Identity::google("token-1").with_uuid(VISITOR);
    env.client
        .profile(env.profile_key())
        .login(identity)
        .await
        .unwrap();
    assert_eq!(env.emulator.profile("a@example.com").unwrap().uuid, VISITOR);
}

#[tokio::test]
async fn login_details_reach_the_profile() {
    let env = TestEnv::new().await;
    let attributes = Attributes::new()
        .set("colour", "green")
        .unwrap()
        .set("sizes", json!([42, null, { "eu": 43.5 }]))
        .unwrap();
    let login = env
        .client
        .profile(env.profile_key())
        .login(customer(PASSWORD))
        .device_id(DEVICE)
        .agreements(Agreements::new().with_email(true).with_sms(false))
        .attributes(attributes)
        .tags(["vip", "2026"]);
    login.await.unwrap();
    let known = env.emulator.profile(CUSTOMER).unwrap();
    assert_eq!(known.devices, [DEVICE]);
    assert_eq!(known.tags, ["vip", "2026"]);
    assert_eq!(
        (&known.agreements["email"], &known.agreements["sms"]),
        (&json!(true), &json!(false))
    );
    assert!(!known.agreements.contains_key("push"));
    assert_eq!(known.attributes["colour"], "green");
    assert_eq!(known.attributes["sizes"], json!([42, null, { "eu": 43.5 }]));
}

#[tokio::test]
async fn reserved_attribute_is_refused_by_name() {
    let error = Attributes::new().set("zipCode", "30-001").unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidInput);
    assert!(error.to_string().contains("`zipCode`"), "{error}");
    // The reason: the service drops it.
    let env = TestEnv::new().await;
    let login = env
        .client
        .profile(env.profile_key())
        .login(customer(PASSWORD))
        .attributes(Attributes::new().set_even_if_reserved("zipCode", "30-001"));
    login.await.unwrap();
    assert!(
        !env.emulator
            .profile(CUSTOMER)
            .unwrap()
            .attributes
            .contains_key("zipCode")
    );
}

#[tokio::test]
async fn invalid_login_is_refused_before_sending() {
    let env = TestEnv::new().await;
    let login = |identity| env.client.profile(env.profile_key()).login(identity);
    let by_email = |email: &str| Identity::synerise(LoginId::email(email), PASSWORD, VISITOR);
    for (login, what) in [
        (login(by_email(" ")), "e-mail address is empty"),
        (login(customer("")), "password is empty"),
        (login(customer(PASSWORD).with_uuid("")), "profile UUID is empty"),
        (login(Identity::apple("")), "identity provider's token is empty"),
        (login(customer(PASSWORD)).device_id(""), "device id is empty"),
        (
            login(Identity::apple("t")).keep_credentials(),
            "keep_credentials was asked for",
        ),
    ] {
        let error = login.await.unwrap_err();
        assert!(error.to_string().starts_with(what), "{error}");
    }
    assert_eq!(env.emulator.count("authenticateProfile"), 0);
}

#[tokio::test]
async fn missing_device_id_is_an_error_of_its_own() {
    let env = TestEnv::new().await;
    env.emulator.require_device_id();
    let login = || env.client.profile(env.profile_key()).login(customer(PASSWORD));
    let error = login().await.unwrap_err();
    assert!(error.kind() == ErrorKind::DeviceIdRequired, "{error}");
    assert_eq!((error.status(), error.code()), (Some(400), Some("SAU-601")));
    assert_eq!(error.field_errors()[0].field.as_deref(), Some("deviceId"));
    assert!(error.to_string().ends_with("log in with a device id"));
    login().device_id(DEVICE).await.unwrap();
}

#[tokio::test]
async fn wrong_passwords_lock_the_account() {
    let env = TestEnv::new().await;
    let login = |password| env.client.profile(env.profile_key()).login(customer(password));
    for _ in 0..10 {
        let error = login("wrong").await.unwrap_err();
        assert_eq!(error.status(), Some(401));
        assert!(!error.is_retryable());
    }
    let error = login(PASSWORD).await.unwrap_err();
    assert_eq!(error.status(), Some(423));
    assert!(error.advice().contains("locked"));
    assert_eq!(env.emulator.count("authenticateProfile"), 11);
}

#[tokio::test]
async fn conditional_login_succeeds_or_names_the_condition() {
    let env = TestEnv::new().await;
    let login = |identity| env.client.profile(env.profile_key()).login_if_allowed(identity);
    let ConditionalLoginOutcome::LoggedIn(profile) = login(customer(PASSWORD)).await.unwrap() else {
        panic!("the customer has an account");
    };
    profile.token().await.unwrap();

    env.emulator
        .add_third_party_token("GOOGLE", "token-1", "stranger@example.com");
    let ConditionalLoginOutcome::Unmet { status, .. } = login(Identity::google("token-1")).await.unwrap()
    else {
        panic!("a stranger has no account");
    };
    assert_eq!(status, ConditionalLoginStatus::RegistrationRequired);
    assert!(
        env.emulator.profile("stranger@example.com").is_none(),
        "and gets none"
    );

    for (name, expected) in [
        (
            "TERMS_ACCEPTANCE_REQUIRED",
            ConditionalLoginStatus::TermsAcceptanceRequired,
        ),
        ("APPROVAL_REQUIRED", ConditionalLoginStatus::ApprovalRequired),
        ("MFA_REQUIRED", ConditionalLoginStatus::MfaRequired),
    ] {
        env.emulator.require_at_login(CUSTOMER, name, &["condition-1"]);
        match login(customer(PASSWORD)).await.unwrap() {
            ConditionalLoginOutcome::Unmet { status, conditions } => {
                assert_eq!((status, conditions), (expected, vec!["condition-1".to_owned()]));
            }
            other @ ConditionalLoginOutcome::LoggedIn(_) => panic!("{other:?}"),
        }
    }
    assert_eq!(login(customer("wrong")).await.unwrap_err().status(), Some(401));
}

#[tokio::test]
async fn unknown_condition_is_an_outcome() {
    let env = TestEnv::new().await;
    let answer = json!({ "status": "PIN_ACTIVATION_REQUIRED", "conditions": [] });
    let faults = env.emulator.faults();
    faults
        .on("authenticateProfileConditionally")
        .then(Fault::json(&answer));
    let login = env
        .client
        .profile(env.profile_key())
        .login_if_allowed(customer(PASSWORD));
    let ConditionalLoginOutcome::Unmet { status, .. } = login.await.unwrap() else {
        panic!("it is not met");
    };
    assert_eq!(
        status,
        ConditionalLoginStatus::Unknown("PIN_ACTIVATION_REQUIRED".into())
    );
}

#[tokio::test]
async fn refused_condition_is_an_error_that_can_be_matched() {
    let env =
        TestEnv::with_assumptions(|assumptions| assumptions.unmet_condition = UnmetCondition::Refused).await;
    let workspace = env.workspace();
    let settings = workspace.profile_settings();
    settings
        .update(|settings| settings.registration = pin_for_everyone())
        .await
        .unwrap();
    let account = synerise_auth::account::NewAccount::new(NEWCOMER, PASSWORD, VISITOR).device_id(DEVICE);
    env.visitor().register(account).await.unwrap();
    let login = env.client.profile(env.profile_key()).login_if_allowed(newcomer());
    let error = login.await.unwrap_err();
    assert!(
        matches!(
            error.kind(),
            ErrorKind::ActivationRequired(synerise_auth::error::ActivationMethod::Pin)
        ),
        "{error}"
    );
}

#[tokio::test]
async fn conditional_login_can_use_the_visitors_token() {
    let env = TestEnv::new().await;
    let visitor = env.visitor();
    let token = visitor.token().await.unwrap();
    let login = env
        .client
        .profile(env.profile_key())
        .login_if_allowed(customer(PASSWORD));
    login.as_anonymous(&visitor).await.unwrap();
    let requests = env.emulator.requests();
    assert!(requests.last().unwrap().bearer_is(token.expose()));
}

#[tokio::test]
async fn visitors_share_a_session_by_key_uuid_and_device() {
    let env = TestEnv::new().await;
    let session = |visitor: Visitor| env.client.anonymous(env.profile_key(), visitor);
    let first = session(Visitor::new(VISITOR));
    let same = session(Visitor::new(VISITOR));
    let device = session(Visitor::new(VISITOR).with_device_id(DEVICE));
    let other = session(Visitor::new("other"));
    let token = first.token().await.unwrap();
    assert_eq!(token.origin(), Some(&TokenOrigin::Anonymous));
    assert_eq!(token.expose(), same.token().await.unwrap().expose());
    for another in [device, other] {
        assert_ne!(token.expose(), another.token().await.unwrap().expose());
    }
    assert_eq!(env.emulator.count("authenticateAnonymously"), 3);
}

#[tokio::test]
async fn visitor_is_refreshed_then_logs_in_again_after_expiry() {
    let env = TestEnv::new().await;
    let visitor = env.visitor();
    visitor.token().await.unwrap();
    env.pass(Duration::from_secs(3400));
    visitor.token_valid_for(Duration::from_secs(3600)).await.unwrap();
    assert_eq!(env.emulator.count("refreshProfileToken"), 1);
    env.pass(Duration::from_secs(3600));
    visitor.token().await.unwrap();
    assert_eq!(
        env.emulator.count("refreshProfileToken"),
        1,
        "an expired session can't be refreshed"
    );
    assert_eq!(env.emulator.count("authenticateAnonymously"), 2);
    env.emulator.revoke_tokens();
    env.pass(Duration::from_secs(60));
    visitor.token_valid_for(Duration::from_secs(3600)).await.unwrap();
    assert_eq!(
        env.emulator.count("authenticateAnonymously"),
        3,
        "a refresh that is refused for good"
    );
}

#[tokio::test]
async fn profile_session_is_refreshed_while_active() {
    let env = TestEnv::new().await;
    let profile = env.profile().await.unwrap();
    for _ in 0..3 {
        env.pass(Duration::from_secs(3400));
        profile.token_valid_for(Duration::from_secs(3600)).await.unwrap();
    }
    assert_eq!(env.emulator.count("refreshProfileToken"), 3);
    assert_eq!(env.emulator.count("authenticateProfile"), 1);
}

#[tokio::test]
async fn expired_profile_session_says_what_to_do() {
    let env = TestEnv::new().await;
    let profile = env.profile().await.unwrap();
    env.pass(Duration::from_secs(3600));
    for _ in 0..2 {
        let error = profile.token().await.unwrap_err();
        assert!(error.kind() == ErrorKind::SessionExpired, "{error}");
        assert!(error.advice().starts_with("let the customer log in again"));
        env.pass(Duration::from_secs(600));
    }
    assert_eq!(profile.status().state, TokenState::SessionEnded);
    assert_eq!(env.emulator.count("refreshProfileToken"), 0);
    assert_eq!(env.emulator.count("authenticateProfile"), 1);
}

#[tokio::test]
async fn kept_credentials_log_in_again_without_the_details() {
    let env = TestEnv::new().await;
    let login = env
        .client
        .profile(env.profile_key())
        .login(customer(PASSWORD))
        .device_id(DEVICE)
        .agreements(Agreements::new().with_email(true))
        .tags(["once"])
        .keep_credentials();
    let profile = login.await.unwrap();
    env.pass(Duration::from_secs(3600));
    profile.token().await.unwrap();
    assert_eq!(env.emulator.count("authenticateProfile"), 2);
    let again = env.emulator.requests().pop().unwrap().body.unwrap();
    let fields: Vec<_> = again.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        fields,
        [
            "apiKey",
            "deviceId",
            "email",
            "identityProvider",
            "password",
            "uuid"
        ]
    );
}

#[tokio::test]
async fn external_token_is_never_sent_twice() {
    let env = TestEnv::new().await;
    env.emulator
        .add_single_use_token("APPLE", "token-1", "a@example.com");
    let login = || {
        env.client
            .profile(env.profile_key())
            .login(Identity::apple("token-1"))
    };
    let profile = login().await.unwrap();
    env.emulator.revoke_tokens();
    env.emulator.stub("GET", "/v4/clients", json!({}));
    let error = profile.get("/v4/clients").await.unwrap_err();
    assert!(error.kind() == ErrorKind::SessionExpired, "{error}");
    env.pass(Duration::from_secs(7200));
    assert_eq!(
        profile.token().await.unwrap_err().kind(),
        ErrorKind::SessionExpired
    );
    assert_eq!(env.emulator.count("authenticateProfile"), 1);
}

#[tokio::test]
async fn encrypted_token_without_expiration_is_accepted() {
    let env = TestEnv::with_assumptions(|assumptions| {
        assumptions.encrypted_profile_tokens = true;
        assumptions.profile_token_alone = true;
    })
    .await;
    let token = env.profile().await.unwrap().token().await.unwrap();
    assert!(token.claims().is_none());
    assert_eq!(
        token.lifetime(),
        Duration::from_secs(3600),
        "the documented default"
    );
    assert_eq!(
        (token.origin(), token.custom_id(), token.realm()),
        (None, None, None)
    );
}

#[tokio::test]
async fn backend_logs_a_customer_in() {
    let env = TestEnv::new().await;
    let workspace = env.workspace();
    let login = workspace.login_profile(env.profile_key(), customer(PASSWORD), ADDRESS);
    let profile = login.device_id(DEVICE).keep_credentials().await.unwrap();
    assert_eq!(env.emulator.profile(CUSTOMER).unwrap().devices, [DEVICE]);
    // It is refreshed as any profile's session, and logs in again the way it logged in first.
    env.pass(Duration::from_secs(3000));
    profile.token_valid_for(Duration::from_secs(3600)).await.unwrap();
    assert_eq!(env.emulator.count("refreshProfileToken"), 1);
    env.pass(Duration::from_secs(3600));
    profile.token().await.unwrap();
    assert_eq!(env.emulator.count("authenticateProfileServerSide"), 2);
}

#[tokio::test]
async fn server_side_login_needs_the_permission() {
    let env = TestEnv::new().await;
    let login = |permission: &str| {
        let key = env.emulator.add_workspace_api_key(&[permission]);
        let workspace = env.client.workspace(ApiKey::new(key).unwrap());
        workspace.login_profile(env.profile_key(), customer(PASSWORD), ADDRESS)
    };
    let error = login("SOMETHING_ELSE").await.unwrap_err();
    assert_eq!(error.status(), Some(403));
    assert!(
        error.to_string().contains("SAUTH_SERVER_LOGIN_CLIENT_CREATE"),
        "{error}"
    );
    assert!(error.advice().contains("permission"));
    login("SAUTH_SERVER_LOGIN_CLIENT_CREATE").await.unwrap();
}

#[tokio::test]
async fn wrong_server_side_login_path_says_what_to_configure() {
    let path = "/sauth/v3/auth/login/backend";
    let env = TestEnv::with_assumptions(|assumptions| assumptions.server_side_login_path = path.into()).await;
    let login = env
        .workspace()
        .login_profile(env.profile_key(), customer(PASSWORD), ADDRESS);
    let error = login.await.unwrap_err();
    assert_eq!(error.status(), Some(404));
    assert!(
        error.advice().contains("ClientBuilder::operation_path"),
        "{error}"
    );

    let client = env
        .client_builder()
        .operation_path("authenticateProfileServerSide", path)
        .build()
        .unwrap();
    let workspace = client.workspace(env.workspace_key());
    workspace
        .login_profile(env.profile_key(), customer(PASSWORD), ADDRESS)
        .await
        .unwrap();
}

#[test]
fn server_side_login_path_must_stay_on_the_host() {
    for path in [
        "https://other.example/login",
        "//other.example/login",
        "login",
        "/a\\b",
    ] {
        let error = synerise_auth::Client::builder()
            .operation_path("authenticateProfileServerSide", path)
            .build()
            .unwrap_err();
        assert!(error.kind() == ErrorKind::InvalidInput, "{path}: {error}");
    }
}

#[test]
fn replaced_path_has_the_parameters_of_its_operation() {
    for path in [
        "/elsewhere/logout",
        "/elsewhere/{id}/logout",
        "/elsewhere/{clientID}/{clientID}",
        "/elsewhere/{clientID",
        "/elsewhere/{clientID}/{",
    ] {
        let builder = synerise_auth::Client::builder().operation_path("logOutProfile", path);
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{path}: {error}");
        assert_eq!(error.input(), Some("path of logOutProfile"), "{path}: {error}");
    }
    let builder = synerise_auth::Client::builder().operation_path("logOut", "/elsewhere/{clientID}");
    let error = builder.build().unwrap_err();
    assert!(error.to_string().contains("has other parameters"), "{error}");
}

#[test]
fn only_a_path_that_is_not_stated_can_be_replaced() {
    for (operation, problem) in [
        ("workspaceLogin", "can't be replaced: Synerise states it"),
        ("authenticateprofileserverside", "there is no such operation"),
        ("", "there is no such operation"),
    ] {
        let builder = synerise_auth::Client::builder().operation_path(operation, "/elsewhere");
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains(problem), "{error}");
        assert!(
            error.advice().contains("authenticateProfileServerSide"),
            "{error}"
        );
    }
}
