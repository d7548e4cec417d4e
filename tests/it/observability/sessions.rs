//! The events of a session: which session, what happened, and how much time is left.

use synerise_auth::account::{EmailChange, EmailConfirmation};
use synerise_auth::store::MemoryStore;
use synerise_auth::{ApiKey, Identity, LoginId};
use synerise_auth_emulator::Fault;

use super::collect::{Collected, Seen};
use crate::support::{CUSTOMER, NEWCOMER, PASSWORD, TestEnv, VISITOR, secs};

fn fields<'a>(event: &'a Seen, names: &[&'a str]) -> Vec<&'a str> {
    names
        .iter()
        .map(|name| event.field(name).unwrap_or("-"))
        .collect()
}

#[tokio::test]
async fn a_login_and_the_refreshes_after_it_say_whose_they_are() {
    let env = TestEnv::new().await;
    let key = env.workspace_key().fingerprint();
    let seen = Collected::start();
    let session = env.workspace();
    session.token().await.unwrap();
    let login = seen.event("logged in: the session has its first token");
    assert_eq!(
        (login.level.as_str(), login.target.as_str()),
        ("INFO", "synerise_auth::session")
    );
    let names = [
        "session.kind",
        "session.key",
        "refresh.cause",
        "token.generation",
        "token.lifetime_seconds",
    ];
    assert_eq!(
        fields(&login, &names),
        ["workspace", key.as_str(), "first", "1", "3600"]
    );
    assert_eq!(login.parent.as_deref(), Some("synerise.refresh"));

    env.pass(secs(3700));
    session.token().await.unwrap();
    let refreshed = seen.event("token refreshed");
    assert_eq!(refreshed.level, "DEBUG");
    assert_eq!(
        fields(&refreshed, &names),
        ["workspace", key.as_str(), "expired", "2", "3600"]
    );

    let spans = seen.spans("synerise.refresh");
    assert_eq!(spans.len(), 2);
    assert_eq!(
        fields(&spans[0], &names),
        ["workspace", key.as_str(), "first", "1", "3600"]
    );
}

#[tokio::test]
async fn a_failure_says_how_much_time_is_left_and_a_recovery_is_told() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    session.token().await.unwrap();
    let mut events = session.subscribe();
    let seen = Collected::start();
    env.emulator
        .faults()
        .on("workspaceLogin")
        .then(Fault::status(503));
    env.pass(secs(3400));
    session.token().await.unwrap();
    crate::support::failed(&mut events).await;
    let failure = seen.event("token refresh failed: workspaceLogin was refused with 503");
    assert_eq!(failure.level, "WARN");
    let names = [
        "token.left_seconds",
        "refresh.retry_in_seconds",
        "refresh.failures",
        "refresh.cause",
        "error.type",
    ];
    assert_eq!(fields(&failure, &names), ["200", "0", "1", "due", "api"]);
    let span = &seen.spans("synerise.refresh")[0];
    assert_eq!(
        fields(span, &["error.type", "otel.status_code"]),
        ["api", "ERROR"]
    );

    env.pass(secs(5));
    session.token().await.unwrap();
    crate::support::refreshed(&mut events).await;
    let recovery = seen.event("the session has recovered");
    assert_eq!(recovery.level, "INFO");
    assert_eq!(
        fields(&recovery, &["refresh.failures", "token.generation"]),
        ["1", "2"]
    );
}

#[tokio::test]
async fn the_end_of_a_session_is_told() {
    let env = TestEnv::new().await;
    let seen = Collected::start();
    let user = env.user().await.unwrap();
    let login = seen.event("logged in");
    assert_eq!(fields(&login, &["session.kind", "session.key"]), ["user", ""]);
    env.pass(secs(7 * 24 * 3600));
    user.token().await.unwrap_err();
    let end = seen.event("the session has ended");
    assert_eq!(end.level, "INFO");
    assert_eq!(
        fields(&end, &["session.kind", "error.type"]),
        ["user", "session_expired"]
    );
}

/// There may be a million of them.
#[tokio::test]
async fn customers_are_told_apart_only_when_debugging() {
    let env = TestEnv::new().await;
    let seen = Collected::start();
    env.visitor().token().await.unwrap();
    env.profile().await.unwrap();
    let logins: Vec<Seen> = seen
        .events()
        .into_iter()
        .filter(|event| event.message().starts_with("logged in"))
        .collect();
    let kinds: Vec<_> = logins
        .iter()
        .map(|event| fields(event, &["session.kind"])[0])
        .collect();
    assert_eq!(kinds, ["anonymous", "profile"]);
    assert!(logins.iter().all(|event| event.level == "DEBUG"));
}

#[tokio::test]
async fn a_refused_token_and_one_from_the_store_are_told() {
    let env = TestEnv::new().await;
    let store = MemoryStore::default();
    let client = || env.client_builder().store(store.clone()).build().unwrap();
    let seen = Collected::start();
    client().workspace(env.workspace_key()).token().await.unwrap();
    let session = client().workspace(env.workspace_key());
    session.token().await.unwrap();
    assert_eq!(seen.event("token loaded from the store").level, "DEBUG");
    env.emulator.revoke_tokens();
    session.get("/v4/clients").await.unwrap();
    let refused = seen.event("the server refused the token");
    assert_eq!(
        fields(&refused, &["token.generation", "session.kind"]),
        ["1", "workspace"]
    );
    let refreshed = seen.event("token refreshed");
    assert_eq!(fields(&refreshed, &["refresh.cause"]), ["invalidated"]);
}

/// How often the log says that two accounts have one UUID.
fn warnings(seen: &Collected) -> usize {
    let events = seen.events();
    let warnings = events.iter().filter(|event| {
        event.level == "WARN"
            && event
                .message()
                .starts_with("two accounts have logged in with one UUID")
    });
    warnings.count()
}

#[tokio::test]
async fn two_accounts_with_one_uuid_are_told_once_for_each_change() {
    let env = TestEnv::new().await;
    env.emulator.add_account(NEWCOMER, PASSWORD);
    let seen = Collected::start();
    let log_in = async |email: &str, uuid: &str| {
        let identity = Identity::synerise(LoginId::email(email), PASSWORD, uuid);
        let login = env.client.profile(env.profile_key()).login(identity);
        login.await.unwrap()
    };
    log_in(CUSTOMER, "u-1").await;
    log_in(CUSTOMER, "u-1").await;
    log_in(NEWCOMER, "u-2").await;
    log_in(CUSTOMER, "u-1").await;
    assert_eq!(warnings(&seen), 0);

    log_in(NEWCOMER, "u-1").await;
    assert_eq!(warnings(&seen), 1);
    let warning = seen.event("two accounts have logged in with one UUID");
    let key = env.profile_key().fingerprint();
    assert_eq!(
        fields(&warning, &["session.kind", "session.key"]),
        ["profile", key.as_str()]
    );
    let printed = format!("{warning:?}");
    assert!(
        !printed.contains("u-1") && !printed.contains("example.com"),
        "{printed}"
    );
    log_in(NEWCOMER, "u-1").await;
    assert_eq!(warnings(&seen), 1);
    log_in(CUSTOMER, "u-1").await;
    assert_eq!(warnings(&seen), 2);
}

#[tokio::test]
async fn one_account_with_one_uuid_is_not_told_whatever_it_logs_in_by() {
    let env = TestEnv::new().await;
    env.emulator.set_custom_id(CUSTOMER, "card-17");
    env.emulator.add_third_party_token("GOOGLE", "token-1", CUSTOMER);
    let seen = Collected::start();
    let logins = || env.client.profile(env.profile_key());
    let by = |id| Identity::synerise(id, PASSWORD, VISITOR);
    let profile = logins().login(by(LoginId::email(CUSTOMER))).await.unwrap();
    logins().login(by(LoginId::custom_id("card-17"))).await.unwrap();
    logins()
        .login(Identity::google("token-1").with_uuid(VISITOR))
        .await
        .unwrap();
    // A customer may get another address.
    let change = EmailChange::by_password(NEWCOMER, PASSWORD);
    profile.request_email_change(change).await.unwrap();
    let confirmation = EmailConfirmation::new(env.sent_to_newcomer());
    profile.confirm_email_change(confirmation).await.unwrap();
    logins().login(by(LoginId::email(NEWCOMER))).await.unwrap();
    // A refused login is nobody's.
    let wrong = Identity::synerise(LoginId::email("ola@example.com"), PASSWORD, VISITOR);
    logins().login(wrong).await.unwrap_err();
    // Another workspace has its own customers.
    let other = env.emulator.add_workspace("Other").profile_api_key;
    let other = ApiKey::new(other).unwrap();
    env.emulator
        .add_third_party_token("GOOGLE", "token-2", "ola@example.com");
    let login = env.client.profile(other);
    login
        .login(Identity::google("token-2").with_uuid(VISITOR))
        .await
        .unwrap();
    assert_eq!(warnings(&seen), 0);
}

#[tokio::test]
async fn accounts_are_told_apart_by_what_the_service_says_or_else_by_their_address() {
    let env = TestEnv::with_assumptions(|assumptions| {
        // Then no response says which profile it is for.
        assumptions.encrypted_profile_tokens = true;
        assumptions.profile_token_alone = true;
    })
    .await;
    env.emulator.add_account(NEWCOMER, PASSWORD);
    let seen = Collected::start();
    for (email, expected) in [(CUSTOMER, 0), ("JAN@example.com ", 0), (NEWCOMER, 1)] {
        if email.ends_with(' ') {
            env.emulator.add_account(email, PASSWORD);
        }
        let identity = Identity::synerise(LoginId::email(email), PASSWORD, VISITOR);
        env.client
            .profile(env.profile_key())
            .login(identity)
            .await
            .unwrap();
        assert_eq!(warnings(&seen), expected, "{email}");
    }
    // A login without a password has the visitor's UUID.
    let login = env.client.profile(env.profile_key());
    let login = login.simple_login(&env.visitor(), LoginId::email("ola@example.com"));
    login.await.unwrap();
    assert_eq!(warnings(&seen), 2);
}
