//! Logins that are refused or fail, and tokens that are refused before they expire.

use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::UNIX_EPOCH;

use http_body_util::Full;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use synerise_auth::ErrorKind;
use synerise_auth::lifecycle::TokenState;
use synerise_auth_emulator::{Fault, TokenShape};

use crate::support::{
    CLIENTS, START, TestEnv, failed, invalidated, millis, next, refreshed, secs, spawn_get, spawn_tokens,
};

#[tokio::test]
async fn refused_key_is_retried_only_after_the_backoff() {
    let env = TestEnv::new().await;
    env.emulator
        .faults()
        .on("workspaceLogin")
        .always(Fault::status(401));
    let session = env.workspace();
    for _ in 0..100 {
        let error = session.token().await.unwrap_err();
        assert_eq!(error.status(), Some(401));
    }
    assert_eq!(env.logins(), 1);
    env.pass(millis(4_999));
    session.token().await.unwrap_err();
    assert_eq!(env.logins(), 1);
    env.pass(millis(1));
    session.token().await.unwrap_err();
    assert_eq!(env.logins(), 2, "once more after the backoff");
    env.emulator.faults().clear();
    session.token().await.unwrap_err();
    env.pass(secs(10));
    assert_eq!(
        session.token().await.unwrap().generation(),
        1,
        "the key is good now"
    );
}

#[tokio::test]
async fn thousand_callers_share_one_failure() {
    for status in [401, 403, 500, 503] {
        let env = TestEnv::new().await;
        let session = env.workspace();
        env.emulator
            .faults()
            .on("workspaceLogin")
            .then(Fault::status(status));
        let gate = env.emulator.faults().on("workspaceLogin").hold();
        let callers = spawn_tokens(&session, 1000);
        gate.wait_for(1).await;
        gate.release();
        let outcomes = callers.join_all().await.into_iter();
        let errors: BTreeSet<_> = outcomes.map(|outcome| outcome.unwrap_err().to_string()).collect();
        assert_eq!(errors.len(), 1, "{status}: {errors:?}");
        assert_eq!(env.logins(), 1, "{status}");
        env.pass(secs(5));
        assert_eq!(session.token().await.unwrap().generation(), 1, "{status}");
        assert_eq!(env.logins(), 2, "{status}");
    }
}

#[tokio::test]
async fn broken_connection_is_a_transient_error() {
    for fault in [
        Fault::reset(),
        Fault::reset_before_body(),
        Fault::reset_in_body(),
        Fault::truncated_body(),
    ] {
        let what = format!("{fault:?}");
        let env = TestEnv::new().await;
        env.emulator.faults().on("workspaceLogin").then(fault);
        let session = env.workspace();
        let error = session.token().await.unwrap_err();
        assert!(error.is_retryable(), "{what}: {error}");
        assert!(error.kind() == ErrorKind::Connection, "{what}: {error}");
        env.pass(secs(1));
        assert_eq!(session.token().await.unwrap().generation(), 1, "{what}");
    }
}

#[tokio::test]
async fn missing_host_is_a_transient_error() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    drop(env);
    let error = session.token().await.unwrap_err();
    assert!(
        (error.kind() == ErrorKind::Connection) && error.is_retryable(),
        "{error}"
    );
}

/// A name server that knows no name until it is fixed.
#[derive(Clone)]
struct NameServer {
    host: SocketAddr,
    fixed: Arc<AtomicBool>,
}

impl Resolve for NameServer {
    fn resolve(&self, _: Name) -> Resolving {
        let answer: Result<Addrs, Box<dyn StdError + Send + Sync>> = if self.fixed.load(Ordering::SeqCst) {
            Ok(Box::new(std::iter::once(self.host)))
        } else {
            Err("no such host".into())
        };
        Box::pin(std::future::ready(answer))
    }
}

#[tokio::test]
async fn dns_failure_is_a_transient_error() {
    let fixed = Arc::new(AtomicBool::new(false));
    let env = TestEnv::new().await;
    let names = NameServer {
        host: env.emulator.address(),
        fixed: Arc::clone(&fixed),
    };
    let client = env
        .client_builder()
        .base_url(format!("http://synerise.invalid:{}", names.host.port()))
        .allow_plain_http_to_any_host()
        .http(move |http| http.no_proxy().dns_resolver(Arc::new(names.clone())))
        .build()
        .unwrap();
    let session = client.workspace(env.workspace_key());
    let error = session.token().await.unwrap_err();
    assert!(
        (error.kind() == ErrorKind::Connection) && error.is_retryable(),
        "{error}"
    );
    assert!(error.to_string().contains("no such host"), "{error}");
    fixed.store(true, Ordering::SeqCst);
    env.pass(secs(1));
    assert_eq!(session.token().await.unwrap().generation(), 1);
}

#[tokio::test]
async fn unusable_login_response_is_never_quoted() {
    let oversized = u64::try_from(17 * 1024 * 1024).unwrap();
    for (fault, quoted) in [
        (Fault::html(), "Sign in"),
        (Fault::wrong_shape(), "soon"),
        (
            Fault::json(&serde_json::json!({ "token": { "fake-secret": 1 } })),
            "fake-secret",
        ),
        (Fault::oversized_body(oversized), "{\""),
        (
            Fault::body(200, "application/json", "{\"token\":\"fake-sec"),
            "fake-sec",
        ),
        (
            Fault::status(302).header("location", "http://example.com/x"),
            "/x",
        ),
    ] {
        let what = format!("{fault:?}");
        let env = TestEnv::new().await;
        env.emulator.faults().on("workspaceLogin").then(fault);
        let session = env.workspace();
        let error = session.token().await.unwrap_err();
        assert!(error.kind() == ErrorKind::UnexpectedResponse, "{what}: {error}");
        let printed = format!("{error} {error:?}");
        assert!(!printed.contains(quoted), "{what}: {printed}");
        env.pass(secs(1));
        assert_eq!(session.token().await.unwrap().generation(), 1, "{what}");
    }
}

#[tokio::test]
async fn login_obeys_retry_after() {
    let asks = [
        (Fault::status(429).retry_after(secs(120)), 120),
        (Fault::status(503).retry_after(secs(120)), 120),
        (Fault::status(429).retry_at(UNIX_EPOCH + START + secs(120)), 120),
        // No more than five minutes, whatever it says.
        (Fault::status(429).header("retry-after", "99999999999"), 300),
        (
            Fault::status(429).retry_at(UNIX_EPOCH + START + secs(365 * 24 * 3600)),
            300,
        ),
    ];
    for (fault, seconds) in asks {
        let what = format!("{fault:?}");
        let env = TestEnv::new().await;
        env.clock.set_wall(UNIX_EPOCH + START + secs(600));
        env.emulator.faults().on("workspaceLogin").then(fault);
        let session = env.workspace();
        let error = session.token().await.unwrap_err();
        assert!(error.retry_after().is_some() && error.is_retryable(), "{what}");
        env.pass(millis(seconds * 1000 - 1));
        session.token().await.unwrap_err();
        assert_eq!(env.logins(), 1, "{what}");
        env.pass(millis(1));
        assert_eq!(session.token().await.unwrap().generation(), 1, "{what}");
    }
}

#[tokio::test]
async fn invalid_retry_after_leaves_the_usual_backoff() {
    for value in ["soon", "-5", "", "Thu, 99 Foo 2026 00:00:00 GMT"] {
        let env = TestEnv::new().await;
        let fault = Fault::status(429).header("retry-after", value);
        env.emulator.faults().on("workspaceLogin").then(fault);
        let session = env.workspace();
        let error = session.token().await.unwrap_err();
        assert_eq!(error.retry_after(), None, "{value:?}");
        env.pass(secs(1));
        assert_eq!(session.token().await.unwrap().generation(), 1, "{value:?}");
    }
}

#[tokio::test]
async fn many_401_cost_one_refresh() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    session.token().await.unwrap();
    let mut events = session.subscribe();
    let gate = env.emulator.faults().on(CLIENTS).hold();
    let callers = [(); 50].map(|()| spawn_get(&session));
    gate.wait_for(50).await;
    env.emulator.revoke_tokens();
    gate.release();
    for caller in callers {
        assert_eq!(caller.await.unwrap().unwrap().status(), 200);
    }
    assert_eq!((env.logins(), env.calls()), (2, 100));
    assert_eq!(invalidated(&mut events).await, 1);
    assert_eq!(refreshed(&mut events).await, 2);
    assert_eq!(session.status().generation, 2);
}

#[tokio::test]
async fn late_401_for_an_older_token_drops_nothing() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    let old = session.token().await.unwrap();
    let gate = env.emulator.faults().on(CLIENTS).hold();
    let caller = spawn_get(&session);
    gate.wait_for(1).await;
    session.invalidate();
    assert_eq!(session.token().await.unwrap().generation(), 2);
    assert!(env.emulator.revoke_token(old.expose()));
    let mut events = session.subscribe();
    gate.release();
    assert_eq!(caller.await.unwrap().unwrap().status(), 200);
    assert_eq!(env.calls(), 2, "with the newer token");
    assert_eq!(env.logins(), 2);
    assert_eq!(session.token().await.unwrap().generation(), 2);
    env.client.forget(env.workspace_key());
    drop(session);
    assert!(next(&mut events).await.is_none(), "nothing was dropped");
}

#[tokio::test]
async fn persistent_401_is_retried_once() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    env.emulator.faults().on(CLIENTS).always(Fault::status(401));
    let error = session.get("/v4/clients").await.unwrap_err();
    assert_eq!(error.status(), Some(401));
    assert_eq!((env.logins(), env.calls()), (2, 2));
    for call in 1..=20 {
        let error = session.get("/v4/clients").await.unwrap_err();
        assert_eq!(error.status(), Some(401));
        assert_eq!((env.logins(), env.calls()), (2, 2 + call));
    }
    env.pass(secs(1));
    session.get("/v4/clients").await.unwrap_err();
    assert_eq!(env.logins(), 3, "at most one a second");
    env.emulator.faults().clear();
    assert_eq!(session.get("/v4/clients").await.unwrap().status(), 200);
}

#[tokio::test]
async fn second_401_is_final_however_late_it_comes() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    env.emulator.faults().on(CLIENTS).always(Fault::status(401));
    let first = env.emulator.faults().on(CLIENTS).hold();
    let caller = spawn_get(&session);
    first.wait_for(1).await;
    let second = env.emulator.faults().on(CLIENTS).hold();
    first.release();
    second.wait_for(1).await;
    env.pass(secs(5));
    second.release();
    assert_eq!(caller.await.unwrap().unwrap_err().status(), Some(401));
    assert_eq!((env.logins(), env.calls()), (2, 2));
}

#[tokio::test]
async fn call_whose_refresh_fails_says_why() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    session.token().await.unwrap();
    env.emulator.revoke_tokens();
    env.emulator
        .faults()
        .on("workspaceLogin")
        .always(Fault::status(503));
    let error = session.get("/v4/clients").await.unwrap_err();
    assert_eq!(
        (error.status(), error.operation()),
        (Some(503), Some("workspaceLogin"))
    );
    assert_eq!(env.calls(), 1);
}

#[tokio::test]
async fn streamed_body_is_sent_once_and_the_token_dropped() {
    let env = TestEnv::new().await;
    env.emulator
        .stub("POST", "/v4/clients", serde_json::json!({ "ok": true }));
    let session = env.workspace();
    session.token().await.unwrap();
    env.emulator.revoke_tokens();
    let post = || {
        let stream = synerise_auth::session::Body::stream(Full::new(bytes::Bytes::from_static(b"{}")));
        session
            .post("/v4/clients")
            .header("content-type", "application/json")
            .body(stream)
    };
    assert_eq!(post().await.unwrap_err().status(), Some(401));
    assert_eq!(env.emulator.count("POST /v4/clients"), 1);
    assert_eq!(session.status().state, TokenState::Empty);
    assert_eq!(post().await.unwrap().status(), 200);
    assert_eq!((env.logins(), env.emulator.count("POST /v4/clients")), (2, 2));
}

#[tokio::test]
async fn call_refused_with_401_joins_a_running_refresh() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    session.token().await.unwrap();
    let mut events = session.subscribe();
    env.pass(secs(3400));
    let gate = env.emulator.faults().on("workspaceLogin").hold();
    assert_eq!(session.token().await.unwrap().generation(), 1);
    gate.wait_for(1).await;
    env.emulator.revoke_tokens();
    let caller = spawn_get(&session);
    assert_eq!(invalidated(&mut events).await, 1);
    gate.release();
    assert_eq!(caller.await.unwrap().unwrap().status(), 200);
    assert_eq!((env.logins(), env.calls()), (2, 2));
}

#[tokio::test]
async fn invalidate_gets_another_token_at_once() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    let first = session.token().await.unwrap();
    session.invalidate();
    assert_eq!(session.status().state, TokenState::Empty);
    let second = session.token().await.unwrap();
    assert_ne!(first.expose(), second.expose());
    assert_eq!((second.generation(), env.logins()), (2, 2));

    // It ends a backoff too: after a key was fixed, it is tried at once.
    session.invalidate();
    env.emulator
        .faults()
        .on("workspaceLogin")
        .then(Fault::status(401));
    session.token().await.unwrap_err();
    session.invalidate();
    assert_eq!(session.token().await.unwrap().generation(), 3);
}

#[tokio::test]
async fn session_recovers_after_a_series_of_faults() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    let mut events = session.subscribe();
    env.emulator
        .faults()
        .on("workspaceLogin")
        .then(Fault::status(500))
        .then(Fault::reset())
        .then(Fault::html())
        .then(Fault::token(TokenShape::Expired));
    for _ in 0..4 {
        session.token().await.unwrap_err();
        failed(&mut events).await;
        env.pass(secs(30));
    }
    assert_eq!(session.token().await.unwrap().generation(), 1);
    assert_eq!(refreshed(&mut events).await, 1);
}
