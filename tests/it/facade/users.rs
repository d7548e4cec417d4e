//! Users of the portal: password, second factor, workspaces, statistics.

use std::time::Duration;

use synerise_auth::chrono::NaiveDate;
use synerise_auth::model::{AccessRestriction, ConsumerType, ExternalProviderType, MfaMethod};
use synerise_auth::session::MfaChallenge;
use synerise_auth::usage::UsageQuery;
use synerise_auth::{ErrorKind, UserLoginOutcome};
use synerise_auth_emulator::Fault;

use crate::support::{PASSWORD, TestEnv, USER};

/// A login that is asked for a second factor.
async fn challenge(env: &TestEnv, username: &str, password: &str) -> MfaChallenge {
    match env.client.user().login(username, password).await.unwrap() {
        UserLoginOutcome::MfaRequired(challenge) => challenge,
        UserLoginOutcome::Complete(_) => panic!("no second factor was asked for"),
    }
}

#[tokio::test]
async fn login_without_second_factor_is_complete() {
    let env = TestEnv::new().await;
    let user = env.user().await.unwrap();
    let info = user.user_info().unwrap();
    assert_eq!(info.kind, Some(ConsumerType::User));
    assert_eq!(info.name.as_deref(), Some(USER));
    assert_eq!((info.workspace_id, info.authorities.len()), (None, 0));
}

#[tokio::test]
async fn totp_code_completes_the_login() {
    let env = TestEnv::new().await;
    let seeded = env.emulator.user();
    let challenge = challenge(&env, &seeded.username, &seeded.password).await;
    assert_eq!(challenge.methods(), [MfaMethod::Totp]);
    let user = challenge
        .verify(MfaMethod::Totp, env.emulator.totp_code())
        .await
        .unwrap();
    user.select_workspace(env.emulator.workspace().guid.as_str())
        .await
        .unwrap();
}

#[tokio::test]
async fn right_code_is_accepted_after_wrong_ones() {
    let env = TestEnv::new().await;
    let seeded = env.emulator.user();
    let challenge = challenge(&env, &seeded.username, &seeded.password).await;
    for _ in 0..3 {
        let error = challenge.verify(MfaMethod::Totp, "000000").await.unwrap_err();
        assert!(
            (error.kind() == ErrorKind::Api && error.status() == Some(401)),
            "{error}"
        );
    }
    challenge
        .verify(MfaMethod::Totp, env.emulator.totp_code())
        .await
        .unwrap();
    assert_eq!(env.emulator.count("userLogin"), 1);
}

#[tokio::test]
async fn emailed_code_completes_the_login() {
    let env = TestEnv::new().await;
    let address = "mail@example.com";
    env.emulator.add_user_with_email_codes(address, PASSWORD);
    let challenge = challenge(&env, address, PASSWORD).await;
    assert_eq!(challenge.methods(), [MfaMethod::Email]);
    let code = env.emulator.last_message(address).unwrap().secret;
    let user = challenge.verify(MfaMethod::Email, code).await.unwrap();
    assert_eq!(user.workspaces().await.unwrap().len(), 1);
}

#[tokio::test]
async fn device_is_trusted_for_8_hours() {
    let env = TestEnv::new().await;
    let seeded = env.emulator.user();
    let login = || {
        env.client
            .user()
            .login(&seeded.username, &*seeded.password)
            .device_id("laptop")
    };
    let UserLoginOutcome::MfaRequired(challenge) = login().await.unwrap() else {
        panic!("the device is known already");
    };
    challenge
        .verify(MfaMethod::Totp, env.emulator.totp_code())
        .await
        .unwrap();
    assert!(matches!(login().await.unwrap(), UserLoginOutcome::Complete(_)));
    env.pass(Duration::from_secs(8 * 3600));
    assert!(matches!(login().await.unwrap(), UserLoginOutcome::MfaRequired(_)));
}

#[tokio::test]
async fn login_can_carry_an_external_providers_token() {
    let env = TestEnv::new().await;
    env.emulator.add_third_party_token("GOOGLE", "google-token", USER);
    let login = |token: &'static str| {
        let login = env.client.user().login(USER, PASSWORD);
        login.external_provider(ExternalProviderType::Google, token)
    };
    login("google-token").await.unwrap();
    assert_eq!(login("another").await.unwrap_err().status(), Some(401));
}

#[tokio::test]
async fn missing_required_field_is_named() {
    let env = TestEnv::new().await;
    for (username, password, what) in [("", "x", "user name"), ("x", "", "password")] {
        let error = env.client.user().login(username, password).await.unwrap_err();
        assert!(error.kind() == ErrorKind::InvalidInput && error.to_string().starts_with(what));
    }
    assert_eq!(env.emulator.count("userLogin"), 0);
}

#[tokio::test]
async fn user_lists_workspaces_and_selects_one() {
    let env = TestEnv::new().await;
    let restricted = env.emulator.add_workspace("Second").guid;
    env.emulator.require_second_factor(&restricted);
    let seeded = env.emulator.user();
    let user = challenge(&env, &seeded.username, &seeded.password)
        .await
        .verify(MfaMethod::Totp, env.emulator.totp_code())
        .await
        .unwrap();
    assert_eq!(user.current_workspace().await.unwrap(), None);

    let workspaces = user.workspaces().await.unwrap();
    let names: Vec<_> = workspaces
        .iter()
        .filter_map(|workspace| workspace.name.as_deref())
        .collect();
    assert!(names.contains(&"Second"), "{names:?}");
    let second = workspaces
        .iter()
        .find(|workspace| workspace.guid.map(|guid| guid.to_string()).as_deref() == Some(&*restricted))
        .unwrap();
    assert_eq!(
        (second.mfa_required, second.ip_restricted),
        (Some(true), Some(false))
    );
    assert!(second.created.is_some());

    let access = user.workspace_restrictions().await.unwrap();
    let second = access.iter().find(|access| access.id == second.id).unwrap();
    assert_eq!(second.ip_restriction, Some(AccessRestriction::Off));
    // Only OFF is published; whatever else comes is kept.
    assert_eq!(
        second.mfa_restriction,
        Some(AccessRestriction::Unknown("ON".into()))
    );

    let inside = user.select_workspace(&*restricted).await.unwrap();
    let info = inside.user_info().unwrap();
    assert_eq!(info.workspace_id, second.id);
    assert!(!info.authorities.is_empty());
    let current = inside.current_workspace().await.unwrap().unwrap();
    assert_eq!(current.guid.unwrap().to_string(), restricted);
    assert_eq!(current.name.as_deref(), Some("Second"));
    // The session that selected it has not changed.
    assert_eq!(user.current_workspace().await.unwrap(), None);
}

#[tokio::test]
async fn invalid_workspace_guid_is_refused_before_sending() {
    let env = TestEnv::new().await;
    let user = env.user().await.unwrap();
    for text in ["", "../../../v4/clients", "not-a-guid"] {
        let error = user.select_workspace(text).await.unwrap_err();
        assert!(
            error.to_string().starts_with("workspace is not a GUID"),
            "{error}"
        );
    }
    assert_eq!(env.emulator.count("selectWorkspace"), 0);
}

#[tokio::test]
async fn locked_workspace_leaves_the_user_logged_in() {
    let env = TestEnv::new().await;
    let user = env.user().await.unwrap();
    env.emulator.lock_workspace(&env.emulator.workspace().guid);
    let error = user
        .select_workspace(env.emulator.workspace().guid.as_str())
        .await
        .unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(423), Some("UAU-423")));
    assert!(error.trace_id().is_some());
    user.workspaces().await.unwrap();
}

#[tokio::test]
async fn expired_user_session_says_what_to_do() {
    let env = TestEnv::new().await;
    let user = env.user().await.unwrap();
    env.emulator.revoke_tokens();
    for _ in 0..2 {
        let error = user.workspaces().await.unwrap_err();
        assert!(error.kind() == ErrorKind::SessionExpired, "{error}");
        assert!(
            error
                .to_string()
                .ends_with("let the user log in again, and select the workspace again")
        );
    }
    // The refusal that ended it is the cause, with the id that support asks for.
    let env = TestEnv::new().await;
    let user = env.user().await.unwrap();
    env.emulator.revoke_tokens();
    let error = user.workspaces().await.unwrap_err();
    assert_eq!(
        (error.status(), error.operation()),
        (Some(401), Some("listWorkspaces"))
    );
    assert!(error.trace_id().is_some());
    assert_eq!(env.emulator.count("listWorkspaces"), 1);
}

#[tokio::test]
async fn statistics_are_typed_and_filtered() {
    let env = TestEnv::new().await;
    env.emulator.record_events("2025-05-29", "page.visit", 7);
    env.emulator.record_events("2025-05-30", "page.visit", 3);
    env.emulator.record_events("2025-05-30", "product.buy", 2);
    let user = env.user_in_workspace().await.unwrap();
    let day = |day| NaiveDate::from_ymd_opt(2025, 5, day).unwrap();
    let query = UsageQuery::days(day(29), day(30)).unwrap();

    let days = user.new_data_points(&query).await.unwrap();
    let totals: Vec<_> = days
        .iter()
        .map(|report| {
            report
                .daily
                .as_ref()
                .and_then(|daily| Some((daily.day?, daily.total?)))
        })
        .collect();
    assert_eq!(totals, [Some((day(29), 7)), Some((day(30), 5))]);
    assert_eq!(
        (days[0].total, days[0].events_total["page.visit"]),
        (Some(12), 10)
    );

    let bought = query.clone().with_actions(["product.buy"]);
    let days = user.new_data_points(&bought).await.unwrap();
    assert_eq!(days[0].total, Some(2));
    let elsewhere =
        query
            .clone()
            .with_workspaces([env.emulator.add_workspace("Other").guid.parse().unwrap()]);
    let days = user.new_data_points(&elsewhere).await.unwrap();
    assert_eq!(days[0].total, Some(0));

    let kept = user.retention_data_points(&query).await.unwrap();
    // 7 were kept on the first day, 12 on the second.
    assert_eq!(kept.average, Some(9.5));
    assert_eq!(kept.events_average.get("page.visit"), Some(&8.5));
    assert_eq!(kept.daily.unwrap().day, Some(day(30)));
}

#[tokio::test]
async fn reversed_range_of_days_is_refused() {
    let day = |day| NaiveDate::from_ymd_opt(2025, 5, day).unwrap();
    let error = UsageQuery::days(day(30), day(29)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "range of days ends on 2025-05-29, before it begins on 2025-05-30; swap the days"
    );
    assert!(UsageQuery::days(day(29), day(29)).is_ok());
}

#[tokio::test]
async fn one_endpoints_401_does_not_end_a_user_session() {
    let env = TestEnv::new().await;
    let user = env.user().await.unwrap();
    env.emulator
        .faults()
        .on("newDataPointsStats")
        .always(Fault::status(401));
    let day = NaiveDate::from_ymd_opt(2025, 5, 29).unwrap();
    let query = UsageQuery::days(day, day).unwrap();
    let error = user.new_data_points(&query).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Api, "{error}");
    env.emulator
        .faults()
        .on("getCurrentWorkspace")
        .then(Fault::status(401));
    let error = user.get("/uauth/business-profile/current").await.unwrap_err();
    assert_eq!(
        (error.status(), (error.kind() == ErrorKind::Api)),
        (Some(401), true)
    );
    user.workspaces().await.unwrap();
}
