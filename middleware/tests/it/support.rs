//! An emulator with a session, and a server that records what it is sent.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use synerise_auth::client::RetryPolicy;
use synerise_auth::clock::ManualClock;
use synerise_auth::{ApiKey, Client, WorkspaceSession};
use synerise_auth_emulator::{Emulator, Stub};

pub(crate) const CLIENTS: &str = "GET /v4/clients";

pub(crate) struct TestEnv {
    pub(crate) emulator: Emulator,
    pub(crate) session: WorkspaceSession,
}

impl TestEnv {
    pub(crate) async fn new() -> Self {
        let emulator = Emulator::start().await.unwrap();
        emulator.stub("GET", "/v4/clients", Stub::body(200, "application/json", "[]"));
        emulator.stub("POST", "/v4/clients", Stub::empty(202));
        let key = emulator.workspace().workspace_api_key.clone();
        let session = session(emulator.base_url(), &key);
        Self { emulator, session }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/v4/clients", self.emulator.base_url())
    }

    pub(crate) fn logins(&self) -> u64 {
        self.emulator.count("workspaceLogin")
    }
}

/// A session of the server at `base_url`.
pub(crate) fn session(base_url: &str, key: &str) -> WorkspaceSession {
    let client = Client::builder()
        .base_url(base_url)
        .clock(ManualClock::new())
        .retry_policy(RetryPolicy::never())
        .build();
    client.unwrap().workspace(ApiKey::new(key).unwrap())
}

/// The path of a request, and its `Authorization` header.
pub(crate) type Seen = (String, Option<String>);

/// A server that answers logins with a token, and everything else as a test wants.
pub(crate) struct Recorder {
    pub(crate) base_url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Recorder {
    pub(crate) async fn start(answer: impl Fn(&str) -> Response + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let seen: Arc<Mutex<Vec<_>>> = Arc::default();
        let (record, answer) = (Arc::clone(&seen), Arc::new(answer));
        let router = Router::new().fallback(move |request: Request| {
            let (record, answer) = (Arc::clone(&record), Arc::clone(&answer));
            async move {
                let path = request.uri().path().to_owned();
                if path.ends_with("/auth/login/profile") {
                    return Response::new(r#"{"token":"fake-token"}"#.into());
                }
                let token = request.headers().get("authorization");
                let token = token.map(|value| value.to_str().unwrap().to_owned());
                let response = answer(&path);
                record.lock().unwrap().push((path, token));
                response
            }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base_url, seen }
    }

    /// The requests other than logins.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn session(&self) -> WorkspaceSession {
        session(&self.base_url, "1c586ac4-cb47-4c45-a7cf-e0fb74e8e5f4")
    }
}

/// A response without a body.
pub(crate) fn response(status: u16, headers: &[(&'static str, &str)]) -> Response {
    let mut response = http::Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(axum::body::Body::empty()).unwrap()
}
