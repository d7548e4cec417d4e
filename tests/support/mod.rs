//! A Synerise of its own for each test, with a clock that moves only when the test says so.

#![allow(dead_code, reason = "each test file uses its share of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on fails")]

use std::time::{Duration, UNIX_EPOCH};

use synerise_auth::clock::ManualClock;
use synerise_auth::random::FixedRandom;
use synerise_auth::{ApiKey, Client, ClientBuilder, Event, Events, RetryPolicy, Session, Workspace};
use synerise_auth_emulator::{Emulator, EmulatorBuilder};

/// 2026-01-01 00:00 UTC, where both clocks begin.
pub(crate) const START: Duration = Duration::from_secs(1_767_225_600);

pub(crate) const CLIENTS: &str = "GET /v4/clients";

pub(crate) struct World {
    pub(crate) emulator: Emulator,
    pub(crate) clock: ManualClock,
    pub(crate) client: Client,
}

impl World {
    /// Tokens of an hour, each request sent once, no jitter: tokens are renewed 300 s before their end.
    pub(crate) async fn new() -> Self {
        Self::with(|emulator| emulator, |client| client).await
    }

    pub(crate) async fn with_lifetime(lifetime: Duration) -> Self {
        Self::with(|emulator| emulator.token_lifetime(lifetime), |client| client).await
    }

    pub(crate) async fn with(
        emulator: impl FnOnce(EmulatorBuilder) -> EmulatorBuilder,
        client: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Self {
        let emulator = emulator(Emulator::builder().clock_at(UNIX_EPOCH + START))
            .start()
            .await
            .unwrap();
        emulator.stub("GET", "/v4/clients", serde_json::json!({ "data": [] }));
        let clock = ManualClock::at(START);
        let builder = Client::builder()
            .base_url(emulator.base_url())
            .clock(clock.clone())
            .random(FixedRandom(0.0))
            .retry(RetryPolicy::never());
        let client = client(builder).build().unwrap();
        Self {
            emulator,
            clock,
            client,
        }
    }

    pub(crate) fn key(&self) -> ApiKey {
        ApiKey::new(self.emulator.workspace_api_key()).unwrap()
    }

    pub(crate) fn workspace(&self) -> Session<Workspace> {
        self.client.workspace(self.key())
    }

    /// Time passes, here and at the server.
    pub(crate) fn pass(&self, duration: Duration) {
        self.emulator.clock().advance(duration);
        self.clock.advance(duration);
    }

    pub(crate) fn logins(&self) -> u64 {
        self.emulator.count("workspaceLogin")
    }

    pub(crate) fn calls(&self) -> u64 {
        self.emulator.count(CLIENTS)
    }
}

/// Lets the runtime work until `condition` holds. It fails when nothing came of very many turns.
pub(crate) async fn until(mut condition: impl FnMut() -> bool) {
    for _ in 0..5_000_000_u32 {
        if condition() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it did not come to pass");
}

/// The generation that the next event says was renewed to.
pub(crate) async fn renewed(events: &mut Events) -> u64 {
    match events.next().await {
        Some(Event::Renewed { generation, .. }) => generation,
        other => panic!("no renewal, but {other:?}"),
    }
}

/// The error that the next event says a renewal failed with.
pub(crate) async fn failed(events: &mut Events) -> synerise_auth::Error {
    match events.next().await {
        Some(Event::RenewalFailed { error }) => error,
        other => panic!("no failed renewal, but {other:?}"),
    }
}

pub(crate) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) const fn millis(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}
