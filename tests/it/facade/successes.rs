//! A status of success is not enough: an error that comes with it stays an error, and keeps the server's words.

use serde_json::{Value, json};
use synerise_auth::account::{
    AccountDeletion, AccountDevice, EmailChange, EmailConfirmation, NewAccount, PasswordChange,
    PhoneConfirmation,
};
use synerise_auth::chrono::NaiveDate;
use synerise_auth::error::ActivationMethod;
use synerise_auth::kind::Profile;
use synerise_auth::settings::Registration;
use synerise_auth::usage::UsageQuery;
use synerise_auth::{Error, ErrorKind, Identity, LoginId, Result, Session};

use crate::support::{Answer, Capture, key};

const LOGINS: [&str; 3] = [
    "/uauth/v2/auth/login/profile",
    "/uauth/auth/login/user",
    "/sauth/v3/auth/login/client/anonymous",
];

/// A server where logins succeed, and everything else is answered so.
async fn server(answer: Answer) -> Capture {
    Capture::answering(|target| !LOGINS.contains(&target), answer).await
}

/// A customer's session with such a server.
async fn customer(answer: Answer) -> (Capture, Session<Profile>) {
    let server = Capture::answering(|target| target != "/sauth/v3/auth/login/client", answer).await;
    let login = server.client().profile(key()).login(Identity::oauth("fake"));
    let profile = login.await.unwrap();
    (server, profile)
}

/// The calls whose successes have no documented body.
async fn calls_without_a_body(answer: &Answer) -> Vec<(&'static str, Result<()>)> {
    let server = server(answer.clone()).await;
    let visitor = server.client().anonymous(key(), "u-1");
    let account = AccountDevice::new("a@b.example", "u-1", "device-1");
    let newcomer = NewAccount::new("a@b.example", "Not-a-real-1", "u-1");
    let (_server, profile) = customer(answer.clone()).await;
    let (_other_server, deleting) = customer(answer.clone()).await;
    let change = PasswordChange::new("old", "new");
    vec![
        (
            "requestPasswordReset",
            visitor.request_password_reset("a@b.example").await,
        ),
        ("confirmPasswordReset", visitor.reset_password("fake", "b").await),
        ("changePassword", profile.change_password(change).await),
        (
            "requestEmailChange",
            profile
                .request_email_change(EmailChange::by_password("a@b.example", "old"))
                .await,
        ),
        (
            "confirmEmailChange",
            profile.confirm_email_change(EmailConfirmation::new("fake")).await,
        ),
        (
            "requestPhoneChange",
            profile.request_phone_change("+48000000000").await,
        ),
        (
            "confirmPhoneChange",
            profile
                .confirm_phone_change(PhoneConfirmation::new("+48000000000", "fake"))
                .await,
        ),
        ("registerProfile", visitor.register(newcomer).await),
        (
            "confirmActivationByPin",
            visitor.activate_by_pin(&account, "123456").await,
        ),
        ("requestActivationPin", visitor.resend_pin(&account).await),
        (
            "confirmActivationByToken",
            visitor.activate_by_token("fake").await,
        ),
        (
            "requestActivationToken",
            visitor.resend_activation_token("a@b.example").await,
        ),
        (
            "deleteAccount",
            deleting.delete_account(AccountDeletion::by_password("old")).await,
        ),
        ("logOutProfile", server.workspace().log_out_profile(17).await),
        // The last call: after a success, the session has ended.
        ("logOut", visitor.log_out().await),
    ]
}

/// The calls whose successes have a documented body, with errors only.
async fn calls_with_a_body(answer: &Answer) -> Vec<(&'static str, Option<Error>)> {
    let server = server(answer.clone()).await;
    let (workspace, user) = (server.workspace(), server.user().await);
    let (client, profiles) = (server.client(), server.client().profile(key()));
    let (profiles_again, visitor) = (profiles.clone(), client.anonymous(key(), "u-1"));
    let day = NaiveDate::from_ymd_opt(2025, 5, 29).unwrap();
    let usage = UsageQuery::days(day, day).unwrap();
    let settings = workspace.profile_settings();
    vec![
        ("getProfileSettings", settings.get().await.err()),
        (
            "getProfileSettings",
            settings
                .update(|settings| settings.registration = Registration::Automatic)
                .await
                .err(),
        ),
        ("getIpPolicy", workspace.ip_policy().get().await.err()),
        ("getCurrentWorkspace", user.current_workspace().await.err()),
        ("listWorkspaces", user.workspaces().await.err()),
        ("listWorkspaceIds", user.workspace_restrictions().await.err()),
        ("checkPermissions", workspace.check_permissions(["A"]).await.err()),
        ("newDataPointsStats", user.new_data_points(&usage).await.err()),
        (
            "retentionDataPointsStats",
            user.retention_data_points(&usage).await.err(),
        ),
        (
            "authenticateProfile",
            profiles.clone().login(Identity::oauth("fake")).await.err(),
        ),
        (
            "authenticateProfileConditionally",
            profiles.login_if_allowed(Identity::oauth("fake")).await.err(),
        ),
        (
            "authenticateSimply",
            profiles_again
                .simple_login(&visitor, LoginId::email("a@b.example"))
                .await
                .err(),
        ),
        (
            "authenticateIncognito",
            client.incognito(key(), "u-1").token().await.err(),
        ),
        ("getPublicKey", client.public_key().await.err()),
    ]
}

fn documented(code: &str) -> Value {
    json!({ "status": 403, "error": "Forbidden", "message": "not yet", "errorCode": code, "traceId": "trace-1", "path": "/sauth" })
}

#[tokio::test]
async fn call_without_a_body_fails_by_an_error_in_a_success() {
    for status in [200, 201] {
        let answer = Answer::json(documented("SAU-303")).status(status);
        for (operation, outcome) in calls_without_a_body(&answer).await {
            let error = outcome.expect_err(operation);
            assert_eq!(
                error.kind(),
                ErrorKind::ActivationRequired(ActivationMethod::Pin),
                "{error}"
            );
            assert_eq!(
                (error.code(), error.trace_id()),
                (Some("SAU-303"), Some("trace-1"))
            );
            assert_eq!(
                (error.operation(), error.status()),
                (Some(operation), Some(status))
            );
            assert!(error.to_string().contains("not yet"), "{error}");
        }
    }
}

#[tokio::test]
async fn call_without_a_body_fails_by_whatever_says_error() {
    for body in [
        json!({ "error": "Bad Request", "message": "no" }),
        json!({ "error": { "code": 7 } }),
        json!({ "errors": [{ "field": "email", "message": "is taken" }] }),
        json!({ "errors": { "email": "is taken" } }),
        json!({ "status": 400, "message": "no" }),
        json!({ "status": "400" }),
        json!({ "status": "ERROR", "message": "no" }),
        json!({ "status": "failed" }),
        json!({ "code": "SAU-601", "message": "no" }),
        json!({ "code": 500, "message": "no" }),
        json!({ "error_description": "no" }),
        json!({ "success": false }),
        json!({ "Error": "no" }),
        json!({ "ERRORS": ["no"] }),
        json!({ "error_code": 5 }),
        json!({ "ErrorCode": "SAU-601" }),
        json!({ "errorMessage": "no" }),
        json!({ "fault": { "faultstring": "no" } }),
        json!({ "exception": "no" }),
        json!({ "Success": false }),
        json!({ "success": "False" }),
        json!({ "success": 0 }),
        json!({ "ok": false }),
        json!({ "failed": true }),
        json!({ "Status": "ERROR" }),
        json!({ "status": "400 BAD_REQUEST" }),
        json!({ "status": "BAD_REQUEST" }),
        json!({ "statusCode": 400, "message": "no" }),
        json!({ "httpStatus": "500" }),
        json!({ "Code": "sau-601" }),
        json!(false),
        json!([{ "errorCode": "SAU-601" }]),
    ] {
        for (operation, outcome) in calls_without_a_body(&Answer::json(body.clone())).await {
            assert!(outcome.is_err(), "{operation}: {body}");
        }
    }
}

#[tokio::test]
async fn call_without_a_body_fails_by_a_body_that_is_not_json() {
    for (content_type, body) in [
        ("text/html", "<html><title>Welcome</title></html>"),
        ("application/json", "<html></html>"),
        ("text/plain", "OK"),
        ("application/json", "{\"status\": "),
        ("application/xml", "<ok/>"),
    ] {
        for (operation, outcome) in calls_without_a_body(&Answer::new(200, content_type, body)).await {
            let error = outcome.expect_err(operation);
            assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{error}");
            assert!(!error.to_string().contains("Welcome"), "{error}");
        }
    }
}

#[tokio::test]
async fn call_without_a_body_succeeds_without_one_or_by_any_other_json() {
    for answer in [
        Answer::new(204, "text/plain", ""),
        Answer::new(200, "text/html", ""),
        Answer::new(200, "application/json", " \r\n"),
        Answer::new(200, "application/json", "\u{feff}{}"),
        Answer::json(json!(null)),
        Answer::json(json!({})),
        Answer::json(json!([])),
        Answer::json(json!({ "status": "OK", "message": "sent" })),
        Answer::json(
            json!({ "status": 200, "error": null, "errors": [], "errorCode": null, "code": 0, "success": true }),
        ),
        Answer::json(json!({ "error": false, "errorCode": "" })),
    ] {
        for (operation, outcome) in calls_without_a_body(&answer).await {
            assert!(outcome.is_ok(), "{operation}: {answer:?}: {outcome:?}");
        }
    }
}

#[tokio::test]
async fn call_with_a_body_keeps_the_code_of_an_error_in_a_success() {
    for (operation, error) in calls_with_a_body(&Answer::json(documented("SAU-302"))).await {
        let error = error.expect(operation);
        assert_eq!(
            error.kind(),
            ErrorKind::ActivationRequired(ActivationMethod::Link),
            "{error}"
        );
        assert_eq!(
            (error.code(), error.trace_id()),
            (Some("SAU-302"), Some("trace-1"))
        );
        assert_eq!(error.operation(), Some(operation));
    }
}

#[tokio::test]
async fn login_that_is_refused_with_a_success_is_a_refusal() {
    let server = Capture::start(|_| Answer::json(documented("SAU-601"))).await;
    let error = server.workspace().token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeviceIdRequired, "{error}");
    let error = server.user_login().await.unwrap_err();
    assert_eq!(error.code(), Some("SAU-601"));
    let visitor = server.client().anonymous(key(), "u-1");
    assert_eq!(visitor.token().await.unwrap_err().code(), Some("SAU-601"));
}

#[tokio::test]
async fn field_named_error_beside_documented_ones_is_not_an_error() {
    let body = json!({ "selected": true, "data": { "name": "Shop" }, "errors": [{ "code": 1 }] });
    let server = server(Answer::json(body)).await;
    assert!(server.user().await.current_workspace().await.unwrap().is_some());
}
