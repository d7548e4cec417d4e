//! Requests in general: what is retried, where a credential may be sent, and how a response is read.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use serde_json::json;
use synerise_auth::client::RetryPolicy;
use synerise_auth::clock::{Clock, Reading, Sleep};
use synerise_auth::kind::Workspace;
use synerise_auth::lifecycle::RefreshPolicy;
use synerise_auth::random::FixedRandom;
use synerise_auth::{Client, ClientBuilder, ErrorKind, Result, Session};
use synerise_auth_emulator::Fault;

use crate::support::{Answer, Capture, Captured, START, TestEnv, key, millis};

const CLIENTS: &str = "/v4/clients";

/// A clock that stands still, records each backoff instead of sleeping, and never reaches a time limit.
#[derive(Debug, Clone, Default)]
struct Backoffs(Arc<Mutex<Vec<Duration>>>);

/// Whatever is longer is one of the time limits that `patient` sets.
const LONGEST_BACKOFF: Duration = Duration::from_secs(3600);
const NEVER: Duration = Duration::from_secs(7200);

impl Backoffs {
    fn taken(&self) -> Vec<Duration> {
        self.0.lock().unwrap().clone()
    }
}

impl Clock for Backoffs {
    fn now(&self) -> Reading {
        Reading::new(Duration::from_secs(3600), UNIX_EPOCH + START)
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        if duration > LONGEST_BACKOFF {
            return Box::pin(std::future::pending());
        }
        self.0.lock().unwrap().push(duration);
        Box::pin(std::future::ready(()))
    }
}

/// A client with the default retries, whose backoffs are as long as its policy allows and take no time.
fn patient(builder: ClientBuilder, backoffs: &Backoffs) -> Client {
    builder
        .clock(backoffs.clone())
        .random(FixedRandom(1.0))
        .retry_policy(RetryPolicy::default())
        .refresh_policy(RefreshPolicy::default().with_timeout(NEVER))
        .attempt_timeout(NEVER)
        .call_timeout(NEVER)
        .build()
        .unwrap()
}

/// Every login succeeds; any other endpoint gives this answer.
async fn answering(answer: impl Fn(&Captured) -> Answer + Send + Sync + 'static) -> Capture {
    Capture::start(move |request| {
        if request.target.contains("/login") {
            Answer::json(json!({ "token": "fake-token" }))
        } else {
            answer(request)
        }
    })
    .await
}

fn calls(server: &Capture) -> usize {
    let requests = server.seen().into_iter();
    requests
        .filter(|request| request.target.starts_with(CLIENTS))
        .count()
}

// Retries

#[tokio::test]
async fn statuses_are_retried_only_where_it_is_safe() {
    for (status, get, post) in [
        (429, 3, 3),
        (503, 3, 3),
        (500, 3, 1),
        (502, 3, 1),
        (504, 3, 1),
        (408, 3, 1),
        (400, 1, 1),
        (403, 1, 1),
        (404, 1, 1),
        (409, 1, 1),
        (423, 1, 1),
        (501, 3, 1),
    ] {
        let server = answering(move |_| Answer::json(json!({ "message": "no" })).status(status)).await;
        let backoffs = Backoffs::default();
        let workspace = patient(server.builder(), &backoffs).workspace(key());
        let error = workspace.get(CLIENTS).await.unwrap_err();
        assert_eq!((error.status(), calls(&server)), (Some(status), get));
        // Full jitter: at the most 200 ms, then 400 ms.
        assert_eq!(backoffs.taken(), [millis(200), millis(400)][..get - 1]);
        workspace.post(CLIENTS).json(&json!({})).await.unwrap_err();
        assert_eq!(calls(&server), get + post, "{status}");
    }
}

#[tokio::test]
async fn retry_that_succeeds_is_a_success() {
    let env = TestEnv::new().await;
    let backoffs = Backoffs::default();
    let client = patient(env.client_builder(), &backoffs);
    env.emulator
        .faults()
        .on("workspaceLogin")
        .then(Fault::status(503))
        .then(Fault::reset());
    client.workspace(env.workspace_key()).token().await.unwrap();
    assert_eq!(env.logins(), 3);
    assert_eq!(backoffs.taken(), [millis(200), millis(400)]);
}

#[tokio::test]
async fn retry_after_is_obeyed() {
    let date = "Sat, 06 Nov 2094 08:49:37 GMT";
    for (retry_after, waits) in [
        ("7", vec![millis(7000); 2]),
        // Shorter than our own jitter: the jitter counts.
        ("0", vec![millis(200), millis(400)]),
        // By the server's own clock, which is decades ahead of ours.
        ("Sat, 06 Nov 2094 08:49:46 GMT", vec![millis(9000); 2]),
        ("Sun, 06 Nov 1994 08:49:46 GMT", vec![millis(200), millis(400)]),
        // Too long to wait for: the caller is told.
        ("11", vec![]),
        ("86400", vec![]),
        ("99999999999999999999999", vec![]),
        ("Sun, 06 Nov 2095 08:49:46 GMT", vec![]),
        // An invalid value is ignored.
        ("soon", vec![millis(200), millis(400)]),
        ("-5", vec![millis(200), millis(400)]),
    ] {
        let answer = Answer::json(json!({}))
            .status(503)
            .header("retry-after", retry_after)
            .header("date", date);
        let server = answering(move |_| answer.clone()).await;
        let backoffs = Backoffs::default();
        let workspace = patient(server.builder(), &backoffs).workspace(key());
        let error = workspace.get(CLIENTS).await.unwrap_err();
        assert_eq!(backoffs.taken(), waits, "{retry_after}");
        if retry_after == "86400" {
            assert_eq!(error.retry_after(), Some(Duration::from_secs(86400)));
            assert!(error.to_string().contains("(retry after 86400 s)"), "{error}");
        }
    }
}

#[tokio::test]
async fn connect_error_is_retried_for_every_request() {
    // A port that nobody listens on any more.
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let backoffs = Backoffs::default();
    let client = patient(Client::builder().base_url(format!("http://{address}")), &backoffs);
    // A user's login is not idempotent.
    let error = client
        .user()
        .login("user@example.com", "fake-password")
        .await
        .unwrap_err();
    assert!(error.kind() == ErrorKind::Connection, "{error}");
    assert!(error.is_retryable());
    assert!(error.to_string().contains(&address.to_string()), "{error}");
    assert_eq!(backoffs.taken(), [millis(200), millis(400)]);
}

#[tokio::test]
async fn broken_connection_is_retried_only_if_idempotent() {
    for fault in [
        Fault::reset,
        Fault::reset_before_body,
        Fault::reset_in_body,
        Fault::truncated_body,
    ] {
        let env = TestEnv::new().await;
        for method in ["GET", "POST"] {
            let emulator = &env.emulator;
            emulator.stub(method, CLIENTS, json!({ "data": "x".repeat(1000) }));
            emulator
                .faults()
                .on(&format!("{method} {CLIENTS}"))
                .always(fault());
        }
        let client = patient(env.client_builder(), &Backoffs::default());
        let workspace = client.workspace(env.workspace_key());
        let error = workspace.get(CLIENTS).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Connection, "{error}");
        assert_eq!(env.calls(), 3);
        workspace.post(CLIENTS).json(&json!({})).await.unwrap_err();
        assert_eq!(env.emulator.count("POST /v4/clients"), 1);
    }
}

#[tokio::test]
async fn retry_budget_limits_the_load_on_a_failing_server() {
    let server = answering(|_| Answer::json(json!({})).status(500)).await;
    let workspace = patient(server.builder(), &Backoffs::default()).workspace(key());
    for _ in 0..60 {
        workspace.get(CLIENTS).await.unwrap_err();
    }
    assert_eq!(calls(&server), 60 + 100, "a budget of 100 retries");
}

#[tokio::test]
async fn refused_token_is_replaced_once() {
    let server = answering(|_| Answer::json(json!({})).status(401)).await;
    let workspace = server.workspace();
    assert_eq!(workspace.get(CLIENTS).await.unwrap_err().status(), Some(401));
    assert_eq!(
        (calls(&server), server.seen().len()),
        (2, 4),
        "two calls, two logins"
    );
}

#[tokio::test]
async fn policy_of_one_attempt_retries_nothing() {
    let server = answering(|_| Answer::json(json!({})).status(503)).await;
    let workspace = server.workspace();
    workspace.get(CLIENTS).await.unwrap_err();
    assert_eq!(calls(&server), 1);
}

// Where a credential may be sent

#[tokio::test]
async fn path_cannot_lead_to_another_host() {
    let server = answering(|_| Answer::json(json!({}))).await;
    let workspace = server.workspace();
    for path in [
        "",
        "v4/clients",
        "//evil.example/x",
        "https://evil.example/x",
        "@evil.example/x",
        ":80@evil.example/",
        "\\\\evil.example\\x",
        "/\\evil.example",
        "/x\r\nHost: evil.example",
        "/x\0",
        "\u{2f}\u{2f}evil.example",
    ] {
        let error = workspace.get(path).await.unwrap_err();
        assert!(error.kind() == ErrorKind::InvalidInput, "{path:?}: {error}");
        let advice = if path.starts_with("https:") {
            "scheme and host"
        } else {
            "/v4/clients"
        };
        assert!(error.advice().contains(advice), "{error}");
    }
    assert!(server.seen().is_empty(), "not even a login was sent");
    // What only looks like another host stays here.
    workspace.get("/@evil.example").await.unwrap();
    assert_eq!(server.last().target, "/@evil.example");
}

#[test]
fn unsafe_base_url_is_refused() {
    for (url, problem) in [
        ("http://api.synerise.com", "plain HTTP to another machine"),
        ("http://192.0.2.1:8080", "plain HTTP to another machine"),
        ("http://localhost.evil.example", "plain HTTP to another machine"),
        ("http://127.0.0.1.evil.example", "plain HTTP to another machine"),
        ("ftp://api.synerise.com", "neither https nor http"),
        ("api.synerise.com", "not an absolute URL"),
        ("", "not an absolute URL"),
        ("https://", "not an absolute URL"),
        (
            "https://user:fake-password@api.synerise.com",
            "user name or password",
        ),
        ("https://api.synerise.com?x=1", "query or a fragment"),
        ("https://api.synerise.com#x", "query or a fragment"),
    ] {
        let error = Client::builder().base_url(url).build().unwrap_err();
        let line = error.to_string();
        assert!(
            line.starts_with("base URL ") && line.contains(problem),
            "{url}: {line}"
        );
        assert!(!line.contains("fake-password") && !line.contains('\n'), "{line}");
    }
    for url in [
        "http://localhost:1",
        "http://127.8.9.1",
        "http://[::1]:80/",
        "https://shop.example/synerise/",
    ] {
        Client::builder().base_url(url).build().unwrap();
    }
    let closed_network = Client::builder()
        .base_url("http://192.0.2.1")
        .allow_plain_http_to_any_host();
    closed_network.build().unwrap();
}

#[tokio::test]
async fn base_url_may_have_a_path() {
    let server = answering(|_| Answer::json(json!({}))).await;
    let client = server
        .builder()
        .base_url(format!("{}/synerise/", server.base_url()))
        .build()
        .unwrap();
    client.workspace(key()).get(CLIENTS).await.unwrap();
    let targets: Vec<_> = server.seen().into_iter().map(|request| request.target).collect();
    assert_eq!(
        targets,
        ["/synerise/uauth/v2/auth/login/profile", "/synerise/v4/clients"]
    );
}

#[tokio::test]
async fn redirect_is_not_followed_with_a_credential() {
    let elsewhere = answering(|_| Answer::json(json!({}))).await;
    let location = format!("{}/v4/clients", elsewhere.base_url());
    for status in [301, 302, 303, 307, 308] {
        for location in [location.clone(), "/v4/elsewhere".to_owned()] {
            let to = location.clone();
            let redirect = move || Answer::json(json!({})).status(status).header("location", &to);
            let answer = redirect.clone();
            let server = answering(move |_| answer()).await;
            // Whatever is set on the HTTP client.
            let client = server
                .builder()
                .http(|http| http.redirect(reqwest::redirect::Policy::limited(5)))
                .build()
                .unwrap();
            let error = client.workspace(key()).get(CLIENTS).await.unwrap_err();
            assert!(error.kind() == ErrorKind::UnexpectedResponse, "{error}");
            assert_eq!((error.status(), server.seen().len()), (Some(status), 2));

            // A login carries its credential in the body.
            let server = Capture::start(move |_| redirect()).await;
            let error = server.workspace().token().await.unwrap_err();
            assert!(error.to_string().contains("redirect"), "{error}");
            assert_eq!(server.seen().len(), 1);
        }
    }
    assert!(elsewhere.seen().is_empty());
}

// Responses

#[tokio::test]
async fn oversized_response_is_not_read() {
    let env = TestEnv::with_client(|client| client.max_response_bytes(10_000)).await;
    env.emulator
        .faults()
        .on("GET /v4/clients")
        .then(Fault::oversized_body(10_000_000));
    let error = env.workspace().get(CLIENTS).await.unwrap_err();
    assert!(error.to_string().contains("larger than 10000 bytes"), "{error}");

    let server = answering(|_| Answer::new(200, "text/plain", "x".repeat(10_001))).await;
    let client = server.builder().max_response_bytes(10_000).build().unwrap();
    let error = client.workspace(key()).get(CLIENTS).await.unwrap_err();
    assert!(error.to_string().contains("larger than 10000 bytes"), "{error}");
    let server = answering(|_| Answer::new(200, "text/plain", "x".repeat(10_000))).await;
    let client = server.builder().max_response_bytes(10_000).build().unwrap();
    client.workspace(key()).get(CLIENTS).await.unwrap();
}

#[tokio::test]
async fn announced_length_reserves_no_memory() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let _ = connection.read(&mut [0; 4096]).unwrap();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\nPEM",
            u64::MAX / 2 + 1
        );
        connection.write_all(head.as_bytes()).unwrap();
    });
    let client = Client::builder()
        .base_url(format!("http://{address}"))
        .retry_policy(RetryPolicy::never())
        .max_response_bytes(usize::MAX)
        .build()
        .unwrap();
    let error = client.public_key().await.unwrap_err();
    assert!(error.kind() == ErrorKind::Connection, "{error}");
    server.join().unwrap();
}

/// A client of a server whose workspaces can log in, and whose `/v4/clients` never answers.
async fn silent(configure: fn(ClientBuilder) -> ClientBuilder) -> (TestEnv, Session<Workspace>) {
    let env = TestEnv::with_client(|client| configure(client.retry_policy(RetryPolicy::default()))).await;
    let workspace = env.workspace();
    workspace.token().await.unwrap();
    for operation in ["GET /v4/clients", "POST /v4/clients"] {
        env.emulator.faults().on(operation).always(Fault::hang());
    }
    (env, workspace)
}

#[tokio::test]
async fn timeout_says_which_limit_was_reached() {
    let (env, workspace) = silent(|client| client.attempt_timeout(Duration::from_secs(3))).await;
    let request = env.emulator.faults().on("POST /v4/clients").hold();
    let call = async { workspace.post(CLIENTS).json(&json!({})).await.unwrap_err() };
    let time = async {
        request.wait_for(1).await;
        env.clock.advance(Duration::from_secs(3));
    };
    let (error, ()) = tokio::join!(call, time);
    assert_eq!(
        error.to_string(),
        "POST /v4/clients: the response took longer than 3s; try again later, or allow more time in the ClientBuilder"
    );
    assert!(error.is_retryable());

    let (env, workspace) = silent(|client| client.call_timeout(Duration::from_secs(5))).await;
    let request = env.emulator.faults().on("GET /v4/clients").hold();
    let call = async { workspace.get(CLIENTS).await.unwrap_err() };
    let time = async {
        request.wait_for(1).await;
        env.clock.advance(Duration::from_secs(5));
    };
    let (error, ()) = tokio::join!(call, time);
    let limit = "the call with its retries took longer than 5s";
    assert!(error.to_string().contains(limit), "{error}");
}

#[tokio::test]
async fn slow_body_times_out() {
    let env = TestEnv::new().await;
    let workspace = env.workspace();
    workspace.token().await.unwrap();
    env.emulator.clock().freeze();
    env.emulator
        .faults()
        .on("GET /v4/clients")
        .always(Fault::slow_body(Duration::from_secs(1)));
    let request = env.emulator.faults().on("GET /v4/clients").hold();
    let call = async { workspace.get(CLIENTS).await.unwrap_err() };
    let time = async {
        request.wait_for(1).await;
        request.release();
        env.clock.advance(Duration::from_secs(10));
    };
    let (error, ()) = tokio::join!(call, time);
    let limit = "the response took longer than 10s";
    assert!(error.to_string().contains(limit), "{error}");
}

#[tokio::test]
async fn success_without_json_is_an_error_that_quotes_nothing() {
    let html = "<html>fake-secret</html>";
    let server = Capture::start(move |_| Answer::new(200, "text/html", html)).await;
    let error = server.workspace().token().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "workspaceLogin: the response (200) can't be used: it is not the JSON that was asked for, but 24 bytes, text/html; \
         check that the base URL leads to Synerise and not to a proxy or a login page"
    );
    for (content_type, body) in [
        ("text/html", html),
        ("application/json", "{\"token\": \"fake-secret"),
        ("application/json", "\"fake-secret\""),
        ("application/json", ""),
    ] {
        let server = answering(move |_| Answer::new(200, content_type, body)).await;
        let workspace = server.workspace();
        let typed: Vec<Result<String>> = vec![
            workspace
                .get(CLIENTS)
                .await
                .unwrap()
                .json::<u64>()
                .map(|_| String::new()),
            workspace.check_permissions(["A"]).await.map(|_| String::new()),
            workspace.profile_settings().get().await.map(|_| String::new()),
            workspace.refresh().await.map(|_| String::new()),
        ];
        for result in typed {
            let error = result.unwrap_err();
            assert!(error.kind() == ErrorKind::UnexpectedResponse, "{error}");
            assert!(!format!("{error} {error:?}").contains("fake-secret"), "{error:?}");
        }
    }
}

#[tokio::test]
async fn response_can_be_read_as_text_and_bytes() {
    let server = answering(|_| Answer::new(201, "text/plain", &b"\xff"[..]).header("x-page", "2")).await;
    let workspace = server.workspace();
    let response = workspace.post(CLIENTS).body("raw").await.unwrap();
    assert_eq!((response.status(), &response.bytes()[..]), (201, &b"\xff"[..]));
    assert_eq!(response.headers()["x-page"], "2");
    assert!(
        response
            .text()
            .unwrap_err()
            .to_string()
            .contains("it is not UTF-8")
    );
    assert_eq!(&server.last().body[..], b"raw");
}

#[tokio::test]
async fn invalid_header_query_or_body_is_refused_before_sending() {
    let server = answering(|_| Answer::json(json!({}))).await;
    let workspace = server.workspace();
    for request in [
        workspace.get(CLIENTS).header("bad name", "x"),
        workspace.get(CLIENTS).header("x-good", "two\r\nlines"),
        workspace.get(CLIENTS).query(&"not pairs"),
        workspace.post(CLIENTS).json(&HashMap::from([((1, 2), 3)])),
    ] {
        let error = request.await.unwrap_err();
        assert!(error.kind() == ErrorKind::InvalidInput, "{error}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn query_is_never_shown() {
    let server = answering(|_| Answer::json(json!({ "message": "no" })).status(404)).await;
    let workspace = server.workspace();
    let path = "/v4/clients?token=fake-tracker-key";
    let request = workspace.get(path);
    assert!(!format!("{request:?}").contains("fake-tracker-key"));
    let error = request.await.unwrap_err();
    assert_eq!(error.operation(), Some("GET /v4/clients"));
    assert!(!format!("{error} {error:?}").contains("fake-tracker-key"));
}

#[test]
fn invalid_http_client_setting_names_its_cause() {
    let error = Client::builder()
        .http(|http| http.user_agent("a\nb"))
        .build()
        .unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidInput, "{error}");
    assert!(error.to_string().contains("header value"), "{error}");
}

#[tokio::test]
async fn body_that_cannot_be_json_names_its_cause() {
    let client = Client::builder().base_url("http://127.0.0.1:1").build().unwrap();
    let workspace = client.workspace(key());
    let body = HashMap::from([((1, 2), 3)]);
    let error = workspace.post("/v4/clients").json(&body).await.unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidInput, "{error}");
    assert!(error.to_string().contains("key must be a string"), "{error}");
}
