//! `TokenLayer` around hyper's client.

use std::convert::Infallible;
use std::future::{Ready, poll_fn, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use synerise_auth::{ErrorKind, TokenProvider};
use synerise_auth_emulator::Fault;
use synerise_auth_middleware::{BoxError, TokenLayer, TokenService};
use tokio::task::JoinSet;
use tower::limit::ConcurrencyLimit;
use tower_layer::Layer;
use tower_service::Service;

use crate::support::{CLIENTS, Recorder, TestEnv, response};

type Http = Client<HttpConnector, Full<Bytes>>;

fn client(provider: impl TokenProvider + 'static) -> TokenService<Http> {
    TokenLayer::new(provider).layer(http())
}

fn http() -> Http {
    Client::builder(TokioExecutor::new()).build_http()
}

fn get(url: &str) -> Request<Full<Bytes>> {
    Request::get(url).body(Full::default()).unwrap()
}

fn post(url: &str) -> Request<Full<Bytes>> {
    Request::post(url).body("{}".into()).unwrap()
}

/// Calls a service as tower's users do: once it is ready.
async fn call<S, R>(service: &mut S, request: Request<Full<Bytes>>) -> Result<Response<R>, BoxError>
where
    S: Service<Request<Full<Bytes>>, Response = Response<R>, Error = BoxError>,
{
    poll_fn(|context| service.poll_ready(context)).await?;
    service.call(request).await
}

async fn status<S, R>(service: &mut S, request: Request<Full<Bytes>>) -> u16
where
    S: Service<Request<Full<Bytes>>, Response = Response<R>, Error = BoxError>,
{
    call(service, request).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn hundred_requests_with_a_revoked_token_cause_one_login() {
    let env = TestEnv::new().await;
    let mut service = client(env.session.clone());
    assert_eq!(status(&mut service, get(&env.url())).await, 200);

    env.emulator.revoke_tokens();
    let gate = env.emulator.faults().on(CLIENTS).hold();
    let mut requests = JoinSet::new();
    for _ in 0..100 {
        let (mut service, request) = (service.clone(), get(&env.url()));
        requests.spawn(async move { status(&mut service, request).await });
    }
    gate.wait_for(100).await;
    gate.release();
    for status in requests.join_all().await {
        assert_eq!(status, 200);
    }
    assert_eq!((env.logins(), env.emulator.count(CLIENTS)), (2, 1 + 100 + 100));
}

#[tokio::test]
async fn token_goes_to_the_base_url_only() {
    let own = Recorder::start(|_| response(200, &[])).await;
    let other = Recorder::start(|_| response(200, &[])).await;
    let mut service = client(own.session());
    status(&mut service, get(&format!("{}/v4", own.base_url))).await;
    status(&mut service, get(&format!("{}/v4", other.base_url))).await;
    let localhost = own.base_url.replace("127.0.0.1", "localhost");
    status(&mut service, get(&localhost)).await;
    let token = Some("Bearer fake-token".to_owned());
    assert_eq!(own.seen(), [("/v4".into(), token), ("/".into(), None)]);
    assert_eq!(other.seen(), [("/v4".into(), None)]);
}

/// A URI is sent as it is written, so a path that leaves the base path can be written.
#[tokio::test]
async fn token_stays_below_the_base_path() {
    let own = Recorder::start(|_| response(200, &[])).await;
    let session = crate::support::session(&format!("{}/front", own.base_url), "fake-key");
    let mut service = client(session);
    for path in ["/front/v4", "/other", "/front/../other", "/front/%2e%2e/other"] {
        status(&mut service, get(&format!("{}{path}", own.base_url))).await;
    }
    let tokens: Vec<bool> = own.seen().iter().map(|(_, token)| token.is_some()).collect();
    assert_eq!(tokens, [true, false, false, false]);
}

#[tokio::test]
async fn own_authorization_is_kept_and_its_401_concerns_nobody() {
    let env = TestEnv::new().await;
    env.session.token().await.unwrap();
    let mut request = get(&env.url());
    let header = "Bearer of-somebody-else".parse().unwrap();
    request.headers_mut().insert("authorization", header);
    assert_eq!(status(&mut client(env.session.clone()), request).await, 401);
    assert_eq!((env.logins(), env.emulator.count(CLIENTS)), (1, 1));
    assert!(env.session.status().is_ready(), "the session's token is kept");
}

#[tokio::test]
async fn request_that_waits_for_a_login_takes_no_place_of_a_limit_inside() {
    let env = TestEnv::new().await;
    let other = Recorder::start(|_| response(200, &[])).await;
    let mut service = TokenLayer::new(env.session.clone()).layer(ConcurrencyLimit::new(http(), 1));
    let gate = env.emulator.faults().on("workspaceLogin").hold();
    let (mut waiting, request) = (service.clone(), get(&env.url()));
    let waiting = tokio::spawn(async move { status(&mut waiting, request).await });
    gate.wait_for(1).await;
    assert_eq!(status(&mut service, get(&other.base_url)).await, 200);
    gate.release();
    assert_eq!(waiting.await.unwrap(), 200);
    // Every place was given back, also after a second attempt.
    env.emulator.revoke_tokens();
    for _ in 0..3 {
        assert_eq!(status(&mut service, get(&env.url())).await, 200);
    }
}

#[tokio::test]
async fn body_is_sent_again_if_it_is_cloned() {
    let env = TestEnv::new().await;
    let mut service = client(env.session.clone());
    assert_eq!(status(&mut service, post(&env.url())).await, 202);
    env.emulator.revoke_tokens();
    assert_eq!(status(&mut service, post(&env.url())).await, 401, "sent once");
    assert_eq!(
        status(&mut service, post(&env.url())).await,
        202,
        "the next one has a new token"
    );
    assert_eq!((env.logins(), env.emulator.count("POST /v4/clients")), (2, 3));

    let env = TestEnv::new().await;
    let layer = TokenLayer::new(env.session.clone());
    let layer = layer.with_clone_body(|body: &Full<Bytes>| Some(body.clone()));
    let mut service = layer.layer(http());
    for _ in 0..3 {
        assert_eq!(status(&mut service, post(&env.url())).await, 202);
        env.emulator.revoke_tokens();
    }
    assert_eq!((env.logins(), env.emulator.count("POST /v4/clients")), (3, 5));
}

#[tokio::test]
async fn refused_login_is_a_typed_error_and_nothing_is_sent() {
    let env = TestEnv::new().await;
    env.emulator
        .faults()
        .on("workspaceLogin")
        .always(Fault::status(403));
    let mut service = client(env.session.clone());
    let error = call(&mut service, get(&env.url())).await.unwrap_err();
    let error = error.downcast_ref::<synerise_auth::Error>().unwrap();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(403)));
    assert_eq!(env.emulator.count(CLIENTS), 0);

    env.emulator.faults().clear();
    env.session.invalidate();
    env.emulator.faults().on(CLIENTS).then(Fault::reset());
    let error = call(&mut service, get(&env.url())).await.unwrap_err();
    assert!(error.is::<hyper_util::client::legacy::Error>(), "{error}");
}

/// gRPC's own "unauthenticated", in the headers of a response with HTTP status 200.
#[tokio::test]
async fn grpc_status_16_discards_the_token() {
    let first = AtomicU32::new(0);
    let own = Recorder::start(move |_| match first.fetch_add(1, Ordering::SeqCst) {
        0 => response(
            200,
            &[("content-type", "application/grpc"), ("grpc-status", "16")],
        ),
        _ => response(200, &[("content-type", "application/grpc"), ("grpc-status", "0")]),
    })
    .await;
    let session = own.session();
    let mut service = client(session.clone());
    let answer = call(&mut service, get(&own.base_url)).await.unwrap();
    assert_eq!(answer.headers()["grpc-status"], "0");
    assert_eq!((own.seen().len(), session.status().generation), (2, 2));
}

/// A service that may be called only when it was polled ready, as a limit on concurrency is.
struct Strict {
    ready: bool,
    calls: Arc<AtomicU32>,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self {
            ready: false,
            calls: Arc::clone(&self.calls),
        }
    }
}

impl Service<Request<Full<Bytes>>> for Strict {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        assert!(self.ready, "called without being ready");
        self.ready = false;
        let token = request.headers().get("authorization");
        let first = self.calls.fetch_add(1, Ordering::SeqCst) == 0;
        assert!(token.is_none_or(http::HeaderValue::is_sensitive));
        let mut response = Response::new(());
        if first && token.is_some() {
            *response.status_mut() = http::StatusCode::UNAUTHORIZED;
        }
        ready(Ok(response))
    }
}

#[tokio::test]
async fn the_service_that_was_ready_is_called() {
    let env = TestEnv::new().await;
    let calls: Arc<AtomicU32> = Arc::default();
    let strict = Strict {
        ready: false,
        calls: Arc::clone(&calls),
    };
    let mut service = TokenLayer::new(env.session.clone()).layer(strict);
    assert_eq!(status(&mut service, get(&env.url())).await, 200);
    assert_eq!(calls.load(Ordering::SeqCst), 2, "sent again after a 401");
    assert_eq!(status(&mut service, get("http://127.0.0.1:9/other")).await, 200);
    assert_eq!(status(&mut service, get("/no/host")).await, 200);
    assert_eq!(calls.load(Ordering::SeqCst), 4);
}
