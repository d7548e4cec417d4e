//! An operator of the portal logs in with a second factor, chooses a workspace, and reads its statistics.
//!
//! It runs against the emulator, which it starts in this process, and which also plays the authenticator app.

#![allow(clippy::print_stdout, reason = "it shows what it does")]

use std::error::Error;

use synerise_auth::chrono::NaiveDate;
use synerise_auth::model::MfaMethod;
use synerise_auth::usage::UsageQuery;
use synerise_auth::{Client, UserLoginOutcome};
use synerise_auth_emulator::Emulator;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let emulator = Emulator::start().await?;
    emulator.record_events("2025-05-29", "page.visit", 1200);
    emulator.record_events("2025-05-30", "page.visit", 800);
    emulator.record_events("2025-05-30", "product.buy", 25);
    let client = Client::builder()
        .base_url(emulator.base_url())
        .app("user-mfa")
        .build()?;

    let operator = emulator.user();
    let login = client.user().login(&operator.username, &*operator.password);
    let user = match login.device_id("office-laptop").await? {
        UserLoginOutcome::Complete(user) => user,
        UserLoginOutcome::MfaRequired(challenge) => {
            println!(
                "1. the password is right; a second factor is asked for: {:?}",
                challenge.methods()
            );
            if let Err(error) = challenge.verify(MfaMethod::Totp, "000000").await {
                println!("2. a wrong code: {error}");
            }
            challenge.verify(MfaMethod::Totp, emulator.totp_code()).await?
        }
    };
    println!("3. logged in");

    let workspaces = user.workspaces().await?;
    let workspace = workspaces.first().ok_or("the user has no workspace")?;
    println!(
        "4. {} workspace(s); the first is {:?}",
        workspaces.len(),
        workspace.name.as_deref().unwrap_or_default()
    );

    let guid = workspace.guid.ok_or("the workspace has no GUID")?;
    let inside = user.select_workspace(guid).await?;
    let permissions = inside.user_info().map_or(0, |info| info.authorities.len());
    println!("5. in the workspace, with {permissions} permissions");

    let day = |day| NaiveDate::from_ymd_opt(2025, 5, day).ok_or("no such day");
    let query = UsageQuery::days(day(29)?, day(30)?)?;
    for report in inside.new_data_points(&query).await? {
        if let Some(daily) = report.daily {
            let day = daily.day.map(|day| day.to_string()).unwrap_or_default();
            println!(
                "6. {day}: {} new events, {:?}",
                daily.total.unwrap_or_default(),
                daily.events
            );
        }
    }
    let kept = inside.retention_data_points(&query).await?;
    println!(
        "7. {} events were kept on an average day",
        kept.average.unwrap_or_default()
    );
    Ok(())
}
