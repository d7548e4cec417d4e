//! A `reqwest::Client` that the caller built: what holds with it as well.

use serde_json::json;
use synerise_auth::clock::ManualClock;
use synerise_auth::reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, USER_AGENT};
use synerise_auth::reqwest::{self, redirect};
use synerise_auth::{Client, ErrorKind};
use synerise_auth_emulator::Fault;

use crate::support::{Answer, CLIENTS, Capture, TestEnv, bounded, key, secs, spawn_get};

fn http() -> reqwest::Client {
    let http = reqwest::Client::builder().redirect(redirect::Policy::none());
    http.build().unwrap()
}

#[tokio::test]
async fn headers_set_here_replace_those_of_the_client() {
    let server = Capture::answering(|path| path == "/v4/clients", Answer::json(json!({}))).await;
    let mut headers = HeaderMap::new();
    headers.insert("api-version", HeaderValue::from_static("1.0"));
    headers.insert("x-own", HeaderValue::from_static("1"));
    headers.insert(USER_AGENT, HeaderValue::from_static("own/1"));
    headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer fake-secret"));
    let http = reqwest::Client::builder()
        .default_headers(headers)
        .build()
        .unwrap();
    let builder = server.builder().app("shop/2").http_client(http);
    assert!(!format!("{builder:?}").contains("fake-secret"));
    let client = builder.build().unwrap();
    assert!(!format!("{client:?}").contains("fake-secret"));
    client.workspace(key()).get("/v4/clients").await.unwrap();
    let seen = server.last();
    assert_eq!(seen.values("api-version"), ["4.4"]);
    assert_eq!(seen.values("authorization"), ["Bearer fake-token"]);
    assert_eq!(seen.values("x-own"), ["1"]);
    let agent = seen.values("user-agent");
    assert!(
        agent[0].starts_with("synerise-auth/") && agent[0].ends_with("shop/2"),
        "{agent:?}"
    );
}

#[tokio::test]
async fn followed_redirect_is_an_error_that_says_so() {
    let other = Capture::start(|_| Answer::json(json!({ "token": "fake-other-token" }))).await;
    let target = format!("{}/elsewhere", other.base_url().replace("127.0.0.1", "localhost"));
    for (status, path) in [(307, "login"), (302, "clients")] {
        let answer = Answer::json(json!({})).status(status).header("location", &target);
        let server = Capture::answering(move |target| target.contains(path), answer).await;
        let client = server
            .builder()
            .http_client(reqwest::Client::new())
            .build()
            .unwrap();
        let error = client.workspace(key()).get("/v4/clients").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedResponse);
        let text = error.to_string();
        assert!(text.contains("followed a redirect to localhost"), "{text}");
        assert!(text.contains("redirect::Policy::none()"), "{text}");

        let client = server.builder().http_client(http()).build().unwrap();
        let error = client.workspace(key()).get("/v4/clients").await.unwrap_err();
        assert!(error.to_string().contains("it redirects to localhost"), "{error}");
    }
    for request in other.seen() {
        assert!(request.values("authorization").is_empty(), "the token stays");
    }
    assert_eq!(other.seen().len(), 2, "by the client that follows redirects");
}

#[tokio::test]
async fn time_limits_hold() {
    // The client's own limit is an hour.
    let http = reqwest::Client::builder().timeout(secs(3600)).build().unwrap();
    let env = TestEnv::with_client(|client| client.http_client(http)).await;
    let session = env.workspace();
    session.token().await.unwrap();
    env.emulator.faults().on(CLIENTS).always(Fault::hang());
    let call = spawn_get(&session);
    env.emulator.wait_for_count(CLIENTS, 1).await;
    env.clock.advance(secs(10));
    let error = bounded(call).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn revoked_token_is_replaced() {
    let env = TestEnv::with_client(|client| client.http_client(http())).await;
    let session = env.workspace();
    session.get("/v4/clients").await.unwrap();
    env.emulator.revoke_tokens();
    session.get("/v4/clients").await.unwrap();
    assert_eq!((env.logins(), env.calls()), (2, 3));
}

#[test]
fn settings_for_another_client_are_refused() {
    let builder = Client::builder().clock(ManualClock::new()).http(|http| http);
    let error = builder.http_client(http()).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}
