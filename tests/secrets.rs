//! Secrets and personal data are never shown: not in the `Debug` of any value, not in an error or its sources, not in a log
//! at any level.
//!
//! Every call carries distinctive ones, to a server that quotes whatever it is sent, everywhere it can.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may"
)]

mod support;

use std::error::Error as _;
use std::fmt::{Debug, Write as _};
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use synerise_auth::account::{
    AccountDeletion, AccountDevice, EmailChange, EmailConfirmation, NewAccount, PhoneConfirmation,
};
use synerise_auth::chrono::NaiveDate;
use synerise_auth::kind::Workspace;
use synerise_auth::model::{ExternalProviderType, MfaMethod, TrackerKey};
use synerise_auth::raw::types;
use synerise_auth::session::SavedSession;
use synerise_auth::session::authentication::Authentication;
use synerise_auth::settings::Registration;
use synerise_auth::usage::UsageQuery;
use synerise_auth::{
    ApiKey, Client, Identity, LoginId, ProfileSession, Result, Secret, Session, UserLoginOutcome,
};
use tracing_subscriber::fmt::MakeWriter;

use support::{Answer, Capture, Captured};

const WORKSPACE_KEY: &str = "canary-workspace-key";
const PROFILE_KEY: &str = "canary-profile-key";
/// Its length is a multiple of three, so its Base64 is the same whatever follows it.
const WORKSPACE_GUID: &str = "ca4a4ca4-0000-4000-8000-00000ca4a4ca";
const TRACKER_KEY: &str = "canary-tracker-key";
/// With characters that JSON and a query have to escape.
const PASSWORD: &str = r#"canary-password "with\ & so on"#;
const CODE: &str = "canary-code-483920";
const PIN: &str = "canary-pin-7715";
const ACTIVATION: &str = "canary-activation-token";
const PROVIDER: &str = "canary-provider-token";
const OPAQUE: &str = "canary-issued-token";
const EMAIL: &str = "canary-person@b.example";
const USERNAME: &str = "canary-operator@b.example";
const PHONE: &str = "canary-600100200";
const NAME: &str = "canary-surname";
const CUSTOM_ID: &str = "canary-custom-id";
const HASH: &str = "canary-simple-hash";

/// What must never be shown: each is a part of a secret, or of personal data, that no escaping changes.
const CANARIES: [&str; 16] = [
    WORKSPACE_GUID,
    HASH,
    CUSTOM_ID,
    WORKSPACE_KEY,
    PROFILE_KEY,
    TRACKER_KEY,
    "canary-password",
    CODE,
    PIN,
    ACTIVATION,
    PROVIDER,
    OPAQUE,
    "canary-person",
    "canary-operator",
    PHONE,
    NAME,
];

/// A token that holds the key, as Synerise's do.
fn jwt() -> String {
    let payload = json!({ "apk": WORKSPACE_KEY, "eml": EMAIL, "sub": OPAQUE, "exp": 4_102_444_800_i64 });
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{OPAQUE}", part(json!({ "alg": "RS512" })), part(payload))
}

/// How the server answers: everything, or everything but logins.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Manner {
    Well,
    Refusing(u16),
    RefusingInHtml(u16),
    AnsweringHtml,
    AnsweringNonsense,
    Redirecting,
}

/// Everything secret in a request, as a server would quote it.
fn quoted(request: &Captured) -> String {
    let authorization = request.values("authorization").join(" ");
    let pair = authorization
        .strip_prefix("Basic ")
        .map(|pair| STANDARD.decode(pair).unwrap());
    format!(
        "{authorization} {} {} {}",
        String::from_utf8_lossy(&pair.unwrap_or_default()),
        request.target,
        String::from_utf8_lossy(&request.body)
    )
}

fn answer(manner: Manner, request: &Captured) -> Answer {
    let quoted = quoted(request);
    let values: Vec<String> = match serde_json::from_slice::<serde_json::Value>(&request.body) {
        Ok(serde_json::Value::Object(fields)) => fields
            .values()
            .filter_map(|value| value.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    };
    let escaped: String = url::form_urlencoded::byte_serialize(quoted.as_bytes()).collect();
    let quoting = |status: u16| {
        let fields: Vec<_> = values
            .iter()
            .map(|value| json!({ "field": value, "code": value, "message": format!("{value} is wrong"), "rejectedValue": value }))
            .collect();
        let body = json!({ "error": quoted, "message": values.join(" "), "errorCode": quoted, "traceId": quoted, "errors": fields });
        Answer::json(body).status(status).header("x-request", &escaped)
    };
    match manner {
        Manner::Well => well(request),
        Manner::Refusing(status) => quoting(status),
        Manner::RefusingInHtml(status) => Answer::new(status, "text/html", format!("<pre>{quoted}</pre>")),
        Manner::AnsweringHtml => Answer::new(
            200,
            &format!("text/html; request={escaped}"),
            format!("<pre>{quoted}</pre>"),
        ),
        Manner::AnsweringNonsense => {
            Answer::json(json!([{ "token": { "was": quoted }, "apiKey": values, "data": quoted }]))
        }
        Manner::Redirecting => quoting(307).header("location", &format!("https://other.example/?{escaped}")),
    }
}

fn well(request: &Captured) -> Answer {
    let path = request.target.split('?').next().unwrap();
    match path {
        "/uauth/auth/login/user" => Answer::json(
            json!({ "token": jwt(), "consumer": { "mfaMethods": ["EMAIL"], "id": [quoted(request)] } }),
        ),
        path if path.contains("/login/client") || path.contains("/refresh/") => {
            Answer::json(json!({ "token": OPAQUE, "expiration": 4_102_444_800_i64, "status": "SUCCESS" }))
        }
        path if path.contains("/login/") => Answer::json(json!({ "token": jwt() })),
        path if path.ends_with("/newDataPoints") || path.ends_with("/ids") || path.ends_with("profile/") => {
            Answer::json(json!([]))
        }
        "/sauth/settings/general" if request.method == "POST" => Answer::json(request.json()),
        path if path.ends_with("/permission-check") => {
            Answer::json(json!({ "permissions": { quoted(request): "maybe" } }))
        }
        "/v4/public.pem" => Answer::new(200, "text/plain", "-----BEGIN PUBLIC KEY-----\n"),
        _ => Answer::json(json!({})),
    }
}

/// Everything that was printed.
#[derive(Debug, Clone, Default)]
struct Printed(Arc<Mutex<String>>);

impl Printed {
    #[track_caller]
    fn value(&self, value: &impl Debug) {
        let (short, long) = (format!("{value:?}"), format!("{value:#?}"));
        assert!(
            !short.is_empty() && !long.is_empty(),
            "hidden is not the same as missing"
        );
        let mut text = self.0.lock().unwrap();
        writeln!(text, "{short}\n{long}").unwrap();
    }

    fn result<T: Debug>(&self, result: Result<T>) -> Option<T> {
        self.value(&result);
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                let mut line = format!("{error} {} {:?}", error.advice(), error.api());
                let mut cause = error.source();
                while let Some(source) = cause {
                    write!(line, "{source} {source:?} {source:#?}").unwrap();
                    cause = source.source();
                }
                self.0.lock().unwrap().push_str(&line);
                None
            }
        }
    }

    /// Fails if a secret was printed, with the words around it.
    #[track_caller]
    fn assert_clean(&self, what: &str) {
        let text = self.0.lock().unwrap();
        for canary in CANARIES {
            let encoded = URL_SAFE_NO_PAD.encode(canary);
            for form in [canary, &encoded] {
                if let Some(at) = text.find(form) {
                    let from = text[..at]
                        .char_indices()
                        .rev()
                        .nth(300)
                        .map_or(0, |(index, _)| index);
                    panic!("{what} shows {canary}: …{}", &text[from..at + form.len()]);
                }
            }
        }
        assert!(!text.contains("eyJ"), "{what} shows a token");
    }
}

impl io::Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().push_str(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Printed {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Makes every kind of call, and prints everything that can be printed of it.
async fn call_everything(client: &Client, printed: &Printed) {
    call_as_workspace(client, printed).await;
    call_by_basic_authentication(client, printed).await;
    call_as_customer(client, printed).await;
    call_as_user(client, printed).await;
    printed.result(client.public_key().await);
    printed.value(client);
}

async fn call_as_workspace(client: &Client, printed: &Printed) {
    let key = ApiKey::new(WORKSPACE_KEY).unwrap();
    printed.value(&key);
    let workspace = client.workspace(key);
    let mut events = workspace.subscribe();
    if let Some(token) = printed.result(workspace.token().await) {
        printed.value(&token.claims());
        printed.value(token.header());
    }
    printed.result(
        workspace
            .get("/v4/clients")
            .query(&[("token", TRACKER_KEY)])
            .await,
    );
    let body = json!({ "apiKey": PROFILE_KEY, "password": PASSWORD });
    let request = workspace.post("/v4/clients").json(&body);
    printed.value(&request);
    if let Some(response) = printed.result(request.await) {
        printed.result(response.json::<u64>());
    }
    printed.result(workspace.check_permissions(["A"]).await);
    printed.result(workspace.refresh().await);
    printed.result(workspace.profile_settings().get().await);
    let change = |settings: &mut synerise_auth::settings::ProfileSettings| {
        settings.registration = Registration::Automatic;
    };
    printed.result(workspace.profile_settings().update(change).await);
    printed.result(
        workspace
            .ip_policy()
            .update(|policy| policy.addresses.push("192.0.2.1".into()))
            .await,
    );
    printed.result(workspace.log_out_profile(17).await);
    call_for_a_customer(&workspace, printed).await;
    let raw = workspace.raw();
    printed.value(&raw);
    if let Err(error) = raw.get_current_workspace().await {
        printed.value(&error);
        printed.value(&error.to_string());
    }
    printed.value(&workspace);
    printed.value(&workspace.status());
    workspace.invalidate();
    // The events end with the last who holds the session, and the client is one of them.
    client.forget(ApiKey::new(WORKSPACE_KEY).unwrap());
    drop((workspace, raw));
    while let Some(event) = support::next(&mut events).await {
        printed.value(&event);
    }
    printed.value(&TrackerKey::new(TRACKER_KEY).unwrap());
}

async fn call_for_a_customer<A: Authentication>(workspace: &Session<Workspace, A>, printed: &Printed) {
    let login = workspace.login_profile(
        ApiKey::new(PROFILE_KEY).unwrap(),
        Identity::oauth(PROVIDER),
        IpAddr::from([192, 0, 2, 17]),
    );
    printed.value(&login);
    printed.result(login.await);
}

async fn call_by_basic_authentication(client: &Client, printed: &Printed) {
    let key = || ApiKey::new(WORKSPACE_KEY).unwrap();
    printed.result(client.workspace_basic(format!("{WORKSPACE_GUID}:{WORKSPACE_KEY}"), key()));
    let Some(workspace) = printed.result(client.workspace_basic(WORKSPACE_GUID, key())) else {
        return;
    };
    let request = workspace.get("/v4/clients");
    printed.value(&request);
    printed.result(request.await);
    printed.result(workspace.check_permissions(["A"]).await);
    printed.value(&workspace.profile_settings());
    printed.result(workspace.profile_settings().get().await);
    printed.value(&workspace.log_out_profile(17));
    printed.result(workspace.log_out_profile(17).await);
    call_for_a_customer(&workspace, printed).await;
    printed.value(&workspace.raw());
}

async fn call_as_customer(client: &Client, printed: &Printed) {
    let key = || ApiKey::new(PROFILE_KEY).unwrap();
    let visitor = client.anonymous(key(), "u-1");
    printed.result(visitor.token().await);
    let account = NewAccount::new(EMAIL, PASSWORD, "u-1")
        .device_id("d-1")
        .phone(PHONE)
        .last_name(NAME);
    printed.value(&account);
    printed.result(visitor.register(account).await);
    let device = AccountDevice::new(EMAIL, "u-1", "d-1");
    printed.result(visitor.activate_by_pin(&device, PIN).await);
    printed.result(visitor.resend_pin(&device).await);
    printed.result(visitor.activate_by_token(ACTIVATION).await);
    printed.result(visitor.resend_activation_token(EMAIL).await);
    printed.result(visitor.reset_password(ACTIVATION, PASSWORD).await);
    printed.value(&synerise_auth::account::PasswordChange::new(PASSWORD, PASSWORD));

    let password = Identity::synerise(LoginId::email(EMAIL), PASSWORD, "u-1");
    printed.value(&password);
    let login = client.profile(key()).login(password.clone()).keep_credentials();
    printed.value(&login);
    if let Some(profile) = printed.result(login.await) {
        call_as_owner(&profile, printed).await;
        // A refresh, then another login.
        printed.result(profile.token_valid_for(std::time::Duration::MAX).await);
        if let Some(saved) = printed.result(profile.export().await) {
            let text = saved.to_secret();
            printed.value(&text);
            printed.result(client.profile(key()).resume(&saved));
            printed.result(client.user().resume(&saved));
            printed.result(
                client
                    .profile(ApiKey::new(WORKSPACE_KEY).unwrap())
                    .resume(&text.expose().parse().unwrap()),
            );
            printed.result(
                text.expose()
                    .replace(OPAQUE, "canary-issued-token ")
                    .parse::<SavedSession>(),
            );
            printed.result(
                text.expose()
                    .replace("\"v\":1", &format!("\"v\":\"{PASSWORD}\""))
                    .parse::<SavedSession>(),
            );
        }
        profile.invalidate();
        printed.result(profile.token().await);
        end_as_owner(profile, printed).await;
    }
    printed.result(client.profile(key()).login(Identity::facebook(PROVIDER)).await);
    for id in [LoginId::email(EMAIL), LoginId::custom_id(CUSTOM_ID)] {
        let login = client.profile(key()).simple_login(&visitor, id);
        let login = login.hash(HASH).phone(PHONE).last_name(NAME);
        printed.value(&login);
        printed.result(login.await);
    }
    printed.result(client.incognito(key(), "u-1").token().await);
    let login = client
        .profile(key())
        .login_if_allowed(password)
        .as_anonymous(&visitor);
    printed.value(&login);
    printed.result(login.await);
    printed.value(&visitor);
}

/// The calls of an account's owner.
async fn call_as_owner(profile: &ProfileSession, printed: &Printed) {
    let change = synerise_auth::account::PasswordChange::new(PASSWORD, PASSWORD);
    printed.result(profile.change_password(change).await);
    for change in [
        EmailChange::by_password(EMAIL, PASSWORD),
        EmailChange::by_provider_token(EMAIL, PROVIDER).custom_id(CUSTOM_ID),
    ] {
        printed.value(&change);
        printed.result(profile.request_email_change(change).await);
    }
    let confirmation = EmailConfirmation::new(ACTIVATION);
    printed.value(&confirmation);
    printed.result(profile.confirm_email_change(confirmation).await);
    printed.result(profile.request_phone_change(PHONE).await);
    let confirmation = PhoneConfirmation::new(PHONE, CODE);
    printed.value(&confirmation);
    printed.result(profile.confirm_phone_change(confirmation).await);
    // Sent by the raw call, which leaves the session as it is.
    let body = types::AccountDeletionRequest {
        identity_provider: "FACEBOOK".into(),
        password: Some(Secret::new(PASSWORD)),
        identity_provider_token: Some(Secret::new(PROVIDER)),
        custom_id: Some(CUSTOM_ID.into()),
        uuid: None,
        device_id: None,
    };
    printed.value(&body);
    if let Err(error) = profile.raw().delete_account(&body).await {
        printed.value(&error);
        printed.value(&error.to_string());
    }
}

/// What ends a session, and the session after it.
async fn end_as_owner(profile: ProfileSession, printed: &Printed) {
    let mut events = profile.subscribe();
    let deletion = AccountDeletion::by_provider_token("FACEBOOK", PROVIDER).custom_id(CUSTOM_ID);
    printed.value(&deletion);
    let deletion = AccountDeletion::by_password(PASSWORD).custom_id(CUSTOM_ID);
    printed.value(&deletion);
    printed.result(profile.delete_account(deletion).await);
    printed.value(&profile.log_out());
    printed.result(profile.log_out().await);
    printed.result(profile.token().await);
    printed.value(&profile);
    printed.value(&profile.status());
    drop(profile);
    while let Some(event) = support::next(&mut events).await {
        printed.value(&event);
    }
}

async fn call_as_user(client: &Client, printed: &Printed) {
    let login = client.user().login(USERNAME, PASSWORD);
    let login = login.external_provider(ExternalProviderType::Google, PROVIDER);
    printed.value(&login);
    let Some(UserLoginOutcome::MfaRequired(challenge)) = printed.result(login.await) else {
        return;
    };
    printed.result(challenge.verify(MfaMethod::Email, CODE).await);
    if let Some(saved) = printed.result(challenge.export().await) {
        printed.value(&saved.to_secret());
        printed.result(client.user().resume_challenge(&saved));
    }
    let day = NaiveDate::from_ymd_opt(2025, 5, 30).unwrap();
    let query = UsageQuery::days(day, day).unwrap();
    if let Some(user) = printed.result(challenge.verify(MfaMethod::Email, CODE).await) {
        printed.result(user.workspaces().await);
        printed.result(user.current_workspace().await);
        printed.result(user.new_data_points(&query).await);
        if let Some(inside) = printed.result(
            user.select_workspace("00000000-0000-4000-8000-000000000001")
                .await,
        ) {
            printed.result(inside.retention_data_points(&query).await);
            printed.result(inside.workspace_restrictions().await);
        }
    }
    let body = types::UserLoginRequest {
        username: USERNAME.into(),
        password: Secret::new(PASSWORD),
        device_id: None,
        external_provider_token: Some(Secret::new(PROVIDER)),
        external_provider_type: None,
    };
    printed.value(&body);
    match client.raw().user_login(&body).await {
        Ok(answer) => printed.value(&answer.into_inner()),
        Err(error) => {
            printed.value(&error);
            printed.value(&error.to_string());
        }
    }
}

#[tokio::test]
async fn secrets_are_never_shown() {
    let log = Printed::default();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .with_ansi(false)
        .init();

    let manners = [
        Manner::Well,
        Manner::Refusing(400),
        Manner::Refusing(401),
        Manner::Refusing(403),
        Manner::Refusing(503),
        Manner::RefusingInHtml(502),
        Manner::RefusingInHtml(401),
        Manner::AnsweringHtml,
        Manner::AnsweringNonsense,
        Manner::Redirecting,
    ];
    let mut seen = 0;
    for manner in manners {
        for logins_too in [true, false] {
            let server = Capture::start(move |request| {
                let login = request.target.contains("/login/") && !request.target.ends_with("/verification");
                answer(
                    if login && !logins_too {
                        Manner::Well
                    } else {
                        manner
                    },
                    request,
                )
            })
            .await;
            let printed = Printed::default();
            call_everything(&server.client(), &printed).await;
            printed.assert_clean(&format!("{manner:?} (logins too: {logins_too})"));
            seen += server.seen().len();
        }
    }
    // A connection that breaks, and a host that is not there.
    let printed = Printed::default();
    let nowhere = Client::builder().base_url("http://127.0.0.1:1").build().unwrap();
    call_everything(&nowhere, &printed).await;
    printed.assert_clean("a server that is down");

    log.assert_clean("the log");
    let log = log.0.lock().unwrap();
    assert!(
        seen > 300,
        "{seen} requests are too few for this to have tried everything"
    );
    for part in [
        "synerise.request",
        "hyper",
        "a response differs from the documented one",
        "token refresh failed",
    ] {
        assert!(log.contains(part), "the log shows nothing of {part}");
    }
}

#[test]
fn invalid_secret_is_not_quoted() {
    let printed = Printed::default();
    for key in [
        format!("{WORKSPACE_KEY}\n"),
        format!("{WORKSPACE_KEY} x"),
        format!("\u{17c}{WORKSPACE_KEY}"),
    ] {
        printed.result(ApiKey::new(key.clone()));
        printed.result(TrackerKey::new(key));
    }
    printed.result(
        Client::builder()
            .base_url(format!("https://user:{WORKSPACE_KEY}@api.example"))
            .build(),
    );
    printed.result(
        Client::builder()
            .base_url(format!("https://api.example/?key={WORKSPACE_KEY}"))
            .build(),
    );
    printed.result(
        Client::builder()
            .base_url(format!("http://api.example/{WORKSPACE_KEY}"))
            .build(),
    );
    printed.assert_clean("an error");
}

/// The generated types show which fields there are, and no text: any of them may hold personal data.
#[test]
fn raw_types_show_no_text() {
    fn print<T: serde::de::DeserializeOwned + Debug>(printed: &Printed, json: serde_json::Value) -> T {
        let value = serde_json::from_value(json).unwrap();
        printed.value(&value);
        value
    }
    let printed = Printed::default();
    let account = json!({
        "email": EMAIL, "password": PASSWORD, "uuid": NAME, "phone": PHONE, "firstName": NAME, "lastName": NAME, "sex": NAME,
        "company": NAME, "address": NAME, "city": NAME, "province": NAME, "zipCode": NAME, "countryCode": NAME,
        "customId": EMAIL, "deviceId": NAME, "attributes": { NAME: EMAIL }, "agreements": { "email": NAME, "sms": true }
    });
    print::<types::RegistrationRequest>(&printed, account);
    let login = json!({
        "apiKey": PROFILE_KEY, "identityProvider": "OAUTH", "email": EMAIL, "password": PASSWORD, "customId": [PHONE],
        "tags": [NAME], "uuid": NAME
    });
    print::<types::ProfileAuthenticationRequest>(&printed, login);
    let pin = json!({ "deviceId": NAME, "email": EMAIL, "pinCode": PIN, "uuid": NAME });
    print::<types::PinConfirmationRequest>(&printed, pin);
    print::<types::UserLoginRequest>(&printed, json!({ "username": USERNAME, "password": PASSWORD }));
    print::<types::PasswordResetRequest>(&printed, json!({ "email": EMAIL }));
    let answered =
        json!({ "token": OPAQUE, "customId": EMAIL, "realm": NAME, "expiration": 4_102_444_800_i64 });
    print::<types::ProfileTokenResponse>(&printed, answered);
    let consumer = json!({ "name": USERNAME, "id": 4711, "authorities": [NAME], "mfaMethods": ["EMAIL"] });
    print::<types::UserAuthenticationResponse>(&printed, json!({ "token": OPAQUE, "consumer": consumer }));
    let refusal = json!({ "message": EMAIL, "errors": [{ "field": NAME, "rejectedValue": PHONE }] });
    print::<types::ErrorBody>(&printed, refusal);
    print::<types::DailyUsage>(&printed, json!({ "events": { NAME: 7 }, "total": 4712 }));
    printed.assert_clean("a generated type");
    let text = printed.0.lock().unwrap();
    for shown in [
        "4711",
        "4712",
        "4102444800",
        "Email",
        "RegistrationRequest",
        "zip_code",
    ] {
        assert!(text.contains(shown), "{shown} is not shown");
    }
}
