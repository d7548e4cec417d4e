//! Logins without a password, and visits that leave no trace.

use synerise_auth::account::AccountDeletion;
use synerise_auth::model::{Sex, TokenOrigin};
use synerise_auth::store::MemoryStore;
use synerise_auth::{ApiKey, ErrorKind, LoginId};
use synerise_auth_emulator::Fault;

use crate::support::{CUSTOMER, NEWCOMER, TestEnv, VISITOR, secs};

#[tokio::test]
async fn person_is_recognized_by_an_identifier() {
    let env = TestEnv::new().await;
    let visitor = env.visitor();
    let login = env.client.profile(env.profile_key());
    let login = login.simple_login(&visitor, LoginId::email(NEWCOMER));
    let profile = login
        .also(LoginId::custom_id("card 17"))
        .tags(["a"])
        .await
        .unwrap();
    let token = profile.token().await.unwrap();
    assert_eq!(token.origin(), Some(&TokenOrigin::SimpleAuth));
    let known = env.emulator.profile(NEWCOMER).unwrap();
    assert_eq!(known.custom_id.as_deref(), Some("card 17"));
    assert_eq!((known.uuid.as_str(), known.tags), (VISITOR, vec!["a".to_owned()]));

    let again = env.client.profile(env.profile_key());
    let again = again
        .simple_login(&visitor, LoginId::custom_id("card 17"))
        .await
        .unwrap();
    let again = again.token().await.unwrap();
    assert_eq!(again.profile_id(), token.profile_id());
    visitor.token().await.expect("the visit goes on");
}

#[tokio::test]
async fn session_of_a_simple_login_is_refreshed_and_ends_with_its_token() {
    let env = TestEnv::new().await;
    let login = env.client.profile(env.profile_key());
    let profile = login
        .simple_login(&env.visitor(), LoginId::email(CUSTOMER))
        .await
        .unwrap();
    env.pass(secs(3400));
    profile.token_valid_for(secs(3000)).await.unwrap();
    assert_eq!(env.statuses("refreshProfileToken"), [200]);
    env.pass(secs(4000));
    let error = profile.token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SessionExpired, "{error}");
}

#[tokio::test]
async fn account_of_a_simple_login_can_not_be_deleted_by_the_customer() {
    let env = TestEnv::new().await;
    let login = env.client.profile(env.profile_key());
    let login = login.simple_login(&env.visitor(), LoginId::email(NEWCOMER));
    let profile = login.await.unwrap();
    let deletion = AccountDeletion::by_password("anything");
    profile.delete_account(deletion).await.unwrap_err();
    profile.get("/v4/clients").await.expect("the session goes on");
}

#[tokio::test]
async fn simple_login_without_an_identifier_is_not_sent() {
    let env = TestEnv::new().await;
    let visitor = env.visitor();
    visitor.token().await.unwrap();
    let before = env.emulator.requests().len();
    let login = |id: LoginId| env.client.profile(env.profile_key()).simple_login(&visitor, id);
    let good = || login(LoginId::email(NEWCOMER));
    for (login, what) in [
        (login(LoginId::email(" ")), "e-mail address"),
        (login(LoginId::custom_id("")), "custom identifier"),
        (good().also(LoginId::custom_id("")), "custom identifier"),
        (good().uuid(""), "profile UUID"),
        (good().hash(""), "simple authentication hash"),
    ] {
        let error = login.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert_eq!(error.input(), Some(what), "{error}");
    }
    assert_eq!(env.emulator.requests().len(), before);
}

#[tokio::test]
async fn key_with_a_salt_needs_the_right_hash() {
    let env = TestEnv::new().await;
    let key = env.emulator.add_profile_api_key(&["SAUTH_SIMPLE_AUTH_CREATE"]);
    assert!(env.emulator.require_simple_auth_hash(&key, "the-right-hash"));
    assert!(!env.emulator.require_simple_auth_hash("no-key", "a"));
    let key = ApiKey::new(key).unwrap();
    let visitor = env.client.anonymous(key.clone(), VISITOR);
    let login = || {
        let logins = env.client.profile(key.clone());
        logins.simple_login(&visitor, LoginId::email(NEWCOMER))
    };
    for (login, what) in [(login(), "missing"), (login().hash("another-hash"), "wrong")] {
        let error = login.await.unwrap_err();
        let refusal = (error.kind(), error.status(), error.operation());
        let expected = (ErrorKind::Api, Some(403), Some("authenticateSimply"));
        assert_eq!(refusal, expected, "{what}: {error}");
        assert!(!error.to_string().contains("another-hash"), "{error}");
        assert!(
            env.emulator.profile(NEWCOMER).is_none(),
            "{what}: nobody is recognized"
        );
    }
    login().hash("the-right-hash").await.unwrap();
    assert!(env.emulator.profile(NEWCOMER).is_some());

    // A key without a salt needs no header, and minds none.
    let login = env.client.profile(env.profile_key());
    let login = login.simple_login(&env.visitor(), LoginId::email("ola@example.com"));
    login.hash("anything").await.unwrap();
}

#[tokio::test]
async fn refused_simple_login_says_why() {
    let env = TestEnv::new().await;
    let weak = env.emulator.add_profile_api_key(&[]);
    let weak = ApiKey::new(weak).unwrap();
    let visitor = env.client.anonymous(weak.clone(), VISITOR);
    let login = env
        .client
        .profile(weak)
        .simple_login(&visitor, LoginId::email(NEWCOMER));
    let error = login.await.unwrap_err();
    assert_eq!(error.status(), Some(403), "{error}");
    for status in [400, 404, 412, 418, 500] {
        env.emulator
            .faults()
            .on("authenticateSimply")
            .then(Fault::status(status));
        let login = env.client.profile(env.profile_key());
        let login = login.simple_login(&env.visitor(), LoginId::email(NEWCOMER));
        let error = login.await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(status)));
        assert_eq!(error.operation(), Some("authenticateSimply"));
    }
    env.emulator.faults().on("authenticateSimply").then(Fault::html());
    let login = env.client.profile(env.profile_key());
    let login = login.simple_login(&env.visitor(), LoginId::email(NEWCOMER));
    let error = login.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{error}");
}

#[tokio::test]
async fn incognito_and_anonymous_visits_never_share_a_token() {
    let store = MemoryStore::new();
    let env = TestEnv::with_client(|client| client.store(store.clone())).await;
    let open = env.visitor();
    let hidden = env.client.incognito(env.profile_key(), VISITOR);
    let (open_token, hidden_token) = (open.token().await.unwrap(), hidden.token().await.unwrap());
    assert_ne!(open_token.expose(), hidden_token.expose());
    assert_eq!(open_token.origin(), Some(&TokenOrigin::Anonymous));
    assert_eq!(hidden_token.origin(), Some(&TokenOrigin::Incognito));

    // The same in another process that shares the store.
    let elsewhere = env.client_builder().store(store).build().unwrap();
    let open = elsewhere.anonymous(env.profile_key(), VISITOR);
    let hidden = elsewhere.incognito(env.profile_key(), VISITOR);
    assert_eq!(open.token().await.unwrap().expose(), open_token.expose());
    assert_eq!(hidden.token().await.unwrap().expose(), hidden_token.expose());
    assert_eq!(env.emulator.count("authenticateAnonymously"), 1);
    assert_eq!(env.emulator.count("authenticateIncognito"), 1);
}

#[tokio::test]
async fn incognito_visit_is_refreshed_and_stays_incognito() {
    let env = TestEnv::new().await;
    let hidden = env.client.incognito(env.profile_key(), VISITOR);
    hidden.token().await.unwrap();
    env.pass(secs(3400));
    let next = hidden.token_valid_for(secs(3000)).await.unwrap();
    assert_eq!(next.origin(), Some(&TokenOrigin::Incognito));
    env.pass(secs(4000));
    hidden.token().await.unwrap();
    assert_eq!(env.emulator.count("authenticateIncognito"), 2);
    assert_eq!(env.emulator.count("authenticateAnonymously"), 0);
}

#[test]
fn sex_is_an_open_list() {
    for (text, sex) in [
        ("FEMALE", Sex::Female),
        ("male", Sex::Male),
        ("OTHER", Sex::Other),
        ("NOT_SPECIFIED", Sex::NotSpecified),
    ] {
        assert_eq!(Sex::from(text), sex);
    }
    assert_eq!(Sex::from("X"), Sex::Unknown("X".into()));
}

#[tokio::test]
async fn saved_visit_goes_on_as_a_visit_of_its_own_kind_only() {
    let env = TestEnv::new().await;
    let open = || env.visitor();
    let hidden = || env.client.incognito(env.profile_key(), VISITOR);
    let (saved_open, saved_hidden) = (open().export().await.unwrap(), hidden().export().await.unwrap());
    open().resume(&saved_open).unwrap();
    hidden().resume(&saved_hidden).unwrap();
    for result in [open().resume(&saved_hidden), hidden().resume(&saved_open)] {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains("a visit of another kind"), "{error}");
    }
}
