//! A caller may be cancelled at any point: the refresh goes on, and its token is used.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use crate::support::{TestEnv, refreshed, secs, spawn_tokens};

/// Polls `future` at most `polls` times, whenever it is woken, then drops it; its output if it got that far.
async fn dropped_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut polled = 0;
    poll_fn(|context| {
        polled += 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if polled >= polls => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

#[tokio::test]
async fn cancelled_caller_leaves_the_token_to_the_next() {
    for polls in 1.. {
        let env = TestEnv::new().await;
        let session = env.workspace();
        let mut events = session.subscribe();
        let outcome = dropped_after(polls, session.token()).await;
        assert_eq!(refreshed(&mut events).await, 1, "{polls} polls");
        assert_eq!(session.token().await.unwrap().generation(), 1);
        assert_eq!(env.logins(), 1, "{polls} polls");
        if outcome.is_some() {
            assert!(polls > 1, "the first poll can't have a token");
            return;
        }
    }
}

#[tokio::test]
async fn call_can_be_cancelled_at_any_point() {
    for polls in 1.. {
        let env = TestEnv::new().await;
        let session = env.workspace();
        session.token().await.unwrap();
        env.emulator.revoke_tokens();
        let outcome = dropped_after(polls, session.get("/v4/clients").into_future()).await;
        // Whatever happened, the next call succeeds, and there was one login at most.
        assert_eq!(
            session.get("/v4/clients").await.unwrap().status(),
            200,
            "{polls} polls"
        );
        assert_eq!(env.logins(), 2, "{polls} polls");
        if outcome.is_some() {
            assert_eq!(env.calls(), 3);
            return;
        }
    }
}

#[tokio::test]
async fn cancelled_callers_do_not_affect_the_others() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    let gate = env.emulator.faults().on("workspaceLogin").hold();
    // The leader is cancelled first.
    assert!(dropped_after(1, session.token()).await.is_none());
    let patient = spawn_tokens(&session, 100);
    for _ in 0..100 {
        assert!(dropped_after(1, session.token()).await.is_none());
    }
    gate.wait_for(1).await;
    gate.release();
    for token in patient.join_all().await {
        assert_eq!(token.unwrap().generation(), 1);
    }
    assert_eq!(env.logins(), 1);
}

#[tokio::test]
async fn refresh_outlives_the_caller_that_started_it() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    session.token().await.unwrap();
    env.pass(secs(3600));
    let gate = env.emulator.faults().on("workspaceLogin").hold();
    assert!(dropped_after(1, session.token()).await.is_none());
    gate.wait_for(1).await;
    assert!(session.status().refreshing);
    gate.release();
    assert_eq!(session.token().await.unwrap().generation(), 2);
    assert_eq!(env.logins(), 2);
}
