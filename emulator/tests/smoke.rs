//! The shortest way through: a workspace logs in.

use serde_json::{Value, json};
use synerise_auth_emulator::Emulator;

#[tokio::test]
async fn a_workspace_logs_in_and_uses_its_token() {
    let emulator = Emulator::start().await.unwrap();
    let http = reqwest::Client::new();
    let login = http
        .post(format!("{}/uauth/v2/auth/login/profile", emulator.base_url()))
        .json(&json!({ "apiKey": emulator.workspace_api_key() }))
        .send()
        .await
        .unwrap();
    assert_eq!(login.status(), 200);
    let token = login.json::<Value>().await.unwrap()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let current = http
        .get(format!("{}/uauth/business-profile/current", emulator.base_url()))
        .bearer_auth(&token)
        .send()
        .await
        .unwrap();
    assert_eq!(
        current.json::<Value>().await.unwrap()["data"]["businessProfileGuid"],
        emulator.workspace_guid()
    );
    assert_eq!(emulator.count("workspaceLogin"), 1);
    assert_eq!(emulator.violations(), Vec::<String>::new());
}
