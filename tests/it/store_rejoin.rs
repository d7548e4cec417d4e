//! A token that a session got while its store did not answer is shared as soon as the store answers again.

use std::time::Duration;

use synerise_auth::Session;
use synerise_auth::clock::SleepPurpose;
use synerise_auth::kind::Workspace;
use synerise_auth::lifecycle::{Event, Events};
use synerise_auth::store::Lease;
use tokio::runtime::Handle;

use crate::support::unreliable_store::{Outage, Unreliable, fleet};
use crate::support::{TestEnv, bounded, next, refreshed, secs};

/// Longer than a store is left alone after its first failure.
const REST: Duration = secs(6);

/// A session that got its token alone, and its events from then on.
async fn alone(env: &TestEnv, store: &Unreliable) -> (Session<Workspace>, Events) {
    let session = fleet(env, store, 1).remove(0);
    let mut events = session.subscribe();
    session.token().await.unwrap();
    assert!(matches!(next(&mut events).await, Some(Event::StoreFailed { .. })));
    assert_eq!(refreshed(&mut events).await, 1);
    waits(env).await;
    (session, events)
}

/// Until the session waits for the store.
async fn waits(env: &TestEnv) {
    bounded(env.clock.wait_for_sleeps(SleepPurpose::Backoff, 1)).await;
}

async fn recovered(events: &mut Events) {
    let event = next(events).await;
    assert!(matches!(event, Some(Event::StoreRecovered)), "{event:?}");
}

#[tokio::test]
async fn token_of_an_outage_is_shared_when_the_store_answers_again() {
    let env = TestEnv::new().await;
    let store = Unreliable::new(&env, Outage::Fails);
    let (session, mut events) = alone(&env, &store).await;
    let mine = session.token().await.unwrap();
    store.set(Outage::None);
    env.pass(REST);
    // Without a call of anybody.
    recovered(&mut events).await;
    let found = bounded(fleet(&env, &store, 1)[0].token()).await.unwrap();
    assert_eq!(found.expose(), mine.expose());
    assert_eq!(env.logins(), 1);
    env.pass(secs(3600));
    let sessions = [session, fleet(&env, &store, 1).remove(0)];
    let first = bounded(sessions[0].token()).await.unwrap();
    let second = bounded(sessions[1].token()).await.unwrap();
    assert_eq!(first.expose(), second.expose());
    assert_eq!(env.logins(), 2, "the next lifetime is shared as ever");
}

#[tokio::test]
async fn store_that_still_fails_is_asked_ever_less_often() {
    let env = TestEnv::new().await;
    let store = Unreliable::new(&env, Outage::Fails);
    let (session, mut events) = alone(&env, &store).await;
    let before = store.questions();
    for asked in before..before + 3 {
        env.pass(secs(61));
        bounded(async {
            while store.questions() == asked {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert_eq!(store.questions(), asked + 1);
        waits(&env).await;
    }
    store.set(Outage::None);
    env.pass(secs(61));
    recovered(&mut events).await;
    bounded(fleet(&env, &store, 1)[0].token()).await.unwrap();
    assert_eq!(env.logins(), 1);
    drop(session);
}

#[tokio::test]
async fn token_that_a_full_store_could_not_save_is_saved_later() {
    let env = TestEnv::new().await;
    let store = Unreliable::new(&env, Outage::IsFull);
    let (_session, mut events) = alone(&env, &store).await;
    store.set(Outage::None);
    env.pass(REST);
    recovered(&mut events).await;
    bounded(fleet(&env, &store, 1)[0].token()).await.unwrap();
    assert_eq!(env.logins(), 1);
}

#[tokio::test]
async fn token_of_another_client_is_not_replaced() {
    let env = TestEnv::new().await;
    let store = Unreliable::new(&env, Outage::Fails);
    let (_session, mut events) = alone(&env, &store).await;
    store.set(Outage::None);
    let theirs = bounded(fleet(&env, &store, 1)[0].token()).await.unwrap();
    env.pass(REST);
    recovered(&mut events).await;
    let found = bounded(fleet(&env, &store, 1)[0].token()).await.unwrap();
    assert_eq!(found.expose(), theirs.expose());
    assert_eq!(env.logins(), 2);
}

#[tokio::test]
async fn refused_token_is_not_offered() {
    let env = TestEnv::new().await;
    let store = Unreliable::new(&env, Outage::Fails);
    let (session, _events) = alone(&env, &store).await;
    let refused = session.token().await.unwrap();
    session.invalidate();
    store.set(Outage::None);
    env.pass(REST);
    let asked = store.questions();
    let next = bounded(fleet(&env, &store, 1)[0].token()).await.unwrap();
    assert_ne!(next.expose(), refused.expose());
    assert_eq!(store.questions(), asked + 1, "by the new client alone");
}

/// The answer to the first question was lost, and so was the release. Without the offer, the others would wait for a lease
/// that nobody uses.
#[tokio::test]
async fn lease_that_was_left_behind_is_used_for_the_offer() {
    let env = TestEnv::new().await;
    let store = Unreliable::new(&env, Outage::LosesTheAnswerAndReleases);
    let (session, mut events) = alone(&env, &store).await;
    store.set(Outage::None);
    env.pass(REST);
    recovered(&mut events).await;
    let found = bounded(fleet(&env, &store, 1)[0].token()).await.unwrap();
    assert_eq!(found.expose(), session.token().await.unwrap().expose());
    assert_eq!(env.logins(), 1);
    assert!(matches!(
        store.lease_after_all_tokens().await,
        Lease::Acquired { .. }
    ));
}

#[tokio::test]
async fn nothing_runs_after_the_session_was_dropped() {
    let env = TestEnv::new().await;
    let metrics = Handle::current().metrics();
    let before = metrics.num_alive_tasks();
    let store = Unreliable::new(&env, Outage::Fails);
    drop(alone(&env, &store).await);
    bounded(async {
        while metrics.num_alive_tasks() > before {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(store.questions(), 1);
}
