//! A workspace that authenticates by Basic authentication: the calls of a session, without a token.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use synerise_auth::client::RetryPolicy;
use synerise_auth::kind::Workspace;
use synerise_auth::session::authentication::Authentication;
use synerise_auth::settings::Registration;
use synerise_auth::store::{LeaseOwner, Saved, StoreFuture, StoreKey, StoredToken, TokenStore};
use synerise_auth::uuid::Uuid;
use synerise_auth::{ApiKey, BasicWorkspaceSession, Client, ErrorKind, Result, Session, reqwest};
use synerise_auth_emulator::Fault;

use crate::support::{Answer, CLIENTS, Capture, PASSWORD, TestEnv, bounded, customer, key, millis, secs};

const GUID: &str = "0A1B2C3D-0000-4000-8000-00000000000f";
const CHECK: &str = "checkPermissions";
const IP: [u8; 4] = [192, 0, 2, 17];

fn basic_key(env: &TestEnv) -> ApiKey {
    ApiKey::new(&env.emulator.workspace().basic_api_key).unwrap()
}

fn basic_of(env: &TestEnv, client: &Client) -> BasicWorkspaceSession {
    client
        .workspace_basic(&env.emulator.workspace().guid, basic_key(env))
        .unwrap()
}

fn basic(env: &TestEnv) -> BasicWorkspaceSession {
    basic_of(env, &env.client)
}

/// A session of a server that sees what is sent.
fn captured(server: &Capture) -> BasicWorkspaceSession {
    server.client().workspace_basic(GUID, key()).unwrap()
}

// What is sent

/// The calls of a workspace, written once for both ways to authenticate.
async fn call_everything<A: Authentication>(workspace: &Session<Workspace, A>, env: &TestEnv) -> Result<()> {
    assert!(workspace.check_permissions(["A_READ"]).await?.has("A_READ"));
    let settings = workspace.profile_settings();
    settings.get().await?;
    let change = |settings: &mut synerise_auth::settings::ProfileSettings| {
        settings.registration = Registration::pin(6, secs(300));
    };
    assert!(!settings.update(change).await?.is_empty());
    workspace.ip_policy().get().await?;
    let added = workspace
        .ip_policy()
        .update(|policy| policy.addresses.push("192.0.2.1".into()))
        .await?;
    assert!(!added.is_empty());
    workspace.get("/v4/clients").await?;
    workspace.raw().get_current_workspace().await?;
    let profile = workspace
        .login_profile(env.profile_key(), customer(PASSWORD), IpAddr::from(IP))
        .await?;
    let id = profile.token().await?.profile_id().unwrap();
    workspace.log_out_profile(id).await?;
    Ok(())
}

#[tokio::test]
async fn every_call_of_a_workspace_works_without_a_token() {
    let env = TestEnv::new().await;
    call_everything(&basic(&env), &env).await.unwrap();
    assert_eq!(env.logins(), 0);
    let workspace = env.emulator.workspace();
    let requests = env.emulator.requests();
    assert_eq!(requests.len(), 11);
    for request in requests {
        assert!(
            request.basic_is(&workspace.guid, &workspace.basic_api_key),
            "{request:?}"
        );
        assert_eq!(request.header_values("authorization").len(), 1);
        assert_eq!(request.header_values("api-version"), ["4.4"]);
    }
    // The same with a token.
    let env = TestEnv::new().await;
    call_everything(&env.workspace(), &env).await.unwrap();
    assert_eq!(env.logins(), 1);
}

#[tokio::test]
async fn guid_and_key_are_sent_as_they_are_written() {
    let server = Capture::start(|_| Answer::json(json!({}))).await;
    let client = server.client();
    let odd = ApiKey::new("fake:key:with:colons==").unwrap();
    for (key, text) in [(key(), crate::support::KEY), (odd, "fake:key:with:colons==")] {
        let workspace = client.workspace_basic(GUID, key).unwrap();
        workspace
            .get("/v4/clients")
            .header("authorization", "Bearer of-the-caller")
            .await
            .unwrap();
        let expected = format!("Basic {}", BASE64_STANDARD.encode(format!("{GUID}:{text}")));
        assert_eq!(server.last().values("authorization"), [expected]);
    }
    // A GUID that is one already is written in its usual form.
    let guid = Uuid::parse_str(GUID).unwrap();
    let workspace = client.workspace_basic(guid, key()).unwrap();
    workspace.check_permissions(["A"]).await.unwrap();
    let pair = format!("{}:{}", GUID.to_lowercase(), crate::support::KEY);
    let expected = format!("Basic {}", BASE64_STANDARD.encode(pair));
    assert_eq!(server.last().values("authorization"), [expected]);
}

#[tokio::test]
async fn sessions_with_and_without_a_token_live_side_by_side() {
    let env = TestEnv::new().await;
    let (basic, tokens) = (basic(&env), env.client.workspace(basic_key(&env)));
    basic.get("/v4/clients").await.unwrap();
    tokens.get("/v4/clients").await.unwrap();
    basic.clone().get("/v4/clients").await.unwrap();
    assert_eq!(env.logins(), 1);
    let requests = env.emulator.requests().into_iter();
    let schemes: Vec<_> = requests
        .filter(|request| request.operation == CLIENTS)
        .map(|request| request.header_values("authorization").join(" "))
        .collect();
    assert_eq!(
        schemes,
        ["Basic [redacted]", "Bearer [redacted]", "Basic [redacted]"]
    );
    // Revoked tokens don't concern it.
    env.emulator.revoke_tokens();
    basic.get("/v4/clients").await.unwrap();
    assert_eq!(env.logins(), 1);
}

// What is refused before anything is sent

#[tokio::test]
async fn guid_that_is_not_one_is_refused_without_being_quoted() {
    let server = Capture::start(|_| Answer::json(json!({}))).await;
    let client = server.client();
    let a_pair = format!("{GUID}:{}", crate::support::KEY);
    for wrong in [
        "",
        " ",
        "fake-guid",
        "48",
        &format!("{GUID}:"),
        &a_pair,
        &format!("{GUID}\n"),
        &format!(" {GUID}"),
        &format!("\"{GUID}\""),
        &format!("'{GUID}'"),
        &format!("{{{GUID}}}"),
        &format!("urn:uuid:{GUID}"),
        &format!("GUID={GUID}"),
        &GUID.replace('-', ""),
        &GUID.replace('-', ":"),
        &GUID.replace('f', "\u{17c}"),
        "${SYNERISE_WORKSPACE_GUID}",
        "Basic MEExQjJDM0QtMDAwMC00MDAwLTgwMDA=",
    ] {
        let error = client.workspace_basic(wrong, key()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{wrong:?}");
        assert_eq!(error.input(), Some("workspace"));
        let line = error.to_string();
        assert!(
            line.contains("is not a GUID") && !line.contains('\n') && !line.contains("1B2C3D"),
            "{line}"
        );
    }
    // The rules for the key are those of every key.
    assert!(ApiKey::new("KEY=fake").is_err());
    assert!(server.seen().is_empty());
}

#[test]
fn key_is_never_sent_in_plain_text_to_another_machine() {
    let refused = Client::builder()
        .base_url("http://synerise.internal")
        .allow_plain_http_to_any_host()
        .build()
        .unwrap();
    let error = refused.workspace_basic(GUID, key()).unwrap_err();
    assert_eq!(
        (error.kind(), error.input()),
        (ErrorKind::InvalidInput, Some("base URL"))
    );
    for allowed in [
        "https://api.synerise.com",
        "http://127.0.0.1:9",
        "http://localhost:9",
        "http://[::1]:9",
    ] {
        let client = Client::builder()
            .base_url(allowed)
            .allow_plain_http_to_any_host()
            .build()
            .unwrap();
        assert!(client.workspace_basic(GUID, key()).is_ok(), "{allowed}");
    }
}

// What the server refuses

#[tokio::test]
async fn wrong_credential_is_refused_once_and_says_what_to_check() {
    let env = TestEnv::new().await;
    let client = env
        .client_builder()
        .retry_policy(RetryPolicy::default())
        .build()
        .unwrap();
    let own = env.emulator.workspace().clone();
    let other = env.emulator.add_workspace("Other");
    let keys = [
        (&own.guid, ApiKey::new("no-such-key").unwrap()),
        (&own.guid, env.profile_key()),
        (&own.guid, env.workspace_key()),
        (&other.guid, basic_key(&env)),
    ];
    for (guid, key) in keys {
        env.emulator.forget_requests();
        let workspace = client.workspace_basic(guid, key).unwrap();
        let error = workspace.check_permissions(["A"]).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(401)));
        assert!(!error.is_retryable());
        let advice = error.advice().into_owned();
        for named in [
            "GUID",
            "API key",
            "Basic authentication is switched on",
            "Settings > API Keys",
        ] {
            assert!(advice.contains(named), "{advice}");
        }
        // That this operation accepts it is certain.
        assert!(!advice.contains("Client::workspace"), "{advice}");
        let error = workspace.get("/v4/clients").await.unwrap_err();
        assert!(error.advice().contains("Client::workspace"), "{error}");
        let error = workspace.ip_policy().get().await.unwrap_err();
        assert!(error.advice().contains("Client::workspace"), "{error}");
        // The retry of a session would be the second one.
        assert_eq!(env.emulator.requests().len(), 3);
    }
    assert_eq!(env.logins(), 0);
}

#[tokio::test]
async fn expiry_that_a_server_claims_is_final_as_well() {
    let env = TestEnv::new().await;
    let workspace = basic(&env);
    let expired = Fault::json(&json!({ "error": "Token expired." })).with_status(401);
    env.emulator.faults().on(CLIENTS).always(expired);
    for calls in 1..=3 {
        let error = workspace.get("/v4/clients").await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(401)));
        assert_eq!(env.calls(), calls);
    }
}

#[tokio::test]
async fn missing_permission_is_named_where_it_is_known() {
    let env = TestEnv::new().await;
    let weak = env.emulator.add_workspace_api_key(&["A_READ"]);
    env.emulator.set_basic_authentication(&weak, true);
    let guid = &env.emulator.workspace().guid;
    let workspace = env
        .client
        .workspace_basic(guid, ApiKey::new(weak).unwrap())
        .unwrap();
    let check = workspace.check_permissions(["A_READ", "B_READ"]).await.unwrap();
    assert!(check.has("A_READ") && !check.has("B_READ"));
    let login = workspace.login_profile(env.profile_key(), customer(PASSWORD), IpAddr::from(IP));
    let error = login.await.unwrap_err();
    assert_eq!(error.status(), Some(403));
    assert!(
        error.advice().contains("SAUTH_SERVER_LOGIN_CLIENT_CREATE"),
        "{error}"
    );
    env.emulator.faults().on(CLIENTS).then(Fault::status(403));
    let error = workspace.get("/v4/clients").await.unwrap_err();
    assert!(error.advice().contains("the permission"), "{error}");
    assert_eq!(env.calls(), 1);
}

#[tokio::test]
async fn response_that_is_not_synerises_is_an_error() {
    let env = TestEnv::new().await;
    let workspace = basic(&env);
    for unusable in [
        Fault::html(),
        Fault::body(200, "application/json", ""),
        Fault::body(200, "application/json", "[]"),
        Fault::truncated_body(),
    ] {
        env.emulator.faults().on(CHECK).then(unusable);
        let error = workspace.check_permissions(["A"]).await.unwrap_err();
        assert!(
            matches!(
                error.kind(),
                ErrorKind::UnexpectedResponse | ErrorKind::Connection
            ),
            "{error:?}"
        );
    }
    assert!(workspace.check_permissions(["A"]).await.is_ok());
}

#[tokio::test]
async fn redirect_does_not_get_the_credential() {
    let elsewhere = Capture::start(|_| Answer::json(json!({}))).await;
    let location = format!("{}/v4/clients", elsewhere.base_url());
    for status in [301, 302, 307, 308] {
        let to = location.clone();
        let server =
            Capture::start(move |_| Answer::json(json!({})).status(status).header("location", &to)).await;
        let client = server
            .builder()
            .http(|http| http.redirect(reqwest::redirect::Policy::limited(5)))
            .build()
            .unwrap();
        let workspace = client.workspace_basic(GUID, key()).unwrap();
        let error = workspace.get("/v4/clients").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{error}");
        assert_eq!(server.seen().len(), 1);
    }
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn server_that_quotes_the_credential_does_not_reach_the_error() {
    let encoded = BASE64_STANDARD.encode(format!("{GUID}:{}", crate::support::KEY));
    let quoted = format!(
        "{encoded} {GUID} {} {} Basic {encoded}",
        crate::support::KEY,
        GUID.to_lowercase()
    );
    for status in [400, 401, 403, 500] {
        let words = quoted.clone();
        let server = Capture::start(move |_| {
            Answer::json(json!({ "message": words, "error": words, "traceId": words })).status(status)
        })
        .await;
        let error = captured(&server).check_permissions(["A"]).await.unwrap_err();
        let shown = format!("{error} {error:?} {:?}", error.api());
        for secret in [&encoded, GUID, &GUID.to_lowercase(), crate::support::KEY] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

// As for sessions with a token

#[tokio::test]
async fn unavailable_server_is_tried_again() {
    let env = TestEnv::with_client(|client| client.retry_policy(RetryPolicy::default())).await;
    let workspace = basic(&env);
    env.emulator
        .faults()
        .on(CLIENTS)
        .then(Fault::status(503))
        .then(Fault::reset());
    env.clock.advance_backoffs();
    workspace.get("/v4/clients").await.unwrap();
    assert_eq!(env.calls(), 3);
    let own = env.emulator.workspace();
    for request in env.emulator.requests() {
        assert!(request.basic_is(&own.guid, &own.basic_api_key));
    }
}

#[tokio::test]
async fn slow_server_is_given_up_on() {
    let env = TestEnv::with_client(|client| client.attempt_timeout(millis(500))).await;
    let workspace = basic(&env);
    let gate = env.emulator.faults().on(CLIENTS).hold();
    let call = tokio::spawn(async move { workspace.get("/v4/clients").await });
    gate.wait_for(1).await;
    env.clock.advance(millis(500));
    let error = bounded(call).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    gate.release();
}

/// Counts how often it is asked.
#[derive(Debug, Clone, Default)]
struct Counting(Arc<AtomicUsize>);

impl TokenStore for Counting {
    fn load<'a>(&'a self, _: &'a StoreKey) -> StoreFuture<'a, Option<StoredToken>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Ok(None) })
    }

    fn save<'a>(
        &'a self,
        _: &'a StoreKey,
        _: StoredToken,
        _: Option<&'a LeaseOwner>,
    ) -> StoreFuture<'a, Saved> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Ok(Saved::Kept) })
    }
}

#[tokio::test]
async fn nothing_is_kept_of_it() {
    let env = TestEnv::new().await;
    let store = Counting::default();
    let client = env.client_builder().store(store.clone()).build().unwrap();
    let before = format!("{client:?}");
    let workspace = basic_of(&env, &client);
    workspace.get("/v4/clients").await.unwrap();
    assert_eq!(store.0.load(Ordering::Relaxed), 0);
    assert_eq!(format!("{client:?}"), before);
    assert!(!client.forget(basic_key(&env)));
    // With a token, the store is asked.
    client.workspace(basic_key(&env)).token().await.unwrap();
    assert!(store.0.load(Ordering::Relaxed) > 0);
    assert_ne!(format!("{client:?}"), before);
}

#[cfg(feature = "blocking")]
#[test]
fn blocking_code_can_use_it() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(Capture::start(|_| Answer::json(json!({ "permissions": {} }))));
    let blocking = synerise_auth::blocking::Runtime::new().unwrap();
    let workspace = captured(&server);
    blocking.block_on(workspace.check_permissions(["A"])).unwrap();
    assert_eq!(server.seen().len(), 1);
}
