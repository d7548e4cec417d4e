//! What a browser relies on: over HTTP, against the emulator, with one clock, without sleeps.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use axum_extra::extract::cookie::Key;
use cookie_sessions::{Shop, routes};
use serde_json::json;
use synerise_auth::clock::{Clock, ManualClock};
use synerise_auth::store::MemoryStore;
use synerise_auth::{ApiKey, Client, ClientBuilder, reqwest};
use synerise_auth_emulator::{Emulator, Fault};
use tokio::net::TcpListener;

const ACCOUNT: &str = "/v4/my-account/personal-information";
const LOGIN: &str = "authenticateProfile";
const REFRESH: &str = "refreshProfileToken";

struct World {
    synerise: Emulator,
    clock: ManualClock,
    cookie_key: Key,
}

impl World {
    async fn new() -> Self {
        let clock = ManualClock::new();
        let synerise = Emulator::builder().clock_at(clock.now().wall());
        let synerise = synerise.start().await.unwrap();
        let server = synerise.clock().clone();
        clock.on_advance(move |step| server.advance(step));
        synerise.add_account("jane.doe@example.com", "Not-a-real-1");
        synerise.stub("GET", ACCOUNT, json!({ "firstName": "Jane" }));
        Self {
            synerise,
            clock,
            cookie_key: Key::generate(),
        }
    }

    /// Another replica, or the same one after a restart. Returns its address.
    async fn replica(&self, configure: impl FnOnce(ClientBuilder) -> ClientBuilder) -> String {
        let client = Client::builder()
            .base_url(self.synerise.base_url())
            .clock(self.clock.clone());
        let shop = Shop {
            client: configure(client).build().unwrap(),
            profile_key: ApiKey::new(&self.synerise.workspace().profile_api_key).unwrap(),
            cookie_key: self.cookie_key.clone(),
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, routes(shop)).await });
        address
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

/// A browser: it sends back the cookie that it was given last.
#[derive(Clone, Default)]
struct Browser {
    cookie: Option<String>,
    /// As it arrived, with its attributes.
    last_set: String,
}

impl Browser {
    async fn send(&mut self, request: reqwest::RequestBuilder) -> (u16, String) {
        let cookie = self.cookie.clone().unwrap_or_default();
        let response = request.header("cookie", cookie).send().await.unwrap();
        if let Some(set) = response.headers().get("set-cookie") {
            set.to_str().unwrap().clone_into(&mut self.last_set);
            let pair = self.last_set.split(';').next().unwrap();
            self.cookie = (!self.last_set.contains("Max-Age=0")).then(|| pair.to_owned());
        }
        (response.status().as_u16(), response.text().await.unwrap())
    }

    async fn log_in(&mut self, replica: &str, password: &str) -> (u16, String) {
        let form = json!({
            "email": "jane.doe@example.com", "password": password, "uuid": "00000000-0000-4000-8000-000000000001"
        });
        let request = reqwest::Client::new().post(format!("{replica}/login"));
        self.send(request.json(&form)).await
    }

    async fn account(&mut self, replica: &str) -> u16 {
        let request = reqwest::Client::new().get(format!("{replica}/account"));
        let (status, body) = self.send(request).await;
        assert_eq!(
            status == 200,
            body == r#"{"firstName":"Jane"}"#,
            "{status} {body}"
        );
        status
    }
}

#[tokio::test]
async fn customer_stays_logged_in_over_refreshes_restarts_and_replicas() {
    let world = World::new().await;
    let (first, mut browser) = (world.replica(|client| client).await, Browser::default());
    assert_eq!(browser.account(&first).await, 401);
    assert_eq!(browser.log_in(&first, "wrong").await.0, 401);
    assert_eq!(browser.cookie, None);
    assert_eq!(browser.log_in(&first, "Not-a-real-1").await.0, 204);
    assert_eq!(browser.account(&first).await, 200);

    let second = world.replica(|client| client).await;
    for _ in 0..4 {
        let before = browser.cookie.clone();
        world.pass(3400);
        assert_eq!(browser.account(&second).await, 200);
        assert_ne!(browser.cookie, before);
        assert_eq!(browser.account(&first).await, 200);
    }
    assert_eq!(world.synerise.count(LOGIN), 2, "one was wrong");
    assert_eq!(world.synerise.count(REFRESH), 4);

    let request = reqwest::Client::new().post(format!("{second}/logout"));
    assert_eq!(browser.send(request).await.0, 204);
    assert_eq!(browser.cookie, None);
    assert_eq!(browser.account(&first).await, 401);
}

#[tokio::test]
async fn cookie_is_encrypted_and_hidden_from_scripts_and_fits_a_browser() {
    let world = World::new().await;
    let (shop, mut browser) = (world.replica(|client| client).await, Browser::default());
    browser.log_in(&shop, "Not-a-real-1").await;
    let cookie = browser.last_set.clone();
    for attribute in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(
        !cookie.contains("eyJ") && !cookie.contains("base_url"),
        "{cookie}"
    );
    assert!(cookie.len() < 4096, "{} bytes", cookie.len());

    // Changed by one character, or encrypted by somebody else.
    let pair = browser.cookie.clone().unwrap();
    let other = World::new().await;
    let elsewhere = other.replica(|client| client).await;
    assert_eq!(browser.clone().account(&elsewhere).await, 401);
    for at in [pair.len() - 40, pair.len() / 2] {
        let mut changed = pair.clone();
        let letter = if changed.as_bytes()[at] == b'A' { "B" } else { "A" };
        changed.replace_range(at..=at, letter);
        browser.cookie = Some(changed);
        assert_eq!(browser.account(&shop).await, 401);
    }
}

#[tokio::test]
async fn session_that_no_browser_keeps_is_an_error_at_the_login() {
    let world = World::new().await;
    let (shop, mut browser) = (world.replica(|client| client).await, Browser::default());
    let body = json!({ "token": "t".repeat(3000), "expiration": 4_102_444_800_u64 });
    world.synerise.faults().on(LOGIN).then(Fault::json(&body));
    let (status, text) = browser.log_in(&shop, "Not-a-real-1").await;
    assert_eq!((status, browser.cookie), (500, None));
    assert!(
        text.contains("browsers keep 4096") && !text.contains("ttt"),
        "{text}"
    );
}

#[tokio::test]
async fn cookie_of_an_idle_browser_is_worth_as_much_as_what_the_replicas_share() {
    let world = World::new().await;
    let store = MemoryStore::new();
    let first = world.replica(|client| client.store(store.clone())).await;
    let second = world.replica(|client| client.store(store.clone())).await;
    let alone = world.replica(|client| client).await;
    let mut browser = Browser::default();
    browser.log_in(&first, "Not-a-real-1").await;
    // Two tabs: one is idle, and the browser of this test does not let them share their cookie.
    let mut idle = browser.clone();
    world.pass(3400);
    assert_eq!(browser.account(&first).await, 200);
    world.pass(600);
    assert_eq!(idle.clone().account(&alone).await, 401);
    assert_eq!(idle.account(&second).await, 200);
    assert_eq!(world.synerise.count(REFRESH), 1);
    world.pass(3600);
    assert_eq!(idle.account(&second).await, 401, "nobody came for an hour");
}
