//! A dead connection is left, and no runtime waits for the connections of another.

use std::sync::mpsc;

use synerise_auth::clock::ManualClock;
use synerise_auth::{ErrorKind, reqwest};

use crate::support::{Http2Reply, Http2Server, RawServer, Reply, bounded, key, millis, secs};

use super::builder;

#[tokio::test]
async fn retry_does_not_go_by_the_connection_that_swallowed_the_request() {
    let server = Http2Server::start(|connection, path, _| match (connection, path) {
        (_, path) if path.contains("/login/") => Http2Reply::Json(r#"{"token":"fake-token"}"#),
        (0, _) => Http2Reply::Swallow,
        _ => Http2Reply::Json("{}"),
    });
    let clock = ManualClock::new();
    let client = builder(&server.url(), &clock)
        // Without pings, which would find out as well.
        .http(|http| http.http2_prior_knowledge().http2_keep_alive_interval(None))
        .build()
        .unwrap();
    let session = client.workspace(key());
    session.token().await.unwrap();
    let call = async { session.get("/v4/clients").await };
    let time = async {
        clock.sleepers(1).await;
        while server.count("/v4/clients") == 0 {
            tokio::task::yield_now().await;
        }
        clock.advance(secs(10));
    };
    let (response, ()) = bounded(async { tokio::join!(call, time) }).await;
    assert!(response.is_ok(), "{response:?}");
    assert_eq!(server.connections("/v4/clients"), [0, 1]);
    // The next calls stay with the connection that works.
    session.get("/v4/clients").await.unwrap();
    assert_eq!(server.connections("/v4/clients"), [0, 1, 1]);
}

#[tokio::test]
async fn connection_of_http2_that_answers_no_ping_is_given_up() {
    let server = Http2Server::start(|connection, path, _| match (connection, path) {
        (_, path) if path.contains("/login/") => Http2Reply::Json(r#"{"token":"fake-token"}"#),
        (0, _) => Http2Reply::Swallow,
        _ => Http2Reply::Json("{}"),
    });
    // The clock stands, so that only a ping can find out: within 8 s by default.
    let client = builder(&server.url(), &ManualClock::new())
        .http(reqwest::ClientBuilder::http2_prior_knowledge)
        .build()
        .unwrap();
    let session = client.workspace(key());
    let response = bounded(async { session.get("/v4/clients").await }).await;
    assert!(response.is_ok(), "{response:?}");
    assert_eq!(server.connections("/v4/clients"), [0, 1]);
}

#[test]
fn second_runtime_does_not_wait_for_the_first_ones_connections() {
    let server = RawServer::start(|request, number| {
        if request.is_login() {
            Reply::login(number)
        } else {
            Reply::json("{}")
        }
    });
    // The clock stands: a call that waits for the other runtime never returns.
    let client = builder(&server.url(), &ManualClock::new()).build().unwrap();
    let session = client.workspace(key());
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().unwrap()
    };
    let first = runtime();
    first
        .block_on(async { session.get("/v4/clients").await })
        .unwrap();
    // The first runtime stands still from here on, with its connection in the pool.
    let (sender, receiver) = mpsc::channel();
    let other = session.clone();
    std::thread::spawn(move || {
        let response = runtime().block_on(async { other.get("/v4/clients").await });
        let _ = sender.send(response.map(drop));
    });
    let response = receiver
        .recv_timeout(secs(20))
        .expect("it waits for the first runtime");
    assert!(response.is_ok(), "{response:?}");
    drop(first);
}

#[tokio::test]
async fn request_that_got_no_connection_in_a_short_attempt_was_not_sent() {
    // Shorter than the 5 s that a connection may take by default. One server is silent before TLS, one is a silent proxy.
    let silent = RawServer::start(|_, _| Reply::SendAndHang(Vec::new()));
    let proxy = silent.url();
    let builder = |url: String| {
        synerise_auth::Client::builder()
            .base_url(url)
            .random(synerise_auth::random::FixedRandom(0.0))
            .attempt_timeout(millis(400))
    };
    let tls = builder(silent.url().replace("http:", "https:"));
    let tunnel = builder("https://api.synerise.invalid".to_owned())
        .http(move |http| http.proxy(reqwest::Proxy::https(&proxy).unwrap()));
    for builder in [tls, tunnel] {
        let client = builder.build().unwrap();
        let error = bounded(client.workspace(key()).token()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
        assert!(error.to_string().contains("connecting to "), "{error}");
        assert!(error.to_string().contains("longer than 300ms"), "{error}");
    }
    assert_eq!(silent.count("CONNECT"), 3);
}

#[tokio::test]
async fn request_that_got_no_connection_is_sent_again_whatever_it_is() {
    // A proxy that takes connections and never makes one to the server.
    let proxy = RawServer::start(|_, _| Reply::SendAndHang(Vec::new()));
    let url = proxy.url();
    let client = synerise_auth::Client::builder()
        .base_url("https://api.synerise.invalid")
        .random(synerise_auth::random::FixedRandom(0.0))
        .connect_timeout(millis(100))
        .http(move |http| http.proxy(reqwest::Proxy::https(&url).unwrap()))
        .build()
        .unwrap();
    let error = bounded(client.workspace(key()).token()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    let text = error.to_string();
    assert!(
        text.contains("connecting to api.synerise.invalid:443 took longer than 100ms"),
        "{text}"
    );
    assert_eq!(proxy.count("CONNECT"), 3);
}
