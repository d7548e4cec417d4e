//! A key that is replaced while the service runs.

use synerise_auth::api_key::{ApiKeyFuture, ApiKeyProvider, RotatingApiKey};
use synerise_auth::lifecycle::TokenState;
use synerise_auth::store::MemoryStore;
use synerise_auth::{ApiKey, ApiKeySource, ErrorKind, Session, Visitor, kind};
use synerise_auth_emulator::Fault;

use crate::support::{KeyFile, PASSWORD, TestEnv, VISITOR, customer, secs};

/// A second key of the workspace.
fn new_key(env: &TestEnv) -> ApiKey {
    ApiKey::new(env.emulator.add_workspace_api_key(&[])).unwrap()
}

fn revoke(env: &TestEnv) {
    let old = &env.emulator.workspace().workspace_api_key;
    assert!(env.emulator.revoke_api_key(old));
}

async fn expire_and_get<K: kind::Kind>(env: &TestEnv, session: &Session<K>) -> synerise_auth::Result<u64> {
    env.pass(secs(3600));
    session.token().await.map(|token| token.generation())
}

#[tokio::test]
async fn a_replaced_key_is_used_at_the_next_login() {
    let env = TestEnv::new().await;
    let key = RotatingApiKey::new(env.workspace_key());
    let session = env.client.workspace(&key);
    session.token().await.unwrap();
    key.rotate(new_key(&env));
    revoke(&env);
    assert_eq!(
        session.token().await.unwrap().generation(),
        1,
        "the token is kept"
    );
    assert_eq!(expire_and_get(&env, &session).await.unwrap(), 2);
    // The same source leads to the same session, whatever its key is now.
    let same = env.client.workspace(&key);
    assert_eq!(same.status().generation, 2);
    assert!(env.client.forget(&key));
    assert_eq!(env.client.workspace(&key).status().generation, 0);
}

#[tokio::test]
async fn a_session_that_waits_after_a_refusal_tries_a_new_key_at_once() {
    let env = TestEnv::new().await;
    let key = RotatingApiKey::new(env.workspace_key());
    let session = env.client.workspace(&key);
    revoke(&env);
    assert_eq!(session.token().await.unwrap_err().status(), Some(401));
    session.token().await.unwrap_err();
    assert_eq!(env.logins(), 1, "it waits");
    key.rotate(new_key(&env));
    session.token().await.unwrap();
    assert_eq!(env.logins(), 2);
}

#[tokio::test]
async fn sessions_of_customers_and_visitors_use_the_new_profile_key() {
    let env = TestEnv::new().await;
    let key = RotatingApiKey::new(env.profile_key());
    let visitor = env.client.anonymous(&key, Visitor::new(VISITOR));
    visitor.token().await.unwrap();
    let profile = env.client.profile(&key).login(customer(PASSWORD)).await.unwrap();
    env.pass(secs(3400));
    key.rotate(ApiKey::new("fake-key").unwrap());
    profile.token_valid_for(secs(3000)).await.unwrap_err();
    key.rotate(ApiKey::new(env.emulator.add_profile_api_key(&[])).unwrap());
    assert_eq!(profile.token_valid_for(secs(3000)).await.unwrap().generation(), 2);

    // With the old key, its tokens are revoked as well.
    assert!(
        env.emulator
            .revoke_api_key(&env.emulator.workspace().profile_api_key)
    );
    visitor.token_valid_for(secs(3000)).await.unwrap();
    env.client.profile(&key).login(customer(PASSWORD)).await.unwrap();
}

#[tokio::test]
async fn a_file_is_read_again_at_each_login() {
    let env = TestEnv::new().await;
    let file = KeyFile::new(env.emulator.workspace().workspace_api_key.clone() + "\n");
    let session = env.client.workspace(ApiKeySource::file(file.path()));
    session.token().await.unwrap();
    let new = env.emulator.add_workspace_api_key(&[]);
    file.write(&(new + "\r\n"));
    revoke(&env);
    assert_eq!(expire_and_get(&env, &session).await.unwrap(), 2);
    assert_eq!(env.statuses("workspaceLogin"), [200, 200]);
    // Another source of the same file is the same session.
    let same = env.client.workspace(ApiKeySource::file(file.path()));
    assert_eq!(same.status().generation, 2);
}

#[tokio::test]
async fn a_file_that_is_missing_or_empty_for_a_moment_changes_nothing() {
    let env = TestEnv::new().await;
    let file = KeyFile::new(&env.emulator.workspace().workspace_api_key);
    let session = env.client.workspace(ApiKeySource::file(file.path()));
    session.token().await.unwrap();
    for (generation, content) in [(2, Some("")), (3, None), (4, Some("fake key")), (5, Some("\n"))] {
        match content {
            Some(content) => file.write(content),
            None => file.remove(),
        }
        assert_eq!(expire_and_get(&env, &session).await.unwrap(), generation);
    }
}

#[tokio::test]
async fn without_any_key_yet_the_error_says_so_and_the_next_call_reads_again() {
    let env = TestEnv::new().await;
    let file = KeyFile::new("");
    let session = env.client.workspace(ApiKeySource::file(file.path()));
    let error = session.token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ApiKeyUnavailable);
    assert!(
        error.is_retryable() && !error.to_string().contains(file.path()),
        "{error}"
    );
    file.write(&env.emulator.workspace().workspace_api_key);
    env.pass(secs(1));
    session.token().await.unwrap();
}

#[tokio::test]
async fn after_a_refusal_the_file_is_read_once_more() {
    let env = TestEnv::new().await;
    let file = KeyFile::new(&env.emulator.workspace().workspace_api_key);
    let session = env.client.workspace(ApiKeySource::file(file.path()));
    let gate = env.emulator.faults().on("workspaceLogin").hold();
    let waiting = crate::support::spawn_token(&session);
    gate.wait_for(1).await;
    // While the login with the old key is under way, the key is replaced.
    file.write(&env.emulator.add_workspace_api_key(&[]));
    revoke(&env);
    gate.release();
    waiting.await.unwrap().unwrap();
    assert_eq!(env.statuses("workspaceLogin"), [401, 200]);

    // A refused key that is still in the file is not sent twice.
    env.pass(secs(3600));
    env.emulator
        .faults()
        .on("workspaceLogin")
        .then(Fault::status(401));
    session.token().await.unwrap_err();
    assert_eq!(env.statuses("workspaceLogin"), [401, 200, 401]);
}

#[tokio::test]
async fn a_key_that_may_be_replaced_is_tried_again_soon_after_a_refusal() {
    let env = TestEnv::new().await;
    let file = KeyFile::new(&env.emulator.workspace().workspace_api_key);
    let session = env.client.workspace(ApiKeySource::file(file.path()));
    revoke(&env);
    for _ in 0..8 {
        session.token().await.unwrap_err();
        env.pass(secs(30));
    }
    assert_eq!(env.logins(), 8, "a fixed key would wait for up to 5 minutes");
    file.write(&env.emulator.add_workspace_api_key(&[]));
    session.token().await.unwrap();
}

/// A secret manager that fails now and then.
#[derive(Debug)]
struct Manager(std::sync::Mutex<Vec<Result<String, &'static str>>>);

impl ApiKeyProvider for Manager {
    fn api_key(&self) -> ApiKeyFuture<'_> {
        let next = self.0.lock().unwrap().remove(0);
        Box::pin(async move { Ok(ApiKey::new(next?)?) })
    }
}

#[tokio::test]
async fn a_provider_is_asked_before_each_login() {
    let env = TestEnv::new().await;
    let first = env.emulator.workspace().workspace_api_key.clone();
    let second = env.emulator.add_workspace_api_key(&[]);
    let manager = Manager(std::sync::Mutex::new(vec![
        Err("the manager is down"),
        Ok(first),
        Err("the manager is down"),
        Ok(second),
    ]));
    let session = env.client.workspace(ApiKeySource::new(manager));
    let error = session.token().await.unwrap_err().to_string();
    assert!(error.contains("the manager is down"), "{error}");
    env.pass(secs(1));
    session.token().await.unwrap();
    assert_eq!(expire_and_get(&env, &session).await.unwrap(), 2);
    revoke(&env);
    assert_eq!(expire_and_get(&env, &session).await.unwrap(), 3);
    assert_eq!(session.status().state, TokenState::Fresh);
}

/// Two workspaces whose keys are mounted at the same path, and one store.
#[tokio::test]
async fn a_store_keeps_the_tokens_of_different_keys_apart() {
    let env = TestEnv::new().await;
    let store = MemoryStore::default();
    let client = || env.client_builder().store(store.clone()).build().unwrap();
    let file = KeyFile::new(&env.emulator.workspace().workspace_api_key);
    let source = || ApiKeySource::file(file.path());
    let first = client().workspace(source()).token().await.unwrap();
    assert_eq!(
        first.expose(),
        client().workspace(source()).token().await.unwrap().expose()
    );
    assert_eq!(env.logins(), 1);
    file.write(&env.emulator.add_workspace_api_key(&[]));
    let second = client().workspace(source()).token().await.unwrap();
    assert_ne!(first.expose(), second.expose());
    assert_eq!(env.logins(), 2);
}
