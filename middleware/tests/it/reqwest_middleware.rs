//! `TokenMiddleware` in a client of `reqwest-middleware`.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use reqwest::Body;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error, Middleware, Next};
use synerise_auth::{ErrorKind, TokenProvider};
use synerise_auth_emulator::Fault;
use synerise_auth_middleware::TokenMiddleware;
use tokio::task::JoinSet;

use crate::support::{CLIENTS, Recorder, TestEnv, response};

fn client(provider: impl TokenProvider + 'static) -> ClientWithMiddleware {
    ClientBuilder::new(reqwest::Client::new())
        .with(TokenMiddleware::new(provider))
        .build()
}

#[tokio::test]
async fn hundred_requests_with_a_revoked_token_cause_one_login() {
    let env = TestEnv::new().await;
    let http = client(env.session.clone());
    assert_eq!(http.get(env.url()).send().await.unwrap().status(), 200);
    assert_eq!(env.logins(), 1);

    env.emulator.revoke_tokens();
    let gate = env.emulator.faults().on(CLIENTS).hold();
    let mut requests = JoinSet::new();
    for _ in 0..100 {
        let request = http.get(env.url());
        requests.spawn(async move { request.send().await.unwrap().status() });
    }
    gate.wait_for(100).await;
    gate.release();
    for status in requests.join_all().await {
        assert_eq!(status, 200);
    }
    assert_eq!(env.logins(), 2);
    assert_eq!(env.emulator.count(CLIENTS), 1 + 100 + 100);
}

#[tokio::test]
async fn token_goes_to_the_base_url_only() {
    let own = Recorder::start(|_| response(200, &[])).await;
    let other = Recorder::start(|_| response(200, &[])).await;
    let http = client(own.session());
    http.get(format!("{}/v4", own.base_url)).send().await.unwrap();
    http.get(format!("{}/v4", other.base_url)).send().await.unwrap();
    let localhost = own.base_url.replace("127.0.0.1", "localhost");
    http.get(localhost).send().await.unwrap();
    let token = Some("Bearer fake-token".to_owned());
    assert_eq!(own.seen(), [("/v4".into(), token), ("/".into(), None)]);
    assert_eq!(other.seen(), [("/v4".into(), None)]);
}

#[tokio::test]
async fn own_authorization_is_kept_and_its_401_concerns_nobody() {
    let env = TestEnv::new().await;
    env.session.token().await.unwrap();
    let http = client(env.session.clone());
    let response = http.get(env.url()).bearer_auth("of-somebody-else").send().await;
    assert_eq!(response.unwrap().status(), 401);
    assert_eq!((env.logins(), env.emulator.count(CLIENTS)), (1, 1));
    assert!(env.session.status().is_ready(), "the session's token is kept");
}

#[tokio::test]
async fn body_that_is_a_stream_is_sent_once() {
    let env = TestEnv::new().await;
    let http = client(env.session.clone());
    let stream = || {
        http.post(env.url())
            .body(Body::wrap(http_body_util::Full::new(bytes::Bytes::from("{}"))))
    };
    assert_eq!(stream().send().await.unwrap().status(), 202);
    env.emulator.revoke_tokens();
    assert_eq!(stream().send().await.unwrap().status(), 401);
    assert_eq!(env.emulator.count("POST /v4/clients"), 2);
    assert_eq!(
        stream().send().await.unwrap().status(),
        202,
        "the next one has a new token"
    );
    env.emulator.revoke_tokens();
    let text = http.post(env.url()).body("{}").send().await.unwrap();
    assert_eq!(text.status(), 401, "refused twice within a second");
    assert_eq!(env.logins(), 2);
}

#[tokio::test]
async fn body_that_can_be_cloned_is_sent_again() {
    let env = TestEnv::new().await;
    let http = client(env.session.clone());
    for _ in 0..3 {
        assert_eq!(
            http.post(env.url()).body("{}").send().await.unwrap().status(),
            202
        );
        env.emulator.revoke_tokens();
    }
    assert_eq!((env.logins(), env.emulator.count("POST /v4/clients")), (3, 5));
}

#[tokio::test]
async fn server_that_refuses_every_token_gets_one_more_request() {
    let env = TestEnv::new().await;
    env.emulator.faults().on(CLIENTS).always(Fault::status(401));
    let http = client(env.session.clone());
    for _ in 0..10 {
        assert_eq!(http.get(env.url()).send().await.unwrap().status(), 401);
    }
    assert_eq!((env.logins(), env.emulator.count(CLIENTS)), (2, 11));
}

#[tokio::test]
async fn refused_login_is_a_typed_error_and_nothing_is_sent() {
    let env = TestEnv::new().await;
    env.emulator
        .faults()
        .on("workspaceLogin")
        .always(Fault::status(403));
    let http = client(env.session.clone());
    let Error::Middleware(error) = http.get(env.url()).send().await.unwrap_err() else {
        panic!("reqwest has failed");
    };
    let error = error.downcast_ref::<synerise_auth::Error>().unwrap();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(403)));
    assert_eq!(env.emulator.count(CLIENTS), 0);
}

/// After a redirect, another server answers 401. It has not seen the token, so the token stays.
#[tokio::test]
async fn redirect_to_another_host_takes_no_token_with_it() {
    let other = Recorder::start(|_| response(401, &[])).await;
    let target = format!("{}/elsewhere", other.base_url);
    let own = Recorder::start(move |_| response(302, &[("location", &target)])).await;
    let session = own.session();
    let http = client(session.clone());
    let answer = http.get(format!("{}/v4", own.base_url)).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    assert_eq!(other.seen(), [("/elsewhere".into(), None)]);
    assert_eq!(own.seen().len(), 1);
    assert_eq!(session.status().generation, 1);
    assert!(session.status().is_ready());
}

/// Notes what the requests look like further inside.
struct Inside(Arc<Mutex<Vec<bool>>>);

#[async_trait]
impl Middleware for Inside {
    async fn handle(
        &self,
        request: reqwest::Request,
        extensions: &mut http::Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        let token = &request.headers()["authorization"];
        self.0.lock().unwrap().push(token.is_sensitive());
        assert!(!format!("{request:?}").contains("eyJ"));
        next.run(request, extensions).await
    }
}

#[tokio::test]
async fn token_is_marked_as_sensitive() {
    let env = TestEnv::new().await;
    let seen: Arc<Mutex<Vec<bool>>> = Arc::default();
    let http = ClientBuilder::new(reqwest::Client::new())
        .with(TokenMiddleware::new(env.session.clone()))
        .with(Inside(Arc::clone(&seen)))
        .build();
    http.get(env.url()).send().await.unwrap();
    env.emulator.revoke_tokens();
    http.get(env.url()).send().await.unwrap();
    assert_eq!(*seen.lock().unwrap(), [true, true, true]);
}
