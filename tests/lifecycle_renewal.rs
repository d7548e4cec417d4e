//! A token is renewed ahead of its end, behind the callers' backs.

mod support;

use support::{World, failed, millis, renewed, secs, until};
use synerise_auth::{Error, RenewalPolicy, TokenState};
use synerise_auth_emulator::Fault;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

#[tokio::test]
async fn a_token_near_its_end_is_served_while_it_is_renewed() {
    let world = World::new().await;
    let session = world.workspace();
    let mut events = session.subscribe();
    session.token().await.unwrap();
    assert_eq!(renewed(&mut events).await, 1);
    world.pass(secs(3299));
    assert_eq!(session.token().await.unwrap().generation(), 1);
    assert!(!session.status().renewing, "not due yet");

    world.pass(secs(1));
    let gate = world.emulator.faults().on("workspaceLogin").hold();
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        let session = session.clone();
        callers.spawn(async move { session.token().await.unwrap().generation() });
    }
    let served = callers.join_all().await;
    assert_eq!(served, [1; 100], "none of them waits");
    gate.wait_for(1).await;
    gate.release();
    assert_eq!(renewed(&mut events).await, 2);
    assert_eq!(session.token().await.unwrap().generation(), 2);
    assert_eq!(world.logins(), 2);
}

#[tokio::test]
async fn a_renewal_that_fails_early_takes_nothing_away() {
    let world = World::new().await;
    let session = world.workspace();
    session.token().await.unwrap();
    let mut events = session.subscribe();
    world.pass(secs(3400));
    for (fault, backoff) in [(Fault::status(503), millis(500)), (Fault::status(401), secs(10))] {
        let before = world.logins();
        world.emulator.faults().on("workspaceLogin").always(fault);
        assert_eq!(session.token().await.unwrap().generation(), 1);
        failed(&mut events).await;
        for _ in 0..100 {
            assert_eq!(session.token().await.unwrap().generation(), 1);
        }
        let status = session.status();
        assert_eq!((status.state, status.renewing), (TokenState::Stale, false));
        assert!(status.is_ready() && status.last_error.is_some());
        assert_eq!(world.logins(), before + 1, "left alone until the backoff is over");
        world.pass(backoff);
    }
    world.emulator.faults().clear();
    assert_eq!(session.token().await.unwrap().generation(), 1);
    assert_eq!(renewed(&mut events).await, 2);
    assert!(session.status().last_error.is_none());
}

#[tokio::test]
async fn a_renewal_that_hangs_ends_by_its_own_timeout_and_delays_nobody() {
    let world = World::with(
        |emulator| emulator,
        |client| {
            // Longer than a renewal may take, so that it is the renewal's own time that runs out.
            client.attempt_timeout(secs(600)).call_timeout(secs(600))
        },
    )
    .await;
    let session = world.workspace();
    session.token().await.unwrap();
    let mut events = session.subscribe();
    world.pass(secs(3400));
    let gate = world.emulator.faults().on("workspaceLogin").hold();
    assert_eq!(session.token().await.unwrap().generation(), 1);
    gate.wait_for(1).await;
    world.pass(secs(29));
    assert_eq!(session.token().await.unwrap().generation(), 1);
    assert!(session.status().renewing);
    world.pass(secs(1));
    let error = failed(&mut events).await;
    assert!(matches!(error, Error::Timeout(_)), "{error}");
    assert_eq!(session.token().await.unwrap().generation(), 1);
    world.emulator.faults().clear();
    world.pass(secs(1));
    session.token().await.unwrap();
    assert_eq!(renewed(&mut events).await, 2);
}

#[tokio::test]
async fn a_caller_without_a_token_is_told_when_the_login_hangs() {
    let world = World::new().await;
    let session = world.workspace();
    let gate = world.emulator.faults().on("workspaceLogin").hold();
    let caller = tokio::spawn({
        let session = session.clone();
        async move { session.token().await }
    });
    gate.wait_for(1).await;
    world.pass(secs(10));
    let error = caller.await.unwrap().unwrap_err();
    assert!(
        matches!(error, Error::Timeout(_)) && error.is_retryable(),
        "{error}"
    );
    world.emulator.faults().clear();
    world.pass(secs(1));
    assert_eq!(session.token().await.unwrap().generation(), 1);
}

#[tokio::test]
async fn a_token_of_one_second_is_used_and_renewed_without_a_busy_loop() {
    let world = World::with_lifetime(secs(1)).await;
    let session = world.workspace();
    let mut events = session.subscribe();
    for round in 1..=5 {
        for _ in 0..100 {
            assert_eq!(session.token().await.unwrap().generation(), round);
        }
        assert_eq!(world.logins(), round);
        world.pass(millis(799));
        assert_eq!(session.token().await.unwrap().generation(), round);
        assert!(!session.status().renewing);
        assert_eq!(renewed(&mut events).await, round);
        world.pass(millis(201));
    }
}

#[tokio::test]
async fn a_caller_may_ask_for_as_much_life_as_the_work_needs() {
    let world = World::new().await;
    let session = world.workspace();
    assert_eq!(session.token_valid_for(secs(3600)).await.unwrap().generation(), 1);
    world.pass(secs(1800));
    assert_eq!(session.token_valid_for(secs(1800)).await.unwrap().generation(), 1);
    assert_eq!(world.logins(), 1);
    assert_eq!(session.token_valid_for(secs(1801)).await.unwrap().generation(), 2);
    assert_eq!(world.logins(), 2);
}

#[tokio::test]
async fn a_need_that_no_token_can_meet_is_an_error_and_no_login_per_call() {
    let world = World::new().await;
    let session = world.workspace();
    for _ in 0..100 {
        let error = session.token_valid_for(secs(7200)).await.unwrap_err();
        assert!(matches!(error, Error::InvalidInput(_)), "{error}");
        assert!(error.to_string().contains("7200s"), "{error}");
    }
    assert_eq!(world.logins(), 1);
    assert_eq!(
        session.token().await.unwrap().generation(),
        1,
        "the token is as good as before"
    );
}

#[tokio::test]
async fn the_margin_and_the_backoff_are_the_owners_to_set() {
    let mut policy = RenewalPolicy::default();
    policy.margin = secs(60);
    policy.refused_backoff = secs(100);
    let world = World::with(|emulator| emulator, |client| client.renewal(policy)).await;
    let session = world.workspace();
    session.token().await.unwrap();
    let mut events = session.subscribe();
    world.pass(secs(3539));
    assert_eq!(session.status().state, TokenState::Fresh);
    world.pass(secs(1));
    assert_eq!(session.status().state, TokenState::Stale);
    world
        .emulator
        .faults()
        .on("workspaceLogin")
        .then(Fault::status(401));
    session.token().await.unwrap();
    failed(&mut events).await;
    world.pass(millis(49_999));
    session.token().await.unwrap();
    assert!(!session.status().renewing);
    world.pass(millis(1));
    session.token().await.unwrap();
    assert_eq!(renewed(&mut events).await, 2);
}

#[tokio::test]
async fn a_guard_keeps_an_idle_session_renewed_until_it_is_dropped() {
    let world = World::with(
        |emulator| emulator,
        |client| client.http(|http| http.pool_max_idle_per_host(0)),
    )
    .await;
    let session = world.workspace();
    let mut events = session.subscribe();
    let guard = session.keep_alive().unwrap();
    world.clock.sleepers(1).await;
    world.pass(millis(100));
    assert_eq!(renewed(&mut events).await, 1, "it begins with a login");
    for generation in 2..=3 {
        // It looks every minute, in case that the machine was suspended.
        for _ in 0..55 {
            assert_eq!(world.logins(), generation - 1);
            world.clock.sleepers(1).await;
            world.pass(secs(60));
        }
        assert_eq!(renewed(&mut events).await, generation);
    }
    drop(guard);
    until(|| Handle::current().metrics().num_alive_tasks() == 0).await;
    world.pass(secs(3600));
    assert_eq!(session.status().state, TokenState::Dead);
    assert_eq!(world.logins(), 3);
}

#[tokio::test]
async fn a_guard_finds_a_token_over_that_the_machine_slept_through() {
    let world = World::new().await;
    let session = world.workspace();
    session.token().await.unwrap();
    let mut events = session.subscribe();
    let _guard = session.keep_alive().unwrap();
    world.clock.sleepers(1).await;
    world.clock.suspend(secs(7200));
    world.emulator.clock().advance(secs(7200));
    world.pass(secs(60));
    assert_eq!(renewed(&mut events).await, 2);
}

#[tokio::test]
async fn a_guard_rests_between_its_tries() {
    let world = World::with_lifetime(secs(1)).await;
    let session = world.workspace();
    let mut events = session.subscribe();
    let _guard = session.keep_alive().unwrap();
    world.clock.sleepers(1).await;
    world.pass(millis(100));
    for generation in 1..=10 {
        assert_eq!(renewed(&mut events).await, generation);
        assert_eq!(world.logins(), generation);
        world.clock.sleepers(1).await;
        world.pass(millis(800));
    }
    assert_eq!(renewed(&mut events).await, 11);
    world
        .emulator
        .faults()
        .on("workspaceLogin")
        .always(Fault::status(503));
    world.clock.sleepers(1).await;
    world.pass(millis(800));
    for (failures, backoff) in (1..).zip([500, 1000, 2000, 4000, 8000, 15_000, 15_000]) {
        failed(&mut events).await;
        assert_eq!(world.logins(), 11 + failures);
        world.clock.sleepers(1).await;
        world.pass(millis(backoff - 1));
        assert_eq!(world.logins(), 11 + failures);
        world.pass(millis(1));
    }
}
