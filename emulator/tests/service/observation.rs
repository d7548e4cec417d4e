//! What a test sees of the requests, and the life of the emulator itself.

use std::net::TcpListener;

use reqwest::Method;
use serde_json::json;
use synerise_auth_emulator::{Assumptions, Emulator, Fault};

use crate::caller::{CURRENT, Caller, PASSWORD, PROFILE_LOGIN, UUID, WORKSPACE_LOGIN};

#[tokio::test]
async fn requests_are_recorded_without_their_secrets() {
    let caller = Caller::start().await;
    let key = caller.emulator.workspace().workspace_api_key.clone();
    let token = caller.workspace_token().await;
    let request = caller
        .request(Method::GET, "/v4/clients?token=canary&page=1")
        .bearer_auth(&token);
    caller.send(request.header("api-version", "4.4")).await;
    let body = caller.login_body("ola@example.com", PASSWORD);
    caller.post_openly(PROFILE_LOGIN, &body).await;

    let requests = caller.emulator.requests();
    let shown = format!(
        "{requests:?} {:?} {:?}",
        caller.emulator,
        caller.emulator.outbox()
    );
    for secret in [
        &key,
        &token,
        "canary",
        PASSWORD,
        &caller.emulator.workspace().profile_api_key,
    ] {
        assert!(!shown.contains(secret), "{secret}");
    }
    assert_eq!(requests[0].operation, "workspaceLogin");
    assert!(requests[0].body_is(&json!({ "apiKey": key })));
    assert_eq!(requests[1].operation, "GET /v4/clients");
    assert_eq!(requests[1].query.as_deref(), Some("token=[redacted]&page=1"));
    assert_eq!(requests[1].header_values("api-version"), ["4.4"]);
    assert_eq!(requests[1].header_values("authorization"), ["Bearer [redacted]"]);
    assert!(requests[1].bearer_is(&token) && !requests[1].bearer_is("other"));
    assert_eq!((requests[1].status, requests[2].status), (Some(404), Some(404)));
    assert_eq!(requests[2].body.as_ref().unwrap()["email"], "ola@example.com");

    caller.emulator.forget_requests();
    assert_eq!(
        (
            caller.emulator.requests().len(),
            caller.emulator.count("workspaceLogin")
        ),
        (0, 0)
    );
}

#[tokio::test]
async fn a_stub_responds_to_callers_with_a_valid_token() {
    let caller = Caller::start().await;
    caller.emulator.stub("GET", "/v4/clients", json!([{ "id": 1 }]));
    let token = caller.workspace_token().await;
    assert_eq!(
        caller.get("/v4/clients?limit=1", &token).await.body,
        json!([{ "id": 1 }])
    );
    assert_eq!(caller.get_status("/v4/clients", "garbage").await, 401);
    assert_eq!(caller.post_status("/v4/clients", &token, &json!({})).await, 404);
    assert_eq!(caller.emulator.count("GET /v4/clients"), 2);
}

#[tokio::test]
async fn a_response_that_does_not_fit_the_document_is_recorded() {
    let mut assumptions = Assumptions::default();
    assumptions.unknown_account_status = 302;
    let emulator = Emulator::builder()
        .assumptions(assumptions)
        .start()
        .await
        .unwrap();
    let log_in = async || {
        let body = json!({
            "apiKey": emulator.workspace().profile_api_key, "identityProvider": "SYNERISE",
            "email": "nobody@example.com", "password": PASSWORD, "uuid": UUID,
        });
        let url = format!("{}{PROFILE_LOGIN}", emulator.base_url());
        reqwest::Client::new().post(url).json(&body).send().await.unwrap()
    };
    emulator
        .faults()
        .on("authenticateProfile")
        .then(Fault::wrong_shape());
    log_in().await;
    assert_eq!(
        emulator.violations(),
        Vec::<String>::new(),
        "a scripted fault does not count"
    );
    log_in().await;
    let violations = emulator.violations();
    assert!(
        violations.len() == 1 && violations[0].contains("authenticateProfile"),
        "{violations:?}"
    );
}

#[tokio::test]
async fn a_header_that_is_sent_twice_is_refused() {
    let caller = Caller::start().await;
    let token = caller.workspace_token().await;
    for name in ["api-version", "authorization"] {
        let request = caller.request(Method::GET, CURRENT).bearer_auth(&token);
        let twice = request.header(name, "4.4").header(name, "4.4");
        assert_eq!(caller.send(twice).await.status, 400, "{name}");
    }
}

#[tokio::test]
async fn a_request_that_is_too_large_is_refused() {
    let caller = Caller::start().await;
    let body = json!({ "apiKey": "x".repeat(1 << 20) });
    assert_eq!(caller.post_openly_status(WORKSPACE_LOGIN, &body).await, 413);
}

#[tokio::test]
async fn a_dropped_emulator_frees_its_port() {
    let emulator = Emulator::start().await.unwrap();
    let address = emulator.address();
    assert!(address.ip().is_loopback());
    assert!(TcpListener::bind(address).is_err(), "in use while it runs");
    drop(emulator);
    assert!(TcpListener::bind(address).is_ok());
}

#[tokio::test]
async fn a_port_that_is_taken_is_an_error() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = Emulator::builder().port(port).start().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
}

#[test]
fn an_emulator_outlives_the_runtime_that_started_it() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let caller = runtime().block_on(Caller::start());
    let login = runtime().block_on(async {
        let caller_of_this_runtime = reqwest::Client::new();
        let body = json!({ "apiKey": caller.emulator.workspace().workspace_api_key });
        let url = format!("{}{WORKSPACE_LOGIN}", caller.emulator.base_url());
        caller_of_this_runtime.post(url).json(&body).send().await.unwrap()
    });
    assert_eq!(login.status(), 200);
}

#[tokio::test]
#[should_panic(expected = "there is no workspace")]
async fn an_unknown_workspace_panics() {
    Emulator::start().await.unwrap().lock_workspace("none");
}

#[tokio::test]
async fn a_clock_runs_by_default() {
    let emulator = Emulator::start().await.unwrap();
    let before = emulator.clock().now();
    while emulator.clock().now() == before {
        std::hint::spin_loop();
    }
    emulator.clock().freeze();
    assert_eq!(emulator.clock().now(), emulator.clock().now());
}

#[tokio::test]
async fn a_test_can_wait_for_requests_to_arrive() {
    let caller = Caller::start().await;
    caller.emulator.faults().on("getPublicKey").always(Fault::hang());
    let request = || tokio::spawn(caller.request(Method::GET, "/v4/public.pem").send());
    let (first, second) = (request(), request());
    caller.emulator.wait_for_count("getPublicKey", 2).await;
    assert_eq!(caller.emulator.count("getPublicKey"), 2);
    first.abort();
    second.abort();
}
