//! Every operation of the document, with its success and each documented refusal.
//!
//! The table comes from the document: an operation that nothing here calls fails these tests. Run with `--nocapture` to see
//! it. A refusal is the emulator's own where it can be brought about; where the meaning of a status is not published (406,
//! say), the emulator is told to answer it.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use serde_json::Value;
use synerise_auth::chrono::NaiveDate;
use synerise_auth::uuid::Uuid;
use synerise_auth::{
    AccountDevice, ApiKey, Identity, LoginId, MfaMethod, NewAccount, Registration, Result, UsageQuery,
    UserLogin,
};
use synerise_auth_emulator::{Assumptions, Fault, UnmetCondition};

use crate::scene::{CUSTOMER, DEVICE, PASSWORD, Scene, USER, VISITOR, pin_for_everyone};

const NEWCOMER: &str = "new@example.com";

/// The operations and their documented statuses.
fn document() -> Vec<(String, String)> {
    let document: Value = serde_json::from_str(include_str!("../../openapi/synerise-auth.json")).unwrap();
    let paths = document["paths"].as_object().unwrap().values();
    let items = paths.flat_map(|path| path.as_object().unwrap().values());
    let mut table = Vec::new();
    for operation in items.filter(|item| item["operationId"].is_string()) {
        let id = operation["operationId"].as_str().unwrap();
        for status in operation["responses"].as_object().unwrap().keys() {
            table.push((id.to_owned(), status.clone()));
        }
    }
    table
}

/// What a call is made with.
#[derive(Clone)]
struct Input {
    password: &'static str,
    user_password: &'static str,
    code: Option<&'static str>,
    method: MfaMethod,
    email: &'static str,
    newcomer: &'static str,
    guid: Option<Uuid>,
    pin: Option<&'static str>,
    device: &'static str,
    activation_token: Option<&'static str>,
    address: &'static str,
    pin_length: u32,
    last_day: NaiveDate,
    workspace_key: Option<String>,
}

/// How a refusal comes about.
struct Way {
    status: u16,
    choose: fn(&mut Assumptions),
    arrange: fn(&Scene, &mut Input),
    /// What happens right before the call.
    spoil: fn(&Scene),
}

impl Way {
    fn new(status: u16) -> Self {
        Self {
            status,
            choose: |_| {},
            arrange: |_, _| {},
            spoil: |_| {},
        }
    }

    fn by_input(status: u16, arrange: fn(&Scene, &mut Input)) -> Self {
        Self {
            arrange,
            ..Self::new(status)
        }
    }

    fn by_event(status: u16, spoil: fn(&Scene)) -> Self {
        Self {
            spoil,
            ..Self::new(status)
        }
    }
}

/// A refusal as the emulator comes to it by itself.
#[allow(clippy::match_same_arms, reason = "a row for each operation")]
#[rustfmt::skip] // one line each reads as the table that it is
fn way(operation: &str, status: &str) -> Option<Way> {
    let tokens_revoked = || Some(Way::by_event(401, |scene| scene.emulator.revoke_tokens()));
    let workspace_key_revoked = || Some(Way::by_event(401, |scene| {
        scene.emulator.revoke_tokens();
        assert!(scene.emulator.revoke_api_key(scene.emulator.workspace_api_key()));
    }));
    let profile_key_revoked = || Some(Way::by_event(401, |scene| {
        scene.emulator.revoke_tokens();
        assert!(scene.emulator.revoke_api_key(scene.emulator.profile_api_key()));
    }));
    let device_required = || Some(Way::by_event(400, |scene| scene.emulator.require_device_id()));
    let wrong_password = || Some(Way::by_input(401, |_, input| input.password = "wrong"));
    let no_account = || Some(Way::by_input(404, |_, input| input.email = "nobody@example.com"));
    match (operation, status) {
        ("userLogin", "4XX") => Some(Way::by_input(401, |_, input| input.user_password = "wrong")),
        ("userMfaLogin", "401") => Some(Way::by_input(401, |_, input| input.code = Some("000000"))),
        ("userMfaLogin", "4XX") => Some(Way::by_input(400, |_, input| input.method = MfaMethod::Email)),
        ("selectWorkspace", "423") => Some(Way::by_event(423, |scene| scene.emulator.lock_workspace(scene.emulator.workspace_guid()))),
        ("selectWorkspace", "4XX") => Some(Way::by_input(404, |_, input| input.guid = Some(Uuid::nil()))),
        ("newDataPointsStats" | "retentionDataPointsStats", "4XX") => Some(Way::by_input(400, |_, input| input.last_day = day(2035))),
        ("selectWorkspace" | "listWorkspaces" | "listWorkspaceIds" | "getCurrentWorkspace" | "newDataPointsStats" | "retentionDataPointsStats"
            | "refreshProfileToken", "401") => tokens_revoked(),
        ("workspaceLogin" | "authenticateProfileServerSide" | "getProfileSettings" | "replaceProfileSettings" | "getIpPolicy" | "replaceIpPolicy"
            | "checkPermissions" | "refreshWorkspaceToken", "401") => workspace_key_revoked(),
        ("authenticateAnonymously" | "registerProfile" | "confirmActivationByPin" | "requestActivationPin" | "confirmActivationByToken"
            | "requestActivationToken", "401") => profile_key_revoked(),
        ("authenticateProfile" | "authenticateProfileConditionally", "400") => device_required(),
        ("authenticateProfile" | "authenticateProfileConditionally", "401") => wrong_password(),
        ("authenticateProfile", "403") => Some(Way::by_event(403, terms_required)),
        ("authenticateProfile", "404") | ("authenticateProfileServerSide", "4XX") => no_account(),
        ("authenticateProfile" | "authenticateProfileConditionally", "423") => Some(Way { choose: |choices| choices.refused_passwords_before_lock = 0, ..Way::new(423) }),
        ("authenticateProfileConditionally", "403") => Some(Way { choose: refuse_unmet, ..Way::by_event(403, terms_required) }),
        ("authenticateProfileConditionally", "404") => Some(Way { choose: refuse_unmet, ..no_account()? }),
        ("authenticateProfileServerSide", "403") => Some(Way::by_input(403, |scene, input| {
            input.workspace_key = Some(scene.emulator.add_workspace_api_key(&["SOMETHING_ELSE"]));
        })),
        ("registerProfile", "4XX") => Some(Way::by_input(409, |_, input| input.newcomer = CUSTOMER)),
        ("confirmActivationByPin", "4XX") => Some(Way::by_input(400, |_, input| input.pin = Some("000"))),
        ("requestActivationPin", "4XX") => Some(Way::by_input(403, |_, input| input.device = "device-2")),
        ("confirmActivationByToken", "4XX") => Some(Way::by_input(400, |_, input| input.activation_token = Some("wrong"))),
        ("requestActivationToken", "4XX") => Some(Way::by_input(404, |_, input| input.email = "nobody@example.com")),
        ("replaceProfileSettings", "4XX") => Some(Way::by_input(400, |_, input| input.pin_length = 0)),
        ("replaceIpPolicy", "4XX") => Some(Way::by_input(400, |_, input| input.address = "nowhere")),
        _ => None,
    }
}

fn terms_required(scene: &Scene) {
    let terms = &["terms-2026"];
    assert!(
        scene
            .emulator
            .require_at_login(CUSTOMER, "TERMS_ACCEPTANCE_REQUIRED", terms)
    );
}

fn refuse_unmet(choices: &mut Assumptions) {
    choices.unmet_condition = UnmetCondition::Refused;
}

const fn day(year: i32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, 5, 30).unwrap()
}

fn input() -> Input {
    Input {
        password: PASSWORD,
        user_password: PASSWORD,
        code: None,
        method: MfaMethod::Totp,
        email: CUSTOMER,
        newcomer: NEWCOMER,
        guid: None,
        pin: None,
        device: DEVICE,
        activation_token: None,
        address: "192.0.2.17",
        pin_length: 6,
        last_day: day(2025),
        workspace_key: None,
    }
}

/// Makes whatever calls lead to an operation, then `spoil`s things, then calls the operation.
#[expect(clippy::too_many_lines, reason = "a table: an operation each")]
async fn call(operation: &str, scene: &Scene, input: &Input, spoil: fn(&Scene)) -> Result<()> {
    let emulator = &scene.emulator;
    let client = &scene.client;
    let identity = || Identity::synerise(LoginId::email(input.email), input.password, VISITOR);
    // Held from here on: dropped, a session would begin anew.
    let visitor = scene.visitor();
    let registration = async |mode: Registration| {
        let workspace = scene.workspace();
        let settings = workspace.profile_settings();
        settings.update(|settings| settings.registration = mode).await?;
        let account = NewAccount::new(NEWCOMER, PASSWORD, VISITOR).device_id(DEVICE);
        visitor.register(account).await
    };
    let mail = || Registration::Other("REQUIRE_EMAIL_ACTIVATION".into());
    match operation {
        "userLogin" => {
            spoil(scene);
            client.user().login(USER, input.user_password).await?;
        }
        "userMfaLogin" => {
            let user = emulator.user();
            let UserLogin::MfaRequired(challenge) =
                client.user().login(&user.username, &*user.password).await?
            else {
                panic!("the user has a second factor");
            };
            spoil(scene);
            let code = input.code.map_or_else(|| emulator.totp_code(), str::to_owned);
            challenge.verify(input.method.clone(), code).await?;
        }
        "selectWorkspace" => {
            let user = scene.user().await?;
            spoil(scene);
            let guid = input
                .guid
                .unwrap_or_else(|| emulator.workspace_guid().parse().unwrap());
            user.select_workspace(guid).await?;
        }
        "listWorkspaces" => {
            let user = scene.user().await?;
            spoil(scene);
            assert_eq!(user.workspaces().await?.len(), 1);
        }
        "listWorkspaceIds" => {
            let user = scene.user().await?;
            spoil(scene);
            assert_eq!(user.workspace_access().await?.len(), 1);
        }
        "getCurrentWorkspace" => {
            let user = scene.user_in_workspace().await?;
            spoil(scene);
            assert!(user.current_workspace().await?.is_some());
        }
        "workspaceLogin" => {
            spoil(scene);
            scene.workspace().token().await?;
        }
        "refreshProfileToken" => {
            let profile = scene.profile().await?;
            let first = profile.token().await?;
            scene.pass(Duration::from_secs(60));
            spoil(scene);
            let second = profile.token_valid_for(first.lifetime()).await?;
            assert_ne!(first.expose(), second.expose());
        }
        "authenticateProfile" => {
            spoil(scene);
            client.profile(scene.profile_key()).login(identity()).await?;
        }
        "authenticateProfileServerSide" => {
            let key = input
                .workspace_key
                .as_deref()
                .unwrap_or(emulator.workspace_api_key());
            let workspace = client.workspace(ApiKey::new(key)?);
            workspace.token().await?;
            spoil(scene);
            let address = IpAddr::from([192, 0, 2, 17]);
            workspace
                .login_profile(scene.profile_key(), identity(), address)
                .await?;
        }
        "authenticateProfileConditionally" => {
            spoil(scene);
            client
                .profile(scene.profile_key())
                .login_if_allowed(identity())
                .await?;
        }
        "authenticateAnonymously" => {
            spoil(scene);
            visitor.token().await?;
        }
        "newDataPointsStats" => {
            let user = scene.user().await?;
            spoil(scene);
            user.new_data_points(&UsageQuery::days(day(2025), input.last_day)?)
                .await?;
        }
        "retentionDataPointsStats" => {
            let user = scene.user().await?;
            spoil(scene);
            user.retention_data_points(&UsageQuery::days(day(2025), input.last_day)?)
                .await?;
        }
        "registerProfile" => {
            visitor.token().await?;
            spoil(scene);
            visitor
                .register(NewAccount::new(input.newcomer, PASSWORD, VISITOR))
                .await?;
        }
        "confirmActivationByPin" => {
            registration(pin_for_everyone()).await?;
            spoil(scene);
            let pin = input.pin.map_or_else(|| secret_sent(scene), str::to_owned);
            let account = AccountDevice::new(NEWCOMER, VISITOR, DEVICE);
            visitor.activate_by_pin(&account, pin).await?;
        }
        "requestActivationPin" => {
            registration(pin_for_everyone()).await?;
            spoil(scene);
            visitor
                .resend_pin(&AccountDevice::new(NEWCOMER, VISITOR, input.device))
                .await?;
        }
        "confirmActivationByToken" => {
            registration(mail()).await?;
            spoil(scene);
            let token = input
                .activation_token
                .map_or_else(|| secret_sent(scene), str::to_owned);
            visitor.activate_by_token(token).await?;
        }
        "requestActivationToken" => {
            registration(mail()).await?;
            spoil(scene);
            let email = if input.email == CUSTOMER {
                NEWCOMER
            } else {
                input.email
            };
            visitor.resend_activation_token(email).await?;
        }
        "getProfileSettings" => {
            let workspace = scene.workspace();
            workspace.token().await?;
            spoil(scene);
            workspace.profile_settings().get().await?;
        }
        "replaceProfileSettings" => {
            let mode = Registration::pin(input.pin_length, Duration::from_secs(300));
            let change = |settings: &mut synerise_auth::ProfileSettings| {
                settings.registration = mode;
                spoil(scene);
            };
            let changes = scene.workspace().profile_settings().update(change).await?;
            assert!(!changes.is_empty());
        }
        "getIpPolicy" => {
            let workspace = scene.workspace();
            workspace.token().await?;
            spoil(scene);
            workspace.ip_policy().get().await?;
        }
        "replaceIpPolicy" => {
            let change = |policy: &mut synerise_auth::IpPolicy| {
                policy.addresses.push(input.address.to_owned());
                spoil(scene);
            };
            let changes = scene.workspace().ip_policy().update(change).await?;
            assert!(!changes.is_empty());
        }
        "checkPermissions" => {
            let workspace = scene.workspace();
            workspace.token().await?;
            spoil(scene);
            let permissions = workspace
                .check_permissions(["SAUTH_SERVER_LOGIN_CLIENT_CREATE"])
                .await?;
            assert!(permissions.has("SAUTH_SERVER_LOGIN_CLIENT_CREATE"));
        }
        "refreshWorkspaceToken" => {
            let workspace = scene.workspace();
            workspace.token().await?;
            spoil(scene);
            workspace.refresh().await?;
        }
        "getPublicKey" => {
            spoil(scene);
            assert_eq!(client.public_key().await?, emulator.public_key_pem());
        }
        unknown => panic!("no test calls the operation {unknown}: add it to this table"),
    }
    Ok(())
}

/// The PIN, token or code that was sent to the newcomer.
fn secret_sent(scene: &Scene) -> String {
    scene.emulator.last_message(NEWCOMER).unwrap().secret
}

#[tokio::test]
async fn every_operation_succeeds() {
    let operations: BTreeSet<String> = document().into_iter().map(|(id, _)| id).collect();
    for operation in operations {
        let scene = Scene::new().await;
        let result = call(&operation, &scene, &input(), |_| {}).await;
        assert!(result.is_ok(), "{operation}: {result:?}");
        assert!(
            matches!(scene.statuses(&operation)[..], [.., 200..=299]),
            "{operation}"
        );
    }
}

#[tokio::test]
async fn every_documented_refusal_reaches_the_caller() {
    let refusals = document()
        .into_iter()
        .filter(|(_, status)| !status.starts_with('2'));
    for (operation, documented) in refusals {
        let way_there = way(&operation, &documented);
        let scripted = way_there.is_none();
        let way = way_there.unwrap_or_else(|| {
            Way::new(match documented.as_str() {
                "4XX" => 409,
                "5XX" => 500,
                status => status.parse().expect("a status that the table understands"),
            })
        });
        println!(
            "{operation:34} {documented} as {} {}",
            way.status,
            if scripted { "(scripted)" } else { "" }
        );
        let scene = Scene::with(way.choose).await;
        let mut input = input();
        (way.arrange)(&scene, &mut input);
        if scripted {
            scene
                .emulator
                .faults()
                .on(&operation)
                .always(Fault::status(way.status));
        }
        let error = call(&operation, &scene, &input, way.spoil).await.unwrap_err();
        assert_eq!(
            error.status(),
            Some(way.status),
            "{operation} {documented}: {error}"
        );
        let refused = scene.statuses(&operation).contains(&way.status);
        assert!(
            refused,
            "{operation} {documented}: {:?}",
            scene.statuses(&operation)
        );
        assert!(
            !error.to_string().contains('\n') && !error.advice().is_empty(),
            "{error}"
        );
    }
}
