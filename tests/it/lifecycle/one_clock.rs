//! How a service is tested without real sleeps: one clock drives the client and the server, and the test knows when the client
//! backs off.

use std::time::{Duration, UNIX_EPOCH};

use synerise_auth::client::RetryPolicy;
use synerise_auth::clock::{Clock, ManualClock};
use synerise_auth::kind::Workspace;
use synerise_auth::random::FixedRandom;
use synerise_auth::{ApiKey, Client, ErrorKind, Result, Session};
use synerise_auth_emulator::{Emulator, Fault};
use tokio::task::JoinHandle;

use crate::support::{CLIENTS, START, bounded, millis, secs};

/// A service that counts a workspace's clients.
struct Service {
    emulator: Emulator,
    clock: ManualClock,
    session: Session<Workspace>,
}

impl Service {
    /// With the client's default retries.
    async fn start() -> Self {
        let start = UNIX_EPOCH + START;
        let emulator = Emulator::builder().clock_at(start).start().await.unwrap();
        emulator.stub("GET", "/v4/clients", serde_json::json!({ "data": [] }));
        let clock = ManualClock::at(start);
        let server = emulator.clock().clone();
        clock.on_advance(move |step| server.advance(step));
        let client = Client::builder()
            .base_url(emulator.base_url())
            .clock(clock.clone())
            .random(FixedRandom(0.5))
            .retry_policy(RetryPolicy::default())
            .build()
            .unwrap();
        let session = client.workspace(ApiKey::new(emulator.workspace().workspace_api_key.clone()).unwrap());
        Self {
            emulator,
            clock,
            session,
        }
    }

    fn count(&self) -> JoinHandle<Result<usize>> {
        let session = self.session.clone();
        tokio::spawn(async move { Ok(session.get("/v4/clients").await?.bytes().len()) })
    }

    fn answer(&self, fault: Fault) {
        self.emulator.faults().on(CLIENTS).then(fault);
    }
}

#[tokio::test]
async fn one_clock_moves_the_client_and_the_server() {
    let service = Service::start().await;
    service.session.token().await.unwrap();
    service.clock.advance(secs(3600));
    assert_eq!(service.emulator.clock().now(), UNIX_EPOCH + START + secs(3600));
    bounded(service.count()).await.unwrap().unwrap();
    assert_eq!(service.emulator.count("workspaceLogin"), 2);
}

#[tokio::test]
async fn retry_after_is_waited_for() {
    let service = Service::start().await;
    service.answer(Fault::status(429).retry_after(secs(7)));
    let caller = service.count();
    let backoff = bounded(service.clock.wait_for_backoff()).await;
    assert_eq!(backoff, secs(7));
    assert_eq!(service.emulator.count(CLIENTS), 1);
    service.clock.advance(backoff);
    bounded(caller).await.unwrap().unwrap();
    assert_eq!(service.emulator.count(CLIENTS), 2);
}

#[tokio::test]
async fn request_in_flight_is_not_a_backoff() {
    let service = Service::start().await;
    service.session.token().await.unwrap();
    let gate = service.emulator.faults().on(CLIENTS).hold();
    let caller = service.count();
    gate.wait_for(1).await;
    let none = {
        let mut waiting = std::pin::pin!(service.clock.wait_for_backoff());
        std::future::poll_fn(|context| std::task::Poll::Ready(waiting.as_mut().poll(context).is_pending()))
            .await
    };
    assert!(none, "the server is slow: nothing backs off");
    // The attempt takes too long, and the client backs off before the next one.
    service.clock.advance(secs(10));
    let backoff = bounded(service.clock.wait_for_backoff()).await;
    assert_eq!(backoff, millis(100));
    gate.release();
    service.clock.advance(backoff);
    bounded(caller).await.unwrap().unwrap();
}

#[tokio::test]
async fn server_that_is_down_ends_the_retries_on_a_standing_clock() {
    let service = Service::start().await;
    service.session.token().await.unwrap();
    let Service {
        emulator,
        clock,
        session,
    } = service;
    drop(emulator);
    clock.advance_backoffs();
    let before = clock.now();
    let error = bounded(async { session.get("/v4/clients").await.unwrap_err() }).await;
    assert_eq!(error.kind(), ErrorKind::Connection);
    let passed = clock.now().monotonic().checked_sub(before.monotonic());
    assert_eq!(passed, Some(millis(100 + 200)), "two backoffs");
}

#[tokio::test]
async fn fault_that_passes_is_retried_on_a_standing_clock() {
    let service = Service::start().await;
    service.clock.advance_backoffs();
    service.answer(Fault::status(503));
    service.answer(Fault::reset());
    bounded(service.count()).await.unwrap().unwrap();
    assert_eq!(service.emulator.count(CLIENTS), 3);
    let passed = service.emulator.clock().now().duration_since(UNIX_EPOCH + START);
    assert_eq!(
        passed.unwrap(),
        Duration::from_millis(300),
        "the server's clock moved as well"
    );
}

#[tokio::test]
async fn token_that_is_revoked_twice_is_replaced_twice() {
    let service = Service::start().await;
    for logins in 2..=3 {
        bounded(service.count()).await.unwrap().unwrap();
        service.emulator.revoke_tokens();
        bounded(service.count()).await.unwrap().unwrap();
        assert_eq!(service.emulator.count("workspaceLogin"), logins);
    }
}
