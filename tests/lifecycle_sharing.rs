//! Whoever uses the same key shares one token, and what nobody uses is gone.

mod support;

use support::{World, secs, until};
use synerise_auth::{ApiKey, Client};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

#[tokio::test]
async fn a_thousand_callers_of_a_cold_session_cost_one_login() {
    let world = World::new().await;
    let gate = world.emulator.faults().on("workspaceLogin").hold();
    let mut callers = JoinSet::new();
    for _ in 0..1000 {
        // Each asks the client anew, as independent parts of a program do.
        let session = world.workspace();
        callers.spawn(async move { session.token().await.unwrap() });
    }
    gate.wait_for(1).await;
    gate.release();
    let tokens = callers.join_all().await;
    assert_eq!(tokens.len(), 1000);
    assert!(
        tokens
            .iter()
            .all(|token| token.generation() == 1 && token.expose() == tokens[0].expose())
    );
    assert_eq!(world.logins(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_callers_of_an_expired_session_cost_one_login() {
    let world = World::new().await;
    let session = world.workspace();
    session.token().await.unwrap();
    world.pass(secs(3600));
    let mut callers = JoinSet::new();
    for _ in 0..1000 {
        let session = session.clone();
        callers.spawn(async move { session.token().await.unwrap().generation() });
    }
    assert!(
        callers
            .join_all()
            .await
            .into_iter()
            .all(|generation| generation == 2)
    );
    assert_eq!(world.logins(), 2);
}

#[tokio::test]
async fn sessions_of_one_key_are_one_and_those_of_two_keys_are_two() {
    let world = World::new().await;
    let (first, again) = (world.workspace(), world.client.clone().workspace(world.key()));
    let other = world
        .client
        .workspace(ApiKey::new(world.emulator.add_workspace_api_key(&[])).unwrap());
    let tokens = [
        first.token().await.unwrap(),
        again.token().await.unwrap(),
        other.token().await.unwrap(),
    ];
    assert_eq!(tokens[0].expose(), tokens[1].expose());
    assert_ne!(tokens[0].expose(), tokens[2].expose());
    assert_eq!(world.logins(), 2);
    first.invalidate();
    assert_eq!(again.token().await.unwrap().generation(), 2);
    assert_eq!(other.status().generation, 1, "the other key has its own life");
}

fn sessions(client: &Client) -> String {
    format!("{client:?}")
}

#[tokio::test]
async fn what_nobody_holds_any_more_is_forgotten() {
    let world = World::new().await;
    let first = world.workspace();
    let second = world.workspace();
    first.token().await.unwrap();
    assert!(
        sessions(&world.client).contains("sessions: 1"),
        "{}",
        sessions(&world.client)
    );
    drop(first);
    assert_eq!(
        second.token().await.unwrap().generation(),
        1,
        "one handle is enough"
    );
    drop(second);
    assert!(
        sessions(&world.client).contains("sessions: 0"),
        "{}",
        sessions(&world.client)
    );
    world.workspace().token().await.unwrap();
    assert_eq!(world.logins(), 2, "a new session has no token yet");
}

#[tokio::test]
async fn the_last_handle_takes_its_renewal_with_it() {
    let world = World::new().await;
    let gate = world.emulator.faults().on("workspaceLogin").hold();
    let session = world.workspace();
    let caller = tokio::spawn({
        let session = session.clone();
        async move { session.token().await }
    });
    gate.wait_for(1).await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    assert!(
        session.status().renewing,
        "the renewal does not end with its caller"
    );
    drop(session);
    assert!(sessions(&world.client).contains("sessions: 0"));
    // The renewal's task, and those of its connection.
    until(|| Handle::current().metrics().num_alive_tasks() == 0).await;
}
