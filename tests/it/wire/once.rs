//! What is sent once reaches the server once: no library below the client repeats it.

use synerise_auth::account::NewAccount;
use synerise_auth::client::RetryPolicy;
use synerise_auth::clock::ManualClock;
use synerise_auth::{Client, ErrorKind, reqwest};

use crate::support::{Http2Reply, Http2Server, bounded, key};

use super::builder;

const LOGIN: Http2Reply = Http2Reply::Json(r#"{"token":"fake-token"}"#);

fn refusing(reply: Http2Reply) -> Http2Server {
    Http2Server::start(move |_, path, _| if path.contains("/login/") { LOGIN } else { reply })
}

fn client(server: &Http2Server, policy: RetryPolicy) -> Client {
    builder(&server.url(), &ManualClock::new())
        .http(reqwest::ClientBuilder::http2_prior_knowledge)
        .retry_policy(policy)
        .build()
        .unwrap()
}

#[tokio::test]
async fn refused_stream_is_not_repeated_without_retries() {
    for reply in [Http2Reply::RefuseStream, Http2Reply::GoAway] {
        let server = refusing(reply);
        let session = client(&server, RetryPolicy::never()).workspace(key());
        let error = bounded(async { session.get("/v4/clients").await })
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connection, "{reply:?}: {error}");
        assert_eq!(server.count("/v4/clients"), 1, "{reply:?}");
    }
}

#[tokio::test]
async fn registration_is_never_repeated_over_http2() {
    for reply in [Http2Reply::RefuseStream, Http2Reply::GoAway] {
        let server = refusing(reply);
        let visitor = client(&server, RetryPolicy::default()).anonymous(key(), "u-1");
        let account = NewAccount::new("a@b.example", "not-a-real-password", "u-1");
        let registered = bounded(visitor.register(account)).await;
        assert!(registered.is_err(), "{reply:?}");
        assert_eq!(server.count("/sauth/clients/registered"), 1, "{reply:?}");
    }
}

#[tokio::test]
async fn refused_stream_is_repeated_as_the_policy_says() {
    let server = refusing(Http2Reply::RefuseStream);
    let policy = RetryPolicy::default().with_max_attempts(4);
    let session = client(&server, policy).workspace(key());
    bounded(async { session.get("/v4/clients").await })
        .await
        .unwrap_err();
    assert_eq!(server.count("/v4/clients"), 4);
}

#[tokio::test]
async fn login_over_http2_is_repeated_by_the_policy_alone() {
    let server = Http2Server::start(|_, _, _| Http2Reply::RefuseStream);
    let session = client(&server, RetryPolicy::never()).workspace(key());
    bounded(session.token()).await.unwrap_err();
    assert_eq!(server.count("/login/"), 1);
}

#[tokio::test]
async fn request_that_the_server_did_not_process_is_repeated_though_it_is_not_idempotent() {
    for (reply, sent) in [(Http2Reply::RefuseStream, 3), (Http2Reply::GoAway, 1)] {
        let server = refusing(reply);
        let session = client(&server, RetryPolicy::default()).workspace(key());
        let request = async { session.post("/v4/clients").body("{}").await };
        let error = bounded(request).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connection, "{reply:?}: {error}");
        assert_eq!(server.count("/v4/clients"), sent, "{reply:?}");
    }
}
