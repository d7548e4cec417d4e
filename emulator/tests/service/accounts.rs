//! Registration and activation, in each of the modes.

use std::time::Duration;

use serde_json::{Value, json};
use synerise_auth_emulator::{Assumptions, Emulator, EmulatorBuilder, MessageKind};

use crate::caller::{ANONYMOUS_LOGIN, Caller, PASSWORD, PROFILE_LOGIN, UUID, start_time};

const REGISTER: &str = "/sauth/clients/registered";
const CONFIRM_PIN: &str = "/sauth/clients/activation/by-pin-code/confirmation";
const REQUEST_PIN: &str = "/sauth/clients/activation/by-pin-code/request";
const CONFIRM_TOKEN: &str = "/sauth/clients/activation/confirmation";
const REQUEST_TOKEN: &str = "/sauth/clients/activation/request";
const OLA: &str = "ola@example.com";

fn in_mode(settings: Value) -> EmulatorBuilder {
    Emulator::builder()
        .clock_at(start_time())
        .profile_settings(settings)
}

fn registration(device: &str) -> Value {
    json!({ "email": OLA, "password": PASSWORD, "uuid": UUID, "deviceId": device, "firstName": "Ola" })
}

fn pin_mode(more: &Value) -> Value {
    let mut settings =
        json!({ "registrationType": "REQUIRE_PIN_CONFIRMATION", "pinConfirmationType": "EVERYONE" });
    settings
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().cloned().unwrap_or_default());
    settings
}

impl Caller {
    async fn login_status(&self) -> (u16, Value) {
        let reply = self
            .post_openly(PROFILE_LOGIN, &self.login_body(OLA, PASSWORD))
            .await;
        (reply.status, reply.body["errorCode"].clone())
    }

    async fn confirm_pin(&self, token: &str, device: &str, pin: &str) -> u16 {
        let body = json!({ "deviceId": device, "email": OLA, "pinCode": pin, "uuid": UUID });
        self.post_status(CONFIRM_PIN, token, &body).await
    }

    async fn request_pin(&self, token: &str, device: &str) -> u16 {
        self.post_status(
            REQUEST_PIN,
            token,
            &json!({ "deviceId": device, "email": OLA, "uuid": UUID }),
        )
        .await
    }

    fn secret(&self) -> String {
        self.emulator.last_message(OLA).unwrap().secret
    }
}

#[tokio::test]
async fn an_automatically_registered_account_is_usable_at_once() {
    let caller = Caller::start().await;
    let visitor = caller.anonymous_token().await;
    let registered = caller.post(REGISTER, &visitor, &registration("phone")).await;
    assert_eq!((registered.status, registered.text.as_str()), (200, ""));
    assert_eq!(caller.login_status().await.0, 200);
    let profile = caller.emulator.profile(OLA).unwrap();
    assert_eq!(
        (profile.active, profile.email_confirmed, profile.uuid.as_str()),
        (true, false, UUID)
    );
    assert_eq!(profile.attributes["firstName"], "Ola");
    assert!(caller.emulator.outbox().is_empty());
}

#[tokio::test]
async fn a_registration_is_refused_for_the_documented_reasons() {
    let caller = Caller::start().await;
    let visitor = caller.anonymous_token().await;
    for (field, value) in [
        ("email", json!("no address")),
        ("password", json!("")),
        ("uuid", json!("")),
    ] {
        let mut body = registration("phone");
        body[field] = value;
        let refused = caller.post(REGISTER, &visitor, &body).await;
        assert_eq!((refused.status, refused.field()), (400, field));
    }
    assert_eq!(
        caller
            .post_status(REGISTER, &visitor, &json!({ "email": OLA }))
            .await,
        400
    );
    assert_eq!(
        caller.post_openly_status(REGISTER, &registration("phone")).await,
        401
    );
    assert_eq!(
        caller
            .post_status(REGISTER, &caller.workspace_token().await, &registration("phone"))
            .await,
        403
    );
    let weak = json!({ "apiKey": caller.emulator.add_profile_api_key(&[]), "uuid": UUID });
    let weak = caller.post_openly(ANONYMOUS_LOGIN, &weak).await.token();
    let refused = caller.post(REGISTER, &weak, &registration("phone")).await;
    assert_eq!(refused.status, 403);
    assert!(
        refused.body["message"]
            .as_str()
            .unwrap()
            .contains("SAUTH_REGISTER_CLIENT_CREATE")
    );

    assert_eq!(
        caller
            .post_status(REGISTER, &visitor, &registration("phone"))
            .await,
        200
    );
    let again = caller.post(REGISTER, &visitor, &registration("phone")).await;
    assert_eq!((again.status, again.field()), (409, "email"));
}

#[tokio::test]
async fn a_custom_id_belongs_to_one_account() {
    let caller = Caller::start().await;
    caller.emulator.add_account("first@example.com", PASSWORD);
    caller.emulator.set_custom_id("first@example.com", "17");
    let visitor = caller.anonymous_token().await;
    let mut body = registration("phone");
    body["customId"] = json!(17);
    let taken = caller.post(REGISTER, &visitor, &body).await;
    assert_eq!((taken.status, taken.field()), (409, "customId"));
    body["customId"] = json!(18);
    assert_eq!(caller.post_status(REGISTER, &visitor, &body).await, 200);
    assert_eq!(
        caller.emulator.profile(OLA).unwrap().custom_id.as_deref(),
        Some("18")
    );
}

#[tokio::test]
async fn a_password_policy_can_be_required() {
    let mut assumptions = Assumptions::default();
    assumptions.password_policy = true;
    let caller = Caller::with(Emulator::builder().assumptions(assumptions)).await;
    let visitor = caller.anonymous_token().await;
    let mut body = registration("phone");
    body["password"] = json!("strongpassword");
    assert_eq!(caller.post(REGISTER, &visitor, &body).await.field(), "password");
    assert_eq!(
        caller
            .post_status(REGISTER, &visitor, &registration("phone"))
            .await,
        200
    );
}

#[tokio::test]
async fn the_pin_in_the_outbox_activates_the_account() {
    let caller = Caller::with(in_mode(pin_mode(&json!({ "pinConfirmationLength": 8 })))).await;
    let visitor = caller.anonymous_token().await;
    caller.post(REGISTER, &visitor, &registration("phone")).await;
    assert_eq!(caller.login_status().await, (403, json!("SAU-303")));
    assert_eq!(
        caller.emulator.last_message(OLA).unwrap().kind,
        MessageKind::ActivationPin
    );
    let pin = caller.secret();
    assert!(
        pin.len() == 8 && pin.bytes().all(|digit| digit.is_ascii_digit()),
        "{pin}"
    );

    let wrong = if pin == "00000000" { "00000001" } else { "00000000" };
    assert_eq!(caller.confirm_pin(&visitor, "phone", wrong).await, 400);
    assert_eq!(
        caller.confirm_pin(&visitor, "tablet", &pin).await,
        403,
        "another device"
    );
    assert_eq!(caller.confirm_pin(&visitor, "phone", &pin).await, 200);
    assert_eq!(caller.login_status().await.0, 200);
    assert!(caller.emulator.profile(OLA).unwrap().email_confirmed);
    assert_eq!(
        caller.confirm_pin(&visitor, "phone", &pin).await,
        404,
        "already activated"
    );
}

#[tokio::test]
async fn a_pin_expires_and_is_sent_again() {
    let caller = Caller::with(in_mode(pin_mode(&json!({ "pinConfirmationValidInSeconds": 60 })))).await;
    let visitor = caller.anonymous_token().await;
    caller.post(REGISTER, &visitor, &registration("phone")).await;
    let old = caller.secret();
    caller.emulator.clock().advance(Duration::from_secs(60));
    assert_eq!(caller.confirm_pin(&visitor, "phone", &old).await, 400);
    assert_eq!(caller.request_pin(&visitor, "phone").await, 200);
    assert_eq!(caller.emulator.outbox().len(), 2);
    assert_eq!(caller.confirm_pin(&visitor, "phone", &caller.secret()).await, 200);
}

#[tokio::test]
async fn another_device_requests_a_pin_only_if_that_is_allowed() {
    let strict = Caller::with(in_mode(pin_mode(&json!({})))).await;
    let visitor = strict.anonymous_token().await;
    strict.post(REGISTER, &visitor, &registration("phone")).await;
    assert_eq!(strict.request_pin(&visitor, "tablet").await, 403);

    let lax = Caller::with(in_mode(pin_mode(
        &json!({ "allowPinResendFromDifferentDeviceId": true }),
    )))
    .await;
    let visitor = lax.anonymous_token().await;
    lax.post(REGISTER, &visitor, &registration("phone")).await;
    assert_eq!(lax.request_pin(&visitor, "tablet").await, 200);
    assert_eq!(
        lax.confirm_pin(&visitor, "phone", &lax.secret()).await,
        403,
        "only the device of the last request confirms"
    );
    assert_eq!(lax.confirm_pin(&visitor, "tablet", &lax.secret()).await, 200);
}

#[tokio::test]
async fn a_pin_can_be_required_only_on_conflict() {
    let settings = pin_mode(&json!({ "pinConfirmationType": "ON_CONFLICT_WITH_EXTERNAL_ACCOUNT" }));
    let caller = Caller::with(in_mode(settings)).await;
    let visitor = caller.anonymous_token().await;
    let mut other = registration("phone");
    other["email"] = json!("new@example.com");
    caller.post(REGISTER, &visitor, &other).await;
    assert!(
        caller.emulator.profile("new@example.com").unwrap().active,
        "no conflict, no PIN"
    );

    caller.emulator.add_third_party_token("FACEBOOK", "fb", OLA);
    let key = &caller.emulator.workspace().profile_api_key;
    let facebook = json!({ "apiKey": key, "identityProvider": "FACEBOOK", "identityProviderToken": "fb" });
    assert_eq!(caller.post_openly_status(PROFILE_LOGIN, &facebook).await, 200);
    assert_eq!(
        caller
            .post_status(REGISTER, &visitor, &registration("phone"))
            .await,
        200
    );
    assert_eq!(caller.login_status().await, (403, json!("SAU-303")));
    assert_eq!(
        caller.post_openly_status(PROFILE_LOGIN, &facebook).await,
        200,
        "the old login still works"
    );
    assert_eq!(caller.confirm_pin(&visitor, "phone", &caller.secret()).await, 200);
    assert_eq!(caller.login_status().await.0, 200);
}

#[tokio::test]
async fn an_activation_email_activates_the_account() {
    let caller = Caller::with(in_mode(json!({ "registrationType": "REQUIRE_EMAIL_ACTIVATION" }))).await;
    let visitor = caller.anonymous_token().await;
    caller.post(REGISTER, &visitor, &registration("phone")).await;
    assert_eq!(caller.login_status().await, (403, json!("SAU-302")));
    let old = caller.secret();
    assert_eq!(
        caller
            .post_status(REQUEST_TOKEN, &visitor, &json!({ "email": OLA }))
            .await,
        200
    );
    let confirm = async |token: &str| {
        caller
            .post_status(CONFIRM_TOKEN, &visitor, &json!({ "token": token }))
            .await
    };
    assert_eq!(confirm(&old).await, 400, "a new token replaces the old one");
    assert_eq!(confirm(&caller.secret()).await, 200);
    assert_eq!(caller.login_status().await.0, 200);
    assert!(caller.emulator.profile(OLA).unwrap().email_confirmed);
    assert_eq!(
        caller
            .post_status(REQUEST_TOKEN, &visitor, &json!({ "email": OLA }))
            .await,
        404
    );
}

#[tokio::test]
async fn an_activation_token_expires() {
    let caller = Caller::with(in_mode(json!({ "registrationType": "REQUIRE_EMAIL_ACTIVATION" }))).await;
    caller
        .post(REGISTER, &caller.anonymous_token().await, &registration("phone"))
        .await;
    caller.emulator.clock().advance(Duration::from_secs(86_400));
    let visitor = caller.anonymous_token().await;
    let late = caller
        .post(CONFIRM_TOKEN, &visitor, &json!({ "token": caller.secret() }))
        .await;
    assert_eq!((late.status, late.field()), (400, "token"));
}

#[tokio::test]
async fn a_confirmation_email_confirms_a_usable_account() {
    let caller = Caller::with(in_mode(
        json!({ "registrationType": "REQUIRE_EMAIL_CONFIRMATION" }),
    ))
    .await;
    let visitor = caller.anonymous_token().await;
    caller.post(REGISTER, &visitor, &registration("phone")).await;
    assert_eq!(caller.login_status().await.0, 200);
    assert!(!caller.emulator.profile(OLA).unwrap().email_confirmed);
    caller
        .post(CONFIRM_TOKEN, &visitor, &json!({ "token": caller.secret() }))
        .await;
    assert!(caller.emulator.profile(OLA).unwrap().email_confirmed);
}

#[tokio::test]
async fn activation_needs_the_token_of_a_profile() {
    let caller = Caller::start().await;
    let workspace = caller.workspace_token().await;
    let visitor = caller.anonymous_token().await;
    let pin = json!({ "deviceId": "phone", "email": OLA, "pinCode": "123456", "uuid": UUID });
    let resend = json!({ "deviceId": "phone", "email": OLA, "uuid": UUID });
    for (path, body, absent) in [
        (CONFIRM_PIN, pin, 404),
        (REQUEST_PIN, resend, 404),
        (CONFIRM_TOKEN, json!({ "token": "none" }), 400),
        (REQUEST_TOKEN, json!({ "email": OLA }), 404),
    ] {
        assert_eq!(caller.post_openly_status(path, &body).await, 401, "{path}");
        assert_eq!(caller.post_status(path, &workspace, &body).await, 403, "{path}");
        assert_eq!(
            caller.post_status(path, &visitor, &json!({})).await,
            400,
            "{path}"
        );
        assert_eq!(
            caller.post_status(path, &visitor, &body).await,
            absent,
            "{path}: nobody waits"
        );
    }
}
