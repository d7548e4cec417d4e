//! Responses that differ from the documented ones: read where possible, otherwise an error that names the field.

use serde_json::{Value, json};
use synerise_auth::chrono::NaiveDate;
use synerise_auth::kind::Profile;
use synerise_auth::model::{AccessRestriction, ConditionalLoginStatus, ConsumerType, MfaMethod, TokenOrigin};
use synerise_auth::usage::UsageQuery;
use synerise_auth::{ConditionalLoginOutcome, Error, ErrorKind, Identity, Result, Session, UserLoginOutcome};

use crate::support::{Answer, Capture, key};

const CURRENT: &str = "/uauth/business-profile/current";
const LOGIN: &str = "/uauth/v2/auth/login/profile";
const USER_LOGIN: &str = "/uauth/auth/login/user";
const PROFILE_LOGIN: &str = "/sauth/v3/auth/login/client";
const CONDITIONAL: &str = "/sauth/v3/auth/login/client/conditional";
const PERMISSIONS: &str = "/uauth/api-key/permission-check";

/// A server that gives this answer at `path`; every login succeeds.
async fn odd(path: &'static str, answer: Answer) -> Capture {
    Capture::answering(move |target| target == path, answer).await
}

async fn odd_json(path: &'static str, body: Value) -> Capture {
    odd(path, Answer::json(body)).await
}

async fn profile_login(server: &Capture) -> Result<Session<Profile>> {
    let access = server.client().profile(key());
    access.login(Identity::oauth("fake-token")).await
}

async fn conditional_login(server: &Capture) -> Result<ConditionalLoginOutcome> {
    let access = server.client().profile(key());
    access.login_if_allowed(Identity::oauth("fake-token")).await
}

// Unknown fields and values

#[tokio::test]
async fn unknown_fields_are_ignored() {
    let answer = json!({
        "selected": true, "new": [1],
        "data": { "id": 7, "name": "Shop", "newer": { "deep": null }, "labels": ["a"] }
    });
    let server = odd_json(CURRENT, answer).await;
    let current = server.user().await.current_workspace().await.unwrap().unwrap();
    assert_eq!(
        (current.id, current.name.as_deref(), &*current.labels),
        (Some(7), Some("Shop"), &["a".to_owned()][..])
    );
}

#[tokio::test]
async fn unknown_enum_values_are_kept() {
    let consumer = json!({ "type": "ROBOT", "mfaMethods": ["PASSKEY"] });
    let server = odd_json(USER_LOGIN, json!({ "token": "t", "consumer": consumer })).await;
    let UserLoginOutcome::MfaRequired(challenge) = server.user_login().await.unwrap() else {
        panic!("a second factor that this version doesn't know is one all the same");
    };
    assert_eq!(challenge.methods(), [MfaMethod::Unknown("PASSKEY".into())]);

    let server = odd_json(
        USER_LOGIN,
        json!({ "token": "t", "consumer": { "type": "ROBOT" } }),
    )
    .await;
    let kind = server.user().await.user_info().unwrap().kind.clone();
    assert_eq!(kind, Some(ConsumerType::Unknown("ROBOT".into())));

    let server = odd_json(
        "/uauth/business-profile/ids",
        json!([{ "id": 1, "ipRestriction": "PARTLY" }]),
    )
    .await;
    let access = server.user().await.workspace_restrictions().await.unwrap();
    assert_eq!(
        access[0].ip_restriction,
        Some(AccessRestriction::Unknown("PARTLY".into()))
    );
    assert_eq!(access[0].mfa_restriction, None);

    let server = odd_json(PROFILE_LOGIN, json!({ "token": "t", "origin": "PASSPORT" })).await;
    let token = profile_login(&server).await.unwrap().token().await.unwrap();
    assert_eq!(token.origin(), Some(&TokenOrigin::Unknown("PASSPORT".into())));
}

// Missing fields, other types

#[tokio::test]
async fn optional_fields_may_be_missing_or_null() {
    for consumer in [
        json!(null),
        json!({}),
        json!({ "type": null, "id": null, "authorities": null, "mfaMethods": null }),
    ] {
        let server = odd_json(USER_LOGIN, json!({ "token": "t", "consumer": consumer })).await;
        let user = server.user().await;
        let info = user.user_info();
        assert!(info.is_none_or(|info| info.id.is_none() && info.authorities.is_empty()));
    }
    let server = odd_json(USER_LOGIN, json!({ "token": "t" })).await;
    assert_eq!(server.user().await.user_info(), None);

    for list in [
        json!([{}]),
        json!([{ "name": null, "created": null, "ipRestricted": null }]),
    ] {
        let server = odd_json("/uauth/business-profile/", list).await;
        let workspaces = server.user().await.workspaces().await.unwrap();
        assert_eq!(
            (workspaces.len(), workspaces[0].guid, workspaces[0].created),
            (1, None, None)
        );
    }
    let server = odd_json(
        CONDITIONAL,
        json!({ "status": "APPROVAL_REQUIRED", "conditions": null, "token": null }),
    )
    .await;
    match conditional_login(&server).await.unwrap() {
        ConditionalLoginOutcome::Unmet { status, conditions } => {
            assert_eq!(
                (status, conditions.len()),
                (ConditionalLoginStatus::ApprovalRequired, 0)
            );
        }
        other @ ConditionalLoginOutcome::LoggedIn(_) => panic!("{other:?}"),
    }
    let server = odd_json(CONDITIONAL, json!({ "token": "t" })).await;
    assert!(matches!(
        conditional_login(&server).await.unwrap(),
        ConditionalLoginOutcome::LoggedIn(_)
    ));
}

#[tokio::test]
async fn workspace_that_is_not_selected_has_no_data() {
    for answer in [
        json!({ "selected": false, "data": null }),
        json!({ "selected": false }),
        json!({ "selected": false, "data": { "id": 7 } }),
        json!({ "selected": null, "data": null }),
        json!({}),
    ] {
        let server = odd_json(CURRENT, answer).await;
        assert_eq!(server.user().await.current_workspace().await.unwrap(), None);
    }
}

#[tokio::test]
async fn empty_lists_may_come_as_null() {
    for path in ["/uauth/business-profile/", "/uauth/business-profile/ids"] {
        let server = odd_json(path, json!(null)).await;
        let user = server.user().await;
        if path.ends_with("ids") {
            assert!(user.workspace_restrictions().await.unwrap().is_empty());
        } else {
            assert!(user.workspaces().await.unwrap().is_empty());
        }
    }
    let server = odd_json(
        PERMISSIONS,
        json!({ "businessProfileName": "Shop", "permissions": null }),
    )
    .await;
    let check = server.workspace().check_permissions(["A"]).await.unwrap();
    assert!(check.permissions.is_empty() && !check.has("A"));
    assert_eq!(check.workspace_name.as_deref(), Some("Shop"));
}

#[tokio::test]
async fn numbers_strings_and_booleans_are_converted() {
    let answer = json!({
        "token": "t", "expiration": "4102444800", "created": "4102441200000", "customId": 17, "origin": "GOOGLE",
        "clientId": 433_230_288, "clientUuid": null
    });
    let server = odd(
        PROFILE_LOGIN,
        Answer::json(answer).header("date", "Thu, 31 Dec 2099 23:00:00 GMT"),
    )
    .await;
    let token = profile_login(&server).await.unwrap().token().await.unwrap();
    assert_eq!(
        (token.custom_id(), token.lifetime().as_secs()),
        (Some("17"), 3600)
    );
    assert_eq!(
        (token.profile_id(), token.profile_uuid()),
        (Some(433_230_288), None)
    );
    assert_eq!(token.origin(), Some(&TokenOrigin::Google));

    let answer = json!([{ "id": "7", "name": 8, "ipRestricted": "true", "mfaRequired": 0, "created": "2019-08-24T14:15:22.000+0000" }]);
    let server = odd_json("/uauth/business-profile/", answer).await;
    let workspaces = server.user().await.workspaces().await.unwrap();
    let workspace = &workspaces[0];
    assert_eq!((workspace.id, workspace.name.as_deref()), (Some(7), Some("8")));
    assert_eq!(
        (workspace.ip_restricted, workspace.mfa_required),
        (Some(true), Some(false))
    );
    assert_eq!(
        workspace.created.unwrap(),
        std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_566_656_122)
    );

    let answer = json!({ "permissions": { "A": "true", "B": 0, "C": 1 } });
    let server = odd_json(PERMISSIONS, answer).await;
    let check = server.workspace().check_permissions(["A"]).await.unwrap();
    assert_eq!(
        [check.has("A"), check.has("B"), check.has("C")],
        [true, false, true]
    );
}

#[tokio::test]
async fn unreadable_optional_field_is_left_out() {
    let answer = json!([{ "id": {}, "name": "Shop", "created": "yesterday", "logo": true }]);
    let server = odd_json("/uauth/business-profile/", answer).await;
    let workspaces = server.user().await.workspaces().await.unwrap();
    let workspace = &workspaces[0];
    assert_eq!(workspace.name.as_deref(), Some("Shop"));
    assert_eq!(
        (workspace.id, workspace.created, workspace.logo.as_deref()),
        (None, None, None)
    );
}

#[tokio::test]
async fn statistics_accept_unusual_numbers() {
    let path = "/business-profile-service/organizations/usage/stats/newDataPoints";
    let answer = json!([
        { "dailyUsageStatistics": { "day": "2025-05-29T00:00:00Z", "events": { "page.visit": "7" }, "total": 7.0 }, "totalAll": "12" },
        { "dailyUsageStatistics": null, "eventsTotal": null }
    ]);
    let server = odd_json(path, answer).await;
    let day = NaiveDate::from_ymd_opt(2025, 5, 29).unwrap();
    let query = UsageQuery::days(day, day).unwrap();
    let reports = server.user().await.new_data_points(&query).await.unwrap();
    let daily = reports[0].daily.as_ref().unwrap();
    assert_eq!(
        (daily.day, daily.events["page.visit"], daily.total),
        (Some(day), 7, Some(7))
    );
    assert_eq!((reports[0].total, reports[1].daily.as_ref()), (Some(12), None));

    let path = "/business-profile-service/organizations/usage/stats/retentionDataPoints";
    let server = odd_json(
        path,
        json!({ "averageAll": "9.5", "eventsAverage": { "a": 1, "b": 0.5 } }),
    )
    .await;
    let report = server.user().await.retention_data_points(&query).await.unwrap();
    assert_eq!(report.average, Some(9.5));
    assert_eq!(
        (report.events_average["a"], report.events_average["b"]),
        (1.0, 0.5)
    );
}

// Required fields

#[tokio::test]
async fn login_without_a_token_names_the_field() {
    for (answer, problem) in [
        (json!({}), "the field `token` is missing"),
        (json!({ "token": null }), "the field `token` is null"),
        (json!({ "token": {} }), "the field `token` is not a text"),
        (json!([]), "it is not an object"),
        (json!(null), "it is not an object"),
    ] {
        let server = odd_json(LOGIN, answer.clone()).await;
        let error = server.workspace().token().await.unwrap_err();
        assert!(error.kind() == ErrorKind::UnexpectedResponse, "{error}");
        assert!(error.to_string().contains(problem), "{answer}: {error}");
        assert_eq!(
            (error.operation(), error.status()),
            (Some("workspaceLogin"), Some(200))
        );

        let server = odd_json(USER_LOGIN, answer.clone()).await;
        let error = server.user_login().await.unwrap_err();
        assert!(error.to_string().contains(problem), "{answer}: {error}");
        let server = odd_json(PROFILE_LOGIN, answer.clone()).await;
        let error = profile_login(&server).await.unwrap_err();
        assert!(error.to_string().contains(problem), "{answer}: {error}");
    }
}

#[tokio::test]
async fn empty_token_is_an_error() {
    for path in [LOGIN, USER_LOGIN, PROFILE_LOGIN] {
        let server = odd_json(path, json!({ "token": "" })).await;
        let error = match path {
            LOGIN => server.workspace().token().await.unwrap_err(),
            USER_LOGIN => server.user_login().await.unwrap_err(),
            _ => profile_login(&server).await.unwrap_err(),
        };
        assert!(error.to_string().contains("`token` is empty"), "{error}");
    }
}

#[tokio::test]
async fn conditional_login_without_outcome_names_the_field() {
    for answer in [
        json!({}),
        json!({ "status": "SUCCESS" }),
        json!({ "status": null, "token": null }),
    ] {
        let server = odd_json(CONDITIONAL, answer).await;
        let error = conditional_login(&server).await.unwrap_err();
        assert!(
            error.to_string().contains("the field `token` is missing"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn unreadable_element_is_named_by_index() {
    let server = odd_json("/uauth/business-profile/", json!([null, 7])).await;
    let error = server.user().await.workspaces().await.unwrap_err();
    assert!(
        error.to_string().contains("the field `0` is not an object"),
        "{error}"
    );
}

#[tokio::test]
async fn raw_client_is_as_tolerant() {
    let answer = json!({ "selected": "TRUE", "data": { "id": "7", "name": 8, "labels": null } });
    let server = odd_json(CURRENT, answer).await;
    let current = server
        .workspace()
        .raw()
        .get_current_workspace()
        .await
        .unwrap()
        .into_inner();
    let data = current.data.unwrap();
    assert_eq!(
        (current.selected, data.id, data.name.as_deref()),
        (Some(true), Some(7), Some("8"))
    );
    let server = odd_json(LOGIN, json!({})).await;
    let error = server
        .workspace()
        .raw()
        .get_current_workspace()
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("the field `token` is missing"),
        "{error}"
    );
}

// Error responses

/// The error for a response with this body.
async fn refusal(status: u16, content_type: &str, body: impl Into<bytes::Bytes>) -> Error {
    let answer = Answer::new(status, content_type, body).status(status);
    let server = odd("/v4/clients", answer).await;
    let error = server.workspace().get("/v4/clients").await.unwrap_err();
    assert_eq!(error.status(), Some(status));
    let line = error.to_string();
    assert!(!line.contains('\n') && line.len() < 4000, "{line}");
    assert!(line.ends_with(&*error.advice()), "{line}");
    error
}

async fn json_refusal(status: u16, body: Value) -> Error {
    refusal(status, "application/json", body.to_string()).await
}

#[tokio::test]
async fn four_error_body_formats_are_read_into_one() {
    let profiles = json!({
        "error": "Bad Request", "message": "The request is not valid", "status": 400, "path": "/sauth/x",
        "timestamp": "2026-01-01T00:00:00Z", "traceId": "trace-1", "errorCode": "SAU-100",
        "errors": [{ "code": 17, "field": "email", "message": "is taken", "rejectedValue": "a@b.example" }]
    });
    let error = json_refusal(400, profiles).await;
    assert_eq!(
        (error.code(), error.trace_id()),
        (Some("SAU-100"), Some("trace-1"))
    );
    let [field] = error.field_errors() else {
        panic!("{error:?}")
    };
    assert_eq!(
        (
            field.field.as_deref(),
            field.code.as_deref(),
            field.message.as_deref()
        ),
        (Some("email"), Some("17"), Some("is taken"))
    );
    assert!(
        !format!("{error:?} {error}").contains("a@b.example"),
        "a rejected value may be a secret"
    );

    let users = json!({
        "path": "/uauth/x", "timestamp": "2026-01-01T00:00:00Z", "errorCode": 423, "status": 423, "message": "Locked", "traceId": "trace-2"
    });
    let error = json_refusal(423, users).await;
    assert_eq!((error.code(), error.trace_id()), (Some("423"), Some("trace-2")));
    assert_eq!(error.api().unwrap().message(), Some("Locked"));

    let gateway = json!({
        "error": "Forbidden", "message": "No", "path": "/v4/x", "status": 403, "timestamp": "t",
        "errors": [{ "code": "E1", "field": "x", "message": "m", "rejectedValue": "v" }]
    });
    let error = json_refusal(403, gateway).await;
    assert_eq!(error.api().unwrap().message(), Some("Forbidden: No"));
    assert_eq!(error.field_errors()[0].code.as_deref(), Some("E1"));

    let short = json!({ "status": 404, "error": "Not Found", "message": "Not Found here", "timestamp": 0 });
    let error = json_refusal(404, short).await;
    assert_eq!(error.api().unwrap().message(), Some("Not Found here"));

    let nested = json!({ "errors": [{ "path": "a.b", "errorCode": "X-1", "message": "m", "traceId": "t", "status": 400 }] });
    let error = json_refusal(400, nested).await;
    assert_eq!(error.field_errors()[0].to_string(), "a.b: X-1: m");
}

#[tokio::test]
async fn code_of_an_error_is_read_from_nearly_right_json() {
    let bodies: [&[u8]; 9] = [
        br#"{"errorCode":"SAU-601","message":"cut \ud83d"}"#,
        br#"{"errorCode":"SAU-601","took":1e999}"#,
        br#"{"errorCode":"SAU-601","took":NaN}"#,
        b"{\"errorCode\":\"SAU-601\",\"message\":\"b\xb3ad\"}",
        b"{\"errorCode\":\"SAU-601\",\"message\":\"two\nlines\"}",
        b"\xef\xbb\xbf\xef\xbb\xbf{\"errorCode\":\"SAU-601\"}",
        br#"{"ERROR_CODE":"sau-601"}"#,
        br#""{\"errorCode\":\"SAU-601\"}""#,
        br#"{"message":"{\"errorCode\":\"SAU-601\",\"traceId\":\"t\"}"}"#,
    ];
    for body in bodies {
        let error = refusal(400, "application/json", body).await;
        let body = String::from_utf8_lossy(body);
        assert_eq!(error.kind(), ErrorKind::DeviceIdRequired, "{body}: {error}");
        assert!(
            error
                .code()
                .is_some_and(|code| code.eq_ignore_ascii_case("SAU-601")),
            "{body}"
        );
    }
}

#[tokio::test]
async fn other_error_bodies_are_kept_and_truncated() {
    let html = "<html>\r\n<head><title>502 Bad Gateway</title></head></html>";
    let error = refusal(502, "text/html", html).await;
    assert!(
        error
            .api()
            .unwrap()
            .message()
            .unwrap()
            .contains("502 Bad Gateway")
    );
    assert!(error.is_retryable());

    assert_eq!(
        refusal(404, "text/plain", "").await.api().unwrap().message(),
        None
    );
    for odd in [
        json!({}),
        json!([1]),
        json!("no"),
        json!(null),
        json!({ "errors": "none" }),
        json!({ "errors": [null, 7, "x"] }),
    ] {
        json_refusal(400, odd).await;
    }

    let huge = refusal(500, "text/plain", "x".repeat(1_000_000)).await;
    assert!(huge.to_string().len() < 700);
    let huge = "word ".repeat(20_000);
    let body = json!({ "message": huge, "traceId": huge, "errors": vec![json!({ "field": huge, "message": huge }); 50] });
    let error = json_refusal(400, body).await;
    assert!(
        error.field_errors().len() > 3 && error.to_string().contains("more]"),
        "{error}"
    );

    let error = refusal(500, "application/json", &b"\xff\xfe{\"message\": \"\x80\"}"[..]).await;
    assert!(error.api().unwrap().message().unwrap().contains('\u{fffd}'));
    let error = json_refusal(400, json!({ "message": "two\nlines\u{1b}[31m" })).await;
    assert_eq!(error.api().unwrap().message(), Some("two lines [31m"));
}

#[tokio::test]
async fn unknown_error_codes_are_kept() {
    let error = json_refusal(403, json!({ "errorCode": "SAU-999", "message": "new" })).await;
    assert!(error.kind() == ErrorKind::Api);
    assert_eq!(error.code(), Some("SAU-999"));
}

#[tokio::test]
async fn current_workspace_may_be_described_without_an_envelope() {
    let flat =
        json!({ "id": 48, "businessProfileGuid": "00000000-0000-4000-8000-000000000001", "name": "Shop" });
    let server = odd_json(CURRENT, flat).await;
    let workspace = server.user().await.current_workspace().await.unwrap().unwrap();
    assert_eq!(
        (workspace.id, workspace.name.as_deref()),
        (Some(48), Some("Shop"))
    );

    for nothing in [json!({}), json!({ "id": null, "businessProfileGuid": null })] {
        let server = odd_json(CURRENT, nothing).await;
        assert_eq!(server.user().await.current_workspace().await.unwrap(), None);
    }
    // What can't be read is not what isn't there.
    let server = odd_json(CURRENT, json!({ "id": { "number": 48 } })).await;
    let error = server.user().await.current_workspace().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedResponse);
}
