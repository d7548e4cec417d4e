//! Each call sends what Synerise documents: method, path, query, headers and body.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use serde_json::{Value, json};
use synerise_auth::account::{
    AccountDeletion, AccountDevice, EmailChange, EmailConfirmation, NewAccount, PasswordChange,
    PhoneConfirmation,
};
use synerise_auth::chrono::NaiveDate;
use synerise_auth::clock::ManualClock;
use synerise_auth::kind::{Anonymous, Profile, WorkspaceUser};
use synerise_auth::model::{Agreements, Attributes, ExternalProviderType, MfaMethod, TrackerKey};
use synerise_auth::settings::Registration;
use synerise_auth::usage::UsageQuery;
use synerise_auth::uuid::Uuid;
use synerise_auth::{Identity, LoginId, Session, UserLoginOutcome, Visitor};

use crate::support::{Answer, Capture, Captured, KEY, key};

const UUID: &str = "07243772-008a-42e1-ba37-c3807cebde8f";
const DEVICE: &str = "5966145e-412d-44db-b826-7d53e6cfd300";

/// Answers like the published examples.
fn published(request: &Captured) -> Answer {
    let path = request.target.split('?').next().unwrap();
    let user = |token: &str| {
        json!({
            "consumer": { "type": "USER", "businessProfileId": 0, "name": "string", "id": 0, "authorities": ["string"], "roles": "string" },
            "token": token
        })
    };
    let profile = |token: &str| {
        json!({
            "token": token, "expiration": 1_649_283_173, "created": 1_649_277_173_668_i64,
            "origin": "SYNERISE", "customId": "card123", "realm": "client"
        })
    };
    let without_date = |token| {
        // The published times are of 2022: without the server's own date, they only say how long the token lives.
        Answer::json(profile(token)).header("date", "Wed, 06 Apr 2022 20:32:53 GMT")
    };
    match path {
        "/uauth/auth/login/user" => {
            let mut answer = user("user-token");
            answer["consumer"]["mfaMethods"] = json!(mfa_methods(request));
            Answer::json(answer)
        }
        "/uauth/auth/login/user/mfa/verification" => Answer::json(user("confirmed-token")),
        path if path.starts_with("/uauth/auth/login/user/profile/") => Answer::json(user("selected-token")),
        "/uauth/business-profile/" | "/uauth/business-profile/ids" => Answer::json(json!([])),
        "/uauth/business-profile/current" => Answer::json(json!({ "selected": false, "data": null })),
        "/uauth/v2/auth/login/profile" => Answer::json(json!({ "token": "workspace-token" })),
        "/v4/auth/refresh/profile" => Answer::json(json!({ "token": "workspace-token-2" })),
        "/sauth/v3/auth/login/client/anonymous" => without_date("anonymous-token"),
        "/sauth/v3/auth/refresh/client" => without_date("refreshed-token"),
        "/sauth/v3/auth/login/client/conditional" => {
            let mut answer = profile("profile-token");
            answer["status"] = json!("SUCCESS");
            answer["conditions"] = json!([]);
            Answer::json(answer).header("date", "Wed, 06 Apr 2022 20:32:53 GMT")
        }
        path if path.starts_with("/sauth/v3/auth/login/client") => without_date("profile-token"),
        path if path.ends_with("/newDataPoints") => Answer::json(json!([])),
        path if path.ends_with("/retentionDataPoints") => Answer::json(json!({})),
        "/sauth/settings/general" if request.method == "GET" => Answer::json(settings("AUTOMATIC")),
        "/uauth/settings/user-bp-ip-policy" if request.method == "GET" => {
            Answer::json(json!({ "enabled": true, "enableSupportSubnets": true, "ipPolicy": ["192.0.2.1"] }))
        }
        "/sauth/settings/general" | "/uauth/settings/user-bp-ip-policy" => Answer::json(request.json()),
        "/uauth/api-key/permission-check" => {
            Answer::json(json!({ "businessProfileName": "string", "permissions": { "A": true } }))
        }
        "/v4/public.pem" => Answer::new(
            200,
            "application/x-pem-file",
            "-----BEGIN PUBLIC KEY-----\nZmFrZQ==\n-----END PUBLIC KEY-----\n",
        ),
        _ => Answer::new(200, "text/plain", ""),
    }
}

/// The user `mfa` has a second factor.
fn mfa_methods(request: &Captured) -> Vec<&'static str> {
    let wanted = request.json()["username"] == "mfa";
    wanted.then_some("TOTP_AUTHENTICATOR").into_iter().collect()
}

/// The settings in the published example, with another mode.
fn settings(mode: &str) -> Value {
    json!({
        "registrationType": mode,
        "tokenLifetimeInSeconds": 3600,
        "confirmationRedirectLink": null,
        "voucherPoolUuid": null,
        "allowOverwriteCustomIdentify": false,
        "allowEmailChangeFromWebForm": false,
        "pinConfirmationType": "ON_CONFLICT_WITH_EXTERNAL_ACCOUNT",
        "pinConfirmationLength": 6,
        "pinConfirmationValidInSeconds": 300,
        "allowPinResendFromDifferentDeviceId": false
    })
}

/// The last request, whole: nothing is missing from it, and nothing else is in it.
#[track_caller]
#[allow(
    clippy::needless_pass_by_value,
    reason = "so that a json!() can stand in the call"
)]
fn assert_sent(server: &Capture, method: &str, target: &str, token: Option<&str>, body: Option<Value>) {
    assert_sent_with(server, method, target, token, body, &[]);
}

/// The last request, whole, with these headers beside the usual ones.
#[track_caller]
fn assert_sent_with(
    server: &Capture,
    method: &str,
    target: &str,
    token: Option<&str>,
    body: Option<Value>,
    headers: &[(&str, &str)],
) {
    let request = server.last();
    assert_eq!(
        (request.method.as_str(), request.target.as_str()),
        (method, target)
    );
    assert_eq!(request.values("api-version"), ["4.4"]);
    assert_eq!(request.values("accept"), ["application/json"]);
    let bearer = token.map(|token| format!("Bearer {token}"));
    assert_eq!(request.values("authorization"), Vec::from_iter(bearer.as_deref()));
    let host = server.base_url().trim_start_matches("http://");
    assert_eq!(request.values("host"), [host]);
    let agent = concat!("synerise-auth/", env!("CARGO_PKG_VERSION"));
    assert!(matches!(request.values("user-agent")[..], [value] if value.starts_with(agent)));
    if let Some(body) = body {
        assert_eq!(request.values("content-type"), ["application/json"]);
        assert_eq!(request.json(), body);
    } else {
        assert_eq!(request.values("content-type"), Vec::<&str>::new());
        assert!(request.body.is_empty(), "{request:?}");
    }
    let usual = [
        "accept",
        "api-version",
        "authorization",
        "content-length",
        "content-type",
        "host",
        "user-agent",
    ];
    let unusual = |(name, _): &&(String, String)| !usual.contains(&name.as_str());
    let unusual = request.headers.iter().filter(unusual);
    let unusual: Vec<_> = unusual
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(unusual, headers);
}

async fn server() -> Capture {
    Capture::start(published).await
}

fn visitor(server: &Capture) -> Session<Anonymous> {
    server.client().anonymous(key(), UUID)
}

async fn profile(server: &Capture) -> Session<Profile> {
    server
        .client()
        .profile(key())
        .login(Identity::facebook("facebook-token"))
        .await
        .unwrap()
}

async fn user_in_workspace(server: &Capture) -> Session<WorkspaceUser> {
    let guid = Uuid::parse_str(KEY).unwrap();
    server.user().await.select_workspace(guid).await.unwrap()
}

// Users

#[tokio::test]
async fn user_login() {
    let server = server().await;
    server.user().await;
    let body = json!({ "username": "user@example.com", "password": "Pass1!" });
    assert_sent(&server, "POST", "/uauth/auth/login/user", None, Some(body));

    let login = server
        .client()
        .user()
        .login("string", "string")
        .device_id("string")
        .external_provider(ExternalProviderType::Google, "string");
    login.await.unwrap();
    let body = json!({
        "username": "string", "password": "string", "deviceId": "string",
        "externalProviderToken": "string", "externalProviderType": "GOOGLE"
    });
    assert_sent(&server, "POST", "/uauth/auth/login/user", None, Some(body));
}

#[tokio::test]
async fn mfa_verification_has_its_type_in_the_query() {
    let server = server().await;
    let login = server
        .client()
        .user()
        .login("mfa", "Pass1!")
        .device_id(DEVICE)
        .external_provider(ExternalProviderType::Google, "google-token");
    let UserLoginOutcome::MfaRequired(challenge) = login.await.unwrap() else {
        panic!("no second factor is asked for");
    };
    for (method, kind) in [
        (MfaMethod::Totp, "TOTP_AUTHENTICATOR"),
        (MfaMethod::Email, "EMAIL"),
    ] {
        challenge.verify(method, "123456").await.unwrap();
        let target = format!("/uauth/auth/login/user/mfa/verification?mfaType={kind}");
        let body = json!({
            "verificationCode": "123456", "deviceId": DEVICE,
            "externalProviderToken": "google-token", "externalProviderType": "GOOGLE"
        });
        assert_sent(&server, "POST", &target, Some("user-token"), Some(body));
    }
}

#[tokio::test]
async fn select_workspace() {
    let server = server().await;
    let selected = user_in_workspace(&server).await;
    let target = format!("/uauth/auth/login/user/profile/{KEY}");
    assert_sent(&server, "POST", &target, Some("user-token"), None);
    selected.current_workspace().await.unwrap();
    assert_sent(
        &server,
        "GET",
        "/uauth/business-profile/current",
        Some("selected-token"),
        None,
    );
}

#[tokio::test]
async fn list_workspaces() {
    let server = server().await;
    let user = server.user().await;
    user.workspaces().await.unwrap();
    // The slash at the end is real.
    assert_sent(
        &server,
        "GET",
        "/uauth/business-profile/",
        Some("user-token"),
        None,
    );
    user.workspace_restrictions().await.unwrap();
    assert_sent(
        &server,
        "GET",
        "/uauth/business-profile/ids",
        Some("user-token"),
        None,
    );
    assert_eq!(user.current_workspace().await.unwrap(), None);
    assert_sent(
        &server,
        "GET",
        "/uauth/business-profile/current",
        Some("user-token"),
        None,
    );
}

#[tokio::test]
async fn usage_statistics() {
    let server = server().await;
    let user = server.user().await;
    let day = |day| NaiveDate::from_ymd_opt(2025, 5, day).unwrap();
    let all = UsageQuery::days(day(1), day(30)).unwrap();
    let some = all
        .clone()
        .with_actions(["page.visit"])
        .with_workspaces([Uuid::parse_str(UUID).unwrap()]);
    let service = "/business-profile-service/organizations/usage/stats";
    for (query, body) in [
        (all, json!({ "from": "2025-05-01", "to": "2025-05-30" })),
        (
            some,
            json!({ "from": "2025-05-01", "to": "2025-05-30", "actions": ["page.visit"], "bpGuids": [UUID] }),
        ),
    ] {
        user.new_data_points(&query).await.unwrap();
        let target = format!("{service}/newDataPoints");
        assert_sent(&server, "POST", &target, Some("user-token"), Some(body.clone()));
        user.retention_data_points(&query).await.unwrap();
        let target = format!("{service}/retentionDataPoints");
        assert_sent(&server, "POST", &target, Some("user-token"), Some(body));
    }
}

// Workspaces

#[tokio::test]
async fn workspace_login() {
    let server = server().await;
    let token = server.workspace().token().await.unwrap();
    assert_eq!(token.expose(), "workspace-token");
    assert_sent(
        &server,
        "POST",
        "/uauth/v2/auth/login/profile",
        None,
        Some(json!({ "apiKey": KEY })),
    );
}

#[tokio::test]
async fn workspace_refresh() {
    let server = server().await;
    let token = server.workspace().refresh().await.unwrap();
    assert_eq!(token.expose(), "workspace-token-2");
    assert_sent(
        &server,
        "GET",
        "/v4/auth/refresh/profile",
        Some("workspace-token"),
        None,
    );
}

#[tokio::test]
async fn check_permissions() {
    let server = server().await;
    server.workspace().check_permissions(["A", "B"]).await.unwrap();
    assert_sent(
        &server,
        "POST",
        "/uauth/api-key/permission-check",
        Some("workspace-token"),
        Some(json!(["A", "B"])),
    );
}

#[tokio::test]
async fn any_endpoint_gets_the_same_headers() {
    let server = server().await;
    let workspace = server.workspace();
    let query = [("limit", "10"), ("q", "ż & co")];
    workspace.get("/v4/clients").query(&query).await.unwrap();
    assert_sent(
        &server,
        "GET",
        "/v4/clients?limit=10&q=%C5%BC+%26+co",
        Some("workspace-token"),
        None,
    );
    let body = json!({ "email": "a@b.example" });
    // What the session sets can't be said twice.
    let request = workspace
        .post("/v4/clients")
        .json(&body)
        .header("api-version", "9.9")
        .header("authorization", "Basic ZmFrZQ==");
    request.await.unwrap();
    assert_sent(
        &server,
        "POST",
        "/v4/clients",
        Some("workspace-token"),
        Some(body),
    );
}

#[tokio::test]
async fn public_key_needs_no_login() {
    let server = server().await;
    let pem = server.client().public_key().await.unwrap();
    assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\n"));
    let request = server.last();
    assert_eq!(
        (request.method.as_str(), request.target.as_str()),
        ("GET", "/v4/public.pem")
    );
    assert_eq!(request.values("api-version"), ["4.4"]);
    assert!(request.values("authorization").is_empty());
}

#[test]
fn tracker_key_goes_into_the_query() {
    let key = TrackerKey::new(UUID).unwrap();
    let url = key
        .sign("https://api.synerise.com/search/v2/indices?q=x")
        .unwrap();
    assert_eq!(url.query(), Some(&*format!("q=x&token={UUID}")));
}

// Profiles

#[tokio::test]
async fn profile_login_by_password() {
    let server = server().await;
    let identity = Identity::synerise(
        LoginId::email("a@b.example"),
        "Pass1!",
        Uuid::parse_str(UUID).unwrap(),
    );
    server.client().profile(key()).login(identity).await.unwrap();
    let body = json!({
        "apiKey": KEY, "identityProvider": "SYNERISE", "email": "a@b.example", "password": "Pass1!", "uuid": UUID
    });
    assert_sent(&server, "POST", "/sauth/v3/auth/login/client", None, Some(body));
}

#[tokio::test]
async fn profile_login_with_every_documented_field() {
    let server = server().await;
    let agreements = Agreements::new()
        .with_email(true)
        .with_sms(true)
        .with_push(true)
        .with_bluetooth(false)
        .with_rfid(false)
        .with_wifi(false);
    let attributes = Attributes::new()
        .set("property1", Value::Null)
        .unwrap()
        .set("property2", Value::Null)
        .unwrap();
    let identity = Identity::synerise(LoginId::custom_id("card123"), "string", "string");
    let login = server
        .client()
        .profile(key())
        .login(identity)
        .device_id("string")
        .agreements(agreements)
        .attributes(attributes)
        .tags(["string"]);
    login.await.unwrap();
    let body = json!({
        "apiKey": KEY, "identityProvider": "SYNERISE", "customId": "card123", "password": "string", "uuid": "string",
        "deviceId": "string",
        "agreements": { "email": true, "sms": true, "push": true, "bluetooth": false, "rfid": false, "wifi": false },
        "attributes": { "property1": null, "property2": null },
        "tags": ["string"]
    });
    assert_sent(&server, "POST", "/sauth/v3/auth/login/client", None, Some(body));
}

#[tokio::test]
async fn profile_login_by_each_provider() {
    let server = server().await;
    for (identity, provider) in [
        (Identity::facebook("token"), "FACEBOOK"),
        (Identity::oauth("token"), "OAUTH"),
        (Identity::apple("token"), "APPLE"),
        (Identity::google("token"), "GOOGLE"),
        (Identity::other("NEW_ONE", "token").unwrap(), "NEW_ONE"),
    ] {
        server.client().profile(key()).login(identity).await.unwrap();
        let body = json!({ "apiKey": KEY, "identityProvider": provider, "identityProviderToken": "token" });
        assert_sent(&server, "POST", "/sauth/v3/auth/login/client", None, Some(body));
    }
}

#[tokio::test]
async fn conditional_login_with_and_without_a_visitors_token() {
    let server = server().await;
    let target = "/sauth/v3/auth/login/client/conditional";
    let body = json!({ "apiKey": KEY, "identityProvider": "FACEBOOK", "identityProviderToken": "token" });
    let login = || {
        server
            .client()
            .profile(key())
            .login_if_allowed(Identity::facebook("token"))
    };
    login().await.unwrap();
    assert_sent(&server, "POST", target, None, Some(body.clone()));
    login().as_anonymous(&visitor(&server)).await.unwrap();
    assert_sent(&server, "POST", target, Some("anonymous-token"), Some(body));
}

#[tokio::test]
async fn server_side_login_carries_the_devices_address() {
    let server = server().await;
    for (address, text) in [
        (IpAddr::from([192, 0, 2, 17]), "192.0.2.17"),
        (
            IpAddr::from(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
            "2001:db8::1",
        ),
    ] {
        let login =
            server
                .workspace()
                .login_profile(key(), Identity::oauth("token").with_uuid(UUID), address);
        login.await.unwrap();
        let body = json!({
            "ipAddress": text, "apiKey": KEY, "identityProvider": "OAUTH", "identityProviderToken": "token", "uuid": UUID
        });
        let target = "/sauth/v3/auth/login/client/server";
        assert_sent(&server, "POST", target, Some("workspace-token"), Some(body));
    }
}

#[tokio::test]
async fn server_side_login_path_can_be_configured() {
    let server = server().await;
    let client = server
        .builder()
        .operation_path(
            "authenticateProfileServerSide",
            "/sauth/v3/auth/login/client/backend",
        )
        .build()
        .unwrap();
    let address = IpAddr::from([192, 0, 2, 17]);
    client
        .workspace(key())
        .login_profile(key(), Identity::oauth("token"), address)
        .await
        .unwrap();
    assert_eq!(server.last().target, "/sauth/v3/auth/login/client/backend");
}

#[tokio::test]
async fn anonymous_login() {
    let server = server().await;
    let device = "b8af0626-d5cf-44d6-b12a-ec72f946db6f";
    let visitor = server
        .client()
        .anonymous(key(), Visitor::new(UUID).with_device_id(device));
    visitor.token().await.unwrap();
    let body = json!({ "apiKey": KEY, "deviceId": device, "uuid": UUID });
    let target = "/sauth/v3/auth/login/client/anonymous";
    assert_sent(&server, "POST", target, None, Some(body));
}

#[tokio::test]
async fn profile_refresh_uses_the_current_token() {
    let server = server().await;
    let clock = ManualClock::new();
    let client = server.builder().clock(clock.clone()).build().unwrap();
    let login = client.profile(key()).login(Identity::facebook("facebook-token"));
    let profile = login.await.unwrap();
    clock.advance(Duration::from_secs(60));
    // The published token lives for almost 6,000 s, of which a minute has passed.
    let token = profile.token_valid_for(Duration::from_secs(5999)).await.unwrap();
    assert_eq!(token.expose(), "refreshed-token");
    let target = "/sauth/v3/auth/refresh/client";
    assert_sent(
        &server,
        "POST",
        target,
        Some("profile-token"),
        Some(json!({ "apiKey": KEY })),
    );
}

// Accounts

#[tokio::test]
async fn registration() {
    let server = server().await;
    let account = NewAccount::new("sampleclient@synerise.com", "strongpassword", UUID);
    visitor(&server).register(account).await.unwrap();
    let body = json!({ "email": "sampleclient@synerise.com", "password": "strongpassword", "uuid": UUID });
    let target = "/sauth/clients/registered";
    assert_sent(&server, "POST", target, Some("anonymous-token"), Some(body));

    let account = NewAccount::new("a@b.example", "strongpassword", UUID)
        .custom_id("card123")
        .device_id(DEVICE)
        .first_name("Jan")
        .last_name("Kowalski")
        .sex("MALE")
        .phone("+48123456789")
        .company("Example")
        .address("Main 1")
        .city("Kraków")
        .province("Małopolska")
        .zip_code("30-001")
        .country_code("PL")
        .agreements(Agreements::new().with_webpush(true))
        .attributes(Attributes::new().set("size", 42).unwrap())
        .tags(["new", "web"]);
    visitor(&server).register(account).await.unwrap();
    let body = json!({
        "email": "a@b.example", "password": "strongpassword", "uuid": UUID, "customId": "card123", "deviceId": DEVICE,
        "firstName": "Jan", "lastName": "Kowalski", "sex": "MALE", "phone": "+48123456789", "company": "Example",
        "address": "Main 1", "city": "Kraków", "province": "Małopolska", "zipCode": "30-001", "countryCode": "PL",
        "agreements": { "webpush": true }, "attributes": { "size": 42 },
        "tags": ["new", "web"]
    });
    assert_sent(&server, "POST", target, Some("anonymous-token"), Some(body));
}

#[tokio::test]
async fn activation_by_pin() {
    let server = server().await;
    let account = AccountDevice::new("john.doe@synerise.com", UUID, DEVICE);
    visitor(&server)
        .activate_by_pin(&account, "123456")
        .await
        .unwrap();
    let body =
        json!({ "deviceId": DEVICE, "email": "john.doe@synerise.com", "pinCode": "123456", "uuid": UUID });
    let target = "/sauth/clients/activation/by-pin-code/confirmation";
    assert_sent(&server, "POST", target, Some("anonymous-token"), Some(body));

    profile(&server).await.resend_pin(&account).await.unwrap();
    let body = json!({ "deviceId": DEVICE, "email": "john.doe@synerise.com", "uuid": UUID });
    let target = "/sauth/clients/activation/by-pin-code/request";
    assert_sent(&server, "POST", target, Some("profile-token"), Some(body));
}

#[tokio::test]
async fn activation_by_email_token() {
    let server = server().await;
    visitor(&server).activate_by_token("fake-token").await.unwrap();
    let target = "/sauth/clients/activation/confirmation";
    let body = json!({ "token": "fake-token" });
    assert_sent(&server, "POST", target, Some("anonymous-token"), Some(body));

    let email = "sampleclient@synerise.com";
    visitor(&server).resend_activation_token(email).await.unwrap();
    let target = "/sauth/clients/activation/request";
    let body = json!({ "email": email });
    assert_sent(&server, "POST", target, Some("anonymous-token"), Some(body));
}

#[tokio::test]
async fn password_reset_and_change() {
    let server = server().await;
    let email = "sampleclient@synerise.com";
    visitor(&server).request_password_reset(email).await.unwrap();
    let target = "/v4/clients/password-reset/request";
    let body = json!({ "email": email });
    assert_sent(&server, "POST", target, Some("anonymous-token"), Some(body));

    let profile = profile(&server).await;
    profile
        .reset_password("fake-token", "new-password")
        .await
        .unwrap();
    let target = "/v4/clients/password-reset/confirmation";
    let body = json!({ "token": "fake-token", "password": "new-password" });
    assert_sent(&server, "POST", target, Some("profile-token"), Some(body));

    let target = "/v4/my-account/change-password";
    let change = PasswordChange::new("old-password", "new-password");
    let mut body = json!({ "oldPassword": "old-password", "password": "new-password" });
    profile.change_password(change.clone()).await.unwrap();
    assert_sent(&server, "POST", target, Some("profile-token"), Some(body.clone()));
    profile.change_password(change.device_id(DEVICE)).await.unwrap();
    body["deviceId"] = DEVICE.into();
    assert_sent(&server, "POST", target, Some("profile-token"), Some(body));
}

#[tokio::test]
async fn email_change() {
    let server = server().await;
    let profile = profile(&server).await;
    let target = "/sauth/v2/my-account/email-change/request";
    let change = EmailChange::by_password("new@b.example", "password");
    profile.request_email_change(change).await.unwrap();
    let body = json!({ "email": "new@b.example", "password": "password" });
    assert_sent(&server, "POST", target, Some("profile-token"), Some(body));
    let change = EmailChange::by_provider_token("new@b.example", "fake-provider-token")
        .uuid(UUID)
        .device_id(DEVICE)
        .custom_id("card123");
    profile.request_email_change(change).await.unwrap();
    let body = json!({
        "email": "new@b.example", "externalToken": "fake-provider-token", "customId": "card123", "uuid": UUID,
        "deviceId": DEVICE
    });
    assert_sent(&server, "POST", target, Some("profile-token"), Some(body));

    let target = "/sauth/my-account/email-change/confirmation";
    let confirmation = EmailConfirmation::new("fake-token");
    profile.confirm_email_change(confirmation.clone()).await.unwrap();
    let mut body = json!({ "token": "fake-token" });
    assert_sent(&server, "POST", target, Some("profile-token"), Some(body.clone()));
    for agreed in [true, false] {
        let confirmation = confirmation.clone().newsletter_agreement(agreed);
        profile.confirm_email_change(confirmation).await.unwrap();
        body["newsletterAgreement"] = agreed.into();
        assert_sent(&server, "POST", target, Some("profile-token"), Some(body.clone()));
    }
}

#[tokio::test]
async fn phone_change() {
    let server = server().await;
    let profile = profile(&server).await;
    profile.request_phone_change("+48000000000").await.unwrap();
    let target = "/v4/my-account/phone-update/request";
    let body = json!({ "phone": "+48000000000" });
    assert_sent(&server, "POST", target, Some("profile-token"), Some(body));

    let target = "/v4/my-account/phone-update/confirmation";
    let confirmation = PhoneConfirmation::new("+48000000000", "000000");
    profile.confirm_phone_change(confirmation.clone()).await.unwrap();
    let mut body = json!({ "phone": "+48000000000", "confirmationCode": "000000" });
    assert_sent(&server, "POST", target, Some("profile-token"), Some(body.clone()));
    let confirmation = confirmation.sms_agreement(false);
    profile.confirm_phone_change(confirmation).await.unwrap();
    body["smsAgreement"] = false.into();
    assert_sent(&server, "POST", target, Some("profile-token"), Some(body));
}

#[tokio::test]
async fn log_out() {
    let server = server().await;
    let target = "/sauth/v3/my-account/logout";
    let body = json!({ "action": "LOGOUT" });
    profile(&server).await.log_out().await.unwrap();
    assert_sent(&server, "POST", target, Some("profile-token"), Some(body.clone()));
    visitor(&server).log_out().await.unwrap();
    assert_sent(&server, "POST", target, Some("anonymous-token"), Some(body));
    profile(&server).await.log_out().clear_sessions().await.unwrap();
    let body = json!({ "action": "LOGOUT_WITH_SESSION_CLEARING" });
    assert_sent(&server, "POST", target, Some("profile-token"), Some(body));
}

#[tokio::test]
async fn log_out_of_a_customer_by_a_backend() {
    let server = server().await;
    let workspace = server.workspace();
    workspace.log_out_profile(433_230_297).await.unwrap();
    let target = "/sauth/management/client/433230297/logout";
    let body = json!({ "action": "LOGOUT" });
    assert_sent(&server, "POST", target, Some("workspace-token"), Some(body));
    let user = user_in_workspace(&server).await;
    user.log_out_profile(433_230_297).clear_sessions().await.unwrap();
    let body = json!({ "action": "LOGOUT_WITH_SESSION_CLEARING" });
    assert_sent(
        &server,
        "POST",
        target,
        Some("selected-token"),
        Some(body.clone()),
    );

    let elsewhere = server
        .builder()
        .operation_path("logOutProfile", "/elsewhere/{clientID}/end")
        .build()
        .unwrap();
    let workspace = elsewhere.workspace(key());
    workspace.log_out_profile(17).clear_sessions().await.unwrap();
    let target = "/elsewhere/17/end";
    assert_sent(&server, "POST", target, Some("workspace-token"), Some(body));
}

#[tokio::test]
async fn account_deletion() {
    let server = server().await;
    let target = "/sauth/v2/my-account/delete";
    let deletion = AccountDeletion::by_password("password");
    profile(&server).await.delete_account(deletion).await.unwrap();
    let body = json!({ "identityProvider": "SYNERISE", "password": "password" });
    assert_sent(&server, "POST", target, Some("profile-token"), Some(body));
    let deletion = AccountDeletion::by_provider_token("APPLE", "fake-provider-token")
        .uuid(UUID)
        .device_id(DEVICE)
        .custom_id("card123");
    profile(&server).await.delete_account(deletion).await.unwrap();
    let body = json!({
        "identityProvider": "APPLE", "identityProviderToken": "fake-provider-token", "customId": "card123",
        "uuid": UUID, "deviceId": DEVICE
    });
    assert_sent(&server, "POST", target, Some("profile-token"), Some(body));
}

#[tokio::test]
async fn simple_login() {
    let server = server().await;
    let (login, visitor) = (server.client().profile(key()), visitor(&server));
    let target = "/sauth/v3/auth/login/client/simple-auth";
    let least = login
        .clone()
        .simple_login(&visitor, LoginId::email("a@b.example"));
    least.await.unwrap();
    let body = json!({ "email": "a@b.example" });
    assert_sent(&server, "POST", target, Some("anonymous-token"), Some(body));

    let all = login
        .simple_login(&visitor, LoginId::custom_id("card123"))
        .also(LoginId::email("a@b.example"))
        .uuid(UUID)
        .hash("fake-hash")
        .first_name("Jan")
        .last_name("Kowalski")
        .display_name("Jan K.")
        .phone("+48000000000")
        .sex("MALE")
        .birth_date("1970-01-01")
        .avatar_url("https://shop.example/jan.png")
        .company("Shop")
        .address("Street 1")
        .city("Kraków")
        .province("Małopolska")
        .zip_code("30-000")
        .country_code("PL")
        .agreements(Agreements::new().with_email(true))
        .attributes(Attributes::new().set("colour", "green").unwrap())
        .tags(["a", "b"]);
    all.await.unwrap();
    let body = json!({
        "customId": "card123", "email": "a@b.example", "uuid": UUID, "firstName": "Jan", "lastName": "Kowalski",
        "displayName": "Jan K.", "phone": "+48000000000", "sex": "MALE", "birthDate": "1970-01-01",
        "avatarUrl": "https://shop.example/jan.png", "company": "Shop", "address": "Street 1", "city": "Kraków",
        "province": "Małopolska", "zipCode": "30-000", "countryCode": "PL", "agreements": { "email": true },
        "attributes": { "colour": "green" }, "tags": ["a", "b"]
    });
    let headers = [("x-simple-auth-hash", "fake-hash")];
    assert_sent_with(
        &server,
        "POST",
        target,
        Some("anonymous-token"),
        Some(body),
        &headers,
    );
}

#[tokio::test]
async fn incognito_visit() {
    let server = server().await;
    let visitor = Visitor::new(UUID).with_device_id(DEVICE);
    let session = server.client().incognito(key(), visitor);
    session.token().await.unwrap();
    let body = json!({ "apiKey": KEY, "uuid": UUID, "deviceId": DEVICE });
    let target = "/sauth/v3/auth/login/client/incognito";
    assert_sent(&server, "POST", target, None, Some(body));
}

// Settings

#[tokio::test]
async fn settings_are_written_back_whole() {
    let server = server().await;
    let workspace = server.workspace();
    workspace.profile_settings().get().await.unwrap();
    let target = "/sauth/settings/general";
    assert_sent(&server, "GET", target, Some("workspace-token"), None);
    workspace
        .profile_settings()
        .update(|settings| settings.registration = Registration::pin(6, Duration::from_secs(300)))
        .await
        .unwrap();
    let body = settings("REQUIRE_PIN_CONFIRMATION");
    assert_sent(&server, "POST", target, Some("workspace-token"), Some(body));
}

#[tokio::test]
async fn ip_policy_is_written_back_whole() {
    let server = server().await;
    let user = user_in_workspace(&server).await;
    user.ip_policy().get().await.unwrap();
    let target = "/uauth/settings/user-bp-ip-policy";
    assert_sent(&server, "GET", target, Some("selected-token"), None);
    user.ip_policy()
        .update(|policy| policy.addresses.push("192.0.2.2".into()))
        .await
        .unwrap();
    let body =
        json!({ "enabled": true, "enableSupportSubnets": true, "ipPolicy": ["192.0.2.1", "192.0.2.2"] });
    assert_sent(&server, "POST", target, Some("selected-token"), Some(body));
}
