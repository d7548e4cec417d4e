//! Every operation of the document, with its success and each documented refusal.
//!
//! The table comes from the document: an operation that `call` does not know fails these tests.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use serde_json::Value;
use synerise_auth::account::{
    AccountDeletion, AccountDevice, EmailChange, EmailConfirmation, NewAccount, PasswordChange,
    PhoneConfirmation,
};
use synerise_auth::chrono::NaiveDate;
use synerise_auth::model::MfaMethod;
use synerise_auth::settings::Registration;
use synerise_auth::usage::UsageQuery;
use synerise_auth::{ErrorKind, LoginId, Result, UserLoginOutcome};
use synerise_auth_emulator::Fault;

use crate::support::{CUSTOMER, DEVICE, NEWCOMER, PASSWORD, TestEnv, VISITOR, customer, pin_for_everyone};

const PHONE: &str = "+48000000000";

/// The operations, each with its documented refusals.
fn document() -> BTreeMap<String, Vec<String>> {
    let document: Value = serde_json::from_str(include_str!("../../../openapi/synerise-auth.json")).unwrap();
    let paths = document["paths"].as_object().unwrap().values();
    let items = paths.flat_map(|path| path.as_object().unwrap().values());
    items
        .filter_map(|item| {
            let id = item["operationId"].as_str()?;
            let statuses = item["responses"].as_object().unwrap().keys();
            let refusals = statuses.filter(|status| !status.starts_with('2')).cloned();
            Some((id.to_owned(), refusals.collect()))
        })
        .collect()
}

/// Makes whatever calls lead to an operation, then calls it.
#[allow(clippy::too_many_lines, reason = "a table of all operations")]
async fn call(operation: &str, env: &TestEnv) -> Result<()> {
    let (emulator, client, workspace) = (&env.emulator, &env.client, env.workspace());
    // Held from here on: once dropped, a session would begin anew.
    let visitor = env.visitor();
    let newcomer = AccountDevice::new(NEWCOMER, VISITOR, DEVICE);
    let register = async |mode: Registration| {
        let settings = workspace.profile_settings();
        settings.update(|settings| settings.registration = mode).await?;
        let account = NewAccount::new(NEWCOMER, PASSWORD, VISITOR).device_id(DEVICE);
        visitor.register(account).await
    };
    let by_mail = Registration::Other("REQUIRE_EMAIL_ACTIVATION".into());
    let day = NaiveDate::from_ymd_opt(2025, 5, 30).unwrap();
    let usage = UsageQuery::days(day, day)?;
    match operation {
        "userLogin" => drop(env.user().await?),
        "userMfaLogin" => {
            let user = emulator.user();
            match client.user().login(&user.username, &*user.password).await? {
                UserLoginOutcome::MfaRequired(challenge) => {
                    drop(challenge.verify(MfaMethod::Totp, emulator.totp_code()).await?);
                }
                UserLoginOutcome::Complete(_) => panic!("the user has a second factor"),
            }
        }
        "selectWorkspace" => drop(env.user_in_workspace().await?),
        "listWorkspaces" => assert_eq!(env.user().await?.workspaces().await?.len(), 1),
        "listWorkspaceIds" => assert_eq!(env.user().await?.workspace_restrictions().await?.len(), 1),
        "getCurrentWorkspace" => {
            let user = env.user_in_workspace().await?;
            assert!(user.current_workspace().await?.is_some());
        }
        "newDataPointsStats" => drop(env.user().await?.new_data_points(&usage).await?),
        "retentionDataPointsStats" => drop(env.user().await?.retention_data_points(&usage).await?),
        "workspaceLogin" => drop(workspace.token().await?),
        "refreshWorkspaceToken" => drop(workspace.refresh().await?),
        "checkPermissions" => {
            let permission = "SAUTH_SERVER_LOGIN_CLIENT_CREATE";
            assert!(workspace.check_permissions([permission]).await?.has(permission));
        }
        "authenticateProfile" => drop(env.profile().await?),
        "authenticateProfileConditionally" => {
            let access = client.profile(env.profile_key());
            drop(access.login_if_allowed(customer(PASSWORD)).await?);
        }
        "authenticateProfileServerSide" => {
            let address = IpAddr::from([192, 0, 2, 17]);
            let login = workspace.login_profile(env.profile_key(), customer(PASSWORD), address);
            drop(login.await?);
        }
        "authenticateAnonymously" => drop(visitor.token().await?),
        "refreshProfileToken" => {
            let profile = env.profile().await?;
            let first = profile.token().await?;
            env.pass(Duration::from_secs(60));
            let second = profile.token_valid_for(first.lifetime()).await?;
            assert_ne!(first.expose(), second.expose());
        }
        "registerProfile" => {
            let account = NewAccount::new(NEWCOMER, PASSWORD, VISITOR);
            visitor.register(account).await?;
        }
        "confirmActivationByPin" => {
            register(pin_for_everyone()).await?;
            visitor.activate_by_pin(&newcomer, env.sent_to_newcomer()).await?;
        }
        "requestActivationPin" => {
            register(pin_for_everyone()).await?;
            visitor.resend_pin(&newcomer).await?;
        }
        "confirmActivationByToken" => {
            register(by_mail).await?;
            visitor.activate_by_token(env.sent_to_newcomer()).await?;
        }
        "requestActivationToken" => {
            register(by_mail).await?;
            visitor.resend_activation_token(NEWCOMER).await?;
        }
        "requestPasswordReset" => visitor.request_password_reset(CUSTOMER).await?,
        "confirmPasswordReset" => {
            visitor.request_password_reset(CUSTOMER).await?;
            let token = emulator.last_message(CUSTOMER).unwrap().secret;
            visitor.reset_password(token, "Not-a-real-2").await?;
        }
        "changePassword" => {
            let change = PasswordChange::new(PASSWORD, "Not-a-real-2");
            env.profile().await?.change_password(change).await?;
        }
        "requestEmailChange" => {
            let change = EmailChange::by_password(NEWCOMER, PASSWORD);
            env.profile().await?.request_email_change(change).await?;
        }
        "confirmEmailChange" => {
            let profile = env.profile().await?;
            let change = EmailChange::by_password(NEWCOMER, PASSWORD);
            profile.request_email_change(change).await?;
            let confirmation = EmailConfirmation::new(env.sent_to_newcomer());
            profile.confirm_email_change(confirmation).await?;
        }
        "requestPhoneChange" => env.profile().await?.request_phone_change(PHONE).await?,
        "confirmPhoneChange" => {
            let profile = env.profile().await?;
            profile.request_phone_change(PHONE).await?;
            let code = emulator.last_message(PHONE).unwrap().secret;
            let confirmation = PhoneConfirmation::new(PHONE, code);
            profile.confirm_phone_change(confirmation).await?;
        }
        "logOut" => env.profile().await?.log_out().await?,
        "logOutProfile" => {
            let id = env.profile().await?.token().await?.profile_id().unwrap();
            workspace.log_out_profile(id).await?;
        }
        "deleteAccount" => {
            let deletion = AccountDeletion::by_password(PASSWORD);
            env.profile().await?.delete_account(deletion).await?;
        }
        "authenticateSimply" => {
            let login = client.profile(env.profile_key());
            drop(login.simple_login(&visitor, LoginId::email(NEWCOMER)).await?);
        }
        "authenticateIncognito" => {
            drop(client.incognito(env.profile_key(), VISITOR).token().await?);
        }
        "getProfileSettings" => drop(workspace.profile_settings().get().await?),
        "replaceProfileSettings" => {
            let mode = Registration::pin(6, Duration::from_secs(300));
            let settings = workspace.profile_settings();
            let changes = settings.update(|settings| settings.registration = mode).await?;
            assert!(!changes.is_empty());
        }
        "getIpPolicy" => drop(workspace.ip_policy().get().await?),
        "replaceIpPolicy" => {
            let policy = workspace.ip_policy();
            let changes = policy
                .update(|policy| policy.addresses.push("192.0.2.17".into()))
                .await?;
            assert!(!changes.is_empty());
        }
        "getPublicKey" => assert_eq!(client.public_key().await?, emulator.public_key_pem()),
        unknown => panic!("no test calls the operation {unknown}: add it to this table"),
    }
    Ok(())
}

#[tokio::test]
async fn every_operation_succeeds() {
    for operation in document().into_keys() {
        let env = TestEnv::new().await;
        let result = call(&operation, &env).await;
        assert!(result.is_ok(), "{operation}: {result:?}");
        let statuses = env.statuses(&operation);
        assert!(
            matches!(statuses[..], [.., 200..=299]),
            "{operation}: {statuses:?}"
        );
    }
}

#[tokio::test]
async fn every_documented_refusal_reaches_the_caller() {
    for (operation, refusals) in document() {
        for documented in refusals {
            let status = match documented.as_str() {
                "4XX" => 409,
                "5XX" => 500,
                status => status.parse().expect("a status that the table understands"),
            };
            let env = TestEnv::new().await;
            env.emulator.faults().on(&operation).always(Fault::status(status));
            let error = call(&operation, &env).await.unwrap_err();
            let what = format!("{operation} {documented}: {error}");
            assert_eq!(error.status(), Some(status), "{what}");
            assert_eq!(error.operation(), Some(operation.as_str()), "{what}");
            let answered: BTreeSet<_> = env.statuses(&operation).into_iter().collect();
            assert!(answered.contains(&status), "{what}: {answered:?}");
            assert!(
                !error.to_string().contains('\n') && !error.advice().is_empty(),
                "{what}"
            );
        }
    }
}

/// The operations that Synerise does not document, and whether their success has a body.
fn undocumented() -> Vec<(String, bool)> {
    let document: Value = serde_json::from_str(include_str!("../../../openapi/synerise-auth.json")).unwrap();
    let paths = document["paths"].as_object().unwrap().values();
    let items = paths.flat_map(|path| path.as_object().unwrap().values());
    items
        .filter(|item| ["observed", "inferred"].contains(&item["x-evidence"].as_str().unwrap_or_default()))
        .map(|item| {
            let responses = item["responses"].as_object().unwrap();
            let mut successes = responses.iter().filter(|(status, _)| status.starts_with('2'));
            let has_body = successes.any(|(_, success)| success.get("content").is_some());
            (item["operationId"].as_str().unwrap().to_owned(), has_body)
        })
        .collect()
}

#[tokio::test]
async fn every_undocumented_answer_of_an_undocumented_operation_reaches_the_caller() {
    let operations = undocumented();
    assert!(operations.len() >= 13, "{operations:?}");
    for (operation, has_body) in operations {
        let page = "<html><title>Welcome</title></html>";
        for (fault, status, expected) in [
            (Fault::status(418), 418, Some(ErrorKind::Api)),
            (Fault::body(502, "text/html", page), 502, Some(ErrorKind::Api)),
            (Fault::body(403, "text/plain", ""), 403, Some(ErrorKind::Api)),
            (Fault::html(), 200, Some(ErrorKind::UnexpectedResponse)),
            (
                Fault::body(200, "application/json", ""),
                200,
                has_body.then_some(ErrorKind::UnexpectedResponse),
            ),
        ] {
            let env = TestEnv::new().await;
            env.emulator.faults().on(&operation).always(fault);
            let result = call(&operation, &env).await;
            let what = format!("{operation} {status}: {result:?}");
            assert_eq!(env.statuses(&operation).last(), Some(&status), "{what}");
            let Some(mut expected) = expected else {
                assert!(result.is_ok(), "{what}");
                continue;
            };
            // The one status that the app's own texts explain.
            let explained = ["changePassword", "requestEmailChange", "confirmEmailChange"];
            if status == 403 && explained.contains(&operation.as_str()) {
                expected = ErrorKind::WrongCredential;
            }
            let error = result.expect_err(&what);
            assert_eq!(error.kind(), expected, "{what}");
            assert_eq!(error.operation(), Some(operation.as_str()), "{what}");
            let line = error.to_string();
            if expected == ErrorKind::UnexpectedResponse {
                assert!(!line.contains("Welcome"), "{what}");
            } else {
                assert_eq!(error.status(), Some(status), "{what}");
            }
            assert!(!line.contains('\n'), "{what}");
        }
    }
}
