//! The emulator's clock, and clocks of clients that follow it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;

use synerise_auth_emulator::Fault;

use crate::caller::{CURRENT, Caller, WORKSPACE_LOGIN, start_time};

/// A clock of a client that follows the emulator's, with sleeps that a test can wait for.
#[derive(Clone)]
struct ClientClock {
    elapsed: watch::Sender<Duration>,
    sleepers: watch::Sender<usize>,
}

impl ClientClock {
    fn following(caller: &Caller) -> Self {
        let clock = Self {
            elapsed: watch::Sender::new(Duration::ZERO),
            sleepers: watch::Sender::new(0),
        };
        let follower = clock.clone();
        caller
            .emulator
            .clock()
            .on_advance(move |by| follower.elapsed.send_modify(|elapsed| *elapsed += by));
        clock
    }

    fn elapsed(&self) -> Duration {
        *self.elapsed.borrow()
    }

    async fn sleep(&self, duration: Duration) {
        let deadline = self.elapsed() + duration;
        let mut elapsed = self.elapsed.subscribe();
        self.sleepers.send_modify(|sleepers| *sleepers += 1);
        elapsed.wait_for(|elapsed| *elapsed >= deadline).await.unwrap();
        self.sleepers.send_modify(|sleepers| *sleepers -= 1);
    }

    async fn wait_for_sleepers(&self, count: usize) {
        let mut sleepers = self.sleepers.subscribe();
        sleepers.wait_for(|sleepers| *sleepers >= count).await.unwrap();
    }
}

#[tokio::test]
async fn one_step_moves_the_emulator_and_its_followers() {
    let caller = Caller::start().await;
    let (first, second) = (ClientClock::following(&caller), ClientClock::following(&caller));
    let token = caller.workspace_token().await;
    caller.emulator.clock().advance(Duration::from_secs(3600));
    for clock in [&first, &second] {
        assert_eq!(clock.elapsed(), Duration::from_secs(3600));
    }
    assert_eq!(caller.get_status(CURRENT, &token).await, 401);
}

#[tokio::test]
async fn setting_the_clock_moves_the_server_alone() {
    let caller = Caller::start().await;
    let client = ClientClock::following(&caller);
    let later = start_time() + Duration::from_secs(60);
    caller.emulator.clock().set(later);
    assert_eq!(caller.emulator.clock().now(), later);
    assert_eq!(client.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn a_client_clock_can_lead() {
    let caller = Caller::start().await;
    let token = caller.workspace_token().await;
    let emulator_clock = caller.emulator.clock().clone();
    let advance_client = move |by: Duration| emulator_clock.advance(by);
    advance_client(Duration::from_secs(3600));
    assert_eq!(caller.get_status(CURRENT, &token).await, 401);
}

/// A response that belongs to the new time must not reach a client that still lives in the old one.
#[tokio::test]
async fn followers_move_before_any_delayed_response_is_sent() {
    let caller = Caller::start().await;
    let seen = Arc::new(Mutex::new(Duration::ZERO));
    let follower = Arc::clone(&seen);
    caller.emulator.clock().on_advance(move |by| {
        // Time for the server's thread to do something too early.
        for _ in 0..100 {
            std::thread::yield_now();
        }
        *follower.lock().unwrap() += by;
    });
    let second = Duration::from_secs(1);
    for step in 1..=20 {
        let fault = Fault::none().delayed(second);
        caller.emulator.faults().on("getPublicKey").then(fault);
        let request = caller.request(reqwest::Method::GET, "/v4/public.pem").send();
        let seen = Arc::clone(&seen);
        let response = tokio::spawn(async move {
            assert_eq!(request.await.unwrap().status(), 200);
            *seen.lock().unwrap()
        });
        caller.emulator.clock().wait_for_delays(1).await;
        let clock = caller.emulator.clock().clone();
        let advance = tokio::task::spawn_blocking(move || clock.advance(second));
        assert_eq!(response.await.unwrap(), second * step);
        advance.await.unwrap();
    }
}

/// How a test of a service uses it: a `Retry-After` is waited for without a real sleep, on one clock.
#[tokio::test]
async fn a_client_backoff_and_a_token_expiry_use_one_clock() {
    let caller = Arc::new(Caller::start().await);
    let clock = ClientClock::following(&caller);
    let limited = Fault::status(429).retry_after(Duration::from_secs(30));
    caller.emulator.faults().on("workspaceLogin").then(limited);
    let login = {
        let (caller, clock) = (Arc::clone(&caller), clock.clone());
        tokio::spawn(async move {
            let mut reply = caller.workspace_login().await;
            while reply.status == 429 {
                let seconds = reply.headers["retry-after"].to_str().unwrap().parse().unwrap();
                clock.sleep(Duration::from_secs(seconds)).await;
                reply = caller.workspace_login().await;
            }
            reply.token()
        })
    };
    clock.wait_for_sleepers(1).await;
    caller.emulator.clock().advance(Duration::from_secs(29));
    assert_eq!(caller.emulator.count("workspaceLogin"), 1, "{WORKSPACE_LOGIN}");
    caller.emulator.clock().advance(Duration::from_secs(1));
    let token = login.await.unwrap();
    assert_eq!(caller.emulator.count("workspaceLogin"), 2);
    assert_eq!(caller.get_status(CURRENT, &token).await, 200);
    caller.emulator.clock().advance(Duration::from_secs(3600));
    assert_eq!(caller.get_status(CURRENT, &token).await, 401);
}

#[tokio::test]
async fn a_delay_longer_than_the_calendar_is_still_a_delay() {
    let caller = Caller::start().await;
    let fault = Fault::none().delayed(Duration::MAX);
    caller.emulator.faults().on("getPublicKey").then(fault);
    let request = tokio::spawn(caller.request(reqwest::Method::GET, "/v4/public.pem").send());
    caller.emulator.clock().wait_for_delays(1).await;
    caller
        .emulator
        .clock()
        .advance(Duration::from_secs(86_400 * 365 * 1000));
    caller.emulator.clock().wait_for_delays(1).await;
    request.abort();
}
