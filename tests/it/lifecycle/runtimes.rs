//! A session works in any runtime, and survives panics in a clock or a source of randomness.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, UNIX_EPOCH};

use synerise_auth::clock::{Clock, ManualClock, Reading, Sleep, SleepPurpose};
use synerise_auth::kind::Workspace;
use synerise_auth::lifecycle::Event;
use synerise_auth::random::{FixedRandom, Random};
use synerise_auth::{ErrorKind, Session};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::support::{START, TestEnv, bounded, failed, millis, next, refreshed, secs, spawn_token};

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Whether `future`, polled once inside of the current runtime, has to wait.
async fn is_pending<F: Future>(mut future: Pin<&mut F>) -> bool {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await
}

/// Polls `future` once outside of any runtime.
fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn session_outlives_the_runtime_it_was_built_in() {
    let first = current_thread();
    let (env, session) = first.block_on(async {
        let env = TestEnv::new().await;
        let session = env.workspace();
        assert_eq!(session.get("/v4/clients").await.unwrap().status(), 200);
        (env, session)
    });
    drop(first);
    current_thread().block_on(async {
        assert_eq!(
            session.token().await.unwrap().generation(),
            1,
            "the token is good anywhere"
        );
        env.pass(secs(3600));
        assert_eq!(session.token().await.unwrap().generation(), 2);
        assert_eq!(session.get("/v4/clients").await.unwrap().status(), 200);
    });
    assert_eq!(env.logins(), 2);
}

#[test]
fn waiter_restarts_a_refresh_lost_with_its_runtime() {
    let (first, second) = (current_thread(), current_thread());
    let env = second.block_on(TestEnv::new());
    let session = env.workspace();
    let gate = env.emulator.faults().on("workspaceLogin").hold();
    first.block_on(async {
        let caller = session.clone();
        tokio::spawn(async move { caller.token().await });
        gate.wait_for(1).await;
    });
    let mut waiting = pin!(session.token());
    let waits = second.block_on(async { is_pending(waiting.as_mut()).await });
    assert!(waits, "for the refresh in the other runtime");
    drop(first);
    second.block_on(async {
        let again = async {
            gate.wait_for(2).await;
            gate.release();
        };
        let (token, ()) = bounded(async { tokio::join!(waiting, again) }).await;
        assert_eq!(token.unwrap().generation(), 1);
    });
    assert_eq!(env.logins(), 2);
}

#[test]
fn refresh_in_a_stalled_runtime_is_taken_over() {
    let (idle, driven) = (current_thread(), current_thread());
    let env = driven.block_on(TestEnv::new());
    let session = env.workspace();
    {
        let _inside = idle.enter();
        assert!(poll_once(session.token()).is_pending());
    }
    assert!(session.status().refreshing);
    driven.block_on(async {
        let mut waiting = pin!(session.token());
        assert!(is_pending(waiting.as_mut()).await);
        env.pass(secs(35));
        assert_eq!(bounded(waiting).await.unwrap().generation(), 1);
        assert_eq!(env.logins(), 1);
    });
    // The stalled refresh has no effect once its runtime runs again.
    idle.block_on(tokio::task::yield_now());
    assert_eq!((env.logins(), session.status().generation), (1, 1));
}

#[test]
fn waiter_learns_at_once_that_the_session_has_ended_though_its_refresh_stalls() {
    let (idle, driven) = (current_thread(), current_thread());
    let env = driven.block_on(TestEnv::new());
    let profile = driven.block_on(env.profile()).unwrap();
    env.pass(secs(3400));
    {
        let _inside = idle.enter();
        assert!(poll_once(profile.token_valid_for(secs(3000))).is_pending());
    }
    driven.block_on(async {
        let mut waiting = pin!(profile.token_valid_for(secs(3000)));
        assert!(is_pending(waiting.as_mut()).await);
        profile.log_out().await.unwrap();
        let error = bounded(waiting).await.unwrap_err();
        assert!(error.to_string().contains("logged out"), "{error}");
    });
}

#[test]
fn without_a_runtime_a_token_is_read_but_not_fetched() {
    let runtime = current_thread();
    let env = runtime.block_on(TestEnv::new());
    let session = env.workspace();
    let Poll::Ready(Err(error)) = poll_once(session.token()) else {
        panic!("it must not wait")
    };
    assert!(error.kind() == ErrorKind::NoRuntime, "{error}");
    assert!(
        session
            .keep_alive()
            .is_err_and(|error| error.kind() == ErrorKind::NoRuntime)
    );
    runtime.block_on(session.token()).unwrap();
    for age in [0, 3400] {
        env.pass(secs(age));
        let Poll::Ready(Ok(token)) = poll_once(session.token()) else {
            panic!("a live token needs no runtime")
        };
        assert_eq!(token.generation(), 1);
    }
    let Poll::Ready(Err(error)) = poll_once(session.get("/v4/clients").into_future()) else {
        panic!("nothing can be sent")
    };
    assert!(error.kind() == ErrorKind::NoRuntime, "{error}");
}

/// Lets the runtime work until it has no more than so many tasks.
async fn settle(tasks: usize) {
    let metrics = Handle::current().metrics();
    bounded(async {
        while metrics.num_alive_tasks() > tasks {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn idle_session_has_no_task() {
    let env = TestEnv::with_client(
        // An idle connection would have a task of the HTTP client's.
        |client| client.http(|http| http.pool_max_idle_per_host(0)),
    )
    .await;
    let metrics = Handle::current().metrics();
    let before = metrics.num_alive_tasks();
    let session = env.workspace();
    let mut events = session.subscribe();
    assert_eq!(
        metrics.num_alive_tasks(),
        before,
        "nothing begins with the session"
    );
    session.token().await.unwrap();
    settle(before).await;
    assert_eq!(refreshed(&mut events).await, 1);
    env.pass(secs(3400));
    session.token().await.unwrap();
    assert_eq!(refreshed(&mut events).await, 2);
    settle(before).await;
}

/// A clock and a source of randomness that panic while they are broken.
#[derive(Debug, Clone)]
struct Faulty {
    clock: ManualClock,
    broken: Arc<AtomicBool>,
}

impl Faulty {
    fn check(&self) {
        assert!(!self.broken.load(Ordering::SeqCst), "broken on purpose");
    }
}

impl Clock for Faulty {
    fn now(&self) -> Reading {
        self.check();
        self.clock.now()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        self.clock.sleep(duration)
    }

    fn sleep_for(&self, duration: Duration, purpose: SleepPurpose) -> Sleep {
        self.clock.sleep_for(duration, purpose)
    }
}

impl Random for Faulty {
    fn fraction(&self) -> f64 {
        self.check();
        0.0
    }
}

/// An emulator whose client has a faulty part; whether that is broken; a session.
async fn faulty(what: &str) -> (TestEnv, Arc<AtomicBool>, Session<Workspace>) {
    let broken = Arc::new(AtomicBool::new(false));
    let clock = ManualClock::at(UNIX_EPOCH + START);
    let faulty = Faulty {
        clock: clock.clone(),
        broken: Arc::clone(&broken),
    };
    let mut env = TestEnv::with_client(|client| match what {
        "clock" => client.clock(faulty),
        _ => client.clock(faulty.clock.clone()).random(faulty),
    })
    .await;
    env.clock = clock;
    let session = env.workspace();
    (env, broken, session)
}

#[tokio::test]
async fn panic_in_a_refresh_is_an_error_for_every_waiter() {
    for what in ["clock", "random"] {
        let (env, broken, session) = faulty(what).await;
        let mut events = session.subscribe();
        let gate = env.emulator.faults().on("workspaceLogin").hold();
        let waiting = [(); 10].map(|()| spawn_token(&session));
        gate.wait_for(1).await;
        broken.store(true, Ordering::SeqCst);
        gate.release();
        let error = failed(&mut events).await;
        broken.store(false, Ordering::SeqCst);
        assert!(error.kind() == ErrorKind::RefreshAborted, "{what}: {error}");
        for caller in waiting {
            let error = caller.await.unwrap().unwrap_err();
            assert!(error.kind() == ErrorKind::RefreshAborted, "{what}: {error}");
        }
        assert_eq!(env.logins(), 1, "{what}");
        env.pass(secs(1));
        assert_eq!(session.token().await.unwrap().generation(), 1, "{what}");
        assert_eq!(env.logins(), 2, "{what}");
    }
}

#[tokio::test]
async fn panic_in_a_background_refresh_keeps_the_token() {
    for what in ["clock", "random"] {
        let (env, broken, session) = faulty(what).await;
        session.token().await.unwrap();
        let mut events = session.subscribe();
        env.pass(secs(3400));
        let gate = env.emulator.faults().on("workspaceLogin").hold();
        session.token().await.unwrap();
        gate.wait_for(1).await;
        broken.store(true, Ordering::SeqCst);
        gate.release();
        failed(&mut events).await;
        broken.store(false, Ordering::SeqCst);
        assert_eq!(session.token().await.unwrap().generation(), 1, "{what}");
        env.pass(secs(1));
        session.token().await.unwrap();
        assert_eq!(refreshed(&mut events).await, 2, "{what}");
    }
}

#[tokio::test]
async fn panic_in_a_clock_does_not_end_keep_alive() {
    for what in ["clock", "random"] {
        let (env, broken, session) = faulty(what).await;
        let mut events = session.subscribe();
        let guard = session.keep_alive().unwrap();
        bounded(env.clock.wait_for_sleeps(SleepPurpose::KeepAlive, 1)).await;
        broken.store(true, Ordering::SeqCst);
        env.pass(secs(60));
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        broken.store(false, Ordering::SeqCst);
        bounded(async {
            while session.status().generation == 0 {
                env.pass(millis(100));
                tokio::task::yield_now().await;
            }
        })
        .await;
        while !matches!(
            next(&mut events).await,
            Some(Event::Refreshed { generation: 1, .. })
        ) {}
        assert!(guard.is_running(), "{what}");
    }
}

#[tokio::test]
async fn panic_in_a_callers_own_call_stays_there() {
    let (env, broken, session) = faulty("clock").await;
    session.token().await.unwrap();
    broken.store(true, Ordering::SeqCst);
    let caller = tokio::spawn({
        let session = session.clone();
        async move { session.token_valid_for(secs(60)).await }
    });
    assert!(caller.await.unwrap_err().is_panic());
    broken.store(false, Ordering::SeqCst);
    assert_eq!(session.token_valid_for(secs(60)).await.unwrap().generation(), 1);
    assert_eq!(env.logins(), 1);
}

#[tokio::test]
async fn invalid_jitter_is_survived() {
    for fraction in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 2.0] {
        let env = TestEnv::with_client(|client| client.random(FixedRandom(fraction))).await;
        let session = env.workspace();
        env.emulator
            .faults()
            .on("workspaceLogin")
            .then(synerise_auth_emulator::Fault::status(503));
        assert_eq!(session.token().await.unwrap_err().status(), Some(503));
        env.pass(secs(1));
        assert_eq!(session.token().await.unwrap().generation(), 1, "{fraction}");
    }
}
