//! What is asked for and what is sent are the same: paths, their values, queries and headers; else nothing is sent.

use serde_json::json;
use synerise_auth::http::Method;
use synerise_auth::kind::Workspace;
use synerise_auth::session::{Body, Request};
use synerise_auth::{Client, ErrorKind, Session};

use crate::support::{Answer, Capture, key};

async fn server() -> Capture {
    Capture::start(|request| {
        if request.target.contains("/login") {
            Answer::json(json!({ "token": "fake-token" }))
        } else {
            Answer::json(json!({}))
        }
    })
    .await
}

/// A workspace of the server itself, and one whose base URL has a path.
fn workspaces(server: &Capture) -> [(Session<Workspace>, &'static str); 2] {
    let below = server
        .builder()
        .base_url(format!("{}/front/api/", server.base_url()));
    let below = below.build().unwrap().workspace(key());
    [(server.workspace(), ""), (below, "/front/api")]
}

async fn refused(request: Request<'_>, case: &str) -> String {
    let error = request.await.expect_err(case);
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{case}: {error}");
    error.to_string()
}

/// What an application keeps as an id, and what must not lead to another resource.
const HOSTILE_IDS: [&str; 30] = [
    "a#b",
    "#",
    "a?b",
    "a?b=c",
    "?x=1",
    "a/b",
    "/a",
    "a/",
    "a\\b",
    "..",
    ".",
    "../x",
    "a/../../x",
    "%2e%2e",
    ".%2E",
    "%2f",
    "100%",
    "a b",
    "a\tb",
    "a\nb",
    "a\0b",
    "\u{17c}\u{f3}\u{142}w",
    "\u{202e}a",
    "a\"b",
    "<a>",
    "{id}",
    "{}",
    "a|b^c`d",
    "a;b=c",
    "a%20b",
];

#[tokio::test]
async fn id_written_into_a_path_never_names_another_resource() {
    let server = server().await;
    for (workspace, prefix) in workspaces(&server) {
        for method in [Method::GET, Method::DELETE, Method::POST] {
            for id in HOSTILE_IDS {
                let path = format!("/v4/clients/by-custom-id/{id}");
                let before = server.seen().len();
                if let Err(error) = workspace.request(method.clone(), &path).await {
                    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{id}: {error}");
                    assert!(error.advice().contains("path_param"), "{error}");
                    assert_eq!(server.seen().len(), before, "{id}");
                } else {
                    assert_eq!(server.last().target, format!("{prefix}{path}"), "{id}");
                    let is_query = method == Method::GET && id.contains('=');
                    assert!(!id.contains('?') || is_query, "{method} {id}");
                }
            }
        }
    }
}

#[tokio::test]
async fn path_param_is_one_segment_whatever_it_contains() {
    let server = server().await;
    for (workspace, prefix) in workspaces(&server) {
        for id in HOSTILE_IDS {
            let request = workspace
                .request(Method::DELETE, "/v4/clients/{id}/events")
                .path_param("id", id);
            if matches!(id, "." | "..") {
                assert!(refused(request, id).await.contains("path parameter `id`"), "{id}");
                continue;
            }
            request.await.unwrap();
            let target = server.last().target;
            let segment = target.strip_prefix(&format!("{prefix}/v4/clients/")).unwrap();
            let segment = segment.strip_suffix("/events").unwrap();
            assert!(!segment.contains(['/', '?', '#']), "{target}");
            // Decoded as a server does it, but for a `+`, which is never written.
            let decoded = url::form_urlencoded::parse(segment.as_bytes()).next().unwrap().0;
            assert_eq!(decoded, id);
        }
    }
}

#[tokio::test]
async fn path_params_and_placeholders_belong_together() {
    let server = server().await;
    let workspace = server.workspace();
    let get = |path: &str| workspace.get(path);
    for (request, problem) in [
        (get("/v4/clients/{id}"), "has no value"),
        (get("/v4/clients/{id}").path_param("other", 1), "has no value"),
        (
            get("/v4/clients").path_param("id", 1),
            "path parameter `id` is not in the path",
        ),
        (
            get("/v4/clients/{id}").path_param("id", ""),
            "path parameter `id` is empty",
        ),
        (get("/v4/clients/{id").path_param("id", 1), "without a `}`"),
        (
            get("/v4/clients/.{id}").path_param("id", "."),
            "path parameter `id`",
        ),
    ] {
        let line = refused(request, problem).await;
        assert!(line.contains(problem), "{line}");
    }
    assert!(server.seen().is_empty(), "not even a login was sent");
    workspace
        .get("/v4/{kind}/{id}?expand={id}")
        .path_param("kind", "clients")
        .path_param("id", 0)
        .path_param("id", 7_u64)
        .query(&[("q", "a b&c")])
        .await
        .unwrap();
    assert_eq!(server.last().target, "/v4/clients/7?expand=7&q=a+b%26c");
}

#[tokio::test]
async fn error_and_debug_do_not_show_a_path_param_or_an_address_in_the_path() {
    let server = Capture::start(|request| {
        if request.target.contains("/login") {
            Answer::json(json!({ "token": "fake-token" }))
        } else {
            Answer::json(json!({ "message": "no" })).status(404)
        }
    })
    .await;
    let workspace = server.workspace();
    for (request, label) in [
        (
            workspace
                .get("/v4/clients/{email}")
                .path_param("email", "x@shop.example"),
            "GET /v4/clients/{email}",
        ),
        (
            workspace.get("/v4/clients/x@shop.example"),
            "GET /v4/clients/[redacted]",
        ),
        (
            workspace.get("/v4/clients/x%40shop.example"),
            "GET /v4/clients/[redacted]",
        ),
    ] {
        assert!(!format!("{request:?}").contains("shop"));
        let error = request.await.unwrap_err();
        assert_eq!(error.operation(), Some(label));
        assert!(!format!("{error} {error:?}").contains("shop"), "{error}");
    }
}

#[tokio::test]
async fn query_keeps_every_byte() {
    let server = server().await;
    let workspace = server.workspace();
    workspace
        .get("/v4/clients?q=caf%E9&r=%c3%a4&s=")
        .query(&[("t", "\u{e4}")])
        .await
        .unwrap();
    assert_eq!(server.last().target, "/v4/clients?q=caf%E9&r=%c3%a4&s=&t=%C3%A4");
}

#[tokio::test]
async fn header_of_the_connection_is_refused() {
    let server = server().await;
    let workspace = server.workspace();
    for name in [
        "host",
        "Host",
        "HOST",
        "content-length",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "te",
        "trailer",
        "upgrade",
        "expect",
        "proxy-connection",
    ] {
        let line = refused(workspace.post("/v4/clients").header(name, "0"), name).await;
        assert!(line.contains(&name.to_lowercase()), "{line}");
    }
    assert!(server.seen().is_empty(), "not even a login was sent");
}

#[tokio::test]
async fn header_replaces_what_is_set() {
    let server = server().await;
    let workspace = server.workspace();
    let request = workspace.post("/v4/clients");
    let request = request
        .header("content-type", "application/merge-patch+json")
        .json(&json!({}));
    request
        .header("Accept", "text/csv")
        .header("user-agent", "other/1")
        .header("x-own", "1")
        .header("X-Own", "2")
        .await
        .unwrap();
    for (name, value) in [
        ("accept", "text/csv"),
        ("content-type", "application/merge-patch+json"),
        ("user-agent", "other/1"),
        ("x-own", "2"),
    ] {
        assert_eq!(server.last().values(name), [value], "{name}");
    }
    let request = workspace.post("/v4/clients").json(&json!({}));
    request.header("content-type", "text/json").await.unwrap();
    assert_eq!(server.last().values("content-type"), ["text/json"]);
    assert_eq!(server.last().values("accept"), ["application/json"]);
}

#[tokio::test]
async fn body_is_text_or_bytes() {
    let server = server().await;
    let workspace = server.workspace();
    let bodies = [
        Body::from("text"),
        Body::from(String::from("text")),
        Body::from(b"text".to_vec()),
        Body::from(bytes::Bytes::from_static(b"text")),
    ];
    for body in bodies {
        workspace.post("/v4/clients").body(body).await.unwrap();
        assert_eq!(&server.last().body[..], b"text");
    }
}

#[test]
fn base_url_is_taken_as_it_is_written() {
    for (url, advice) in [
        ("https://api.synerise.com/front/../x", "leave out `.` and `..`"),
        ("https://api.synerise.com/%2e%2e/x", "leave out `.` and `..`"),
        ("https://api.synerise.com\\x", "ASCII"),
        ("https://api.synerise.com/\u{17c}", "percent-encode"),
        ("https://b\u{fc}cher.example", "xn--"),
        ("https://api.syneris\u{435}.com", "xn--"),
        ("https://api.synerise.com//x", "leave it out"),
        ("https://api.synerise.com\n", "leave it out"),
        (" https://api.synerise.com", "leave it out"),
        ("https://api.synerise.com/a\tb", "leave it out"),
        ("https:api.synerise.com", "https://"),
        ("http://x.localhost:8080", "https://"),
        ("http://0.0.0.0:8080", "127.0.0.1"),
        ("http://[::]:8080", "127.0.0.1"),
        ("http://[::ffff:192.0.2.1]", "https://"),
    ] {
        let error = Client::builder().base_url(url).build().unwrap_err();
        assert_eq!(error.input(), Some("base URL"), "{url}");
        assert!(error.advice().contains(advice), "{url}: {error}");
    }
    for url in [
        "http://localhost.:8080",
        "http://LocalHost",
        "http://[::ffff:127.0.0.1]:8080",
        "http://127.1",
        "http://0x7f000001:80",
        "HTTPS://API.Synerise.com:443/",
        "https://xn--bcher-kva.example/a%20b",
    ] {
        Client::builder().base_url(url).build().unwrap();
    }
}
