//! Changes one setting of a workspace and keeps the others, although the service resets whatever it is not sent.
//!
//! It runs against the emulator, which it starts in this process.

#![allow(clippy::print_stdout, reason = "it shows what it does")]

use std::error::Error;
use std::time::Duration;

use synerise_auth::settings::Registration;
use synerise_auth::{ApiKey, Client};
use synerise_auth_emulator::Emulator;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let emulator = Emulator::builder()
        .profile_settings(serde_json::json!({
            "registrationType": "AUTOMATIC",
            "tokenLifetimeInSeconds": 1800,
            "confirmationRedirectLink": "https://shop.example/welcome",
        }))
        .start()
        .await?;
    let client = Client::builder()
        .base_url(emulator.base_url())
        .app("settings")
        .build()?;
    let workspace = client.workspace(ApiKey::new(&emulator.workspace().workspace_api_key)?);

    let before = workspace.profile_settings().get().await?;
    println!(
        "1. before: {:?}, tokens live for {:?}",
        before.registration,
        before.token_lifetime.unwrap_or_default()
    );

    let changes = workspace
        .profile_settings()
        .update(|settings| settings.registration = Registration::pin(8, Duration::from_secs(600)))
        .await?;
    for change in &changes {
        println!(
            "2. changed: {} from {} to {}",
            change.field, change.before, change.after
        );
    }

    let after = workspace.profile_settings().get().await?;
    let link = after.confirmation_redirect.as_deref().unwrap_or("none");
    println!(
        "3. kept: tokens live for {:?}, the link is {link}",
        after.token_lifetime.unwrap_or_default()
    );

    let again = workspace
        .profile_settings()
        .update(|settings| settings.registration = after.registration)
        .await?;
    println!(
        "4. the same update again changes {} fields, and sends nothing",
        again.len()
    );

    let changes = workspace
        .ip_policy()
        .update(|policy| {
            policy.enabled = Some(true);
            policy.addresses.push("192.0.2.0/24".into());
        })
        .await?;
    println!("5. the IP policy: {} fields changed, none lost", changes.len());
    Ok(())
}
