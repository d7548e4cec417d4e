//! Workspace tokens, workspaces as users see them, keys.

use reqwest::Method;
use serde_json::json;
use synerise_auth_emulator::Emulator;

use crate::caller::{CURRENT, Caller, WORKSPACE_LOGIN, start_time};

#[tokio::test]
async fn a_workspace_logs_in_and_sees_itself() {
    let caller = Caller::start().await;
    let token = caller.workspace_token().await;
    let current = caller.get(CURRENT, &token).await;
    assert_eq!(current.status, 200);
    assert_eq!(current.body["selected"], true);
    assert_eq!(
        current.body["data"]["businessProfileGuid"],
        caller.emulator.workspace().guid
    );
    assert_eq!(current.body["data"]["created"], "2026-01-01T00:00:00Z");
}

#[tokio::test]
async fn a_workspace_login_takes_a_workspace_key_and_nothing_else() {
    let caller = Caller::start().await;
    for (key, status) in [
        (json!("no such key"), 401),
        (json!(caller.emulator.workspace().profile_api_key), 401),
        (json!(7), 400),
        (json!(null), 400),
    ] {
        let refused = caller
            .post_openly(WORKSPACE_LOGIN, &json!({ "apiKey": key }))
            .await;
        assert_eq!(
            (refused.status, &refused.body["status"]),
            (status, &json!(status)),
            "{key}"
        );
        assert!(
            refused.body["errorCode"].is_string(),
            "the user service sends a code: {}",
            refused.text
        );
    }
    assert_eq!(caller.post_openly_status(WORKSPACE_LOGIN, &json!({})).await, 400);
    let no_body = caller.send(caller.request(Method::POST, WORKSPACE_LOGIN)).await;
    assert_eq!(no_body.status, 400);
    let no_json = caller
        .request(Method::POST, WORKSPACE_LOGIN)
        .header("content-type", "application/json")
        .body("{");
    assert_eq!(caller.send(no_json).await.status, 400);
    let a_form = caller.request(Method::POST, WORKSPACE_LOGIN).body("apiKey=1");
    assert_eq!(caller.send(a_form).await.status, 415);
}

#[tokio::test]
async fn a_valid_workspace_token_is_refreshed() {
    let caller = Caller::start().await;
    let token = caller.workspace_token().await;
    caller
        .emulator
        .clock()
        .advance(std::time::Duration::from_secs(1800));
    let refreshed = caller.get("/v4/auth/refresh/profile", &token).await.token();
    assert_ne!(refreshed, token);
    caller
        .emulator
        .clock()
        .advance(std::time::Duration::from_secs(1800));
    assert_eq!(caller.get_status("/v4/auth/refresh/profile", &token).await, 401);
    assert_eq!(caller.get_status(CURRENT, &refreshed).await, 200);

    let user = caller.user_token().await;
    let refused = caller.get("/v4/auth/refresh/profile", &user).await;
    assert_eq!((refused.status, &refused.body["errors"]), (403, &json!([])));
    assert_eq!(
        caller
            .send(caller.request(Method::GET, "/v4/auth/refresh/profile"))
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn a_user_lists_workspaces_and_their_restrictions() {
    let caller = Caller::start().await;
    let second = caller.emulator.add_workspace("Second shop");
    caller.emulator.require_second_factor(&second.guid);
    let user = caller.user_token().await;
    let list = caller.get("/uauth/business-profile/", &user).await;
    assert_eq!(list.body[1]["businessProfileGuid"], second.guid);
    assert_eq!(list.body[1]["subdomain"], "second-shop");
    assert_eq!(
        (&list.body[0]["mfaRequired"], &list.body[1]["mfaRequired"]),
        (&json!(false), &json!(true))
    );
    let ids = caller.get("/uauth/business-profile/ids", &user).await;
    assert_eq!(ids.body[0]["favorite"], true);
    assert_eq!(ids.body[0]["mfaRestriction"], "OFF");
    assert_ne!(ids.body[1]["mfaRestriction"], "OFF");

    let workspace = caller.workspace_token().await;
    for path in ["/uauth/business-profile/", "/uauth/business-profile/ids"] {
        assert_eq!(
            caller.get_status(path, &workspace).await,
            403,
            "{path} is for users"
        );
        assert_eq!(
            caller.send(caller.request(Method::GET, path)).await.status,
            401,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_user_without_a_workspace_has_none_selected() {
    let caller = Caller::start().await;
    let user = caller.user_token().await;
    let none = caller.get(CURRENT, &user).await;
    assert_eq!(none.body, json!({ "selected": false, "data": null }));
    let operator = caller.operator_token().await;
    assert_eq!(caller.get(CURRENT, &operator).await.body["selected"], true);
    let visitor = caller.anonymous_token().await;
    assert_eq!(caller.get_status(CURRENT, &visitor).await, 403);
}

#[tokio::test]
async fn a_key_is_told_which_permissions_it_has() {
    const PATH: &str = "/uauth/api-key/permission-check";
    let caller = Caller::start().await;
    let key = caller.emulator.add_workspace_api_key(&["READ"]);
    let token = caller
        .post_openly(WORKSPACE_LOGIN, &json!({ "apiKey": key }))
        .await
        .token();
    let verdicts = caller.post(PATH, &token, &json!(["READ", "WRITE"])).await;
    let expected = json!({ "businessProfileName": "Demo", "permissions": { "READ": true, "WRITE": false } });
    assert_eq!(verdicts.body, expected);
    assert_eq!(
        caller
            .post_status(PATH, &token, &json!({ "permissionsToCheck": ["READ"] }))
            .await,
        400
    );
    let visitor = caller.anonymous_token().await;
    assert_eq!(caller.post_status(PATH, &visitor, &json!(["READ"])).await, 403);
    assert_eq!(caller.post_openly_status(PATH, &json!(["READ"])).await, 401);
}

#[tokio::test]
async fn a_deleted_key_takes_its_tokens_with_it() {
    let caller = Caller::start().await;
    let key = caller.emulator.add_workspace_api_key(&[]);
    let token = caller
        .post_openly(WORKSPACE_LOGIN, &json!({ "apiKey": key }))
        .await
        .token();
    assert!(caller.emulator.revoke_api_key(&key));
    assert_eq!(caller.get_status(CURRENT, &token).await, 401);
    assert_eq!(
        caller
            .post_openly_status(WORKSPACE_LOGIN, &json!({ "apiKey": key }))
            .await,
        401
    );
    assert_eq!(
        caller.get_status(CURRENT, &caller.workspace_token().await).await,
        200,
        "other tokens stay valid"
    );
}

#[tokio::test]
async fn paths_outside_of_the_document_get_404() {
    let caller = Caller::with(Emulator::builder().clock_at(start_time())).await;
    let token = caller.workspace_token().await;
    assert_eq!(caller.get_status("/v4/clients", &token).await, 404);
    assert_eq!(
        caller.get_status("/uauth/business-profile", &token).await,
        404,
        "the slash at the end is required"
    );
    assert_eq!(caller.get_status(WORKSPACE_LOGIN, &token).await, 405);
}
