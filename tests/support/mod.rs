//! What the tests share: an emulator for each with a client of it, and a server that shows what it was sent.

#![allow(dead_code, unused_imports, reason = "each test binary uses its share of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may"
)]

pub(crate) mod broken_store;
mod capture;
mod env;
pub(crate) mod file_store;
mod key_file;
mod raw;
pub(crate) mod unreliable_store;

use std::sync::OnceLock;
use std::time::Duration;

use synerise_auth::kind::Kind;
use synerise_auth::lifecycle::{Event, Events};
use synerise_auth::session::Response;
use synerise_auth::{Error, Result, Session, Token};
use tokio::task::{JoinHandle, JoinSet};

pub(crate) use capture::{Answer, Capture, Captured, KEY, key};
pub(crate) use env::{
    CLIENTS, CUSTOMER, DEVICE, NEWCOMER, PASSWORD, START, TestEnv, USER, VISITOR, customer, newcomer,
    pin_for_everyone,
};
pub(crate) use key_file::KeyFile;
pub(crate) use raw::{Http2Reply, Http2Server, RawRequest, RawServer, Reply, on_own_thread};

/// Call it before a subscriber is set for one thread. While there is only one subscriber in the process, `tracing` asks that of
/// the thread which comes to an event first, and that thread may have none: then the event is lost for all. So there are two.
pub(crate) fn see_all_threads() {
    static SECOND: OnceLock<tracing::Dispatch> = OnceLock::new();
    SECOND.get_or_init(|| tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new()));
}

/// Asks for the session's token in a task of its own.
pub(crate) fn spawn_token<K: Kind>(session: &Session<K>) -> JoinHandle<Result<Token>> {
    let session = session.clone();
    tokio::spawn(async move { session.token().await })
}

/// Asks for the session's token in so many tasks.
pub(crate) fn spawn_tokens<K: Kind>(session: &Session<K>, count: usize) -> JoinSet<Result<Token>> {
    let mut callers = JoinSet::new();
    for _ in 0..count {
        let session = session.clone();
        callers.spawn(async move { session.token().await });
    }
    callers
}

/// Calls `GET /v4/clients` in a task of its own.
pub(crate) fn spawn_get<K: Kind>(session: &Session<K>) -> JoinHandle<Result<Response>> {
    let session = session.clone();
    tokio::spawn(async move { session.get("/v4/clients").await })
}

/// The next event; none once the session has ended.
pub(crate) async fn next(events: &mut Events) -> Option<Event> {
    bounded(events.next()).await
}

/// The new generation, if the next event is a refresh.
pub(crate) async fn refreshed(events: &mut Events) -> u64 {
    match next(events).await {
        Some(Event::Refreshed { generation, .. }) => generation,
        other => panic!("expected a refresh, got {other:?}"),
    }
}

/// The error, if the next event is a failed refresh.
pub(crate) async fn failed(events: &mut Events) -> Error {
    match next(events).await {
        Some(Event::RefreshFailed { error }) => error,
        other => panic!("expected a failed refresh, got {other:?}"),
    }
}

/// The old generation, if the next event is an invalidation.
pub(crate) async fn invalidated(events: &mut Events) -> u64 {
    match next(events).await {
        Some(Event::Invalidated { generation, .. }) => generation,
        other => panic!("expected an invalidation, got {other:?}"),
    }
}

/// Waits for `future`, but fails after half a minute: a test must not hang.
#[allow(clippy::disallowed_methods, reason = "a bound in real time")]
pub(crate) async fn bounded<F: Future>(future: F) -> F::Output {
    let outcome = tokio::time::timeout(secs(30), future).await;
    outcome.expect("it did not happen within half a minute")
}

pub(crate) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) const fn millis(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A token with these claims. Nobody signed it.
pub(crate) fn claims_token(claims: &serde_json::Value) -> String {
    use base64::Engine;
    let part = |text: String| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    format!(
        "{}.{}.c2ln",
        part(r#"{"alg":"RS512"}"#.into()),
        part(claims.to_string())
    )
}
