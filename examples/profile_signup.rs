//! A visitor of a shop becomes a customer: anonymous at first, then registered, activated by the PIN in an e-mail, and
//! logged in.
//!
//! It runs against the emulator, which it starts in this process, and reads the e-mail in the emulator's outbox.

#![allow(clippy::print_stdout, reason = "it shows what it does")]

use std::error::Error;
use std::time::Duration;

use synerise_auth::account::{AccountDevice, NewAccount};
use synerise_auth::error::ActivationMethod;
use synerise_auth::model::{Agreements, Attributes, PinConfirmationType};
use synerise_auth::settings::{Pin, Registration};
use synerise_auth::{ApiKey, Client, ErrorKind, Identity, LoginId, Visitor};
use synerise_auth_emulator::Emulator;

const EMAIL: &str = "jan@shop.example";
const PASSWORD: &str = "Not-a-real-1";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let emulator = Emulator::start().await?;
    let client = Client::builder()
        .base_url(emulator.base_url())
        .app("profile-signup")
        .build()?;
    require_a_pin(&client, ApiKey::new(&emulator.workspace().workspace_api_key)?).await?;

    let key = ApiKey::new(&emulator.workspace().profile_api_key)?;
    let (uuid, device) = ("00000000-0000-4000-8000-000000000001", "jans-phone");
    let visitor = client.anonymous(key.clone(), Visitor::new(uuid).with_device_id(device));
    println!(
        "1. an anonymous visitor: a token that lives for {:?}",
        visitor.token().await?.lifetime()
    );

    let account = NewAccount::new(EMAIL, PASSWORD, uuid)
        .device_id(device)
        .first_name("Jan")
        .agreements(Agreements::new().with_email(true))
        .attributes(Attributes::new().set("favourite_colour", "green")?);
    visitor.register(account).await?;
    println!("2. registered, and not active yet");

    let identity = Identity::synerise(LoginId::email(EMAIL), PASSWORD, uuid);
    match client
        .profile(key.clone())
        .login(identity.clone())
        .device_id(device)
        .await
    {
        Err(error) if error.kind() == ErrorKind::ActivationRequired(ActivationMethod::Pin) => {
            println!("3. a login says that the PIN in the e-mail is missing");
        }
        Err(error) => return Err(error.into()),
        Ok(_) => return Err("the account was usable before its activation".into()),
    }

    let pin = emulator.last_message(EMAIL).ok_or("no e-mail was sent")?.secret;
    visitor
        .activate_by_pin(&AccountDevice::new(EMAIL, uuid, device), pin)
        .await?;
    println!("4. activated by the PIN, from the device that registered");

    let customer = client.profile(key).login(identity).device_id(device).await?;
    let token = customer.token().await?;
    let origin = token.origin().map(ToString::to_string).unwrap_or_default();
    println!(
        "5. logged in by password ({origin}): a token that lives for {:?}",
        token.lifetime()
    );
    Ok(())
}

/// Requires every new customer to confirm by PIN, and keeps all other settings.
async fn require_a_pin(client: &Client, key: ApiKey) -> synerise_auth::Result<()> {
    let pin = Pin::new().with_length(6).with_valid_for(Duration::from_secs(300));
    let pin = pin.with_required_of(PinConfirmationType::Everyone);
    let workspace = client.workspace(key);
    let settings = workspace.profile_settings();
    settings
        .update(|settings| settings.registration = Registration::Pin(pin))
        .await?;
    Ok(())
}
