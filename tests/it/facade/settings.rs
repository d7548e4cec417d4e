//! Settings, which the service replaces whole: an update keeps what it does not change.

use std::time::Duration;

use serde_json::{Value, json};
use synerise_auth::ErrorKind;
use synerise_auth::model::{PinConfirmationType, RegistrationType};
use synerise_auth::settings::{Pin, Registration};

use crate::support::{Answer, Capture, Captured, TestEnv};

/// A service with these settings, and how it answers a write.
async fn service(
    path: &'static str,
    settings: Value,
    written: impl Fn(&Captured) -> Answer + Send + Sync + 'static,
) -> Capture {
    Capture::start(
        move |request| match (request.method.as_str(), request.target.as_str()) {
            (_, "/uauth/v2/auth/login/profile") => Answer::json(json!({ "token": "workspace-token" })),
            ("GET", target) if target == path => Answer::json(settings.clone()),
            ("POST", target) if target == path => written(request),
            other => panic!("{other:?}"),
        },
    )
    .await
}

/// A service with these settings, which answers a write with what it was sent, as the real one does.
async fn with_settings(path: &'static str, settings: Value) -> Capture {
    service(path, settings, |request| Answer::json(request.json())).await
}

const GENERAL: &str = "/sauth/settings/general";
const IP_POLICY: &str = "/uauth/settings/user-bp-ip-policy";

#[tokio::test]
async fn update_keeps_every_other_setting() {
    let stored = json!({
        "registrationType": "AUTOMATIC", "tokenLifetimeInSeconds": 1800, "allowOverwriteCustomIdentify": true,
        "confirmationRedirectLink": "https://shop.example/welcome", "pinConfirmationLength": 9,
        "somethingNew": { "deep": [1, null, "x"] }
    });
    let env =
        TestEnv::with_emulator(|emulator| emulator.allow_unknown_settings().profile_settings(stored)).await;
    let workspace = env.workspace();
    let settings = workspace.profile_settings();
    let before = settings.get().await.unwrap();

    let changes = settings
        .update(|settings| settings.registration = Registration::pin(6, Duration::from_secs(120)))
        .await
        .unwrap();
    let mut fields: Vec<_> = changes
        .iter()
        .map(|change| (change.field.as_str(), &change.after))
        .collect();
    fields.sort_by_key(|(field, _)| *field);
    assert_eq!(
        fields,
        [
            ("pinConfirmationLength", &json!(6)),
            ("pinConfirmationValidInSeconds", &json!(120)),
            ("registrationType", &json!("REQUIRE_PIN_CONFIRMATION")),
        ]
    );
    let length = changes
        .iter()
        .find(|change| change.field == "pinConfirmationLength")
        .unwrap();
    assert_eq!(length.before, 9);

    let after = settings.get().await.unwrap();
    assert_eq!(after.token_lifetime, Some(Duration::from_secs(1800)));
    assert_eq!(after.overwrite_custom_id, Some(true));
    assert_eq!(after.confirmation_redirect, before.confirmation_redirect);
    let mut requests = env.emulator.requests().into_iter().rev();
    let written = requests.find_map(|request| request.body).unwrap();
    assert_eq!(written["somethingNew"], json!({ "deep": [1, null, "x"] }));
}

#[tokio::test]
async fn every_setting_can_be_read_and_changed() {
    let env = TestEnv::new().await;
    let workspace = env.workspace();
    let settings = workspace.profile_settings();
    settings
        .update(|settings| {
            let pin = Pin::new()
                .with_length(4)
                .with_valid_for(Duration::from_secs(60))
                .with_required_of(PinConfirmationType::Everyone)
                .with_resend_from_other_device(true);
            settings.registration = Registration::Pin(pin);
            settings.token_lifetime = Some(Duration::from_secs(7 * 24 * 3600));
            settings.confirmation_redirect = Some("https://shop.example/welcome".into());
            settings.voucher_pool = Some("00000000-0000-4000-8000-000000000009".into());
            settings.overwrite_custom_id = Some(true);
            settings.email_change_by_form = Some(true);
        })
        .await
        .unwrap();
    let read = settings.get().await.unwrap();
    let Registration::Pin(pin) = &read.registration else {
        panic!("{read:?}");
    };
    assert_eq!(
        (pin.length(), pin.valid_for()),
        (Some(4), Some(Duration::from_secs(60)))
    );
    assert_eq!(
        (pin.required_of(), pin.resend_from_other_device()),
        (Some(&PinConfirmationType::Everyone), Some(true))
    );
    assert_eq!(read.token_lifetime, Some(Duration::from_secs(604_800)));
    assert_eq!(
        read.confirmation_redirect.as_deref(),
        Some("https://shop.example/welcome")
    );
    assert_eq!(
        read.voucher_pool.as_deref(),
        Some("00000000-0000-4000-8000-000000000009")
    );
    assert_eq!(
        (read.overwrite_custom_id, read.email_change_by_form),
        (Some(true), Some(true))
    );
    // A field that is removed goes back to the service's default.
    settings
        .update(|settings| settings.confirmation_redirect = None)
        .await
        .unwrap();
    assert_eq!(settings.get().await.unwrap().confirmation_redirect, None);
}

#[tokio::test]
async fn update_without_a_change_writes_nothing() {
    let env = TestEnv::new().await;
    let user = env.user_in_workspace().await.unwrap();
    assert_eq!(user.profile_settings().update(|_| {}).await.unwrap(), []);
    let same = user
        .profile_settings()
        .update(|settings| settings.registration = settings.registration.clone())
        .await
        .unwrap();
    assert_eq!(same, []);
    assert_eq!(
        user.ip_policy()
            .update(|policy| policy.addresses.clear())
            .await
            .unwrap(),
        []
    );
    assert_eq!(env.emulator.count("replaceProfileSettings"), 0);
    assert_eq!(env.emulator.count("replaceIpPolicy"), 0);
}

#[tokio::test]
async fn invalid_setting_is_refused_before_writing() {
    let env = TestEnv::new().await;
    let workspace = env.workspace();
    let lifetime = Duration::from_millis(1500);
    let error = workspace
        .profile_settings()
        .update(|settings| settings.token_lifetime = Some(lifetime))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("token lifetime is not a whole number of seconds"),
        "{error}"
    );
    assert_eq!(env.emulator.count("replaceProfileSettings"), 0);
}

#[tokio::test]
async fn unknown_settings_are_written_back_unchanged() {
    let odd = json!({
        "registrationType": "REQUIRE_SOMETHING_NEW", "tokenLifetimeInSeconds": "3600", "pinConfirmationLength": 6.5,
        "confirmationRedirectLink": null, "voucherPoolUuid": 7, "allowOverwriteCustomIdentify": "no",
        "unknown": { "deep": [1, null] }, "big": 12_345_678_901_234_567_890_u64
    });
    let server = with_settings(GENERAL, odd.clone()).await;
    let workspace = server.workspace();
    let settings = workspace.profile_settings();
    let read = settings.get().await.unwrap();
    assert_eq!(
        read.registration,
        Registration::Other(RegistrationType::Unknown("REQUIRE_SOMETHING_NEW".into()))
    );
    let changes = settings
        .update(|settings| settings.email_change_by_form = Some(true))
        .await
        .unwrap();
    assert_eq!(
        (changes.len(), changes[0].field.as_str()),
        (1, "allowEmailChangeFromWebForm")
    );
    assert_eq!(
        (&changes[0].before, &changes[0].after),
        (&Value::Null, &json!(true))
    );
    let mut expected = odd;
    expected["allowEmailChangeFromWebForm"] = json!(true);
    assert_eq!(server.last().json(), expected);
}

#[tokio::test]
async fn ip_policy_update_keeps_the_other_fields() {
    let policy = json!({ "enabled": true, "ipPolicy": ["192.0.2.1"], "mode": "STRICT", "note": null });
    let server = with_settings(IP_POLICY, policy).await;
    let workspace = server.workspace();
    let read = workspace.ip_policy().get().await.unwrap();
    assert_eq!((read.enabled, read.support_allowed), (Some(true), None));
    let changes = workspace
        .ip_policy()
        .update(|policy| policy.addresses.push("2001:db8::/32".into()))
        .await
        .unwrap();
    assert_eq!((changes.len(), changes[0].field.as_str()), (1, "ipPolicy"));
    assert_eq!(
        server.last().json(),
        json!({ "enabled": true, "ipPolicy": ["192.0.2.1", "2001:db8::/32"], "mode": "STRICT", "note": null })
    );
}

#[tokio::test]
async fn ip_policy_update_changes_the_policy() {
    let env = TestEnv::new().await;
    let user = env.user_in_workspace().await.unwrap();
    for address in ["192.0.2.17", "198.51.100.0/24"] {
        let changes = user
            .ip_policy()
            .update(|policy| {
                policy.enabled = Some(true);
                policy.support_allowed = Some(true);
                policy.addresses.push(address.into());
            })
            .await
            .unwrap();
        assert!(changes.iter().any(|change| change.field == "ipPolicy"));
    }
    let policy = user.ip_policy().get().await.unwrap();
    assert_eq!(policy.addresses, ["192.0.2.17", "198.51.100.0/24"]);
    assert_eq!((policy.enabled, policy.support_allowed), (Some(true), Some(true)));
}

#[tokio::test]
async fn settings_that_are_not_an_object_are_an_error() {
    for answer in [json!([]), json!(null), json!("AUTOMATIC")] {
        let server = with_settings(GENERAL, answer).await;
        let workspace = server.workspace();
        let error = workspace
            .profile_settings()
            .update(|settings| settings.registration = Registration::Automatic)
            .await
            .unwrap_err();
        assert!(error.kind() == ErrorKind::UnexpectedResponse, "{error}");
        assert_eq!(server.last().method, "GET");
    }
}

#[tokio::test]
async fn write_without_a_response_body_succeeds() {
    // What the POST of this path answers is not published; a neighbouring one answers the new settings.
    for empty in [
        Answer::new(204, "text/plain", ""),
        Answer::new(200, "text/plain", ""),
    ] {
        let settings = json!({ "registrationType": "AUTOMATIC" });
        let server = service(GENERAL, settings, move |_| empty.clone()).await;
        let workspace = server.workspace();
        let changes = workspace
            .profile_settings()
            .update(|settings| settings.email_change_by_form = Some(true))
            .await
            .unwrap();
        assert_eq!((changes.len(), &changes[0].after), (1, &json!(true)));
    }
}

// What nobody changed

/// A service whose settings are this text, and which answers a write with what it was sent.
async fn with_text(path: &'static str, text: &'static str) -> Capture {
    Capture::start(move |request| {
        if request.method == "POST" && request.target == path {
            Answer::new(200, "application/json", request.body.clone())
        } else if request.target == path {
            Answer::new(200, "application/json", text)
        } else {
            Answer::json(json!({ "token": "workspace-token" }))
        }
    })
    .await
}

/// The text of the last request's body.
fn sent(server: &Capture) -> String {
    String::from_utf8(server.last().body.to_vec()).unwrap()
}

#[tokio::test]
async fn values_that_nobody_changed_go_back_byte_for_byte() {
    for value in [
        "18446744073709551616",
        "-9223372036854775809",
        "0.1000000000000000000000001",
        "1.10",
        "1E400",
        "-0.0",
        r#""\u00e9\/""#,
        r#"{ "z" : 1.0, "a" : [ 18446744073709551616 ] }"#,
        "\"3600\"",
        "[]",
    ] {
        let text: &'static str =
            format!(r#"{{"tokenLifetimeInSeconds":{value},"quota":{value},"registrationType":"AUTOMATIC"}}"#)
                .leak();
        let server = with_text(GENERAL, text).await;
        let workspace = server.workspace();
        let settings = workspace.profile_settings();
        let changes = settings
            .update(|settings| settings.voucher_pool = Some("pool-1".into()))
            .await
            .unwrap();
        assert_eq!(
            sent(&server),
            format!(
                "{},\"voucherPoolUuid\":\"pool-1\"}}",
                text.strip_suffix('}').unwrap()
            )
        );
        let fields: Vec<_> = changes.iter().map(|change| change.field.as_str()).collect();
        assert_eq!(fields, ["voucherPoolUuid"], "{value}");
    }
    let text = r#"{"mode":18446744073709551616,"enabled":"TRUE","ipPolicy":["192.0.2.1"],"limit":1e2}"#;
    let server = with_text(IP_POLICY, text).await;
    let workspace = server.workspace();
    workspace
        .ip_policy()
        .update(|policy| policy.addresses.push("192.0.2.2".into()))
        .await
        .unwrap();
    assert_eq!(
        sent(&server),
        text.replace("\"192.0.2.1\"", "\"192.0.2.1\",\"192.0.2.2\"")
    );
}

#[tokio::test]
async fn change_that_only_the_service_made_is_among_the_changes() {
    let text = r#"{"registrationType":"AUTOMATIC","quota":18446744073709551616}"#;
    let server = Capture::start(move |request| match request.method.as_str() {
        "POST" if request.target == GENERAL => {
            let body = String::from_utf8(request.body.to_vec()).unwrap();
            Answer::new(200, "application/json", body.replace("51616", "51617"))
        }
        "GET" => Answer::new(200, "application/json", text),
        _ => Answer::json(json!({ "token": "t" })),
    })
    .await;
    let workspace = server.workspace();
    let settings = workspace.profile_settings();
    let changes = settings
        .update(|settings| settings.voucher_pool = Some("p".into()))
        .await
        .unwrap();
    let fields: Vec<_> = changes.iter().map(|change| change.field.as_str()).collect();
    assert_eq!(fields, ["quota", "voucherPoolUuid"]);
}

#[tokio::test]
async fn response_that_says_nothing_of_the_settings_is_not_compared() {
    for answer in [json!({}), json!({ "status": "OK" })] {
        let settings = json!({ "registrationType": "AUTOMATIC", "tokenLifetimeInSeconds": 60 });
        let server = service(GENERAL, settings, move |_| Answer::json(answer.clone())).await;
        let workspace = server.workspace();
        let settings = workspace.profile_settings();
        let changes = settings
            .update(|settings| settings.email_change_by_form = Some(true))
            .await
            .unwrap();
        assert_eq!((changes.len(), &changes[0].after), (1, &json!(true)));
    }
}

#[tokio::test]
async fn unreadable_flag_of_the_ip_policy_is_an_error() {
    for (field, value) in [
        ("enabled", json!("maybe")),
        ("enabled", json!({})),
        ("enableSupportSubnets", json!([true])),
    ] {
        let server = with_settings(IP_POLICY, json!({ field: value, "ipPolicy": [] })).await;
        let workspace = server.workspace();
        let error = workspace.ip_policy().get().await.unwrap_err();
        assert!(error.to_string().contains(&format!("`{field}`")), "{error}");
        let settings = workspace.ip_policy();
        let update = settings.update(|policy| policy.addresses.push("192.0.2.1".into()));
        assert_eq!(update.await.unwrap_err().kind(), ErrorKind::UnexpectedResponse);
        assert_eq!(server.last().method, "GET");
    }
    let server = with_settings(
        IP_POLICY,
        json!({ "enabled": null, "enableSupportSubnets": "TRUE", "ipPolicy": ["192.0.2.1", 7] }),
    )
    .await;
    let policy = server.workspace().ip_policy().get().await.unwrap();
    assert_eq!((policy.enabled, policy.support_allowed), (None, Some(true)));
    assert_eq!(
        (&*policy.addresses, policy.unreadable_fields()),
        (&["192.0.2.1".to_owned()][..], &["ipPolicy"][..])
    );
}
