//! Basic authentication of a workspace.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use synerise_auth_emulator::Emulator;

use crate::caller::{CURRENT, Caller, SETTINGS, WORKSPACE_LOGIN};

const CHECK: &str = "/uauth/api-key/permission-check";
const IP_POLICY: &str = "/uauth/settings/user-bp-ip-policy";

fn with_basic(caller: &Caller, method: Method, path: &str) -> RequestBuilder {
    let workspace = caller.emulator.workspace();
    caller
        .request(method, path)
        .basic_auth(&workspace.guid, Some(&workspace.basic_api_key))
}

async fn check_status(caller: &Caller, guid: &str, key: &str) -> u16 {
    let check = caller.request(Method::POST, CHECK).json(&json!(["A"]));
    caller.send(check.basic_auth(guid, Some(key))).await.status
}

#[tokio::test]
async fn a_workspace_is_known_by_its_guid_and_key() {
    let caller = Caller::start().await;
    caller.emulator.stub("GET", "/v4/clients", json!({ "count": 3 }));
    let check = with_basic(&caller, Method::POST, CHECK).json(&json!(["A"]));
    let check = caller.send(check).await;
    assert_eq!(
        (check.status, &check.body["permissions"]["A"]),
        (200, &json!(true))
    );
    for path in [CURRENT, SETTINGS, IP_POLICY, "/v4/clients"] {
        let read = caller.send(with_basic(&caller, Method::GET, path)).await;
        assert_eq!(read.status, 200, "{path}");
    }
    let workspace = caller.emulator.workspace();
    let request = &caller.emulator.requests()[0];
    assert!(request.basic_is(&workspace.guid, &workspace.basic_api_key));
    assert!(!request.basic_is(&workspace.guid, &workspace.workspace_api_key));
    assert_eq!(request.header_values("authorization"), ["Basic [redacted]"]);
}

#[tokio::test]
async fn everything_about_it_must_be_right() {
    let caller = Caller::start().await;
    let own = caller.emulator.workspace().clone();
    let other = caller.emulator.add_workspace("Other");
    for (guid, key) in [
        (&other.guid, &own.basic_api_key),
        (&own.basic_api_key, &own.guid),
        (&own.guid, &own.profile_api_key),
        (&own.guid, &own.workspace_api_key),
        (&own.guid, &"no such key".to_owned()),
    ] {
        assert_eq!(check_status(&caller, guid, key).await, 401);
    }
    for header in [
        "Basic",
        "Basic ",
        "Basic !",
        "Basic Zm9v",
        "Basic /w==",
        "Digest a",
    ] {
        let check = caller.request(Method::POST, CHECK).json(&json!(["A"]));
        let refused = caller.send(check.header("authorization", header)).await;
        assert_eq!(refused.status, 401, "{header}");
    }
}

#[tokio::test]
async fn it_is_switched_on_for_each_key() {
    let caller = Caller::start().await;
    let workspace = caller.emulator.workspace().clone();
    let (guid, key) = (&workspace.guid, &workspace.workspace_api_key);
    assert_eq!(check_status(&caller, guid, key).await, 401);
    assert!(caller.emulator.set_basic_authentication(key, true));
    assert_eq!(check_status(&caller, guid, key).await, 200);
    assert!(caller.emulator.set_basic_authentication(key, false));
    assert_eq!(check_status(&caller, guid, key).await, 401);
    assert!(!caller.emulator.set_basic_authentication("no such key", true));
}

#[tokio::test]
async fn only_a_workspaces_operations_take_it() {
    let caller = Caller::start().await;
    for path in ["/v4/auth/refresh/profile", "/uauth/business-profile/"] {
        let refused = caller.send(with_basic(&caller, Method::GET, path)).await;
        assert_eq!(refused.status, 401, "{path}");
    }
    // Both keys log in as well.
    let body = json!({ "apiKey": caller.emulator.workspace().basic_api_key });
    assert_eq!(caller.post_openly_status(WORKSPACE_LOGIN, &body).await, 200);
}

#[tokio::test]
async fn a_key_has_its_own_permissions() {
    let emulator = Emulator::start().await.unwrap();
    let key = emulator.add_workspace_api_key(&["A"]);
    emulator.set_basic_authentication(&key, true);
    let check = reqwest::Client::new()
        .post(format!("{}{CHECK}", emulator.base_url()))
        .basic_auth(&emulator.workspace().guid, Some(&key))
        .json(&json!(["A", "B"]));
    let check: Value = check.send().await.unwrap().json().await.unwrap();
    assert_eq!(check["permissions"], json!({ "A": true, "B": false }));
    assert!(emulator.revoke_api_key(&key));
    assert_eq!(emulator.violations(), Vec::<String>::new());
}
