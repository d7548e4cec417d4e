//! The spans of requests.

use synerise_auth::client::RetryPolicy;
use synerise_auth_emulator::Fault;

use super::collect::{Collected, Seen};
use crate::support::{CLIENTS, TestEnv, spawn_get};

fn only(spans: Vec<Seen>) -> Seen {
    assert_eq!(spans.len(), 1, "{spans:#?}");
    spans.into_iter().next().unwrap()
}

/// The spans of calls of `GET /v4/clients`.
fn of_clients(seen: &Collected, name: &str) -> Vec<Seen> {
    let spans = seen.spans(name).into_iter();
    spans
        .filter(|span| span.field("url.template") == Some("/v4/clients/{id}"))
        .collect()
}

async fn get(env: &TestEnv) -> synerise_auth::Result<synerise_auth::session::Response> {
    env.workspace()
        .get("/v4/clients/{id}")
        .path_param("id", "jan@example.com")
        .await
}

fn stub(env: &TestEnv) {
    env.emulator
        .stub("GET", "/v4/clients/{id}", serde_json::json!({ "data": [] }));
}

#[tokio::test]
async fn a_request_is_one_call_with_one_attempt_by_opentelemetrys_conventions() {
    let env = TestEnv::new().await;
    stub(&env);
    env.workspace().token().await.unwrap();
    let seen = Collected::start();
    get(&env).await.unwrap();
    let port = env.emulator.address().port().to_string();
    for (name, parent, kind, title) in [
        ("synerise.call", None, "internal", "GET /v4/clients/{id}"),
        (
            "synerise.request",
            Some("synerise.call"),
            "client",
            "GET /v4/clients/{id}",
        ),
    ] {
        let span = only(of_clients(&seen, name));
        assert_eq!(span.parent.as_deref(), parent);
        for (field, value) in [
            ("otel.kind", kind),
            ("otel.name", title),
            ("http.request.method", "GET"),
            ("url.template", "/v4/clients/{id}"),
            ("server.address", "127.0.0.1"),
            ("server.port", port.as_str()),
            ("http.response.status_code", "200"),
        ] {
            assert_eq!(span.field(field), Some(value), "{name}: {field}");
        }
        for field in ["error.type", "otel.status_code", "http.request.resend_count"] {
            assert_eq!(span.field(field), None, "{name}: {field}");
        }
        assert!(!span.declared.contains(&"url.full".to_owned()));
    }
    let all = format!("{:?}", seen.everything());
    assert!(!all.contains("jan") && !all.contains("example.com"), "{all}");
}

#[tokio::test]
async fn attempts_that_were_sent_again_are_counted() {
    let env = TestEnv::with_client(|client| client.retry_policy(RetryPolicy::default())).await;
    env.clock.advance_backoffs();
    stub(&env);
    env.workspace().token().await.unwrap();
    env.emulator
        .faults()
        .on("GET /v4/clients/{id}")
        .then(Fault::status(503));
    let seen = Collected::start();
    get(&env).await.unwrap();
    // The token is refused at the third attempt of all.
    env.emulator.revoke_tokens();
    get(&env).await.unwrap();
    let attempts = of_clients(&seen, "synerise.request");
    let shown: Vec<_> = attempts
        .iter()
        .map(|span| {
            let field = |name| span.field(name).unwrap_or("-");
            (
                field("http.response.status_code"),
                field("error.type"),
                field("otel.status_code"),
                field("http.request.resend_count"),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("503", "503", "ERROR", "-"),
            ("200", "-", "-", "1"),
            ("401", "401", "ERROR", "-"),
            ("200", "-", "-", "1"),
        ]
    );
    for call in of_clients(&seen, "synerise.call") {
        assert_eq!(call.field("http.request.resend_count"), Some("1"));
        assert_eq!(call.field("http.response.status_code"), Some("200"));
        assert_eq!(call.field("error.type"), None);
    }
}

#[tokio::test]
async fn a_failed_call_has_the_kind_of_its_error() {
    let env = TestEnv::new().await;
    stub(&env);
    env.workspace().token().await.unwrap();
    let faults = env.emulator.faults();
    faults
        .on("GET /v4/clients/{id}")
        .then(Fault::status(404))
        .then(Fault::reset());
    let seen = Collected::start();
    get(&env).await.unwrap_err();
    get(&env).await.unwrap_err();
    let calls = of_clients(&seen, "synerise.call");
    assert_eq!(calls[0].field("error.type"), Some("api"));
    assert_eq!(calls[0].field("http.response.status_code"), Some("404"));
    assert_eq!(calls[1].field("error.type"), Some("connection"));
    assert_eq!(calls[1].field("http.response.status_code"), None);
    let attempts = of_clients(&seen, "synerise.request");
    assert_eq!(attempts[0].field("error.type"), Some("404"));
    assert_eq!(attempts[1].field("error.type"), Some("connection"));
    for span in calls.iter().chain(&attempts) {
        assert_eq!(span.field("otel.status_code"), Some("ERROR"));
    }
}

#[tokio::test]
async fn a_call_that_its_caller_drops_is_no_error() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    session.token().await.unwrap();
    let gate = env.emulator.faults().on(CLIENTS).hold();
    let seen = Collected::start();
    let call = spawn_get(&session);
    gate.wait_for(1).await;
    call.abort();
    call.await.unwrap_err();
    for name in ["synerise.call", "synerise.request"] {
        let span = only(seen.spans(name));
        assert_eq!(span.field("error.type"), None);
        assert_eq!(span.field("otel.status_code"), None);
    }
    gate.release();
}

#[tokio::test]
async fn a_login_belongs_to_the_call_that_started_it() {
    let env = TestEnv::new().await;
    let seen = Collected::start();
    env.workspace().get("/v4/clients").await.unwrap();
    let refresh = only(seen.spans("synerise.refresh"));
    assert_eq!(refresh.parent.as_deref(), Some("synerise.call"));
    let login = seen
        .spans("synerise.call")
        .into_iter()
        .find(|span| span.field("otel.name") == Some("workspaceLogin"));
    assert_eq!(login.unwrap().parent.as_deref(), Some("synerise.refresh"));
}
