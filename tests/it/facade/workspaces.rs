//! A backend with a workspace's key: permissions, refresh, the public key, the raw client.

use synerise_auth::model::TrackerKey;
use synerise_auth::raw::types;
use synerise_auth::{ApiKey, ErrorKind, Secret};
use synerise_auth_emulator::Fault;

use crate::support::{PASSWORD, TestEnv, USER};

#[tokio::test]
async fn key_permissions_can_be_checked() {
    let env = TestEnv::new().await;
    let key = ApiKey::new(env.emulator.add_workspace_api_key(&["A_READ"])).unwrap();
    let workspace = env.client.workspace(key);
    let check = workspace.check_permissions(["A_READ", "A_WRITE"]).await.unwrap();
    assert!(check.has("A_READ") && !check.has("A_WRITE") && !check.has("NEVER_ASKED"));
    assert_eq!(check.permissions.len(), 2);
    assert!(check.workspace_name.is_some());
}

#[tokio::test]
async fn token_is_refreshed_on_demand() {
    let env = TestEnv::new().await;
    let workspace = env.workspace();
    let first = workspace.token().await.unwrap();
    let second = workspace.refresh().await.unwrap();
    assert_ne!(first.expose(), second.expose());
    assert_eq!(second.generation(), first.generation() + 1);
    assert_eq!(workspace.token().await.unwrap().expose(), second.expose());
    assert_eq!(env.emulator.count("workspaceLogin"), 1);
}

#[tokio::test]
async fn same_key_is_the_same_session() {
    let env = TestEnv::new().await;
    let (one, another) = (env.workspace(), env.client.clone().workspace(env.workspace_key()));
    let first = one.token().await.unwrap();
    let second = another.token().await.unwrap();
    assert_eq!(first.expose(), second.expose());
    assert_eq!(env.emulator.count("workspaceLogin"), 1);
}

#[tokio::test]
async fn refused_key_says_what_to_check() {
    let env = TestEnv::new().await;
    let workspace = env.client.workspace(ApiKey::new("fake-key").unwrap());
    let error = workspace.token().await.unwrap_err();
    assert_eq!(
        (error.status(), error.operation()),
        (Some(401), Some("workspaceLogin"))
    );
    assert!(
        error
            .advice()
            .starts_with("check that the key or password is right"),
        "{error}"
    );
    assert!(!error.is_retryable());
    // A profile's key is not a workspace's.
    let workspace = env.client.workspace(env.profile_key());
    assert_eq!(workspace.token().await.unwrap_err().status(), Some(401));
}

#[tokio::test]
async fn public_key_must_be_pem() {
    let env = TestEnv::new().await;
    let pem = env.client.public_key().await.unwrap();
    assert_eq!(pem, env.emulator.public_key_pem());
    env.emulator.faults().on("getPublicKey").then(Fault::html());
    let error = env.client.public_key().await.unwrap_err();
    assert!(error.kind() == ErrorKind::UnexpectedResponse, "{error}");
}

#[tokio::test]
async fn tracker_key_signs_urls() {
    let env = TestEnv::new().await;
    let key = TrackerKey::new(&env.emulator.workspace().tracker_key).unwrap();
    let url = format!("{}/recommendations/v2/recommend?lang=pl", env.client.base_url());
    let signed = key.sign(&url).unwrap();
    assert!(signed.as_str().starts_with(&url));
    let pairs: Vec<_> = signed.query_pairs().filter(|(name, _)| name == "token").collect();
    assert!(matches!(&pairs[..], [(_, value)] if value == &env.emulator.workspace().tracker_key));
}

#[tokio::test]
async fn raw_client_uses_the_sessions_token() {
    let env = TestEnv::new().await;
    let workspace = env.workspace();
    let raw = workspace.raw();
    let current = raw.get_current_workspace().await.unwrap().into_inner();
    let guid = current.data.unwrap().business_profile_guid;
    assert_eq!(guid.as_deref(), Some(env.emulator.workspace().guid.as_str()));
    env.emulator.revoke_tokens();
    raw.get_profile_settings().await.unwrap();
    assert_eq!(env.emulator.count("workspaceLogin"), 2);
    for request in env.emulator.requests() {
        assert_eq!(request.header_values("api-version"), ["4.4"]);
        assert!(request.header_values("authorization").len() < 2);
    }
}

#[tokio::test]
async fn raw_client_works_without_a_session() {
    let env = TestEnv::new().await;
    let body = types::UserLoginRequest {
        username: USER.into(),
        password: Secret::new(PASSWORD),
        device_id: None,
        external_provider_token: None,
        external_provider_type: None,
    };
    let answer = env.client.raw().user_login(&body).await.unwrap().into_inner();
    assert_eq!(answer.consumer.unwrap().name.as_deref(), Some(USER));
    assert!(!format!("{body:?}").contains(PASSWORD));
}

#[tokio::test]
async fn raw_client_errors_read_like_the_facades() {
    let env = TestEnv::new().await;
    let workspace = env.workspace();
    env.emulator.faults().on("getIpPolicy").always(Fault::status(403));
    let facade = workspace.ip_policy().get().await.unwrap_err().to_string();
    let raw = workspace.raw().get_ip_policy().await.unwrap_err().to_string();
    let stable = facade.split(" (trace id").next().unwrap();
    assert!(raw.contains(stable), "{raw}");
}

#[tokio::test]
async fn raw_login_fetches_no_token_for_itself() {
    let env = TestEnv::new().await;
    let workspace = env.workspace();
    let body = types::WorkspaceLoginRequest {
        api_key: Secret::new(&env.emulator.workspace().workspace_api_key),
    };
    workspace.raw().workspace_login(&body).await.unwrap();
    assert_eq!(env.emulator.count("workspaceLogin"), 1);
}
