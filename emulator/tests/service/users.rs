//! Users: password, second factor, workspace.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use synerise_auth_emulator::MessageKind;

use crate::caller::{Caller, PASSWORD, Reply};

const LOGIN: &str = "/uauth/auth/login/user";

impl Caller {
    async fn user_login(&self, username: &str, password: &str, more: Value) -> Reply {
        let mut body = json!({ "username": username, "password": password });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().cloned().unwrap_or_default());
        self.post_openly(LOGIN, &body).await
    }

    async fn second_factor(&self, token: &str, method: &str, body: Value) -> Reply {
        let path = format!("{LOGIN}/mfa/verification?mfaType={method}");
        self.post(&path, token, &body).await
    }

    async fn select(&self, token: &str, guid: &str) -> Reply {
        self.send(
            self.request(Method::POST, &format!("{LOGIN}/profile/{guid}"))
                .bearer_auth(token),
        )
        .await
    }
}

#[tokio::test]
async fn a_user_logs_in_by_password_and_code_and_selects_a_workspace() {
    let caller = Caller::start().await;
    let user = caller.emulator.user().clone();
    let login = caller.user_login(&user.username, &user.password, json!({})).await;
    let consumer = &login.body["consumer"];
    assert_eq!(consumer["mfaMethods"], json!(["TOTP_AUTHENTICATOR"]));
    assert_eq!(
        (&consumer["type"], &consumer["name"]),
        (&json!("USER"), &json!(user.username))
    );
    assert_eq!(
        (&consumer["businessProfileId"], &consumer["authorities"]),
        (&json!(null), &json!([]))
    );
    let guid = caller.emulator.workspace().guid.clone();
    let too_early = caller.select(&login.token(), &guid).await;
    assert_eq!(too_early.status, 403, "the second factor is required first");

    let code = json!({ "verificationCode": caller.emulator.totp_code() });
    let confirmed = caller
        .second_factor(&login.token(), "TOTP_AUTHENTICATOR", code)
        .await;
    assert_eq!(confirmed.body["consumer"]["mfaMethods"], json!([]));
    let selected = caller.select(&confirmed.token(), &guid).await;
    assert!(selected.body["consumer"]["businessProfileId"].is_u64());
    assert!(
        !selected.body["consumer"]["authorities"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        caller
            .get_status(crate::caller::SETTINGS, &selected.token())
            .await,
        200
    );
}

#[tokio::test]
async fn the_authenticator_code_follows_rfc_6238() {
    let caller = Caller::start().await;
    let secret = totp_rs::Secret::try_from_base32(&caller.emulator.user().totp_secret).unwrap();
    let authenticator = totp_rs::Builder::new().with_secret(secret).build().unwrap();
    let now = caller
        .emulator
        .clock()
        .now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    assert_eq!(
        authenticator.generate(now).to_string(),
        caller.emulator.totp_code()
    );
}

#[tokio::test]
async fn wrong_old_and_used_codes_are_refused() {
    let caller = Caller::start().await;
    let user = caller.emulator.user().clone();
    let token = caller
        .user_login(&user.username, &user.password, json!({}))
        .await
        .token();
    let code = caller.emulator.totp_code();
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let body = |code: &str| json!({ "verificationCode": code });
    assert_eq!(
        caller
            .second_factor(&token, "TOTP_AUTHENTICATOR", body(wrong))
            .await
            .status,
        401
    );
    assert_eq!(
        caller
            .second_factor(&token, "TOTP_AUTHENTICATOR", body(&code))
            .await
            .status,
        200
    );
    assert_eq!(
        caller
            .second_factor(&token, "TOTP_AUTHENTICATOR", body(&code))
            .await
            .status,
        401,
        "a code works once"
    );
    caller.emulator.clock().advance(Duration::from_secs(30));
    let next = caller.emulator.totp_code();
    caller.emulator.clock().advance(Duration::from_secs(600));
    assert_eq!(
        caller
            .second_factor(&token, "TOTP_AUTHENTICATOR", body(&next))
            .await
            .status,
        401,
        "too old"
    );
}

#[tokio::test]
async fn a_second_factor_of_a_wrong_type_is_refused() {
    let caller = Caller::start().await;
    let user = caller.emulator.user().clone();
    let token = caller
        .user_login(&user.username, &user.password, json!({}))
        .await
        .token();
    let body = json!({ "verificationCode": caller.emulator.totp_code() });
    assert_eq!(
        caller.second_factor(&token, "EMAIL", body.clone()).await.status,
        400
    );
    assert_eq!(
        caller.second_factor(&token, "FAX", body.clone()).await.status,
        400
    );
    assert_eq!(
        caller
            .post_status(&format!("{LOGIN}/mfa/verification"), &token, &body)
            .await,
        400
    );
    assert_eq!(
        caller
            .second_factor(&token, "TOTP_AUTHENTICATOR", json!({}))
            .await
            .status,
        400
    );
    let workspace = caller.workspace_token().await;
    assert_eq!(
        caller
            .second_factor(&workspace, "TOTP_AUTHENTICATOR", body)
            .await
            .status,
        403
    );
}

#[tokio::test]
async fn a_code_by_email_is_in_the_outbox_and_expires() {
    let caller = Caller::start().await;
    caller
        .emulator
        .add_user_with_email_codes("ewa@example.com", PASSWORD);
    let token = caller
        .user_login("ewa@example.com", PASSWORD, json!({}))
        .await
        .token();
    let message = caller.emulator.last_message("ewa@example.com").unwrap();
    assert_eq!(message.kind, MessageKind::LoginCode);
    assert!(!format!("{message:?}").contains(&message.secret));
    let body = json!({ "verificationCode": message.secret });
    caller.emulator.clock().advance(Duration::from_secs(300));
    assert_eq!(
        caller.second_factor(&token, "EMAIL", body).await.status,
        401,
        "expired"
    );

    let token = caller
        .user_login("ewa@example.com", PASSWORD, json!({}))
        .await
        .token();
    let body = json!({ "verificationCode": caller.emulator.last_message("ewa@example.com").unwrap().secret });
    assert_eq!(caller.second_factor(&token, "EMAIL", body).await.status, 200);
}

#[tokio::test]
async fn a_trusted_device_skips_the_second_factor_for_eight_hours() {
    let caller = Caller::start().await;
    let user = caller.emulator.user().clone();
    let device = json!({ "deviceId": "laptop" });
    let token = caller
        .user_login(&user.username, &user.password, device.clone())
        .await
        .token();
    let code = json!({ "verificationCode": caller.emulator.totp_code(), "deviceId": "laptop" });
    caller.second_factor(&token, "TOTP_AUTHENTICATOR", code).await;
    let methods = async |device: Value| {
        caller
            .user_login(&user.username, &user.password, device)
            .await
            .body["consumer"]["mfaMethods"]
            .clone()
    };
    caller.emulator.clock().advance(Duration::from_secs(8 * 3600 - 1));
    assert_eq!(methods(device.clone()).await, json!([]));
    assert_eq!(
        methods(json!({ "deviceId": "phone" })).await,
        json!(["TOTP_AUTHENTICATOR"])
    );
    caller.emulator.clock().advance(Duration::from_secs(1));
    assert_eq!(methods(device).await, json!(["TOTP_AUTHENTICATOR"]));
}

#[tokio::test]
async fn too_many_wrong_passwords_lock_the_user() {
    let caller = Caller::start().await;
    caller.emulator.add_user("jan@example.com", PASSWORD);
    assert_eq!(
        caller
            .user_login("nobody@example.com", PASSWORD, json!({}))
            .await
            .status,
        401
    );
    for _ in 0..10 {
        assert_eq!(
            caller
                .user_login("jan@example.com", "wrong", json!({}))
                .await
                .status,
            401
        );
    }
    assert_eq!(
        caller
            .user_login("jan@example.com", PASSWORD, json!({}))
            .await
            .status,
        423
    );
}

#[tokio::test]
async fn a_google_token_must_belong_to_the_user() {
    let caller = Caller::start().await;
    caller.emulator.add_user("jan@example.com", PASSWORD);
    caller
        .emulator
        .add_third_party_token("GOOGLE", "of-jan", "jan@example.com");
    caller
        .emulator
        .add_third_party_token("GOOGLE", "of-ewa", "ewa@example.com");
    let google = |token: &str| json!({ "externalProviderToken": token, "externalProviderType": "GOOGLE" });
    let log_in = async |token: &str| {
        caller
            .user_login("jan@example.com", PASSWORD, google(token))
            .await
            .status
    };
    assert_eq!(log_in("of-jan").await, 200);
    assert_eq!(log_in("of-ewa").await, 401);
    assert_eq!(log_in("unknown").await, 401);
    let other = json!({ "externalProviderToken": "of-jan", "externalProviderType": "FACEBOOK" });
    assert_eq!(
        caller.user_login("jan@example.com", PASSWORD, other).await.status,
        400
    );
}

#[tokio::test]
async fn only_allowed_users_select_a_workspace() {
    let caller = Caller::start().await;
    let guid = caller.emulator.workspace().guid.clone();
    let user = caller.user_token().await;
    assert_eq!(caller.select(&user, "not-a-uuid").await.status, 400);
    assert_eq!(
        caller
            .select(&user, "00000000-0000-4000-8000-000000000000")
            .await
            .status,
        404
    );
    assert_eq!(
        caller.select(&caller.workspace_token().await, &guid).await.status,
        403
    );
    assert_eq!(caller.select("garbage", &guid).await.status, 401);
    let strict = caller.emulator.add_workspace("Strict");
    caller.emulator.require_second_factor(&strict.guid);
    assert_eq!(caller.select(&user, &strict.guid).await.status, 423);
    caller.emulator.lock_workspace(&guid);
    let locked = caller.select(&user, &guid).await;
    assert_eq!((locked.status, &locked.body["status"]), (423, &json!(423)));
}
