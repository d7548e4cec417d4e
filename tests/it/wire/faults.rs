//! Whose fault it is, and whether another attempt helps.

use synerise_auth::clock::ManualClock;
use synerise_auth::{Client, Error, ErrorKind, reqwest};

use crate::support::{RawServer, Reply, bounded, key};

use super::builder;

/// A server that logs in, and gives each other request this reply.
fn replying(reply: Reply) -> RawServer {
    RawServer::start(move |request, number| {
        if request.is_login() {
            Reply::login(number)
        } else {
            reply.clone()
        }
    })
}

async fn error_of(server: &RawServer) -> Error {
    let client = builder(&server.url(), &ManualClock::new())
        .max_response_bytes(1000)
        .build();
    let session = client.unwrap().workspace(key());
    let error = bounded(async { session.get("/v4/clients").await })
        .await
        .unwrap_err();
    assert!(!error.to_string().contains("fake-token"), "{error}");
    error
}

/// The error of a login through this proxy.
async fn error_by_proxy(proxy: &RawServer, base_url: &str) -> Error {
    let url = proxy.url();
    let client = Client::builder()
        .base_url(base_url)
        .allow_plain_http_to_any_host()
        .random(synerise_auth::random::FixedRandom(0.0))
        .http(move |http| http.proxy(reqwest::Proxy::all(&url).unwrap()))
        .build()
        .unwrap();
    bounded(client.workspace(key()).token()).await.unwrap_err()
}

#[tokio::test]
async fn refusal_of_a_proxy_names_the_proxy() {
    for (head, words) in [
        (
            "407 Proxy Authentication Required",
            "asks for a user name and a password",
        ),
        ("403 Forbidden", "refuses to connect to"),
        ("502 Bad Gateway", "refuses to connect to"),
    ] {
        let proxy = RawServer::start(move |_, _| Reply::text(head, "no"));
        let error = error_by_proxy(&proxy, "https://api.synerise.invalid").await;
        assert_eq!(error.kind(), ErrorKind::Proxy, "{head}: {error}");
        assert!(error.to_string().contains(words), "{head}: {error}");
        assert!(
            error.advice().contains("proxy") && !error.is_retryable(),
            "{head}: {error}"
        );
        assert_eq!(proxy.count("CONNECT"), 1, "{head}");
    }
}

#[tokio::test]
async fn proxy_that_hangs_up_is_not_said_to_have_refused() {
    let proxy = RawServer::start(|_, _| Reply::SendAndClose(Vec::new()));
    let error = error_by_proxy(&proxy, "https://api.synerise.invalid").await;
    assert_eq!(error.kind(), ErrorKind::Proxy, "{error}");
    assert!(!error.to_string().contains("refuses"), "{error}");
    assert!(error.is_retryable(), "{error}");
}

#[tokio::test]
async fn proxy_that_wants_credentials_is_named_over_plain_http() {
    let proxy = RawServer::start(|_, _| Reply::text("407 Proxy Authentication Required", "no"));
    let error = error_by_proxy(&proxy, "http://api.synerise.invalid").await;
    assert_eq!(error.kind(), ErrorKind::Proxy, "{error}");
    assert!(error.to_string().contains("407"), "{error}");
}

#[tokio::test]
async fn proxy_that_breaks_the_connection_is_tried_again() {
    let proxy = RawServer::start(|_, _| Reply::SendAndClose(Vec::new()));
    let error = error_by_proxy(&proxy, "https://api.synerise.invalid").await;
    assert_eq!(error.kind(), ErrorKind::Proxy, "{error}");
    assert!(error.is_retryable(), "{error}");
    assert_eq!(proxy.count("CONNECT"), 3);
}

#[tokio::test]
async fn odd_responses_get_the_fitting_words() {
    let gzip = Reply::text("200 OK\r\ncontent-encoding: gzip", "\u{1f}not-really");
    let zstd = Reply::text("200 OK\r\ncontent-encoding: ZSTD", "compressed");
    let cases = [
        (
            Reply::text("304 Not Modified", ""),
            "nothing has changed",
            "conditional",
        ),
        (
            Reply::Send(
                b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n".to_vec(),
            ),
            "another protocol",
            "HTTP",
        ),
        (gzip, "compressed (gzip)", "compression"),
        (zstd, "compressed (zstd)", "compression"),
        (
            Reply::text(
                "200 OK\r\ncontent-encoding: identity\r\ncontent-encoding: br",
                "x",
            ),
            "compressed (br)",
            "compression",
        ),
        (
            Reply::text("200 OK\r\ncontent-encoding: identity, X-GZIP", "x"),
            "compressed (gzip)",
            "compression",
        ),
        (
            Reply::Send(
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n".to_vec(),
            ),
            "compressed (gzip)",
            "compression",
        ),
    ];
    for (reply, words, advice) in cases {
        let server = replying(reply);
        let error = error_of(&server).await;
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.advice().contains(advice), "{error}");
        assert_eq!(server.count("/v4/clients"), 1, "{error}");
    }
}

#[tokio::test]
async fn encoding_that_is_no_compression_is_read() {
    for head in [
        "content-encoding: identity, identity",
        "content-encoding: utf-8",
        "content-encoding: ",
        "content-encoding: None",
    ] {
        let server = replying(Reply::text(&format!("200 OK\r\n{head}"), "{}"));
        let client = builder(&server.url(), &ManualClock::new()).build().unwrap();
        let workspace = client.workspace(key());
        let response = bounded(async { workspace.get("/v4/clients").await })
            .await
            .unwrap();
        assert_eq!(response.text().unwrap(), "{}", "{head}");
    }
}

#[tokio::test]
async fn response_with_too_many_headers_is_named_and_not_fetched_again() {
    let headers = "\r\nx-header: 1".repeat(150);
    let server = replying(Reply::text(&format!("200 OK{headers}"), "{}"));
    let error = error_of(&server).await;
    assert!(error.to_string().contains("more than 100 headers"), "{error}");
    assert_eq!(server.count("/v4/clients"), 1);
}

#[tokio::test]
async fn too_large_response_is_fetched_once() {
    let body = "x".repeat(5000);
    let unannounced = format!("HTTP/1.1 200 OK\r\n\r\n{body}").into_bytes();
    for reply in [Reply::text("200 OK", &body), Reply::SendAndClose(unannounced)] {
        let server = replying(reply);
        let error = error_of(&server).await;
        assert!(error.to_string().contains("larger than 1000 bytes"), "{error}");
        assert!(error.advice().contains("max_response_bytes"), "{error}");
        assert_eq!(server.count("/v4/clients"), 1);
    }
}

#[tokio::test]
async fn misdirected_and_too_early_requests_are_sent_again() {
    for head in ["421 Misdirected Request", "425 Too Early"] {
        let server = RawServer::start(move |request, number| match request.is_login() {
            true => Reply::login(number),
            false if number == 2 => Reply::text(head, ""),
            false => Reply::json("{}"),
        });
        let client = builder(&server.url(), &ManualClock::new()).build().unwrap();
        let session = client.workspace(key());
        let response = bounded(async { session.post("/v4/clients").await }).await;
        assert!(response.is_ok(), "{head}: {response:?}");
        assert_eq!(server.count("/v4/clients"), 2, "{head}");
        let stays = replying(Reply::text(head, ""));
        let error = error_of(&stays).await;
        assert!(
            error.is_retryable() && error.advice().contains("try again later"),
            "{error}"
        );
    }
}

/// The error of a login at a server whose certificate nobody signed.
pub(crate) async fn error_of_an_untrusted_server() -> Error {
    untrusted::login().await.0
}

#[tokio::test]
async fn certificate_that_is_not_trusted_is_not_tried_again() {
    let error = untrusted::login().await;
    assert_eq!(error.0.kind(), ErrorKind::Certificate, "{}", error.0);
    assert!(
        error.0.advice().contains("CA") && !error.0.is_retryable(),
        "{}",
        error.0
    );
    assert_eq!(error.1, 1, "connections");
}

/// A server with a certificate that nobody signed.
mod untrusted {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use synerise_auth::{Client, Error};
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;

    use crate::support::{bounded, key, on_own_thread};

    /// The error of a login at such a server, and how many connections were made to it.
    pub(super) async fn login() -> (Error, usize) {
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(
                vec![certified.cert.der().clone()],
                certified.signing_key.serialize_der().try_into().unwrap(),
            )
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let address = on_own_thread(move |listener| async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let _ = acceptor.accept(stream).await;
            }
        });
        let client = Client::builder()
            .base_url(format!("https://localhost:{}", address.port()))
            .random(synerise_auth::random::FixedRandom(0.0))
            .build()
            .unwrap();
        let error = bounded(client.workspace(key()).token()).await.unwrap_err();
        (error, connections.load(Ordering::SeqCst))
    }
}
