//! What the till relies on: over HTTP, against the emulator, with one clock, without sleeps.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use serde_json::{Value, json};
use synerise_auth::client::RetryPolicy;
use synerise_auth::clock::{Clock, ManualClock};
use synerise_auth::{ApiKey, Client, Token, WorkspaceSession, reqwest};
use synerise_auth_emulator::{Emulator, Fault, Stub};
use tokio::net::TcpListener;

const MEMBER: &str = "/v4/clients/by-custom-id/{id}";
const GET_MEMBER: &str = "GET /v4/clients/by-custom-id/{id}";

/// Serves the routes on a free port, and returns its address.
async fn serve(synerise: WorkspaceSession) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, loyalty_service::routes(synerise)).await });
    address
}

struct Shop {
    synerise: Emulator,
    clock: ManualClock,
    service: String,
}

impl Shop {
    async fn open() -> Self {
        let clock = ManualClock::new();
        let synerise = Emulator::builder()
            .clock_at(clock.now().wall())
            .start()
            .await
            .unwrap();
        synerise.stub("GET", MEMBER, json!({ "attributes": { "points": 120 } }));
        let server = synerise.clock().clone();
        clock.on_advance(move |step| server.advance(step));
        let client = Client::builder()
            .base_url(synerise.base_url())
            .clock(clock.clone())
            .retry_policy(RetryPolicy::never())
            .build()
            .unwrap();
        let key = ApiKey::new(&synerise.workspace().workspace_api_key).unwrap();
        let service = serve(client.workspace(key)).await;
        Self {
            synerise,
            clock,
            service,
        }
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let response = reqwest::get(format!("{}{path}", self.service)).await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    async fn points(&self) -> (u16, Option<u64>) {
        let (status, text) = self.get("/members/jan/points").await;
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        (status, body["points"].as_u64())
    }
}

#[tokio::test]
async fn points_are_synerises() {
    let shop = Shop::open().await;
    assert_eq!(shop.points().await, (200, Some(120)));
    assert_eq!(shop.get("/ready").await.0, 200);
}

#[tokio::test]
async fn member_who_is_unknown_is_not_found() {
    let shop = Shop::open().await;
    shop.synerise.stub("GET", MEMBER, Stub::empty(404));
    assert_eq!(shop.points().await.0, 404);
}

#[tokio::test]
async fn id_with_a_slash_stays_one_segment() {
    let shop = Shop::open().await;
    assert_eq!(shop.get("/members/a%2Fb/points").await.0, 200);
    assert_eq!(shop.synerise.count(GET_MEMBER), 1);
}

#[tokio::test]
async fn till_does_not_notice_that_a_day_has_passed() {
    let shop = Shop::open().await;
    shop.points().await;
    shop.clock.advance(Duration::from_secs(24 * 3600));
    assert_eq!(shop.points().await, (200, Some(120)));
    assert_eq!(shop.synerise.count("workspaceLogin"), 2);
}

#[tokio::test]
async fn till_does_not_notice_a_revoked_token() {
    let shop = Shop::open().await;
    shop.points().await;
    shop.synerise.revoke_tokens();
    assert_eq!(shop.points().await, (200, Some(120)));
}

#[tokio::test]
async fn outage_of_logins_is_not_noticed_while_the_token_is_valid() {
    let shop = Shop::open().await;
    shop.points().await;
    shop.synerise
        .faults()
        .on("workspaceLogin")
        .always(Fault::status(503));
    shop.clock.advance(Duration::from_secs(3500)); // the refresh is due, and fails
    assert_eq!(shop.points().await, (200, Some(120)));
    shop.clock.advance(Duration::from_secs(200)); // the token has expired
    assert_eq!(shop.points().await.0, 503);
    assert_eq!(shop.get("/ready").await.0, 503);

    shop.synerise.faults().clear();
    shop.clock.advance(Duration::from_secs(60)); // longer than any backoff
    assert_eq!(shop.points().await, (200, Some(120)));
}

#[tokio::test]
async fn ready_needs_no_server() {
    let token = Token::for_tests("not-a-real-token", Duration::from_secs(60));
    let service = serve(WorkspaceSession::fixed(token)).await;
    let response = reqwest::get(format!("{service}/ready")).await.unwrap();
    assert_eq!(response.status(), 200);
}
