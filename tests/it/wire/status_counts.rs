//! A status counts, and so do the headers, whatever becomes of the body.

use std::time::Duration;

use synerise_auth::clock::ManualClock;
use synerise_auth::{ErrorKind, WorkspaceSession};

use crate::support::{RawServer, Reply, bounded, key, secs};

use super::builder;

/// The first call is answered with `refusal`, the following ones with success.
fn refusing_once(refusal: Reply) -> RawServer {
    RawServer::start(move |request, number| {
        if request.is_login() {
            Reply::login(number)
        } else if request.head.contains("fake-token-1") {
            refusal.clone()
        } else {
            Reply::json("{}")
        }
    })
}

fn session(server: &RawServer, clock: &ManualClock) -> WorkspaceSession {
    let client = builder(&server.url(), clock).max_response_bytes(1000).build();
    client.unwrap().workspace(key())
}

/// A refusal whose body is broken in some way.
fn broken(status: &str) -> Vec<(&'static str, Reply)> {
    let head =
        |headers: &str| format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{headers}\r\n\r\n");
    let with = |headers: &str, body: &str| format!("{}{body}", head(headers)).into_bytes();
    vec![
        ("torn", Reply::SendAndClose(with("content-length: 100", "{\"err"))),
        (
            "announced too large",
            Reply::SendAndClose(with("content-length: 999999", &"x".repeat(500))),
        ),
        (
            "too large",
            Reply::SendAndClose(with("connection: close", &"x".repeat(5000))),
        ),
        (
            "badly chunked",
            Reply::SendAndClose(with("transfer-encoding: chunked", "zz\r\n{}\r\n0\r\n\r\n")),
        ),
        (
            "chunks without an end",
            Reply::SendAndClose(with("transfer-encoding: chunked", "2\r\n{}\r\n")),
        ),
        (
            "not JSON",
            Reply::SendAndClose(with("content-length: 3", "\u{1}\u{2}\u{3}")),
        ),
    ]
}

#[tokio::test]
async fn unauthorized_replaces_the_token_whatever_its_body() {
    for (what, refusal) in broken("401 Unauthorized") {
        let server = refusing_once(refusal);
        let clock = ManualClock::new();
        let session = session(&server, &clock);
        let response = bounded(async { session.get("/v4/clients").await }).await;
        assert!(response.is_ok(), "{what}: {response:?}");
        assert_eq!(server.count("/login/"), 2, "{what}");
        assert_eq!(server.count("/v4/clients"), 2, "{what}");
    }
}

#[tokio::test]
async fn unauthorized_with_a_hanging_body_replaces_the_token() {
    let head = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 100\r\n\r\n{";
    let server = refusing_once(Reply::SendAndHang(head.into()));
    let clock = ManualClock::new();
    let session = session(&server, &clock);
    session.token().await.unwrap();
    let call = async { session.get("/v4/clients").await };
    let time = async {
        while server.count("/v4/clients") == 0 {
            tokio::task::yield_now().await;
        }
        // In steps, so that the head arrives long before the time is up.
        for _ in 0..10 {
            for _ in 0..1000 {
                tokio::task::yield_now().await;
            }
            clock.advance(secs(1));
        }
    };
    let (response, ()) = bounded(async { tokio::join!(call, time) }).await;
    assert!(response.is_ok(), "{response:?}");
    assert_eq!(server.count("/login/"), 2);
}

#[tokio::test]
async fn retry_after_is_read_whatever_the_body() {
    for status in ["429 Too Many Requests", "503 Service Unavailable"] {
        let status = format!("{status}\r\nretry-after: 3600");
        for (what, refusal) in broken(&status) {
            let server = refusing_once(refusal);
            let clock = ManualClock::new();
            let error = bounded(async { session(&server, &clock).get("/v4/clients").await })
                .await
                .unwrap_err();
            assert_eq!(error.retry_after(), Some(secs(3600)), "{status}, {what}: {error}");
            assert_eq!(error.kind(), ErrorKind::Api, "{status}, {what}");
            assert_eq!(server.count("/v4/clients"), 1, "{status}, {what}");
        }
    }
}

#[tokio::test]
async fn retry_after_with_a_fraction_is_waited_for_whole() {
    let clock = ManualClock::new();
    let server = RawServer::start(|request, number| match request.is_login() {
        true => Reply::login(number),
        false if number == 2 => Reply::text("429 Too Many Requests\r\nretry-after: 1.5", ""),
        false => Reply::json("{}"),
    });
    let session = session(&server, &clock);
    session.token().await.unwrap();
    let call = async { session.get("/v4/clients").await };
    let time = async {
        clock.wait_for_backoff().await;
        clock.advance(Duration::from_millis(1499));
        tokio::task::yield_now().await;
        assert_eq!(server.count("/v4/clients"), 1);
        clock.advance(Duration::from_millis(1));
    };
    let (response, ()) = bounded(async { tokio::join!(call, time) }).await;
    assert!(response.is_ok(), "{response:?}");
    assert_eq!(server.count("/v4/clients"), 2);
}

#[tokio::test]
async fn success_with_a_broken_body_is_an_error() {
    for (what, reply) in broken("200 OK") {
        let server = RawServer::start(move |request, number| {
            if request.is_login() {
                Reply::login(number)
            } else {
                reply.clone()
            }
        });
        let clock = ManualClock::new();
        let session = session(&server, &clock);
        let response = bounded(async { session.get("/v4/clients").await }).await;
        let usable = response.and_then(|response| response.json::<serde_json::Value>());
        assert!(usable.is_err(), "{what}: {usable:?}");
    }
}
