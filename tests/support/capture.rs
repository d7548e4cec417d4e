//! A server that keeps what it is sent, byte for byte, and answers what a test wants.
//!
//! The emulator redacts secrets and refuses what is wrong; here a test sees the wire itself.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use synerise_auth::client::RetryPolicy;
use synerise_auth::kind::{User, Workspace};
use synerise_auth::{ApiKey, Client, ClientBuilder, Result, Session, UserLoginOutcome};
use tokio::net::TcpListener;

/// The key that the sessions below log in with; the server takes any.
pub(crate) const KEY: &str = "1c586ac4-cb47-4c45-a7cf-e0fb74e8e5f4";

/// A request as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Captured {
    pub(crate) method: String,
    /// Path and query, as they were sent.
    pub(crate) target: String,
    /// Every header line; names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Captured {
    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(header, _)| header == name);
        named.map(|(_, value)| value.as_str()).collect()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What the server answers.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl Answer {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: vec![("content-type".into(), content_type.into())],
            body: body.into(),
        }
    }

    #[allow(
        clippy::needless_pass_by_value,
        reason = "so that a json!() can stand in the call"
    )]
    pub(crate) fn json(body: Value) -> Self {
        Self::new(200, "application/json", body.to_string())
    }

    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

pub(crate) struct Capture {
    base_url: String,
    seen: Arc<Mutex<Vec<Captured>>>,
}

impl Capture {
    /// Answers with `answer` where `applies` says so, and with a token elsewhere, as every login does.
    pub(crate) async fn answering(
        applies: impl Fn(&str) -> bool + Send + Sync + 'static,
        answer: Answer,
    ) -> Self {
        Self::start(move |request| {
            if applies(&request.target) {
                answer.clone()
            } else {
                Answer::json(json!({ "token": "fake-token" }))
            }
        })
        .await
    }

    /// Starts on a port that the system chooses. The server ends with the test's runtime.
    pub(crate) async fn start(answer: impl Fn(&Captured) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let seen: Arc<Mutex<Vec<Captured>>> = Arc::default();
        let answer = Arc::new(answer);
        let record = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, record) = (Arc::clone(&answer), Arc::clone(&record));
                let service = service_fn(move |request| {
                    let (answer, record) = (Arc::clone(&answer), Arc::clone(&record));
                    async move {
                        let captured = read(request).await;
                        let response = write(answer(&captured));
                        record.lock().unwrap().push(captured);
                        Ok::<_, Infallible>(response)
                    }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { base_url, seen }
    }

    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// A client of this server that sends everything once.
    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        Client::builder()
            .base_url(&self.base_url)
            .retry_policy(RetryPolicy::never())
    }

    pub(crate) fn workspace(&self) -> Session<Workspace> {
        self.client().workspace(key())
    }

    pub(crate) async fn user_login(&self) -> Result<UserLoginOutcome> {
        let access = self.client().user();
        access.login("user@example.com", "Pass1!").await
    }

    pub(crate) async fn user(&self) -> Session<User> {
        match self.user_login().await.unwrap() {
            UserLoginOutcome::Complete(user) => user,
            other @ UserLoginOutcome::MfaRequired(_) => panic!("{other:?}"),
        }
    }

    pub(crate) fn seen(&self) -> Vec<Captured> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn last(&self) -> Captured {
        self.seen().pop().expect("something was sent")
    }
}

pub(crate) fn key() -> ApiKey {
    ApiKey::new(KEY).unwrap()
}

async fn read(request: http::Request<Incoming>) -> Captured {
    let (parts, body) = request.into_parts();
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = parts.headers.iter();
    Captured {
        method: parts.method.to_string(),
        target: parts.uri.to_string(),
        headers: headers
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect(),
        body: body.collect().await.unwrap().to_bytes(),
    }
}

fn write(answer: Answer) -> http::Response<Full<Bytes>> {
    let mut response = http::Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(Full::new(answer.body)).unwrap()
}
