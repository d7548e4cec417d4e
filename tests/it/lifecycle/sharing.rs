//! Sessions of one key share one token, and a session ends with its last handle.

use std::io::ErrorKind;

use synerise_auth::clock::ManualClock;
use synerise_auth::{ApiKey, Client};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::support::{TestEnv, VISITOR, bounded, secs, spawn_token, spawn_tokens};

#[tokio::test]
async fn thousand_callers_of_a_cold_session_cost_one_login() {
    let env = TestEnv::new().await;
    let gate = env.emulator.faults().on("workspaceLogin").hold();
    let mut callers = JoinSet::new();
    for _ in 0..1000 {
        // Each asks the client anew, as independent parts of a program do.
        let session = env.workspace();
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
    assert_eq!(env.logins(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousand_callers_of_an_expired_session_cost_one_login() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    session.token().await.unwrap();
    env.pass(secs(3600));
    for token in spawn_tokens(&session, 1000).join_all().await {
        assert_eq!(token.unwrap().generation(), 2);
    }
    assert_eq!(env.logins(), 2);
}

#[tokio::test]
async fn each_key_has_one_session() {
    let env = TestEnv::new().await;
    let (first, again) = (env.workspace(), env.client.clone().workspace(env.workspace_key()));
    let other = env
        .client
        .workspace(ApiKey::new(env.emulator.add_workspace_api_key(&[])).unwrap());
    let tokens = [
        first.token().await.unwrap(),
        again.token().await.unwrap(),
        other.token().await.unwrap(),
    ];
    assert_eq!(tokens[0].expose(), tokens[1].expose());
    assert_ne!(tokens[0].expose(), tokens[2].expose());
    assert_eq!(env.logins(), 2);
    first.invalidate();
    assert_eq!(again.token().await.unwrap().generation(), 2);
    assert_eq!(other.status().generation, 1, "the other key has its own life");
}

#[tokio::test]
async fn workspace_asked_for_in_each_request_logs_in_once() {
    let env = TestEnv::new().await;
    for _ in 0..3 {
        env.workspace().token().await.unwrap();
    }
    assert_eq!(env.logins(), 1);
    assert!(env.client.forget(env.workspace_key()));
    assert!(!env.client.forget(env.workspace_key()), "there is none any more");
    env.workspace().token().await.unwrap();
    assert_eq!(env.logins(), 2, "a forgotten workspace is a new session");
}

#[tokio::test]
async fn session_that_nobody_holds_is_forgotten() {
    let env = TestEnv::new().await;
    let (first, second) = (env.visitor(), env.visitor());
    let token = first.token().await.unwrap();
    drop(first);
    let same = second.token().await.unwrap();
    assert_eq!(same.expose(), token.expose(), "one handle is enough");
    drop(second);
    env.visitor().token().await.unwrap();
    let logins = env.emulator.count("authenticateAnonymously");
    assert_eq!(logins, 2, "a new session has no token yet");
}

#[tokio::test]
async fn dropping_the_last_handle_ends_its_refresh() {
    // A server that reads a request, answers nothing, and sees the connection being closed.
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let client = Client::builder()
        .base_url(format!("http://{address}"))
        // It stands still: no timeout closes the connection.
        .clock(ManualClock::new())
        .build()
        .unwrap();
    let session = client.anonymous(ApiKey::new("fake-key").unwrap(), VISITOR);
    let caller = spawn_token(&session);
    let (connection, _) = bounded(listener.accept()).await.unwrap();
    assert!(read(&connection).await > 0);

    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    assert!(
        session.status().refreshing,
        "the refresh does not end with its caller"
    );
    drop(session);
    bounded(async { while read(&connection).await > 0 {} }).await;
    drop(client);
}

/// How many bytes came; none once the connection is closed.
async fn read(connection: &TcpStream) -> usize {
    loop {
        connection.readable().await.unwrap();
        match connection.try_read(&mut [0; 4096]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            outcome => return outcome.unwrap_or(0),
        }
    }
}
