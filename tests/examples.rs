//! The examples run: against the emulator, and against another server.
//!
//! `cargo test` builds the examples beside the tests. To run this file alone, build them first: `cargo build --examples`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may"
)]

mod support;

use std::path::PathBuf;
use std::process::Command;

use serde_json::json;
use support::{Answer, Capture, Captured};

const KEY: &str = "fake-workspace-key";
const TOKEN: &str = "fake-token-that-nobody-can-decode";

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs an example with these variables of Synerise in its environment, and no others.
async fn run(example: &'static str, environment: &[(&'static str, &str)]) -> Ran {
    let test = std::env::current_exe().unwrap();
    let folder: PathBuf = test
        .parent()
        .and_then(|deps| deps.parent())
        .unwrap()
        .join("examples");
    let program = folder.join(format!("{example}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        program.exists(),
        "no {example}: build it by `cargo build --examples`"
    );
    let mut command = Command::new(program);
    for variable in [
        "SYNERISE_API_KEY",
        "SYNERISE_API_KEY_FILE",
        "SYNERISE_BASE_URL",
        "SYNERISE_REGION",
    ] {
        command.env_remove(variable);
    }
    // An example that logs would show it.
    command.env("RUST_LOG", "trace");
    command.envs(environment.iter().copied());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = output.await.unwrap();
    let printed = |bytes| String::from_utf8(bytes).unwrap();
    Ran {
        code: output.status.code(),
        out: printed(output.stdout),
        err: printed(output.stderr),
    }
}

async fn succeeds(example: &'static str) -> String {
    let ran = run(example, &[]).await;
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{}", ran.out);
    for secret in ["eyJ", "Not-a-real"] {
        assert!(!ran.out.contains(secret), "{}", ran.out);
    }
    ran.out
}

#[tokio::test]
async fn quickstart_runs_without_configuration() {
    let out = succeeds("quickstart").await;
    assert!(out.contains("using the emulator"), "{out}");
    assert!(
        out.contains("refreshed: a new token, generation 2 after 1"),
        "{out}"
    );
}

#[tokio::test]
async fn profile_signup_ends_with_a_logged_in_customer() {
    let out = succeeds("profile_signup").await;
    assert!(out.contains("5. logged in by password (SYNERISE)"), "{out}");
}

#[tokio::test]
async fn customer_account_goes_through_its_whole_life() {
    let out = succeeds("customer_account").await;
    assert!(
        out.contains("4. logged out on all devices: the session has ended"),
        "{out}"
    );
    assert!(
        out.contains("5. deleted: a login is refused (Some(404))"),
        "{out}"
    );
}

#[tokio::test]
async fn user_mfa_ends_with_statistics() {
    let out = succeeds("user_mfa").await;
    assert!(
        out.contains("2. a wrong code: userMfaLogin was refused with 401"),
        "{out}"
    );
    assert!(out.contains("2025-05-30: 825 new events"), "{out}");
}

#[tokio::test]
async fn settings_changes_one_field_and_keeps_the_rest() {
    let out = succeeds("settings").await;
    assert!(
        out.contains("3. kept: tokens live for 1800s, the link is https://shop.example/welcome"),
        "{out}"
    );
    assert!(out.contains("changes 0 fields"), "{out}");
}

#[cfg(feature = "blocking")]
#[tokio::test]
async fn blocking_job_logs_in_once() {
    let out = succeeds("blocking_job").await;
    for line in [
        "2. exported 40 customers with 4 threads",
        "3. logins: 1\n",
        "4. in async code: a blocking call would stop the async code on this thread",
    ] {
        assert!(out.contains(line), "{line} in {out}");
    }
}

#[cfg(feature = "verify")]
#[tokio::test]
async fn verify_axum_lets_in_whom_it_should() {
    let out = succeeds("verify_axum").await;
    for line in [
        "1. a visitor, but the key can't be had: 503",
        "2. the same a second later: 200 OK anonymous_client of workspace ",
        "3. no token: 401 Unauthorized Bearer\n",
        "4. a forged one: 401 Unauthorized Bearer error=\"invalid_token\"",
        "5. the key was asked for 2 times",
        "6. a forged one: 401",
        "7. the key was asked for 3 times",
    ] {
        assert!(out.contains(line), "{line} in {out}");
    }
}

#[cfg(all(feature = "metrics", feature = "verify"))]
#[tokio::test]
async fn service_axum_starts_serves_and_stops() {
    let out = succeeds("service_axum").await;
    for line in [
        "1. alive before there is a token: 200 OK alive",
        r#"2. ready: 503 Service Unavailable {"ready":false,"state":"empty""#,
        r#"3. ready after the warm-up: 200 OK {"ready":true,"state":"fresh""#,
        "4. a call without a token: 401 Unauthorized",
        r#"5. a call with one: 200 OK {"asked_by":"anonymous_client","customers":{"data":[]}}"#,
        r#"6. a call after the key was replaced: 200 OK {"asked_by""#,
        r#"7. metrics: synerise_auth_logins_total{session_kind="workspace"} 2"#,
        "8. ready while stopping: 503",
        "9. stopped",
        "logged in: the session has its first token",
    ] {
        assert!(out.contains(line), "{line} in {out}");
    }
}

#[tokio::test]
async fn customer_sessions_axum_keeps_customers_logged_in() {
    let out = succeeds("customer_sessions_axum").await;
    for line in [
        "1. a wrong password: 401",
        "2. logged in: 204",
        r#"3. the account: 200 OK {"firstName":"Jane"}"#,
        r#"4. after a restart: 200 OK {"firstName":"Jane"}"#,
        r#"5. when the token is nearly over: 200 OK {"firstName":"Jane"}"#,
        r#"6. on the other replica, long after the first token: 200 OK {"firstName":"Jane"}"#,
        "7. logins: 2, refreshes: 1",
        "8. after logging out: 401",
    ] {
        assert!(out.contains(line), "{line} in {out}");
    }
}

// quickstart against another server

fn foreign(request: &Captured) -> Answer {
    match request.target.as_str() {
        "/uauth/v2/auth/login/profile" => Answer::json(json!({ "token": TOKEN })),
        _ => Answer::json(json!({ "selected": true, "data": { "name": "Foreign" } })),
    }
}

async fn quickstart(base_url: &str, key: &str) -> Ran {
    let ran = run(
        "quickstart",
        &[("SYNERISE_API_KEY", key), ("SYNERISE_BASE_URL", base_url)],
    )
    .await;
    let printed = format!("{}{}", ran.out, ran.err);
    assert!(!printed.contains(KEY) && !printed.contains(TOKEN), "{printed}");
    ran
}

#[tokio::test]
async fn quickstart_works_against_another_server() {
    let server = Capture::start(foreign).await;
    let ran = quickstart(server.base_url(), KEY).await;
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    assert!(ran.out.contains("the workspace is \"Foreign\""), "{}", ran.out);
    assert!(ran.out.contains("its claims can't be read"), "{}", ran.out);

    let requests = server.seen();
    let sent: Vec<_> = requests
        .iter()
        .map(|request| (request.method.as_str(), request.target.as_str()))
        .collect();
    let login = ("POST", "/uauth/v2/auth/login/profile");
    assert_eq!(sent, [login, ("GET", "/uauth/business-profile/current"), login]);
    for request in &requests {
        assert_eq!(request.values("api-version"), ["4.4"]);
        assert_eq!(request.values("accept"), ["application/json"]);
        if request.method == "POST" {
            assert_eq!(request.values("content-type"), ["application/json"]);
            assert_eq!(request.json(), json!({ "apiKey": KEY }));
            assert!(request.values("authorization").is_empty());
        } else {
            assert_eq!(request.values("authorization"), [format!("Bearer {TOKEN}")]);
            assert!(request.body.is_empty());
        }
    }
}

/// One line on stderr that says this, and an exit code that is not 0.
#[track_caller]
fn assert_fails(ran: &Ran, line: &str) {
    assert!(ran.code.is_some_and(|code| code != 0), "{}", ran.out);
    let lines: Vec<_> = ran.err.lines().collect();
    assert!(
        matches!(lines[..], [only] if only.starts_with("quickstart: ") && only.contains(line)),
        "{}",
        ran.err
    );
}

#[tokio::test]
async fn quickstart_refuses_invalid_input_before_sending() {
    let server = Capture::start(foreign).await;
    let url = server.base_url();
    for (base_url, key, line) in [
        (
            url,
            "",
            "the API key in environment variable SYNERISE_API_KEY is empty",
        ),
        (
            url,
            "fake-workspace-key\n",
            "the API key in environment variable SYNERISE_API_KEY contains",
        ),
        (
            url,
            "fake workspace-key",
            "the API key in environment variable SYNERISE_API_KEY contains",
        ),
        ("not-a-url", KEY, "base URL is not an absolute URL"),
        (
            "http://shop.example",
            KEY,
            "base URL is plain HTTP to another machine",
        ),
    ] {
        assert_fails(&quickstart(base_url, key).await, line);
    }
    let ran = run("quickstart", &[("SYNERISE_BASE_URL", url)]).await;
    assert_fails(&ran, "environment variable SYNERISE_API_KEY is not set");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn quickstart_explains_a_server_that_fails() {
    let refusing = Capture::start(|_| {
        let body = json!({ "status": 401, "errorCode": "UAU-401", "message": "Not a key of a workspace", "traceId": "trace-1" });
        Answer::json(body).status(401)
    })
    .await;
    let line = "workspaceLogin was refused with 401 UAU-401: Not a key of a workspace (trace id trace-1)";
    assert_fails(&quickstart(refusing.base_url(), KEY).await, line);
    assert_eq!(refusing.seen().len(), 1);

    let html = Capture::start(|_| Answer::new(200, "text/html", "<html>welcome</html>")).await;
    let line = "workspaceLogin: the response (200) can't be used: it is not the JSON that was asked for";
    assert_fails(&quickstart(html.base_url(), KEY).await, line);

    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let line = format!("workspaceLogin: no response from {address}");
    assert_fails(&quickstart(&format!("http://{address}"), KEY).await, &line);
}
