//! A cached token is read without waiting, inside of a runtime and outside.

use synerise_auth::lifecycle::TokenState;
use synerise_auth_emulator::Fault;

use crate::support::{TestEnv, failed, refreshed, secs};

#[tokio::test]
async fn cached_token_is_there_when_no_caller_has_to_wait() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    let mut events = session.subscribe();
    assert!(session.cached_token().is_none(), "nobody has logged in yet");
    assert_eq!(refreshed(&mut events).await, 1, "it started the login");
    for _ in 0..100 {
        assert_eq!(session.cached_token().unwrap().generation(), 1);
    }

    env.pass(secs(3300));
    let gate = env.emulator.faults().on("workspaceLogin").hold();
    for _ in 0..100 {
        assert_eq!(
            session.cached_token().unwrap().generation(),
            1,
            "stale, and valid"
        );
    }
    gate.wait_for(1).await;
    gate.release();
    assert_eq!(refreshed(&mut events).await, 2);
    assert_eq!(session.cached_token().unwrap().generation(), 2);
    assert_eq!(env.logins(), 2);

    env.pass(secs(3600));
    assert!(session.cached_token().is_none(), "expired");
    assert_eq!(refreshed(&mut events).await, 3);
    session.invalidate();
    assert!(session.cached_token().is_none(), "invalidated");
}

#[tokio::test]
async fn cached_token_starts_nothing_during_a_backoff() {
    let env = TestEnv::new().await;
    env.emulator
        .faults()
        .on("workspaceLogin")
        .always(Fault::status(401));
    let session = env.workspace();
    let mut events = session.subscribe();
    assert!(session.cached_token().is_none());
    failed(&mut events).await;
    for _ in 0..100 {
        assert!(session.cached_token().is_none());
        tokio::task::yield_now().await;
    }
    assert_eq!(env.logins(), 1);
    assert!(session.status().last_error.is_some());
}

#[tokio::test]
async fn cached_token_outside_of_a_runtime_only_reads() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    let elsewhere = || {
        let session = session.clone();
        std::thread::spawn(move || session.cached_token()).join().unwrap()
    };
    assert!(elsewhere().is_none());
    session.token().await.unwrap();
    assert_eq!(elsewhere().unwrap().generation(), 1);
    env.pass(secs(3400));
    assert_eq!(elsewhere().unwrap().generation(), 1);
    let status = session.status();
    assert_eq!((status.state, status.refreshing), (TokenState::Stale, false));
    env.pass(secs(200));
    assert!(elsewhere().is_none());
    assert_eq!(env.logins(), 1);
}

/// What an interceptor needs: somebody else refreshes the token, and it is always there.
#[tokio::test]
async fn kept_alive_token_is_always_cached() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    session.token().await.unwrap();
    let mut events = session.subscribe();
    let guard = session.keep_alive().unwrap();
    for generation in 2..5 {
        env.clock.sleepers(1).await;
        env.pass(secs(3301));
        assert_eq!(refreshed(&mut events).await, generation);
        let reader = session.clone();
        let read = std::thread::spawn(move || reader.cached_token()).join().unwrap();
        assert_eq!(read.unwrap().generation(), generation);
    }
    assert!(guard.is_running());
}
