//! Log-outs and deletions, as the server sees them: what they end, and what they don't.

use synerise_auth::account::AccountDeletion;
use synerise_auth::kind::Profile;
use synerise_auth::{ErrorKind, Identity, Result, Session};
use synerise_auth_emulator::Fault;

use crate::support::{CUSTOMER, PASSWORD, TestEnv, VISITOR, customer, secs};

/// Whether the server still accepts the token that the session has now.
async fn is_accepted(env: &TestEnv, token: &str) -> bool {
    let bearer = format!("Bearer {token}");
    let request = reqwest::Client::new().get(format!("{}/v4/clients", env.emulator.base_url()));
    let response = request.header("authorization", bearer).send().await.unwrap();
    response.status().is_success()
}

async fn text(session: &Session<Profile>) -> String {
    session.token().await.unwrap().expose().to_owned()
}

#[tokio::test]
async fn logged_out_tokens_are_refused_for_the_rest_of_their_lives() {
    let env = TestEnv::new().await;
    let profile = env.profile().await.unwrap();
    let token = text(&profile).await;
    assert!(is_accepted(&env, &token).await);
    profile.log_out().await.unwrap();
    for _ in 0..6 {
        assert!(!is_accepted(&env, &token).await);
        env.pass(secs(600));
    }
}

#[tokio::test]
async fn log_out_leaves_other_accounts_and_visits_alone() {
    let env = TestEnv::new().await;
    env.emulator.add_account("ola@example.com", PASSWORD);
    let other = synerise_auth::LoginId::email("ola@example.com");
    let other = Identity::synerise(other, PASSWORD, "u-2");
    let other = env.client.profile(env.profile_key()).login(other).await.unwrap();
    let visitor = env.visitor();
    visitor.token().await.unwrap();
    env.profile().await.unwrap().log_out().await.unwrap();
    other.get("/v4/clients").await.unwrap();
    visitor.get("/v4/clients").await.unwrap();
    assert_eq!(env.emulator.count("authenticateAnonymously"), 1);
}

#[tokio::test]
async fn backend_logs_a_customer_out_by_the_id_in_the_token() {
    let env = TestEnv::new().await;
    let profile = env.profile().await.unwrap();
    let token = profile.token().await.unwrap();
    let id = token.profile_id().unwrap();
    env.workspace().log_out_profile(id).await.unwrap();
    assert!(!is_accepted(&env, token.expose()).await);
    let error = profile.get("/v4/clients").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SessionExpired, "{error}");

    let profile = env.profile().await.unwrap();
    let user = env.user_in_workspace().await.unwrap();
    user.log_out_profile(id).await.unwrap();
    profile.get("/v4/clients").await.unwrap_err();
    env.workspace().get("/v4/clients").await.unwrap();
}

#[tokio::test]
async fn customer_of_another_workspace_or_none_is_not_logged_out() {
    let env = TestEnv::new().await;
    let profile = env.profile().await.unwrap();
    let id = profile.token().await.unwrap().profile_id().unwrap();
    let other = env.emulator.add_workspace("Other").workspace_api_key;
    let other = env.client.workspace(synerise_auth::ApiKey::new(other).unwrap());
    for (workspace, id) in [(other, id), (env.workspace(), -1)] {
        let error = workspace.log_out_profile(id).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(404)));
        assert!(
            error.advice().contains("ClientBuilder::operation_path"),
            "{error}"
        );
    }
    profile.get("/v4/clients").await.unwrap();
}

#[tokio::test]
async fn deleted_account_can_not_log_in() {
    let env = TestEnv::new().await;
    let (profile, elsewhere) = (env.profile().await.unwrap(), env.profile().await.unwrap());
    let token = text(&profile).await;
    profile
        .delete_account(AccountDeletion::by_password(PASSWORD))
        .await
        .unwrap();
    assert!(!is_accepted(&env, &token).await);
    let error = env.profile().await.unwrap_err();
    assert_eq!(error.status(), Some(404), "{error}");
    let error = elsewhere.get("/v4/clients").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SessionExpired, "{error}");
    assert_eq!(env.emulator.profile(CUSTOMER), None);
}

#[tokio::test]
async fn deletion_takes_the_right_password_or_token() {
    let env = TestEnv::new().await;
    let profile = env.profile().await.unwrap();
    for wrong in [
        AccountDeletion::by_password("not-the-password"),
        AccountDeletion::by_provider_token("FACEBOOK", "a"),
    ] {
        let error = profile.delete_account(wrong).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(403)));
    }
    profile.get("/v4/clients").await.unwrap();

    let email = "ola@example.com";
    for token in ["login", "delete"] {
        env.emulator.add_third_party_token("FACEBOOK", token, email);
    }
    let login = env.client.profile(env.profile_key());
    let profile = login.login(Identity::facebook("login")).await.unwrap();
    let deletion = |token: &str| AccountDeletion::by_provider_token("facebook", token);
    profile.delete_account(deletion("other")).await.unwrap_err();
    profile.delete_account(deletion("delete")).await.unwrap();
    assert_eq!(env.emulator.profile(email), None);
}

#[tokio::test]
async fn deletion_is_sent_once_whatever_happens() {
    for fault in [
        Fault::reset(),
        Fault::status(503).retry_after(secs(0)),
        Fault::status(500),
        Fault::status(429),
        Fault::status(401),
    ] {
        let env =
            TestEnv::with_client(|client| client.retry_policy(synerise_auth::client::RetryPolicy::default()))
                .await;
        env.clock.advance_backoffs();
        let login = env.client.profile(env.profile_key());
        let profile = login.login(customer(PASSWORD)).keep_credentials().await.unwrap();
        env.emulator.faults().on("deleteAccount").always(fault);
        profile
            .delete_account(AccountDeletion::by_password(PASSWORD))
            .await
            .unwrap_err();
        assert_eq!(env.emulator.count("deleteAccount"), 1);
        profile.token().await.expect("the session goes on");
    }
}

#[tokio::test]
async fn no_deletion_is_sent_without_a_credential() {
    let env = TestEnv::new().await;
    let profile = env.profile().await.unwrap();
    let before = env.emulator.requests().len();
    let good = || AccountDeletion::by_password(PASSWORD);
    for (deletion, what) in [
        (AccountDeletion::by_password(""), "password"),
        (
            AccountDeletion::by_provider_token("APPLE", ""),
            "identity provider's token",
        ),
        (
            AccountDeletion::by_provider_token("SYNERISE", "a"),
            "identity provider",
        ),
        (
            AccountDeletion::by_provider_token("unknown", "a"),
            "identity provider",
        ),
        (AccountDeletion::by_provider_token("", "a"), "identity provider"),
        (good().uuid(" "), "profile UUID"),
        (good().device_id(""), "device id"),
        (good().custom_id(""), "custom identifier"),
    ] {
        let error = profile.delete_account(deletion).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert_eq!(error.input(), Some(what), "{error}");
    }
    assert_eq!(env.emulator.requests().len(), before);
}

#[tokio::test]
async fn log_out_with_clearing_ends_the_visits_too() -> Result<()> {
    let env = TestEnv::new().await;
    // The account of the visitor's own profile.
    let account = synerise_auth::account::NewAccount::new("ola@example.com", PASSWORD, VISITOR);
    let visitor = env.visitor();
    visitor.register(account).await?;
    let visit = visitor.token().await?;
    let login_id = synerise_auth::LoginId::email("ola@example.com");
    let identity = Identity::synerise(login_id, PASSWORD, VISITOR);
    let access = env.client.profile(env.profile_key());
    access.clone().login(identity.clone()).await?.log_out().await?;
    assert!(is_accepted(&env, visit.expose()).await);
    access.login(identity).await?.log_out().clear_sessions().await?;
    assert!(!is_accepted(&env, visit.expose()).await);
    Ok(())
}
