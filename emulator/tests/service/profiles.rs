//! Profiles: anonymous, by password, by a third party, server-side, conditionally, refreshed.

use serde_json::{Value, json};
use synerise_auth_emulator::{Assumptions, Emulator, UnmetCondition};

use crate::caller::{ANONYMOUS_LOGIN, CURRENT, Caller, PASSWORD, PROFILE_LOGIN, UUID, start_time};

const CONDITIONAL: &str = "/sauth/v3/auth/login/client/conditional";
const REFRESH: &str = "/sauth/v3/auth/refresh/client";
const SERVER_SIDE: &str = "/sauth/v3/auth/login/client/server";

/// `base` with the members of `more` over it; a `null` takes the member away.
fn with(mut base: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        match value {
            Value::Null => _ = base.as_object_mut().unwrap().remove(name),
            value => base[name] = value.clone(),
        }
    }
    base
}

async fn with_account() -> (Caller, Value) {
    let caller = Caller::start().await;
    caller.emulator.add_account("ola@example.com", PASSWORD);
    let body = caller.login_body("ola@example.com", PASSWORD);
    (caller, body)
}

#[tokio::test]
async fn an_anonymous_login_describes_its_token() {
    let caller = Caller::start().await;
    let body =
        json!({ "apiKey": caller.emulator.workspace().profile_api_key, "uuid": UUID, "deviceId": "phone" });
    let login = caller.post_openly(ANONYMOUS_LOGIN, &body).await;
    assert_eq!(
        (&login.body["origin"], &login.body["realm"]),
        (&json!("ANONYMOUS"), &json!("anonymous_client"))
    );
    assert_eq!(login.body["created"], 1_767_225_600_500_u64, "milliseconds");
    assert_eq!(login.body["expiration"], 1_767_229_200_u64, "seconds");

    let workspace_key = json!({ "apiKey": caller.emulator.workspace().workspace_api_key, "uuid": UUID });
    assert_eq!(
        caller.post_openly_status(ANONYMOUS_LOGIN, &workspace_key).await,
        401
    );
    let no_uuid = json!({ "apiKey": caller.emulator.workspace().profile_api_key });
    let refused = caller.post_openly(ANONYMOUS_LOGIN, &no_uuid).await;
    assert_eq!(refused.status, 400);
    assert!(
        refused.body["traceId"].is_string(),
        "the profile service sends a trace id"
    );
}

#[tokio::test]
async fn an_account_logs_in_by_email_and_by_custom_id() {
    let (caller, body) = with_account().await;
    caller.emulator.set_custom_id("ola@example.com", "card123");
    let login = caller.post_openly(PROFILE_LOGIN, &body).await;
    assert_eq!(login.status, 200);
    assert_eq!(
        (&login.body["origin"], &login.body["customId"]),
        (&json!("SYNERISE"), &json!("card123"))
    );
    let by_id = with(body, &json!({ "email": null, "customId": "card123" }));
    assert_eq!(caller.post_openly_status(PROFILE_LOGIN, &by_id).await, 200);
}

#[tokio::test]
async fn a_password_login_needs_the_documented_fields() {
    let (caller, body) = with_account().await;
    for (change, field) in [
        (json!({ "email": null }), "email"),
        (json!({ "password": null }), "password"),
        (json!({ "uuid": null }), "uuid"),
        (json!({ "identityProvider": "MYSPACE" }), "identityProvider"),
        (json!({ "identityProvider": "FACEBOOK" }), "identityProviderToken"),
        (json!({ "agreements": { "email": "maybe" } }), "agreements.email"),
        (json!({ "tags": "one" }), "tags"),
    ] {
        let refused = caller
            .post_openly(PROFILE_LOGIN, &with(body.clone(), &change))
            .await;
        assert_eq!(
            (refused.status, refused.field()),
            (400, field),
            "{}",
            refused.text
        );
    }
    let unknown = with(body.clone(), &json!({ "identityProvider": "UNKNOWN" }));
    assert_eq!(caller.post_openly_status(PROFILE_LOGIN, &unknown).await, 406);
    let workspace_key = with(
        body,
        &json!({ "apiKey": caller.emulator.workspace().workspace_api_key }),
    );
    assert_eq!(
        caller.post_openly_status(PROFILE_LOGIN, &workspace_key).await,
        401
    );
}

#[tokio::test]
async fn too_many_wrong_passwords_lock_the_account() {
    let (caller, body) = with_account().await;
    let nobody = with(body.clone(), &json!({ "email": "nobody@example.com" }));
    assert_eq!(caller.post_openly_status(PROFILE_LOGIN, &nobody).await, 404);
    let wrong = with(body.clone(), &json!({ "password": "wrong" }));
    for _ in 0..10 {
        assert_eq!(caller.post_openly_status(PROFILE_LOGIN, &wrong).await, 401);
    }
    assert_eq!(caller.post_openly_status(PROFILE_LOGIN, &body).await, 423);
}

#[tokio::test]
async fn device_control_refuses_a_login_without_a_device_id() {
    let (caller, body) = with_account().await;
    caller.emulator.require_device_id();
    let refused = caller.post_openly(PROFILE_LOGIN, &body).await;
    assert_eq!(
        (refused.status, &refused.body["errorCode"]),
        (400, &json!("SAU-601"))
    );
    let named = with(body, &json!({ "deviceId": "phone" }));
    assert_eq!(caller.post_openly_status(PROFILE_LOGIN, &named).await, 200);
}

#[tokio::test]
async fn a_login_stores_profile_data_without_reserved_names() {
    let (caller, body) = with_account().await;
    let more = json!({
        "agreements": { "email": "TRUE", "sms": 0, "push": true },
        "attributes": { "colour": "blue", "firstName": "reserved", "ip": "reserved" },
        "tags": ["a", "b", "a"],
        "deviceId": "phone",
    });
    assert_eq!(
        caller.post_openly_status(PROFILE_LOGIN, &with(body, &more)).await,
        200
    );
    let profile = caller.emulator.profile("ola@example.com").unwrap();
    assert_eq!(
        json!(profile.agreements),
        json!({ "email": true, "sms": false, "push": true })
    );
    assert_eq!(json!(profile.attributes), json!({ "colour": "blue" }));
    assert_eq!(
        (profile.tags, profile.devices),
        (vec!["a".into(), "b".into()], vec!["phone".into()])
    );
}

#[tokio::test]
async fn a_third_party_login_creates_an_account_unless_conditional() {
    let caller = Caller::start().await;
    caller
        .emulator
        .add_third_party_token("FACEBOOK", "fb", "piotr@example.com");
    let key = &caller.emulator.workspace().profile_api_key;
    let body = json!({ "apiKey": key, "identityProvider": "FACEBOOK", "identityProviderToken": "fb" });
    let conditional = caller.post_openly(CONDITIONAL, &body).await;
    assert_eq!(
        (conditional.status, &conditional.body["status"]),
        (200, &json!("REGISTRATION_REQUIRED"))
    );
    assert_eq!(conditional.body.get("token"), None);
    assert_eq!(caller.emulator.profile("piotr@example.com"), None);

    let login = caller.post_openly(PROFILE_LOGIN, &body).await;
    assert_eq!(login.body["origin"], "FACEBOOK");
    assert_eq!(
        caller
            .emulator
            .profile("piotr@example.com")
            .unwrap()
            .origin
            .as_deref(),
        Some("FACEBOOK")
    );
    let conditional = caller.post_openly(CONDITIONAL, &body).await;
    assert_eq!(
        (&conditional.body["status"], &conditional.body["conditions"]),
        (&json!("SUCCESS"), &json!([]))
    );
    assert!(conditional.body["token"].is_string());

    for (provider, token) in [("GOOGLE", "fb"), ("FACEBOOK", "other")] {
        let body = json!({ "apiKey": key, "identityProvider": provider, "identityProviderToken": token });
        assert_eq!(
            caller.post_openly_status(PROFILE_LOGIN, &body).await,
            401,
            "{provider} {token}"
        );
    }
}

#[tokio::test]
async fn a_single_use_token_is_valid_once() {
    let caller = Caller::start().await;
    caller
        .emulator
        .add_single_use_token("APPLE", "once", "piotr@example.com");
    let key = &caller.emulator.workspace().profile_api_key;
    let body = json!({ "apiKey": key, "identityProvider": "APPLE", "identityProviderToken": "once" });
    assert_eq!(caller.post_openly_status(PROFILE_LOGIN, &body).await, 200);
    assert_eq!(caller.post_openly_status(PROFILE_LOGIN, &body).await, 401);
}

#[tokio::test]
async fn a_conditional_login_reports_unmet_conditions() {
    let (caller, body) = with_account().await;
    caller
        .emulator
        .require_at_login("ola@example.com", "TERMS_ACCEPTANCE_REQUIRED", &["terms-2026"]);
    let unmet = caller.post_openly(CONDITIONAL, &body).await;
    let expected = json!({ "status": "TERMS_ACCEPTANCE_REQUIRED", "conditions": ["terms-2026"] });
    assert_eq!((unmet.status, unmet.body), (200, expected));
    assert_eq!(caller.post_openly_status(PROFILE_LOGIN, &body).await, 403);
    let wrong = with(body.clone(), &json!({ "password": "wrong" }));
    assert_eq!(caller.post_openly_status(CONDITIONAL, &wrong).await, 401);

    let visitor = caller.anonymous_token().await;
    assert_eq!(
        caller.post_status(CONDITIONAL, &visitor, &body).await,
        200,
        "an anonymous caller is allowed"
    );
    assert_eq!(
        caller
            .post_status(CONDITIONAL, &caller.workspace_token().await, &body)
            .await,
        403
    );
    assert_eq!(caller.post_status(CONDITIONAL, "garbage", &body).await, 401);
}

#[tokio::test]
async fn unmet_conditions_can_be_errors() {
    let mut assumptions = Assumptions::default();
    assumptions.unmet_condition = UnmetCondition::Refused;
    let caller = Caller::with(
        Emulator::builder()
            .clock_at(start_time())
            .assumptions(assumptions),
    )
    .await;
    let body = caller.login_body("nobody@example.com", PASSWORD);
    assert_eq!(caller.post_openly_status(CONDITIONAL, &body).await, 404);
}

#[tokio::test]
async fn a_server_side_login_needs_its_permission() {
    let (caller, body) = with_account().await;
    let body = with(body, &json!({ "ipAddress": "203.0.113.7" }));
    let workspace = caller.workspace_token().await;
    let login = caller.post(SERVER_SIDE, &workspace, &body).await;
    assert_eq!((login.status, &login.body["realm"]), (200, &json!("client")));

    let missing = caller
        .post(
            SERVER_SIDE,
            &workspace,
            &with(body.clone(), &json!({ "ipAddress": null })),
        )
        .await;
    assert_eq!(missing.status, 400);
    let wrong = caller
        .post(
            SERVER_SIDE,
            &workspace,
            &with(body.clone(), &json!({ "ipAddress": "home" })),
        )
        .await;
    assert_eq!((wrong.status, wrong.field()), (400, "ipAddress"));
    let second = caller.emulator.add_workspace("Second");
    let foreign = with(body.clone(), &json!({ "apiKey": second.profile_api_key }));
    assert_eq!(caller.post_status(SERVER_SIDE, &workspace, &foreign).await, 403);

    let weak = json!({ "apiKey": caller.emulator.add_workspace_api_key(&["SOMETHING_ELSE"]) });
    let weak = caller
        .post_openly(crate::caller::WORKSPACE_LOGIN, &weak)
        .await
        .token();
    let refused = caller.post(SERVER_SIDE, &weak, &body).await;
    assert_eq!(refused.status, 403);
    assert!(
        refused.body["message"]
            .as_str()
            .unwrap()
            .contains("SAUTH_SERVER_LOGIN_CLIENT_CREATE")
    );
    assert_eq!(caller.post_openly_status(SERVER_SIDE, &body).await, 401);
    assert_eq!(
        caller
            .post_status(SERVER_SIDE, &caller.user_token().await, &body)
            .await,
        403
    );
}

#[tokio::test]
async fn the_server_side_login_can_have_another_path() {
    let mut assumptions = Assumptions::default();
    assumptions.server_side_login_path = "/sauth/v3/auth/elsewhere".to_owned();
    let caller = Caller::with(Emulator::builder().assumptions(assumptions.clone())).await;
    caller.emulator.add_account("ola@example.com", PASSWORD);
    let body = with(
        caller.login_body("ola@example.com", PASSWORD),
        &json!({ "ipAddress": "2001:db8::1" }),
    );
    let workspace = caller.workspace_token().await;
    assert_eq!(
        caller
            .post_status("/sauth/v3/auth/elsewhere", &workspace, &body)
            .await,
        200
    );
    assert_eq!(caller.emulator.count("authenticateProfileServerSide"), 1);
    assert_eq!(caller.post_status(SERVER_SIDE, &workspace, &body).await, 404);

    for path in ["nowhere", "/with space", "/{parameter}", PROFILE_LOGIN] {
        assumptions.server_side_login_path = path.to_owned();
        let refused = Emulator::builder()
            .assumptions(assumptions.clone())
            .start()
            .await
            .unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput, "{path}");
    }
}

#[tokio::test]
async fn a_valid_profile_token_is_refreshed() {
    let (caller, body) = with_account().await;
    let key = json!({ "apiKey": caller.emulator.workspace().profile_api_key });
    let token = caller.post_openly(PROFILE_LOGIN, &body).await.token();
    let visitor = caller.anonymous_token().await;
    caller
        .emulator
        .clock()
        .advance(std::time::Duration::from_secs(3599));
    let refreshed = caller.post(REFRESH, &token, &key).await;
    assert_eq!(
        (&refreshed.body["origin"], &refreshed.body["realm"]),
        (&json!("SYNERISE"), &json!("client"))
    );
    assert_ne!(refreshed.token(), token);
    assert_eq!(
        caller.post(REFRESH, &visitor, &key).await.body["realm"],
        "anonymous_client"
    );
    caller.emulator.clock().advance(std::time::Duration::from_secs(1));
    assert_eq!(caller.post_status(REFRESH, &token, &key).await, 401);
    assert_eq!(caller.post_status(REFRESH, &refreshed.token(), &key).await, 200);

    let wrong = json!({ "apiKey": caller.emulator.workspace().workspace_api_key });
    assert_eq!(caller.post_status(REFRESH, &refreshed.token(), &wrong).await, 401);
    let second = caller.emulator.add_workspace("Second");
    let foreign = json!({ "apiKey": second.profile_api_key });
    assert_eq!(
        caller.post_status(REFRESH, &refreshed.token(), &foreign).await,
        401
    );
    assert_eq!(
        caller
            .post_status(REFRESH, &caller.workspace_token().await, &key)
            .await,
        403
    );
    assert_eq!(caller.post_openly_status(REFRESH, &key).await, 401);
}

#[tokio::test]
async fn profile_tokens_can_be_encrypted_or_returned_alone() {
    let mut assumptions = Assumptions::default();
    assumptions.encrypted_profile_tokens = true;
    assumptions.profile_token_alone = true;
    let caller = Caller::with(Emulator::builder().assumptions(assumptions)).await;
    let body = json!({ "apiKey": caller.emulator.workspace().profile_api_key, "uuid": UUID });
    let login = caller.post_openly(ANONYMOUS_LOGIN, &body).await;
    assert_eq!(login.body.as_object().unwrap().len(), 1);
    assert_eq!(login.token().split('.').count(), 5);
    assert_eq!(
        caller.get_status(CURRENT, &login.token()).await,
        403,
        "the emulator recognises the encrypted token"
    );
    assert_eq!(
        caller.workspace_token().await.split('.').count(),
        3,
        "workspace tokens are not encrypted"
    );
}
