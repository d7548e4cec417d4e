//! What a service's probes are told, and how it gets its first token.

use serde_json::json;
use synerise_auth::ErrorKind;
use synerise_auth_emulator::Fault;

use crate::support::{TestEnv, secs};

#[tokio::test]
async fn a_session_is_ready_after_the_warm_up() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    assert!(!session.status().is_ready());
    session.warm_up(secs(10)).await.unwrap();
    assert!(session.status().is_ready());
    session.warm_up(secs(10)).await.unwrap();
    assert_eq!(env.logins(), 1);
}

#[tokio::test]
async fn a_warm_up_tries_again_within_its_limit() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    env.clock.advance_backoffs();
    let faults = env.emulator.faults();
    faults
        .on("workspaceLogin")
        .then(Fault::status(503))
        .then(Fault::status(503));
    session.warm_up(secs(30)).await.unwrap();
    assert_eq!(env.logins(), 3);
}

#[tokio::test]
async fn a_failed_warm_up_is_not_remembered() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    env.clock.advance_backoffs();
    env.emulator
        .faults()
        .on("workspaceLogin")
        .always(Fault::status(503));
    let error = session.warm_up(secs(5)).await.unwrap_err();
    assert_eq!(error.status(), Some(503));
    assert!(!session.status().is_ready());
    env.emulator.faults().clear();
    env.pass(secs(60));
    session.warm_up(secs(5)).await.unwrap();
    assert!(session.status().is_ready());
}

#[tokio::test]
async fn a_session_that_has_ended_is_told_at_once() {
    let env = TestEnv::new().await;
    let user = env.user().await.unwrap();
    env.pass(secs(7 * 24 * 3600));
    let error = user.warm_up(secs(30)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SessionExpired);
}

#[tokio::test]
async fn a_status_can_be_shown_on_a_health_page() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    assert_eq!(session.status().to_string(), "empty, generation 0");
    session.token().await.unwrap();
    env.pass(secs(10));
    assert_eq!(
        session.status().to_string(),
        "fresh, valid for 3590 s, generation 1"
    );
    assert_eq!(
        serde_json::to_value(session.status()).unwrap(),
        json!({
            "ready": true,
            "state": "fresh",
            "expires_in_seconds": 3590,
            "generation": 1,
            "refreshing": false,
            "last_error_kind": null,
            "last_error": null,
            "last_refresh_seconds_ago": 10,
        })
    );
    env.emulator
        .faults()
        .on("workspaceLogin")
        .then(Fault::status(503));
    env.pass(secs(3600));
    session.token().await.unwrap_err();
    let status = session.status();
    let text = status.to_string();
    assert!(
        text.starts_with("expired, generation 1, last refresh failed: workspaceLogin"),
        "{text}"
    );
    assert_eq!(serde_json::to_value(&status).unwrap()["last_error_kind"], "api");
}
