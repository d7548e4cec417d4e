//! A visitor who logs in: what the login carries, and what becomes of the visitor's session.

use serde_json::json;
use synerise_auth::lifecycle::Event;
use synerise_auth::{ApiKey, Client, ErrorKind, Session, kind};
use synerise_auth_emulator::Fault;

use crate::support::{
    Answer, CLIENTS, CUSTOMER, Capture, PASSWORD, TestEnv, VISITOR, bounded, customer, secs,
};

#[tokio::test]
async fn login_carries_the_visitors_token_and_links_the_history() {
    let env = TestEnv::new().await;
    let visitor = env.visitor();
    let logins = env.client.profile(env.profile_key());
    let profile = logins
        .login(customer(PASSWORD))
        .as_anonymous(&visitor)
        .await
        .unwrap();
    assert_eq!(env.emulator.profile(CUSTOMER).unwrap().linked_visitors, [VISITOR]);
    // Two sessions with two tokens, and neither took anything from the other.
    assert_ne!(
        visitor.token().await.unwrap().expose(),
        profile.token().await.unwrap().expose()
    );
    assert_eq!(visitor.status().generation, 1);
}

#[tokio::test]
async fn login_without_a_visitor_carries_no_token() {
    let server = Capture::start(|_| {
        Answer::json(
            json!({ "token": "t", "expiration": 4_102_444_800_i64, "created": 4_102_441_200_000_i64 }),
        )
        .header("date", "Thu, 31 Dec 2099 23:00:00 GMT")
    })
    .await;
    let key = ApiKey::new("not-a-real-key").unwrap();
    let client = server.client();
    client
        .profile(key.clone())
        .login(customer(PASSWORD))
        .await
        .unwrap();
    let visitor = client.anonymous(key.clone(), VISITOR);
    let login = client.profile(key).login(customer(PASSWORD));
    login.as_anonymous(&visitor).await.unwrap();
    let seen = server.seen();
    let sent: Vec<_> = seen
        .iter()
        .map(|request| (request.target.as_str(), request.values("authorization").join(",")))
        .collect();
    assert_eq!(
        sent,
        [
            ("/sauth/v3/auth/login/client", String::new()),
            ("/sauth/v3/auth/login/client/anonymous", String::new()),
            ("/sauth/v3/auth/login/client", "Bearer t".to_owned()),
        ]
    );
}

#[tokio::test]
async fn refused_login_leaves_the_visitor_and_is_sent_once() {
    let env = TestEnv::new().await;
    let visitor = env.visitor();
    let before = visitor.token().await.unwrap();
    let login = |password| env.client.profile(env.profile_key()).login(customer(password));
    let error = login("wrong").as_anonymous(&visitor).await.unwrap_err();
    assert_eq!(error.status(), Some(401));
    // Sent again, it would count as another wrong password.
    assert_eq!(env.emulator.count("authenticateProfile"), 1);
    let conditional = env
        .client
        .profile(env.profile_key())
        .login_if_allowed(customer("wrong"));
    conditional.as_anonymous(&visitor).await.unwrap_err();
    assert_eq!(env.emulator.count("authenticateProfileConditionally"), 1);
    assert_eq!(visitor.token().await.unwrap().expose(), before.expose());
    assert_eq!(
        env.emulator.profile(CUSTOMER).unwrap().linked_visitors,
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn expired_token_of_the_visitor_is_replaced_before_the_login_is_sent_again() {
    let env = TestEnv::new().await;
    let visitor = env.visitor();
    visitor.token().await.unwrap();
    // The server's clock alone: this client still believes in the token.
    env.emulator.clock().advance(secs(3600));
    let login = env.client.profile(env.profile_key()).login(customer(PASSWORD));
    login.as_anonymous(&visitor).await.unwrap();
    assert_eq!(env.statuses("authenticateProfile"), [401, 200]);
    assert_eq!(env.emulator.profile(CUSTOMER).unwrap().linked_visitors, [VISITOR]);
}

#[tokio::test]
async fn visitor_of_another_key_or_server_is_refused() {
    let env = TestEnv::new().await;
    let other_key = ApiKey::new(env.emulator.add_profile_api_key(&[])).unwrap();
    let elsewhere = Client::builder()
        .base_url("https://api.azu.synerise.com")
        .build()
        .unwrap();
    let cases: [(Session<kind::Anonymous>, &str); 2] = [
        (
            env.client.anonymous(other_key, VISITOR),
            "as_anonymous belongs to another API key",
        ),
        (
            elsewhere.anonymous(env.profile_key(), VISITOR),
            "as_anonymous belongs to another region or base URL",
        ),
    ];
    for (visitor, says) in cases {
        let login = env.client.profile(env.profile_key()).login(customer(PASSWORD));
        let error = login.as_anonymous(&visitor).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().starts_with(says), "{error}");
    }
    assert_eq!(env.emulator.count("authenticateProfile"), 0);
}

#[tokio::test]
async fn token_that_the_server_calls_expired_is_renewed_as_such() {
    let env = TestEnv::new().await;
    let (workspace, visitor) = (env.workspace(), env.visitor());
    workspace.token().await.unwrap();
    visitor.token().await.unwrap();
    let mut events = workspace.subscribe();
    env.emulator.clock().advance(secs(3600));
    workspace.get("/v4/clients").await.unwrap();
    assert_eq!(env.statuses(CLIENTS), [401, 200]);
    let event = bounded(events.next()).await;
    assert!(
        matches!(event, Some(Event::ExpiredAtServer { generation: 1 })),
        "{event:?}"
    );

    // An expired token can't be refreshed, so nothing tries to.
    visitor.get("/v4/clients").await.unwrap();
    assert_eq!(env.emulator.count("refreshProfileToken"), 0);
    assert_eq!(env.emulator.count("authenticateAnonymously"), 2);

    // A key that is refused is another matter.
    env.emulator
        .faults()
        .on("GET /v4/clients")
        .then(Fault::status(401));
    workspace.get("/v4/clients").await.unwrap();
    bounded(events.next()).await;
    let event = bounded(events.next()).await;
    assert!(matches!(event, Some(Event::Invalidated { .. })), "{event:?}");
}

#[tokio::test]
async fn session_that_can_not_be_refreshed_ends_with_its_expiry_at_the_server() {
    let env = TestEnv::new().await;
    let user = env.user().await.unwrap();
    env.emulator.clock().advance(secs(7 * 24 * 3600));
    let error = user.get("/v4/clients").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SessionExpired);
    assert_eq!(error.status(), Some(401));
}

#[tokio::test]
async fn refusal_names_the_missing_permission() {
    let env = TestEnv::new().await;
    let key = ApiKey::new(env.emulator.add_profile_api_key(&[])).unwrap();
    let visitor = env.client.anonymous(key, VISITOR);
    let account = synerise_auth::account::NewAccount::new("new@example.com", PASSWORD, VISITOR);
    let error = visitor.register(account).await.unwrap_err();
    assert_eq!(error.status(), Some(403));
    assert!(
        error
            .advice()
            .contains("the permission SAUTH_REGISTER_CLIENT_CREATE"),
        "{error}"
    );
}
