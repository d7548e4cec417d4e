//! Settings and the IP policy: a POST replaces everything.

use serde_json::json;
use synerise_auth_emulator::{Assumptions, Emulator};

use crate::caller::{Caller, SETTINGS};

const IP_POLICY: &str = "/uauth/settings/user-bp-ip-policy";

#[tokio::test]
async fn settings_that_are_not_sent_return_to_their_defaults() {
    let caller = Caller::start().await;
    let token = caller.operator_token().await;
    let full = json!({ "registrationType": "REQUIRE_PIN_CONFIRMATION", "pinConfirmationLength": 8, "ofTomorrow": [1] });
    let changed = caller.post(SETTINGS, &token, &full).await;
    assert_eq!(
        (changed.status, &changed.body["pinConfirmationLength"]),
        (200, &json!(8))
    );
    assert_eq!(
        changed.body["ofTomorrow"],
        json!([1]),
        "unknown settings are kept"
    );
    assert_eq!(caller.get(SETTINGS, &token).await.body, changed.body);

    caller
        .post(SETTINGS, &token, &json!({ "tokenLifetimeInSeconds": 60 }))
        .await;
    let reset = caller.get(SETTINGS, &token).await.body;
    assert_eq!(
        (&reset["registrationType"], &reset["pinConfirmationLength"]),
        (&json!("AUTOMATIC"), &json!(6))
    );
    assert_eq!(
        (&reset["tokenLifetimeInSeconds"], reset.get("ofTomorrow")),
        (&json!(60), None)
    );
}

#[tokio::test]
async fn the_lifetime_of_profile_tokens_is_a_setting() {
    let caller = Caller::start().await;
    let token = caller.workspace_token().await;
    caller
        .post(SETTINGS, &token, &json!({ "tokenLifetimeInSeconds": 60 }))
        .await;
    let visitor = caller.anonymous_token().await;
    caller
        .emulator
        .clock()
        .advance(std::time::Duration::from_secs(60));
    let key = json!({ "apiKey": caller.emulator.workspace().profile_api_key });
    assert_eq!(
        caller
            .post_status("/sauth/v3/auth/refresh/client", &visitor, &key)
            .await,
        401
    );
}

#[tokio::test]
async fn invalid_settings_are_refused_and_change_nothing() {
    let caller = Caller::start().await;
    let token = caller.workspace_token().await;
    let before = caller.get(SETTINGS, &token).await.body;
    for (settings, field) in [
        (json!({ "registrationType": "SOMEHOW" }), "registrationType"),
        (json!({ "pinConfirmationType": "NOBODY" }), "pinConfirmationType"),
        (json!({ "tokenLifetimeInSeconds": 0 }), "tokenLifetimeInSeconds"),
        (
            json!({ "tokenLifetimeInSeconds": "long" }),
            "tokenLifetimeInSeconds",
        ),
        (json!({ "pinConfirmationLength": 0 }), "pinConfirmationLength"),
        (
            json!({ "pinConfirmationValidInSeconds": 0 }),
            "pinConfirmationValidInSeconds",
        ),
    ] {
        let refused = caller.post(SETTINGS, &token, &settings).await;
        assert_eq!((refused.status, refused.field()), (400, field), "{settings}");
    }
    assert_eq!(caller.get(SETTINGS, &token).await.body, before);
}

#[tokio::test]
async fn a_sent_ip_policy_replaces_the_whole_policy() {
    let caller = Caller::start().await;
    let token = caller.operator_token().await;
    let first = json!({ "enabled": true, "enableSupportSubnets": true, "ipPolicy": ["203.0.113.7", "2001:db8::/32"] });
    assert_eq!(caller.post(IP_POLICY, &token, &first).await.body, first);
    caller
        .post(
            IP_POLICY,
            &token,
            &json!({ "enabled": true, "ipPolicy": ["198.51.100.0/24"] }),
        )
        .await;
    let now = json!({ "enabled": true, "enableSupportSubnets": false, "ipPolicy": ["198.51.100.0/24"] });
    assert_eq!(caller.get(IP_POLICY, &token).await.body, now);
    let list = caller.get("/uauth/business-profile/", &token).await;
    assert_eq!(list.body[0]["ipRestricted"], true);
    assert_eq!(
        caller
            .post_status(IP_POLICY, &token, &json!({ "ipPolicy": ["home"] }))
            .await,
        400
    );
    assert_eq!(caller.get(IP_POLICY, &token).await.body, now);
}

#[tokio::test]
async fn settings_are_for_administrators() {
    let caller = Caller::start().await;
    let (user, visitor) = (caller.user_token().await, caller.anonymous_token().await);
    for path in [SETTINGS, IP_POLICY] {
        for token in [&user, &visitor] {
            assert_eq!(caller.get_status(path, token).await, 403, "{path}");
            assert_eq!(caller.post_status(path, token, &json!({})).await, 403, "{path}");
        }
        assert_eq!(caller.get_status(path, "garbage").await, 401, "{path}");
        assert_eq!(caller.post_openly_status(path, &json!({})).await, 401, "{path}");
    }
}

#[tokio::test]
async fn initial_settings_are_applied_and_checked() {
    let builder = Emulator::builder().profile_settings(json!({ "pinConfirmationLength": 4 }));
    let caller = Caller::with(builder).await;
    let token = caller.workspace_token().await;
    assert_eq!(
        caller.get(SETTINGS, &token).await.body["pinConfirmationLength"],
        4
    );
    for bad in [
        json!({ "pinConfirmationLength": 0 }),
        json!({ "pinConfirmationLenght": 4 }),
        json!([]),
    ] {
        let refused = Emulator::builder()
            .profile_settings(bad)
            .start()
            .await
            .unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput);
    }
}

#[tokio::test]
async fn the_defaults_of_settings_can_be_chosen() {
    let mut assumptions = Assumptions::default();
    assumptions
        .settings_defaults
        .insert("allowEmailChangeFromWebForm".to_owned(), json!(true));
    let caller = Caller::with(Emulator::builder().assumptions(assumptions)).await;
    let token = caller.workspace_token().await;
    let reset = caller.post(SETTINGS, &token, &json!({})).await;
    assert_eq!(reset.body["allowEmailChangeFromWebForm"], true);
}

#[tokio::test]
async fn an_unknown_setting_can_be_allowed() {
    let settings = json!({ "ofTomorrow": [1] });
    let builder = Emulator::builder()
        .allow_unknown_settings()
        .profile_settings(settings);
    let caller = Caller::with(builder).await;
    let token = caller.workspace_token().await;
    assert_eq!(caller.get(SETTINGS, &token).await.body["ofTomorrow"], json!([1]));
}

/// The literals of the e-mail modes are not published, so the document must leave them open.
#[tokio::test]
async fn every_registration_mode_fits_the_document() {
    let caller = Caller::start().await;
    let token = caller.workspace_token().await;
    for mode in [
        "AUTOMATIC",
        "REQUIRE_PIN_CONFIRMATION",
        "REQUIRE_EMAIL_CONFIRMATION",
        "REQUIRE_EMAIL_ACTIVATION",
    ] {
        let settings = json!({ "registrationType": mode, "pinConfirmationType": null });
        assert_eq!(
            caller.post_status(SETTINGS, &token, &settings).await,
            200,
            "{mode}"
        );
        assert_eq!(caller.get(SETTINGS, &token).await.body["registrationType"], mode);
        assert_eq!(caller.emulator.violations(), Vec::<String>::new(), "{mode}");
    }
}
