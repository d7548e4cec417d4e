//! A value that can't be read is not a value that isn't there: where absence decides something, it is an error that names
//! the field, or the safe side. Elsewhere, one odd element is left out.

use serde_json::{Value, json};
use synerise_auth::model::MfaMethod;
use synerise_auth::{ConditionalLoginOutcome, ErrorKind, Identity, UserLoginOutcome};

use crate::support::{Answer, Capture, key};

const USER_LOGIN: &str = "/uauth/auth/login/user";
const WORKSPACES: &str = "/uauth/business-profile/";
const RESTRICTIONS: &str = "/uauth/business-profile/ids";
const CURRENT: &str = "/uauth/business-profile/current";
const PROFILE_LOGIN: &str = "/sauth/v3/auth/login/client";
const CONDITIONAL: &str = "/sauth/v3/auth/login/client/conditional";
const PERMISSIONS: &str = "/uauth/api-key/permission-check";

/// A server that sends this body at `path`; every other login succeeds.
async fn server(path: &'static str, body: impl Into<String>) -> Capture {
    let answer = Answer::new(200, "application/json", body.into());
    Capture::answering(move |target| target == path, answer).await
}

/// Whether this user login is complete; the error's text if it failed.
async fn user_login(body: impl Into<String>) -> Result<Option<Vec<MfaMethod>>, String> {
    match server(USER_LOGIN, body).await.user_login().await {
        Ok(UserLoginOutcome::MfaRequired(challenge)) => Ok(Some(challenge.methods().to_vec())),
        Ok(_) => Ok(None),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::UnexpectedResponse);
            Err(error.to_string())
        }
    }
}

fn with_methods(methods: &Value) -> String {
    json!({ "token": "t", "consumer": { "mfaMethods": methods } }).to_string()
}

#[tokio::test]
async fn unreadable_second_factor_never_completes_a_login() {
    assert_eq!(
        user_login(with_methods(&json!(["EMAIL", null]))).await,
        Ok(Some(vec![MfaMethod::Email]))
    );
    assert_eq!(
        user_login(with_methods(&json!([{}, "TOTP_AUTHENTICATOR"]))).await,
        Ok(Some(vec![MfaMethod::Totp]))
    );
    for methods in [
        json!([null]),
        json!([{}, []]),
        json!([true]),
        json!("EMAIL"),
        json!({ "EMAIL": 1 }),
        json!(true),
        json!(1),
    ] {
        let error = user_login(with_methods(&methods)).await.unwrap_err();
        assert!(error.contains("`consumer.mfaMethods"), "{methods}: {error}");
    }
    for consumer in [json!([]), json!("USER"), json!(1), json!(false)] {
        let error = user_login(json!({ "token": "t", "consumer": consumer }).to_string())
            .await
            .unwrap_err();
        assert!(error.contains("`consumer`"), "{consumer}: {error}");
    }
    let selected = json!({ "token": "t", "consumer": { "businessProfileId": {} } }).to_string();
    assert!(
        user_login(selected)
            .await
            .unwrap_err()
            .contains("`consumer.businessProfileId`")
    );
    // What isn't there, isn't there.
    for methods in [json!([]), json!(null)] {
        assert_eq!(user_login(with_methods(&methods)).await, Ok(None), "{methods}");
    }
}

#[tokio::test]
async fn list_is_no_object_whatever_its_elements() {
    let everywhere = |body: &'static str| Capture::start(move |_| Answer::new(200, "application/json", body));
    let error = everywhere(r#"["t"]"#)
        .await
        .workspace()
        .token()
        .await
        .unwrap_err();
    assert!(error.to_string().contains("it is not an object"), "{error}");
    let login = |server: &Capture| server.client().profile(key()).login(Identity::oauth("fake"));
    let positional = everywhere(r#"[null,null,null,null,null,null,null,"t"]"#).await;
    assert!(login(&positional).await.is_err());
    for body in [
        r#"[null,"t"]"#,
        r#"[{"mfaMethods":[]},"t"]"#,
        r#"{"token":"t","consumer":[[],null,null,[],null,null,null]}"#,
    ] {
        let error = user_login(body).await.unwrap_err();
        assert!(error.contains("not an object"), "{body}: {error}");
    }
    let server = server(CURRENT, "[null,false]").await;
    let error = server.user().await.current_workspace().await.unwrap_err();
    assert!(error.to_string().contains("it is not an object"), "{error}");
}

#[tokio::test]
async fn name_in_another_spelling_is_not_a_missing_field() {
    for body in [
        r#"{"token":"t","consumer":{"MfaMethods":["EMAIL"]}}"#,
        r#"{"Token":"t","Consumer":{"mfa_methods":["EMAIL"]}}"#,
        r#"{"token":"t","consumer":{"MFAMETHODS":["EMAIL"]}}"#,
    ] {
        assert_eq!(user_login(body).await, Ok(Some(vec![MfaMethod::Email])), "{body}");
    }
    let unmet = conditional(json!({ "Status": "TERMS_ACCEPTANCE_REQUIRED", "token": "t" })).await;
    assert!(
        matches!(unmet, Ok(ConditionalLoginOutcome::Unmet { .. })),
        "{unmet:?}"
    );
    let server = server(CURRENT, r#"{"Selected":true,"Data":{"Id":7,"IpRestriction":[]}}"#).await;
    let error = server.user().await.current_workspace().await.unwrap_err();
    assert!(error.to_string().contains("`data.ipRestriction`"), "{error}");
}

#[tokio::test]
async fn json_that_is_nearly_right_costs_no_login() {
    for odd in [
        r#""\ud83d""#,
        "\"a\nb\"",
        r#""it\'s""#,
        "1e999",
        "-1e999",
        "NaN",
        "Infinity",
        "-Infinity",
    ] {
        let consumer =
            format!(r#"{{"token":"t","consumer":{{"mfaMethods":["EMAIL"],"id":{odd},"name":{odd}}}}}"#);
        assert_eq!(
            user_login(consumer).await,
            Ok(Some(vec![MfaMethod::Email])),
            "{odd}"
        );
        // But where it decides something, it is unreadable.
        let methods = format!(r#"{{"token":"t","consumer":{{"mfaMethods":{odd}}}}}"#);
        let error = user_login(methods).await.unwrap_err();
        assert!(error.contains("`consumer.mfaMethods`"), "{odd}: {error}");
    }
}

#[tokio::test]
async fn workspace_without_an_envelope_is_read_like_one_with() {
    let read = |body: &'static str| async move {
        let user = server(CURRENT, body).await.user().await;
        user.current_workspace().await.map_err(|error| error.to_string())
    };
    let workspace = read(r#"{"id":"7","name":[],"created":"soon","labels":["a",null]}"#).await;
    let workspace = workspace.unwrap().unwrap();
    assert_eq!(
        (workspace.id, workspace.name, &*workspace.labels),
        (Some(7), None, &["a".to_owned()][..])
    );
    for restriction in [
        r#"{"id":7,"ipRestriction":{}}"#,
        r#"{"id":7,"mfaRestriction":[]}"#,
    ] {
        let error = read(restriction).await.unwrap_err();
        assert!(
            error.contains("Restriction` is not") && !error.contains("column"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn field_that_is_sent_twice_is_an_error() {
    for body in [
        r#"{"token": "t", "consumer": {"mfaMethods": ["EMAIL"], "mfaMethods": []}}"#,
        r#"{"token": "t", "consumer": {"mfaMethods": ["EMAIL"]}, "consumer": {}}"#,
    ] {
        let error = user_login(body).await.unwrap_err();
        assert!(error.contains("twice"), "{error}");
    }
}

#[tokio::test]
async fn only_a_text_is_a_token() {
    for token in [
        json!(true),
        json!(7),
        json!(1.5),
        json!(["t"]),
        json!({ "token": "t" }),
    ] {
        let body = json!({ "token": token }).to_string();
        let server = Capture::start(move |_| Answer::new(200, "application/json", body.clone())).await;
        let (workspace, client) = (server.workspace(), server.client());
        let visitor = client.anonymous(key(), "u-1");
        let profile = client.profile(key());
        for error in [
            workspace.token().await.unwrap_err(),
            visitor.token().await.unwrap_err(),
            server.user_login().await.unwrap_err(),
            profile.clone().login(Identity::oauth("fake")).await.unwrap_err(),
            profile
                .login_if_allowed(Identity::oauth("fake"))
                .await
                .unwrap_err(),
        ] {
            assert!(
                error.to_string().contains("the field `token`"),
                "{token}: {error}"
            );
        }
    }
}

async fn conditional(body: Value) -> Result<ConditionalLoginOutcome, String> {
    let server = server(CONDITIONAL, body.to_string()).await;
    let login = server
        .client()
        .profile(key())
        .login_if_allowed(Identity::oauth("fake"));
    login.await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn unreadable_status_never_logs_a_customer_in() {
    for status in [json!({}), json!(["MFA_REQUIRED"]), json!(true)] {
        let error = conditional(json!({ "status": status, "token": "t" }))
            .await
            .unwrap_err();
        assert!(error.contains("`status`"), "{status}: {error}");
    }
    let error = conditional(json!({ "status": "SUCCESS", "token": true }))
        .await
        .unwrap_err();
    assert!(error.contains("`token` is not"), "{error}");
    let outcome =
        conditional(json!({ "status": "TERMS_ACCEPTANCE_REQUIRED", "conditions": ["terms", null] })).await;
    match outcome.unwrap() {
        ConditionalLoginOutcome::Unmet { conditions, .. } => assert_eq!(conditions, ["terms"]),
        other @ ConditionalLoginOutcome::LoggedIn(_) => panic!("{other:?}"),
    }
    for status in ["success", "Success", " SUCCESS "] {
        let outcome = conditional(json!({ "status": status, "token": "t" }))
            .await
            .unwrap();
        assert!(
            matches!(outcome, ConditionalLoginOutcome::LoggedIn(_)),
            "{status}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn unreadable_restriction_is_not_a_missing_one() {
    for (path, field, value) in [
        (WORKSPACES, "ipRestricted", json!("maybe")),
        (WORKSPACES, "ipRestricted", json!({})),
        (WORKSPACES, "mfaRequired", json!(2)),
        (WORKSPACES, "mfaRequired", json!([true])),
        (RESTRICTIONS, "ipRestriction", json!({ "mode": "ON" })),
        (RESTRICTIONS, "mfaRestriction", json!(["ON"])),
        (RESTRICTIONS, "mfaRestriction", json!(true)),
    ] {
        let server = server(path, json!([{ "id": 1 }, { "id": 2, field: value }]).to_string()).await;
        let user = server.user().await;
        let error = match path {
            WORKSPACES => user.workspaces().await.map(drop).unwrap_err(),
            _ => user.workspace_restrictions().await.map(drop).unwrap_err(),
        };
        assert!(
            error.to_string().contains(&format!("`1.{field}`")),
            "{value}: {error}"
        );
    }
    for field in ["ipRestriction", "mfaRestriction"] {
        let body = json!({ "selected": true, "data": { "id": 1, field: {} } });
        let server = server(CURRENT, body.to_string()).await;
        let error = server.user().await.current_workspace().await.unwrap_err();
        assert!(error.to_string().contains(&format!("`data.{field}`")), "{error}");
    }
}

#[tokio::test]
async fn unreadable_selection_is_not_a_missing_one() {
    for (body, field) in [
        (json!({ "selected": "maybe", "data": { "id": 1 } }), "selected"),
        (json!({ "selected": {}, "data": null }), "selected"),
        (json!({ "selected": true, "data": [] }), "data"),
        (json!({ "data": "Shop" }), "data"),
        (json!({ "selected": true, "data": null }), "data"),
        (json!({ "selected": true }), "data"),
    ] {
        let server = server(CURRENT, body.to_string()).await;
        let error = server.user().await.current_workspace().await.unwrap_err();
        assert!(
            error.to_string().contains(&format!("`{field}`")),
            "{body}: {error}"
        );
    }
}

#[tokio::test]
async fn unreadable_end_makes_a_token_short_lived() {
    for expiration in [
        json!("soon"),
        json!({}),
        json!([4_102_444_800_u64]),
        json!(true),
        json!("NaN"),
        json!(1e300),
    ] {
        let body = json!({ "token": "t", "expiration": expiration, "created": 1_000_000 });
        let server = server(PROFILE_LOGIN, body.to_string()).await;
        let login = server.client().profile(key()).login(Identity::oauth("fake"));
        let lifetime = login.await.unwrap().token().await.unwrap().lifetime();
        assert!(lifetime.as_secs() <= 60, "{expiration}: {lifetime:?}");
    }
}

#[tokio::test]
async fn end_may_be_a_text_or_have_a_fraction() {
    for expiration in [
        json!("4102444800"),
        json!(4_102_444_800.9),
        json!("4102444800.9"),
        json!("4.1024448e9"),
    ] {
        let body = json!({ "token": "t", "expiration": expiration, "created": "4102443000000.5" });
        let answer = Answer::json(body).header("date", "Thu, 31 Dec 2099 23:30:00 GMT");
        let server = Capture::start(move |_| answer.clone()).await;
        let login = server.client().profile(key()).login(Identity::oauth("fake"));
        let token = login.await.unwrap().token().await.unwrap();
        assert_eq!(token.lifetime().as_secs().div_ceil(60), 30, "{expiration}");
    }
}

#[tokio::test]
async fn one_odd_element_is_left_out_and_the_others_stay() {
    let list = json!([{ "id": 1, "name": "One" }, null, 7, "x", { "id": 2 }]);
    let server = server(WORKSPACES, list.to_string()).await;
    let workspaces = server.user().await.workspaces().await.unwrap();
    let ids: Vec<_> = workspaces.iter().map(|workspace| workspace.id).collect();
    assert_eq!(ids, [Some(1), Some(2)]);
}

#[tokio::test]
async fn one_odd_permission_is_left_out_and_the_others_stay() {
    let consumer = json!({ "authorities": ["A", null, {}, "B"], "mfaMethods": [] });
    let server_ = server(
        USER_LOGIN,
        json!({ "token": "t", "consumer": consumer }).to_string(),
    )
    .await;
    let user = server_.user().await;
    assert_eq!(user.user_info().unwrap().authorities, ["A", "B"]);

    let server_ = server(
        PERMISSIONS,
        json!({ "permissions": { "A": true, "B": {}, "C": null } }).to_string(),
    )
    .await;
    let check = server_.workspace().check_permissions(["A"]).await.unwrap();
    assert!(check.has("A") && !check.has("B") && !check.has("C"));
    assert_eq!(check.permissions.len(), 1);
}

#[tokio::test]
async fn list_without_a_readable_element_is_an_error() {
    for list in [
        json!([null]),
        json!([1, "x"]),
        json!({}),
        json!("none"),
        json!(true),
    ] {
        let server = server(WORKSPACES, list.to_string()).await;
        let error = server.user().await.workspaces().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{list}: {error}");
    }
    // A permission that nobody named is not had.
    for permissions in [json!([]), json!("A"), json!({ "A": {} })] {
        let server = server(PERMISSIONS, json!({ "permissions": permissions }).to_string()).await;
        let check = server.workspace().check_permissions(["A"]).await.unwrap();
        assert!(!check.has("A"), "{permissions}");
    }
}

#[tokio::test]
async fn byte_order_mark_before_json_is_ignored() {
    let server = Capture::start(|_| Answer::new(200, "application/json", "\u{feff}{\"token\": \"t\"}")).await;
    server.workspace().token().await.unwrap();
}
