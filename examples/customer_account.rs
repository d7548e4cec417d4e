//! The whole life of a customer's account: registered, activated, changed, forgotten, logged out everywhere, deleted.
//!
//! It runs against the emulator, which it starts in this process, and reads the messages in the emulator's outbox.

#![allow(clippy::print_stdout, reason = "it shows what it does")]

use std::error::Error;

use synerise_auth::account::{
    AccountDeletion, EmailChange, EmailConfirmation, NewAccount, PasswordChange, PhoneConfirmation,
};
use synerise_auth::settings::Registration;
use synerise_auth::{ApiKey, Client, ErrorKind, Identity, LoginId};
use synerise_auth_emulator::Emulator;

const UUID: &str = "00000000-0000-4000-8000-000000000001";
const EMAIL: &str = "jan@shop.example";
const NEW_EMAIL: &str = "jan.kowalski@shop.example";
const PHONE: &str = "+48000000000";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let emulator = Emulator::start().await?;
    emulator.stub(
        "GET",
        "/v4/my-account/personal-information",
        serde_json::json!({}),
    );
    let sent_to = |address: &str| {
        let message = emulator.last_message(address);
        message.map(|message| message.secret).ok_or("nothing was sent")
    };
    let client = Client::builder()
        .base_url(emulator.base_url())
        .app("customer-account")
        .build()?;
    let workspace = client.workspace(ApiKey::new(&emulator.workspace().workspace_api_key)?);
    let by_email = Registration::Other("REQUIRE_EMAIL_ACTIVATION".into());
    workspace
        .profile_settings()
        .update(|settings| settings.registration = by_email)
        .await?;

    let logins = client.profile(ApiKey::new(&emulator.workspace().profile_api_key)?);
    let log_in = |email: &str, password: &str| {
        let identity = Identity::synerise(LoginId::email(email), password, UUID);
        logins.clone().login(identity).device_id("jans-phone")
    };

    let visitor = client.anonymous(ApiKey::new(&emulator.workspace().profile_api_key)?, UUID);
    visitor
        .register(NewAccount::new(EMAIL, "Not-a-real-1", UUID).first_name("Jan"))
        .await?;
    visitor.activate_by_token(sent_to(EMAIL)?).await?;
    println!("1. registered, and activated by the token in the e-mail");

    let customer = log_in(EMAIL, "Not-a-real-1").await?;
    let change = EmailChange::by_password(NEW_EMAIL, "Not-a-real-1");
    customer.request_email_change(change).await?;
    let confirmation = EmailConfirmation::new(sent_to(NEW_EMAIL)?).newsletter_agreement(true);
    customer.confirm_email_change(confirmation).await?;
    customer.request_phone_change(PHONE).await?;
    let confirmation = PhoneConfirmation::new(PHONE, sent_to(PHONE)?);
    customer.confirm_phone_change(confirmation).await?;
    println!("2. logged in, and changed the e-mail address and the telephone number");

    visitor.request_password_reset(NEW_EMAIL).await?;
    visitor
        .reset_password(sent_to(NEW_EMAIL)?, "Not-a-real-2")
        .await?;
    match customer
        .change_password(PasswordChange::new("forgotten", "Not-a-real-3"))
        .await
    {
        Err(error) if error.kind() == ErrorKind::WrongCredential => {
            println!("3. reset the forgotten password; a wrong one changes nothing");
        }
        Err(error) => return Err(error.into()),
        Ok(()) => return Err("a wrong password was accepted".into()),
    }

    let elsewhere = log_in(NEW_EMAIL, "Not-a-real-2").await?;
    customer.log_out().await?;
    let here = customer.token().await.err().ok_or("the session goes on")?;
    let there = elsewhere.get("/v4/my-account/personal-information").await;
    let there = there.err().ok_or("the other session goes on")?;
    if [here.kind(), there.kind()] != [ErrorKind::SessionExpired; 2] {
        return Err(there.into());
    }
    println!("4. logged out on all devices: {here}");

    let customer = log_in(NEW_EMAIL, "Not-a-real-2").await?;
    customer
        .delete_account(AccountDeletion::by_password("Not-a-real-2").uuid(UUID))
        .await?;
    let refused = log_in(NEW_EMAIL, "Not-a-real-2").await.err();
    let refused = refused.ok_or("a deleted account can log in")?;
    println!("5. deleted: a login is refused ({:?})", refused.status());
    Ok(())
}
